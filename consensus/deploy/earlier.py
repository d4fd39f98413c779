"""Has a key deployed a rollup before whose batches would go where those of a new one go?"""

from consensus.deploy.plan import Plan
from consensus.deploy.settings import DeploySettings
from consensus.l1.client import L1Client
from consensus.l1.contract_call import encode_call
from consensus.l1.json_rpc import RpcFault
from node.types.primitives import Address


async def earlier_rollup(
    l1: L1Client, deployer: Address, settings: DeploySettings
) -> Address | None:
    """Return the SystemConfig of a whole rollup with the same inbox and batcher, None if none is
    found: it is looked for where the key's first deployment and its last one would be.

    TemporaryError if L1 does not answer.
    """
    nonce = await l1.nonce(deployer)
    size = Plan(settings, deployer, 0, {}).size
    for first in sorted({0, nonce - size}):
        if 0 <= first <= nonce - size:
            config = Plan(settings, deployer, first, {}).contracts.system_config
            if await _shares_inbox(l1, config, settings):
                return config
    return None


async def _shares_inbox(l1: L1Client, config: Address, settings: DeploySettings) -> bool:
    try:
        for getter, expected in (
            ("batchInbox()", settings.batch_inbox),
            ("batcherHash()", settings.batcher),
        ):
            if await l1.call(config, encode_call(getter)) != expected.rjust(32, b"\0"):
                return False
        oracle = await l1.call(config, encode_call("l2OutputOracle()"))
    except RpcFault:
        return False  # it is something else that is there
    # The oracle comes last: without it nobody has the rollup's files.
    return await l1.code(Address(oracle[12:])) != b""
