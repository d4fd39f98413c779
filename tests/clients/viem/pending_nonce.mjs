import { account, mined, node, show, wallet } from './wallet.mjs'

const { address } = account
const first = await node.getTransactionCount({ address, blockTag: 'pending' })
const hashes = []
for (const offset of [0, 1, 2]) {
  hashes.push(await wallet.sendTransaction({ to: address, nonce: first + offset, gas: 21_000n }))
}
const pending = await node.getTransactionCount({ address, blockTag: 'pending' })
for (const hash of hashes) await mined(hash)
show({ first, pending, latest: await node.getTransactionCount({ address }) })
