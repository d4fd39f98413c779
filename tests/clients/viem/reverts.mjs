import { ContractFunctionRevertedError } from 'viem'
import { account, deploy, input, node, show } from './wallet.mjs'

const { abi } = input
const address = await deploy('hello')

async function reverted(functionName, args) {
  try {
    await node.simulateContract({ account, address, abi, functionName, args })
  } catch (error) {
    const cause = error.walk((e) => e instanceof ContractFunctionRevertedError)
    return { reason: cause?.reason ?? null, name: cause?.data?.errorName, args: cause?.data?.args }
  }
  return { reason: 'not reverted' }
}

show({
  sender: account.address,
  plain: await reverted('fail', ['not today']),
  custom: await reverted('failCustom', [42n]),
})
