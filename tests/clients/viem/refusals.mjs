import { createWalletClient, http, parseGwei } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { account, input, mined, node, refusal, show, wallet } from './wallet.mjs'

const { address } = account
const to = address
const gas = 21_000n
const price = { maxFeePerGas: parseGwei('20'), maxPriorityFeePerGas: parseGwei('1') }
await mined(await wallet.sendTransaction({ to, gas }))
// With a gap before it the transaction waits, however fast blocks come.
const nonce = await node.getTransactionCount({ address }) + 1
await wallet.sendTransaction({ to, gas, nonce, ...price })

const poor = createWalletClient({
  account: privateKeyToAccount(generatePrivateKey()),
  chain: wallet.chain,
  transport: http(input.url, { retryCount: 0 }),
})
show({
  replacement: await refusal(() => wallet.sendTransaction({ to, gas, nonce, value: 1n, ...price })),
  nonceTooLow: await refusal(() => wallet.sendTransaction({ to, gas, nonce: 0, ...price })),
  insufficientFunds: await refusal(() => poor.sendTransaction({ to, gas, nonce: 0, ...price })),
})
