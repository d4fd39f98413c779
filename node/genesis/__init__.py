"""Where a chain starts: genesis files, predeploys, development accounts and chains."""

from node.genesis.dev_accounts import DevAccount, dev_accounts
from node.genesis.dev_chains import l1_dev_genesis, l2_genesis
from node.genesis.genesis import Genesis, GenesisAccount, genesis_block
from node.genesis.geth_format import genesis_to_json, parse_genesis, read_genesis
from node.genesis.predeploy_settings import PredeploySettings

__all__ = [
    "DevAccount",
    "Genesis",
    "GenesisAccount",
    "PredeploySettings",
    "dev_accounts",
    "genesis_block",
    "genesis_to_json",
    "l1_dev_genesis",
    "l2_genesis",
    "parse_genesis",
    "read_genesis",
]
