import { node, show } from './wallet.mjs'

show({ chainId: await node.getChainId(), number: await node.getBlockNumber() })
