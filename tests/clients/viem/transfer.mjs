import { parseEther } from 'viem'
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts'
import { mined, node, show, wallet } from './wallet.mjs'

const to = privateKeyToAddress(generatePrivateKey())
const receipt = await mined(await wallet.sendTransaction({ to, value: parseEther('1.5') }))
show({
  status: receipt.status,
  gasUsed: receipt.gasUsed,
  balance: await node.getBalance({ address: to }),
})
