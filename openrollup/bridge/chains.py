"""The two chains of a transfer: are they what the user takes them for?"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from consensus.bridge.chain import Chain
from consensus.bridge.portal import Portal
from consensus.l1.json_objects import MalformedL1Data
from consensus.l1.json_rpc import JsonRpc, RpcFault, RpcSettings
from node.errors import ConfigError, OperationRefused, TemporaryError
from node.genesis.genesis import MESSAGE_PASSER
from node.json_file import read_json
from node.types.primitives import ZERO_HASH, Address, checksum_address, hex_address

L1_BLOCK = Address(bytes.fromhex("4200000000000000000000000000000000000015"))

# A person waits: a node that is not there is to be named within seconds.
_PATIENCE = RpcSettings(attempts=3)


@asynccontextmanager
async def open_l1(
    url: str, addresses: Path | None, portal: Address | None
) -> AsyncIterator[Portal]:
    """Connect to L1 and find the rollup's contracts there, by addresses.json or by the portal.

    ConfigError if they are not there; TemporaryError if L1 does not answer.
    """
    place = _portal_address(addresses) if portal is None else portal
    named = "--portal" if portal is not None else f"--addresses: {addresses}"
    async with _open(url, "--l1") as l1:
        if not await l1.has_code(place):
            if await l1.has_code(MESSAGE_PASSER):
                raise ConfigError(
                    f"--l1: chain {l1.chain_id} at {url} is a rollup: give the URL of its L1"
                )
            raise ConfigError(
                f"{named}: there is no contract at {checksum_address(place)} on L1 (chain "
                f"{l1.chain_id}): is it another rollup's or another chain's?"
            )
        try:
            token = await l1.read(place, "openToken()", "(address)")
            oracle = await l1.read(place, "l2Oracle()", "(address)")
        except (RpcFault, MalformedL1Data) as error:
            raise ConfigError(
                f"{named}: the contract at {checksum_address(place)} is not a portal for OPEN: "
                f"{error}"
            ) from error
        yield Portal(l1, place, hex_address(token), hex_address(oracle))


@asynccontextmanager
async def open_l2(url: str) -> AsyncIterator[Chain]:
    """Connect to L2. ConfigError if it is no rollup; TemporaryError if it does not answer."""
    async with _open(url, "--l2") as l2:
        if not await l2.has_code(MESSAGE_PASSER):
            raise ConfigError(
                f"--l2: chain {l2.chain_id} at {url} has no L2ToL1MessagePasser: it is no rollup "
                "(is it the L1?)"
            )
        yield l2


async def check_pair(portal: Portal, l2: Chain) -> None:
    """Refuse an L2 that does not stand on this L1, or belongs to another portal."""
    l1 = portal.l1
    head = (await l2.head()).number
    number = await l2.read(L1_BLOCK, "number()", "(uint64)", at=head)
    expected = await l2.read(L1_BLOCK, "hash()", "(bytes32)", at=head)
    if expected != ZERO_HASH:
        try:
            actual = (await l1.header(number)).hash
        except TemporaryError as error:
            raise OperationRefused(
                f"--l1: {l1.url} does not have L1 block {number}, which {l2.url} has read: it is "
                f"another chain, or behind ({error})"
            ) from error
        if actual != expected:
            raise OperationRefused(
                f"--l2: {l2.url} has read L1 block {number} 0x{expected.hex()}, {l1.url} has "
                f"0x{actual.hex()}: they are not of one rollup (if L1 was just reorganised, try "
                "again)"
            )
    named = await _portal_of(l2)
    if named is not None and named != portal.address:
        raise ConfigError(
            f"--portal: expected {checksum_address(named)}, as {l2.url} names it, got "
            f"{checksum_address(portal.address)}"
        )


async def _portal_of(l2: Chain) -> Address | None:
    """Return the portal that a rollup node names; None from a node that is only an engine."""
    config = await l2.rollup_config()
    named: Any = None if config is None else config.get("deposit_contract_address")
    try:
        return None if named is None else hex_address(named)
    except (ValueError, AttributeError, TypeError) as error:
        raise MalformedL1Data(f"deposit_contract_address: {error}") from error


@asynccontextmanager
async def _open(url: str, flag: str) -> AsyncIterator[Chain]:
    rpc = JsonRpc(url, _PATIENCE)
    try:
        try:
            chain = await Chain.open(rpc)
        except TemporaryError as error:
            raise TemporaryError(f"{flag}: {error}: is a node running there?") from error
        yield chain
    finally:
        await rpc.close()


def _portal_address(addresses: Path | None) -> Address:
    if addresses is None:
        raise ConfigError("expected --addresses F (addresses.json) or --portal ADDRESS")
    content = read_json(addresses)
    text = content.get("optimismPortal") if isinstance(content, dict) else None
    if not isinstance(text, str):
        raise ConfigError(f"{addresses}: expected an object with optimismPortal")
    try:
        return hex_address(text)
    except ValueError as error:
        raise ConfigError(f"{addresses}: optimismPortal: {error}") from error
