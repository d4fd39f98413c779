"""Chain configs of public L1s, as l1-chain.json holds them: what the blob fee depends on."""

from typing import Any

_SCHEDULE = {
    "cancun": (3, 6, 3338477),
    "prague": (6, 9, 5007716),
    "osaka": (6, 9, 5007716),
    "bpo1": (10, 15, 8346193),
    "bpo2": (14, 21, 11684671),
}
# Seconds since the epoch, from go-ethereum's params (EIP-7569, EIP-7600, EIP-7607, EIP-7892).
_ACTIVATIONS = {
    1: {
        "cancun": 1710338135,
        "prague": 1746612311,
        "osaka": 1764798551,
        "bpo1": 1765290071,
        "bpo2": 1767747671,
    },
    11155111: {
        "cancun": 1706655072,
        "prague": 1741159776,
        "osaka": 1760427360,
        "bpo1": 1761017184,
        "bpo2": 1761607008,
    },
}
_DEV_ACTIVATIONS = {"cancun": 0, "prague": 0}


def l1_chain_json(chain_id: int) -> dict[str, Any]:
    """Return the chain config of an L1: Ethereum, Sepolia, or else one with Prague from genesis.

    Another L1 that is not such a development chain needs its own file.
    """
    activations = _ACTIVATIONS.get(chain_id, _DEV_ACTIVATIONS)
    names = ("target", "max", "baseFeeUpdateFraction")
    config: dict[str, Any] = {"chainId": chain_id}
    for fork, time in activations.items():
        config[f"{fork}Time"] = time
    config["blobSchedule"] = {
        fork: dict(zip(names, _SCHEDULE[fork], strict=True)) for fork in activations
    }
    return config
