// What each scenario of the bridge starts from. The only argument is a JSON object:
// {l1Url, l1ChainId, l2Url, l2ChainId, addresses, privateKey}; the only output is one JSON object.
import { privateKeyToAccount } from 'viem/accounts'
import { connect, defineChains } from './chains.mjs'

export const input = JSON.parse(process.argv[2])
export const account = privateKeyToAccount(input.privateKey)
export const chains = defineChains(input)
export const { publicL1, publicL2, walletL1, walletL2 } = connect(chains, account)

export function show(result) {
  const text = JSON.stringify(result, (_, value) =>
    typeof value === 'bigint' ? value.toString() : value)
  console.log(text)
}

export const onL1 = (hash) => publicL1.waitForTransactionReceipt({ hash, timeout: 60_000 })
export const onL2 = (hash) => publicL2.waitForTransactionReceipt({ hash, timeout: 60_000 })
