// What every scenario starts from. The only argument is a JSON object:
// {url, chainId, privateKey, abi, bytecode, ...}; the only output is one JSON object.
import { createPublicClient, createWalletClient, defineChain, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

export const input = JSON.parse(process.argv[2])

const chain = defineChain({
  id: input.chainId,
  name: 'OpenRollup',
  nativeCurrency: { name: 'OPEN', symbol: 'OPEN', decimals: 18 },
  rpcUrls: { default: { http: [input.url] } },
})

export const account = privateKeyToAccount(input.privateKey)
// An error must reach the test as it is, at once: no second try.
const transport = http(input.url, { retryCount: 0 })
export const node = createPublicClient({ chain, transport, pollingInterval: 100 })
export const wallet = createWalletClient({ account, chain, transport })

export function show(result) {
  const text = JSON.stringify(result, (_, value) =>
    typeof value === 'bigint' ? value.toString() : value)
  console.log(text)
}

export async function mined(hash) {
  return node.waitForTransactionReceipt({ hash, timeout: 30_000 })
}

export async function deploy(greeting) {
  const hash = await wallet.deployContract({ abi: input.abi, bytecode: input.bytecode, args: [greeting] })
  return (await mined(hash)).contractAddress
}

// The error that viem finds for a refusal: its class, and what the node said.
export async function refusal(action) {
  try {
    await action()
  } catch (error) {
    const names = []
    for (let cause = error; cause; cause = cause.cause) names.push(cause.name)
    const innermost = error.walk((e) => e.details !== undefined || e.cause === undefined)
    return { names, details: innermost.details ?? innermost.message }
  }
  return { names: [], details: 'not refused' }
}
