"""What rollups need of the Beacon API to read blobs, on a chain with no beacon chain behind it.

A slot is a second: `slot = timestamp - genesis time`, and each block has its own. There are blobs
of blocks that this node made itself, as long as they are kept; blocks from elsewhere come without.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias, TypeVar

import orjson
from aiohttp import web

from node.errors import DecodingError, NodeError
from node.reader import Reader
from node.types.blob_sidecar import FIELD_ELEMENTS_PER_BLOB, Blob
from node.types.block import Block, Header
from node.types.primitives import UINT64_MAX, BlockNumber, Hash32
from node.types.transaction import Transaction
from rpc.encoding.commitment_proof import PROOF_DEPTH, commitment_proofs
from rpc.encoding.hexadecimal import Json, JsonObject, data, parse_fixed
from rpc.slow_reads import SlowReads

SECONDS_PER_SLOT = 1
_HEADERS = {"Access-Control-Allow-Origin": "*"}
_ZERO_ROOT = data(bytes(32))

Item = TypeVar("Item")
_Answer: TypeAlias = Callable[[web.Request], JsonObject]
_Handler: TypeAlias = Callable[[web.Request], Awaitable[web.Response]]


class BeaconError(NodeError):
    """An answer that is an error; `code` is the HTTP status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class BeaconApi:
    """Answers from a chain's store. `client_version` is name/version of the program."""

    def __init__(self, reader: Reader, client_version: str) -> None:
        self._reader = reader
        self._client_version = client_version
        self._slow_reads = SlowReads()

    def routes(self) -> tuple[web.RouteDef, ...]:
        """Return the paths for an HTTP server."""
        answers: tuple[tuple[str, _Answer], ...] = (
            ("/eth/v1/node/version", self._version),
            ("/eth/v1/config/spec", self._spec),
            ("/eth/v1/beacon/genesis", self._genesis),
            ("/eth/v1/beacon/blobs/{block_id}", self._blobs),
            ("/eth/v1/beacon/blob_sidecars/{block_id}", self._blob_sidecars),
            ("/eth/{path:.*}", _not_served),
        )
        return tuple(web.get(path, self._handler(answer)) for path, answer in answers)

    def _handler(self, answer: _Answer) -> _Handler:
        def body(request: web.Request) -> tuple[int, bytes]:
            try:
                return 200, orjson.dumps(answer(request))
            except BeaconError as error:
                return error.code, _error(error.code, str(error))
            except NodeError as error:
                return 500, _error(500, f"internal error: {error}")

        async def handle(request: web.Request) -> web.Response:
            # Several megabytes of blobs in a large block: not for the event loop.
            status, text = await self._slow_reads.run(body, request)
            return web.Response(
                status=status, body=text, content_type="application/json", headers=_HEADERS
            )

        return handle

    def _version(self, request: web.Request) -> JsonObject:
        return {"data": {"version": self._client_version}}

    def _spec(self, request: web.Request) -> JsonObject:
        config = self._reader.config
        values = {
            "SECONDS_PER_SLOT": SECONDS_PER_SLOT,
            "SLOT_DURATION_MS": 1000 * SECONDS_PER_SLOT,
            "SLOTS_PER_EPOCH": 32,
            "MIN_EPOCHS_FOR_BLOB_SIDECARS_REQUESTS": 4096,
            "FIELD_ELEMENTS_PER_BLOB": FIELD_ELEMENTS_PER_BLOB,
            "KZG_COMMITMENT_INCLUSION_PROOF_DEPTH": PROOF_DEPTH,
            "MAX_BLOBS_PER_BLOCK": config.cancun_blobs.maximum,
            "MAX_BLOBS_PER_BLOCK_ELECTRA": config.prague_blobs.maximum,
            "DEPOSIT_CHAIN_ID": config.chain_id,
            "DEPOSIT_NETWORK_ID": config.chain_id,
        }
        return {"data": {name: str(value) for name, value in values.items()}}

    def _genesis(self, request: web.Request) -> JsonObject:
        # Without validators and signatures their root and the fork's version stay zero.
        answer: JsonObject = {
            "genesis_time": str(self._genesis_time()),
            "genesis_validators_root": _ZERO_ROOT,
            "genesis_fork_version": data(bytes(4)),
        }
        return {"data": answer}

    def _blobs(self, request: web.Request) -> JsonObject:
        block = self._block(request.match_info["block_id"])
        names = _blob_names(block)
        if wanted := _list(request, "versioned_hashes", _versioned_hash):
            names = _each_once(names, wanted)
        return self._status(block) | {"data": [data(self._blob(name).data) for name in names]}

    def _blob_sidecars(self, request: web.Request) -> JsonObject:
        block = self._block(request.match_info["block_id"])
        wanted = set(_list(request, "indices", _uint64))
        blobs = [self._blob(name) for name in _blob_names(block)]
        root, branches = commitment_proofs([blob.commitment for blob in blobs])
        signed = _signed_header(block.header, self._slot(block.header), root)
        sidecars: list[Json] = [
            _sidecar(index, blob, branch, signed)
            for index, (blob, branch) in enumerate(zip(blobs, branches, strict=True))
            if not wanted or index in wanted
        ]
        version = "deneb" if block.header.requests_hash is None else "electra"
        return {"version": version, **self._status(block), "data": sidecars}

    def _status(self, block: Block) -> JsonObject:
        finalized = block.number <= self._reader.heads().finalized.number
        return {"execution_optimistic": False, "finalized": finalized}

    def _blob(self, name: Hash32) -> Blob:
        blob = self._reader.blob(name)
        if blob is None:
            raise BeaconError(
                404,
                f"Blob sidecar not found: 0x{name.hex()}: this node did not make its block, or "
                "keeps its blobs no longer",
            )
        return blob

    def _block(self, block_id: str) -> Block:
        header = self._named(block_id) or self._at_slot(block_id)
        block = None if header is None else self._reader.block_by_hash(header.hash)
        if block is None:
            raise BeaconError(404, f"Block not found: {block_id}")
        return block

    def _named(self, block_id: str) -> Header | None:
        heads = self._reader.heads()
        tags = {"head": heads.unsafe, "justified": heads.safe, "finalized": heads.finalized}
        if block_id == "genesis":
            return self._reader.header_by_number(BlockNumber(0))
        return self._reader.header_by_hash(tags[block_id].hash) if block_id in tags else None

    def _at_slot(self, block_id: str) -> Header | None:
        """Return the canonical block of a slot; None for a root, which no index leads from."""
        if block_id.startswith("0x"):
            _parsed(block_id, _root, "block ID")
            return None
        wanted = _parsed(block_id, _uint64, "block ID")
        low, high = 0, int(self._reader.heads().unsafe.number)
        while low <= high:
            middle = (low + high) // 2
            header = self._reader.header_by_number(BlockNumber(middle))
            if header is None:  # unwound meanwhile
                return None
            slot = self._slot(header)
            if slot == wanted:
                return header
            low, high = (middle + 1, high) if slot < wanted else (low, middle - 1)
        return None

    def _slot(self, header: Header) -> int:
        return (header.timestamp - self._genesis_time()) // SECONDS_PER_SLOT

    def _genesis_time(self) -> int:
        header = self._reader.header_by_number(BlockNumber(0))
        assert header is not None, "a chain that is served has its first block"
        return header.timestamp


def _blob_names(block: Block) -> list[Hash32]:
    transactions = (tx for tx in block.transactions if isinstance(tx, Transaction))
    return [name for tx in transactions for name in tx.blob_versioned_hashes]


def _each_once(names: Iterable[Hash32], wanted: Iterable[Hash32]) -> list[Hash32]:
    """Return the names that are wanted, none more often than it is: clients count the answers."""
    left = Counter(wanted)
    chosen = []
    for name in names:
        if left[name] > 0:
            left[name] -= 1
            chosen.append(name)
    return chosen


def _sidecar(index: int, blob: Blob, branch: Iterable[bytes], signed: JsonObject) -> JsonObject:
    return {
        "index": str(index),
        "blob": data(blob.data),
        "kzg_commitment": data(blob.commitment),
        "kzg_proof": data(blob.proof),
        "signed_block_header": signed,
        "kzg_commitment_inclusion_proof": [data(node) for node in branch],
    }


def _signed_header(header: Header, slot: int, body_root: bytes) -> JsonObject:
    """Return the header of a beacon block that nobody proposed or signed, around our block."""
    message: JsonObject = {
        "slot": str(slot),
        "proposer_index": "0",
        "parent_root": data(header.parent_beacon_block_root),
        "state_root": _ZERO_ROOT,
        "body_root": data(body_root),
    }
    return {"message": message, "signature": data(bytes(96))}


def _not_served(request: web.Request) -> JsonObject:
    raise BeaconError(404, f"{request.path} is not served: there is no beacon chain")


def _error(code: int, message: str) -> bytes:
    return orjson.dumps({"code": code, "message": message})


def _list(request: web.Request, name: str, parse: Callable[[str], Item]) -> list[Item]:
    """Read an array, given as ?name=a&name=b or as ?name=a,b."""
    texts = [text for given in request.query.getall(name, ()) for text in given.split(",")]
    return [_parsed(text, parse, name) for text in texts]


def _parsed(text: str, parse: Callable[[str], Item], name: str) -> Item:
    try:
        return parse(text)
    except DecodingError as error:
        raise BeaconError(400, f"Invalid {name}: {text}: {error}") from error


def _uint64(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 20) or int(text) > UINT64_MAX:
        raise DecodingError(f"expected a number up to {UINT64_MAX}")
    return int(text)


def _root(text: str) -> bytes:
    return parse_fixed(text, 32, "root")


def _versioned_hash(text: str) -> Hash32:
    return Hash32(parse_fixed(text, 32, "versioned hash"))
