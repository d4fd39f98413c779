import { parseEventLogs } from 'viem'
import { account, deploy, input, mined, node, show, wallet } from './wallet.mjs'

const { abi } = input
const address = await deploy('hello')
const before = await node.readContract({ address, abi, functionName: 'greet' })
const { request } = await node.simulateContract({
  account, address, abi, functionName: 'setGreeting', args: ['good evening'],
})
const receipt = await mined(await wallet.writeContract(request))
const events = parseEventLogs({ abi, logs: receipt.logs })
const found = await node.getContractEvents({
  address, abi, eventName: 'GreetingChanged', fromBlock: receipt.blockNumber,
})
show({
  before,
  after: await node.readContract({ address, abi, functionName: 'greet' }),
  sender: account.address,
  events: events.map(({ eventName, args }) => ({ eventName, args })),
  found: found.map(({ eventName, args }) => ({ eventName, args })),
})
