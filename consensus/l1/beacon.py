"""Blobs of L1's blob transactions, from a beacon node's HTTP API.

Source: ethereum/beacon-APIs, `getBlobs` and the older `getBlobSidecars`. What comes is checked
against the versioned hashes that L1's transactions commit to, so any server will do.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import orjson

from consensus.block_refs import L1BlockRef
from node.errors import CriticalError, TemporaryError
from node.evm.blob_proofs import commitment_to
from node.types.blob_sidecar import BLOB_SIZE, versioned_hash
from node.types.primitives import Hash32

_BLOBS: Final = "/eth/v1/beacon/blobs/{}"
_SIDECARS: Final = "/eth/v1/beacon/blob_sidecars/{}"
_MAX_RESPONSE: Final = 64 << 20
_MISSING_ENDPOINT: Final = frozenset({404, 405, 410, 501})
# Servers of JSON-RPC alone say more things of a path that they do not have; never "later" (429).
_NO_BEACON: Final = _MISSING_ENDPOINT | {400, 401, 403}


class BeaconFault(TemporaryError):
    """A beacon node did not answer, or not with what was asked for; `status` is HTTP's, if any."""

    def __init__(self, message: str, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class BeaconSettings:
    """How patient a connection is, in seconds."""

    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class _Slots:
    """How a server numbers blocks: by time, or where it says nothing of slots (Anvil) by number."""

    genesis_time: int
    seconds_per_slot: int | None

    def block_id(self, block: L1BlockRef) -> int:
        if self.seconds_per_slot is None:
            return block.number
        return (block.timestamp - self.genesis_time) // self.seconds_per_slot


class BeaconClient:
    """A BlobSource over HTTP. Every failure is a BeaconFault; `close` it in the end."""

    def __init__(self, url: str, settings: BeaconSettings | None = None) -> None:
        self.url = url.rstrip("/")
        self._settings = settings or BeaconSettings()
        self._session: aiohttp.ClientSession | None = None
        self._slots: _Slots | None = None
        self._has_blobs_endpoint = True

    async def blobs(self, block: L1BlockRef, names: Sequence[Hash32]) -> tuple[bytes, ...]:
        """Return blobs of an L1 block by their versioned hashes, in the order that these have."""
        try:
            return await self._checked_blobs(block, names)
        except BeaconFault as fault:
            raise BeaconFault(f"blobs of L1 block {block.number}: {fault}", fault.status) from fault

    async def _checked_blobs(self, block: L1BlockRef, names: Sequence[Hash32]) -> tuple[bytes, ...]:
        if self._slots is None:
            self._slots = await self._read_slots()
        block_id = self._slots.block_id(block)
        offered = await self._fetch(block_id, names)
        if len(offered) < len(set(names)):
            # Anvil looks at one name of several: ask for all blobs of the block.
            offered = await self._fetch(block_id, ())
        found = await asyncio.to_thread(_by_name, offered, frozenset(names))
        missing = [name for name in names if name not in found]
        if missing:
            raise BeaconFault(
                f"{self.url}: slot {block_id}: expected blob 0x{missing[0].hex()}, it is not among "
                f"the {len(offered)} that came"
            )
        return tuple(found[name] for name in names)

    async def close(self) -> None:
        """Close the connections to the server."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _read_slots(self) -> _Slots:
        genesis = _object(await self._get("/eth/v1/beacon/genesis"))
        genesis_time = _number(genesis, "genesis_time")
        try:
            spec = _object(await self._get("/eth/v1/config/spec"))
        except BeaconFault as fault:
            if fault.status not in _MISSING_ENDPOINT:
                raise
            return _Slots(genesis_time, None)
        seconds = _number(spec, "SECONDS_PER_SLOT")
        if seconds < 1:
            raise BeaconFault(f"{self.url}: SECONDS_PER_SLOT: expected 1 or more, got {seconds}")
        return _Slots(genesis_time, seconds)

    async def _fetch(self, block_id: int, names: Sequence[Hash32]) -> list[bytes]:
        if self._has_blobs_endpoint:
            wanted = [("versioned_hashes", "0x" + name.hex()) for name in names]
            try:
                return _blobs_in(await self._get(_BLOBS.format(block_id), wanted))
            except BeaconFault as fault:
                # A server without the endpoint and one without the block may answer alike; the
                # older endpoint tells them apart.
                if fault.status not in _MISSING_ENDPOINT:
                    raise
                first = fault
        try:
            sidecars = _list(await self._get(_SIDECARS.format(block_id)))
        except BeaconFault as fault:
            raise first if self._has_blobs_endpoint else fault from None
        self._has_blobs_endpoint = False
        return _blobs_in([_object(sidecar).get("blob") for sidecar in sidecars])

    async def _get(self, path: str, query: Sequence[tuple[str, str]] = ()) -> Any:
        """Return `data` of a JSON answer."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=self._settings.timeout_s)
            self._session = aiohttp.ClientSession(timeout=timeout)
        try:
            async with self._session.get(self.url + path, params=query) as response:
                raw = await self._read(response)
                if response.status != 200:
                    reason = raw[:200].decode(errors="replace").strip()
                    raise BeaconFault(
                        f"{self.url}{path}: HTTP status {response.status}: {reason or 'no reason'}",
                        response.status,
                    )
        except TimeoutError as error:
            raise BeaconFault(
                f"{self.url}{path}: no answer within {self._settings.timeout_s:g} s"
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise BeaconFault(f"{self.url}{path}: {error}") from error
        try:
            answer = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise BeaconFault(f"{self.url}{path}: expected JSON, got {raw[:80]!r}") from error
        if not isinstance(answer, dict) or "data" not in answer:
            raise BeaconFault(f"{self.url}{path}: expected an object with data")
        return answer["data"]

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        raw = bytearray()
        async for part in response.content.iter_any():
            raw += part
            if len(raw) > _MAX_RESPONSE:
                raise BeaconFault(f"{self.url}: expected at most {_MAX_RESPONSE} bytes")
        return bytes(raw)


class L1OwnBeacon(BeaconClient):
    """The BlobSource of a node that was told of no beacon node: L1's own URL.

    Anvil and our own L1 serve blobs there. Others do not: CriticalError then, since without the
    blobs other blocks would be derived than everybody else's.
    """

    async def blobs(self, block: L1BlockRef, names: Sequence[Hash32]) -> tuple[bytes, ...]:
        """Return blobs of an L1 block by their versioned hashes, in the order that these have."""
        try:
            return await super().blobs(block, names)
        except BeaconFault as fault:
            if self._slots is None and fault.status in _NO_BEACON:
                raise CriticalError(
                    f"L1 block {block.number}: the batcher posted {len(names)} blobs, and L1 does "
                    "not serve them itself: start with --l1-beacon, the URL of a beacon node"
                ) from fault
            raise


def _by_name(blobs: list[bytes], wanted: frozenset[Hash32]) -> dict[Hash32, bytes]:
    """Commit to blobs, which takes some 40 ms each, until all that are wanted are found."""
    found: dict[Hash32, bytes] = {}
    for blob in blobs:
        if len(found) == len(wanted):
            break
        try:
            name = versioned_hash(commitment_to(blob))
        except ValueError:
            continue  # no blob at all
        if name in wanted:
            found[name] = blob
    return found


def _blobs_in(data: Any) -> list[bytes]:
    blobs = []
    for item in _list(data):
        if not isinstance(item, str) or len(item) != 2 + 2 * BLOB_SIZE or item[:2] != "0x":
            raise BeaconFault(f"blob: expected 0x and {2 * BLOB_SIZE} digits, got {_short(item)}")
        try:
            blobs.append(bytes.fromhex(item[2:]))
        except ValueError:
            raise BeaconFault("blob: expected hexadecimal digits") from None
    return blobs


def _object(item: Any) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise BeaconFault(f"beacon: expected an object, got {_short(item)}")
    return item


def _list(item: Any) -> list[Any]:
    if not isinstance(item, list):
        raise BeaconFault(f"beacon: expected a list, got {_short(item)}")
    return item


def _number(fields: dict[str, Any], name: str) -> int:
    text = str(fields.get(name))
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise BeaconFault(f"beacon: {name}: expected a decimal number, got {_short(text)}")
    return int(text)


def _short(item: Any) -> str:
    return repr(item)[:80]
