// The two chains as viem's op-stack actions want them: what the README shows.
import { createPublicClient, createWalletClient, defineChain, http } from 'viem'
import {
  chainConfig, publicActionsL1, publicActionsL2, walletActionsL1, walletActionsL2,
} from 'viem/op-stack'

// `addresses` is the content of addresses.json.
export function defineChains({ l1Url, l1ChainId, l2Url, l2ChainId, addresses }) {
  const l1 = defineChain({
    id: l1ChainId,
    name: 'L1',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [l1Url] } },
  })
  const l2 = defineChain({
    ...chainConfig,
    id: l2ChainId,
    name: 'OpenRollup',
    nativeCurrency: { name: 'OPEN', symbol: 'OPEN', decimals: 18 },
    rpcUrls: { default: { http: [l2Url] } },
    sourceId: l1.id,
    contracts: {
      ...chainConfig.contracts,
      portal: { [l1.id]: { address: addresses.optimismPortal } },
      l2OutputOracle: { [l1.id]: { address: addresses.l2OutputOracle } },
    },
  })
  return { l1, l2 }
}

export function connect({ l1, l2 }, account) {
  const options = { transport: http(), pollingInterval: 200 }
  // An L1 without Multicall3 runs it for a call only.
  const batch = { multicall: { deployless: true } }
  return {
    publicL1: createPublicClient({ chain: l1, batch, ...options }).extend(publicActionsL1()),
    publicL2: createPublicClient({ chain: l2, ...options }).extend(publicActionsL2()),
    walletL1: createWalletClient({ account, chain: l1, ...options }).extend(walletActionsL1()),
    walletL2: createWalletClient({ account, chain: l2, ...options }).extend(walletActionsL2()),
  }
}
