// What a transaction will cost, beside what it did cost.
import { account, chains, onL2, publicL1, publicL2, show, walletL2 } from './bridge.mjs'

const transaction = { account, to: account.address, value: 1n, data: '0x' + '5a'.repeat(300) }
const estimates = {
  l1Fee: await publicL2.estimateL1Fee(transaction),
  l1Gas: await publicL2.estimateL1Gas(transaction),
  operatorFee: await publicL2.estimateOperatorFee(transaction),
  operatorFeeByL1Block: await publicL2.estimateOperatorFee({
    ...transaction, l1BlockAddress: chains.l2.contracts.l1Block.address,
  }),
  total: await publicL2.estimateTotalFee(transaction),
  totalGas: await publicL2.estimateTotalGas(transaction),
  l1BaseFee: await publicL2.getL1BaseFee(),
}
const before = await publicL2.getBalance({ address: account.address })
const receipt = await onL2(await walletL2.sendTransaction(transaction))
const after = await publicL2.getBalance({ address: account.address })
show({
  estimates,
  receipt: {
    l1Fee: receipt.l1Fee, l1GasUsed: receipt.l1GasUsed, l1GasPrice: receipt.l1GasPrice,
    gasUsed: receipt.gasUsed, effectiveGasPrice: receipt.effectiveGasPrice,
  },
  paid: before - after,
  chain: chains.l2.id,
  version: await publicL1.getPortalVersion({ targetChain: chains.l2 }),
})
