// OPEN from L2 to L1, by every action that viem has for it; the status at each step.
import { parseEther, parseAbi } from 'viem'
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts'
import { getWithdrawals } from 'viem/op-stack'
import {
  account, chains, input, onL1, onL2, publicL1, publicL2, show, walletL1, walletL2,
} from './bridge.mjs'

const targetChain = chains.l2
// How long to wait viem tells from the newest output; a chain's first comes after some blocks.
const firstOutput = () => publicL1.getL2Output({ l2BlockNumber: 1n, targetChain })
while (!await firstOutput().catch(() => false)) await new Promise((done) => setTimeout(done, 200))

const value = parseEther('0.75')
const to = privateKeyToAddress(generatePrivateKey())

// With a gas limit: L1 moves no ether, whose transfer viem would otherwise estimate.
const begin = await publicL1.buildInitiateWithdrawal({ account, to, value, gas: 21_000n })
const receipt = await onL2(await walletL2.initiateWithdrawal(begin))
const [withdrawal] = getWithdrawals(receipt)

const statuses = []
const look = async () => statuses.push(await publicL1.getWithdrawalStatus({ receipt, targetChain }))
await look()
const timeToProve = await publicL1.getTimeToProve({ receipt, targetChain })
const { output } = await publicL1.waitToProve({ receipt, targetChain })
await look()
const proof = await publicL2.buildProveWithdrawal({ account, output, withdrawal })
const proven = await onL1(await walletL1.proveWithdrawal(proof))
await look()
const { withdrawalHash } = withdrawal
const timeToFinalize = await publicL1.getTimeToFinalize({ withdrawalHash, targetChain })
await publicL1.waitToFinalize({ withdrawalHash, targetChain })
await look()
const finalized = await onL1(await walletL1.finalizeWithdrawal({ account, targetChain, withdrawal }))
await look()

const balance = await publicL1.readContract({
  address: input.addresses.openToken,
  abi: parseAbi(['function balanceOf(address) view returns (uint256)']),
  functionName: 'balanceOf',
  args: [to],
})
show({
  statuses, balance, timeToProve, timeToFinalize,
  proven: { status: proven.status, gasUsed: proven.gasUsed },
  finalized: { status: finalized.status, gasUsed: finalized.gasUsed },
})
