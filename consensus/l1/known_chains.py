"""Chain configs of public L1s, as l1-chain.json holds them for us and for op-node."""

from typing import Any

from node.config import BLOCK_FORKS

_SCHEDULE = {
    "cancun": (3, 6, 3338477),
    "prague": (6, 9, 5007716),
    "osaka": (6, 9, 5007716),
    "bpo1": (10, 15, 8346193),
    "bpo2": (14, 21, 11684671),
}
# geth finds no blob fee where it finds no London before it, whatever the times below say.
_BLOCKS = {
    1: {
        "homesteadBlock": 1_150_000,
        "eip150Block": 2_463_000,
        "eip155Block": 2_675_000,
        "eip158Block": 2_675_000,
        "byzantiumBlock": 4_370_000,
        "constantinopleBlock": 7_280_000,
        "petersburgBlock": 7_280_000,
        "istanbulBlock": 9_069_000,
        "muirGlacierBlock": 9_200_000,
        "berlinBlock": 12_244_000,
        "londonBlock": 12_965_000,
        "arrowGlacierBlock": 13_773_000,
        "grayGlacierBlock": 15_050_000,
    },
    11155111: {
        **dict.fromkeys(BLOCK_FORKS[: BLOCK_FORKS.index("londonBlock") + 1], 0),
        "mergeNetsplitBlock": 1_735_371,
    },
}
_DEV_BLOCKS = dict.fromkeys(BLOCK_FORKS, 0)
# Seconds since the epoch, from go-ethereum's params (EIP-7569, EIP-7600, EIP-7607, EIP-7892).
_ACTIVATIONS = {
    1: {
        "shanghai": 1681338455,
        "cancun": 1710338135,
        "prague": 1746612311,
        "osaka": 1764798551,
        "bpo1": 1765290071,
        "bpo2": 1767747671,
    },
    11155111: {
        "shanghai": 1677557088,
        "cancun": 1706655072,
        "prague": 1741159776,
        "osaka": 1760427360,
        "bpo1": 1761017184,
        "bpo2": 1761607008,
    },
}
_DEV_ACTIVATIONS = {"shanghai": 0, "cancun": 0, "prague": 0}


def l1_chain_json(chain_id: int) -> dict[str, Any]:
    """Return the chain config of an L1: Ethereum, Sepolia, or else one with Prague from genesis.

    Another L1 that is not such a development chain needs its own file.
    """
    activations = _ACTIVATIONS.get(chain_id, _DEV_ACTIVATIONS)
    names = ("target", "max", "baseFeeUpdateFraction")
    config: dict[str, Any] = {"chainId": chain_id, **_BLOCKS.get(chain_id, _DEV_BLOCKS)}
    for fork, time in activations.items():
        config[f"{fork}Time"] = time
    config["blobSchedule"] = {
        fork: dict(zip(names, _SCHEDULE[fork], strict=True))
        for fork in activations
        if fork in _SCHEDULE
    }
    return config
