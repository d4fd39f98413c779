import { account, deploy, input, mined, node, show, wallet } from './wallet.mjs'

const { abi } = input
const address = await deploy('hello')
const call = { account, address, abi, functionName: 'setGreeting', args: ['x'.repeat(200)] }
const estimate = await node.estimateContractGas(call)
const receipt = await mined(await wallet.writeContract({ ...call, gas: estimate }))
const fees = await node.estimateFeesPerGas()
show({
  status: receipt.status,
  estimate,
  gasUsed: receipt.gasUsed,
  transfer: await node.estimateGas({ account, to: account.address }),
  maxFeePerGas: fees.maxFeePerGas,
})
