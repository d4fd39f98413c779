// OPEN from L1 to L2, and transactions forced onto L2 that bring none.
import { parseAbi, parseEther } from 'viem'
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts'
import { getL2TransactionHashes } from 'viem/op-stack'
import { account, chains, input, onL1, onL2, publicL2, show, walletL1 } from './bridge.mjs'

const { openToken, optimismPortal } = input.addresses
const abi = parseAbi([
  'function approve(address spender, uint256 amount) returns (bool)',
  'function depositERC20Transaction(address to, uint256 mint, uint256 value, uint64 gasLimit, bool isCreation, bytes data)',
])
const fresh = () => privateKeyToAddress(generatePrivateKey())

// depositTransaction({ mint }) would send ether: OPEN is deposited by the portal's own function.
const amount = parseEther('1.5')
const to = fresh()
await onL1(await walletL1.writeContract({
  address: openToken, abi, functionName: 'approve', args: [optimismPortal, amount],
}))
const locked = await onL1(await walletL1.writeContract({
  address: optimismPortal, abi, functionName: 'depositERC20Transaction',
  args: [to, amount, amount, 100_000n, false, '0x'],
}))
const [hash] = getL2TransactionHashes(locked)
const arrived = await onL2(hash)

// Without a mint it is a transaction like any other of the account on L2, which cannot be kept out.
async function forced(parameters) {
  const args = await publicL2.buildDepositTransaction({ account, ...parameters })
  const receipt = await onL1(await walletL1.depositTransaction(args))
  const [l2Hash] = getL2TransactionHashes(receipt)
  return onL2(l2Hash)
}
const friend = fresh()
const empty = await forced({ to: friend, value: 0n, data: '0x1234' })
const payment = await forced({ to: friend, value: parseEther('0.25') })

show({
  mint: { status: arrived.status, type: arrived.type, balance: await publicL2.getBalance({ address: to }) },
  empty: { status: empty.status, from: empty.from },
  payment: { status: payment.status, balance: await publicL2.getBalance({ address: friend }) },
  account: account.address,
  chain: chains.l2.id,
})
