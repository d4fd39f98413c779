"""A small rollup for tests: its configuration, its keys, and what it puts on L1."""

from collections.abc import Sequence
from dataclasses import replace

from coincurve import PrivateKey

from consensus.codec.channel import Batch, ChannelWriter
from consensus.codec.compression import Compression
from consensus.codec.frame import ChannelId, Frame, encode_batcher_data
from consensus.config import RollupConfig, RollupGenesis
from consensus.l1.chain_config import BlobFeeFork, L1ChainConfig
from consensus.l1.config_updates import CONFIG_UPDATE_TOPIC
from consensus.l1.deposit_logs import DEPOSIT_TOPIC
from consensus.system_config import SystemConfig
from node.config import ChainConfig, RollupRules, parse_chain_config
from node.types.block import BlockRef
from node.types.primitives import Address, BlockNumber, Hash32, hex_address, keccak256
from node.types.receipt import Log
from node.types.rlp_codec import RlpItem, encode, encode_uint
from node.types.transaction import (
    BLOB,
    Transaction,
    address_of_key,
    decode_signed_transaction,
    sign_dynamic_fee,
)
from tests.fakes.l1_source import FakeL1, Included

BLOCK_TIME = 2
BATCHER_KEY = keccak256(b"batcher")
OTHER_KEY = keccak256(b"somebody else")
USER_KEY = keccak256(b"user")
BATCHER = address_of_key(BATCHER_KEY)
INBOX = hex_address("0xff00000000000000000000000000000000000901")
PORTAL = hex_address("0x00000000000000000000000000000000000000d1")
SYSTEM_CONFIG_CONTRACT = hex_address("0x00000000000000000000000000000000000000c1")
L2_GENESIS_HASH = keccak256(b"L2 genesis")

L1_CHAIN = L1ChainConfig(
    900, (BlobFeeFork("cancun", 0, 3338477), BlobFeeFork("prague", 0, 5007716))
)


def rollup_config(
    l1: FakeL1, *, seq_window_size: int = 10, isthmus: bool = True, jovian: bool = False
) -> RollupConfig:
    """Return a config whose rollup starts at the L1's first block and time."""
    return RollupConfig(
        genesis=RollupGenesis(
            l1=l1.genesis.ref,
            l2=BlockRef(L2_GENESIS_HASH, BlockNumber(0)),
            l2_time=l1.genesis.timestamp,
            system_config=SystemConfig(
                batcher=BATCHER,
                base_fee_scalar=1368,
                blob_base_fee_scalar=810949,
                gas_limit=30_000_000,
            ),
        ),
        block_time=BLOCK_TIME,
        max_sequencer_drift_s=600,
        seq_window_size=seq_window_size,
        channel_timeout=300,
        l1_chain_id=900,
        l2_chain_id=901,
        isthmus_time=0 if isthmus else None,
        jovian_time=0 if jovian else None,
        batch_inbox=INBOX,
        deposit_contract=PORTAL,
        l1_system_config=SYSTEM_CONFIG_CONTRACT,
        eip1559_elasticity=6,
        eip1559_denominator=50,
        eip1559_denominator_canyon=250,
    )


def chain_config(config: RollupConfig) -> ChainConfig:
    """Return the execution layer's config that belongs to a rollup config."""
    base = parse_chain_config({"chainId": config.l2_chain_id, "cancunTime": 0})
    rules = RollupRules(
        holocene_time=0,
        isthmus_time=config.isthmus_time,
        jovian_time=config.jovian_time,
        eip1559_elasticity=config.eip1559_elasticity,
        eip1559_denominator=config.eip1559_denominator_canyon,
    )
    return replace(base, rollup=rules, prague_time=config.isthmus_time)


def batcher_transaction(
    data: bytes, *, key: bytes = BATCHER_KEY, to: Address = INBOX, nonce: int = 0
) -> Transaction:
    """Sign an L1 transaction that carries `data`."""
    return sign_dynamic_fee(
        key,
        chain_id=900,
        nonce=nonce,
        max_priority_fee_per_gas=1,
        max_fee_per_gas=10**11,
        gas=1_000_000,
        to=to,
        data=data,
    )


def publish(frames: Sequence[Frame], *, key: bytes = BATCHER_KEY) -> Included:
    """Put frames into one batcher transaction."""
    return Included(batcher_transaction(encode_batcher_data(frames), key=key))


def signed_with(kind: int, data: bytes, blobs: Sequence[Hash32] = ()) -> Transaction:
    """Sign an envelope of some type by the batcher's key."""
    fields: list[RlpItem] = [
        encode_uint(900),
        b"",
        b"\x01",
        b"\x01",
        encode_uint(21000),
        INBOX,
        b"",
        data,
        [],
    ]
    if kind == 1:
        del fields[3]
    elif kind == 3:
        fields += [b"\x01", list(blobs)]
    elif kind == 4:
        fields += [[]]
    digest = keccak256(bytes([kind]) + encode(fields))
    signature = PrivateKey(BATCHER_KEY).sign_recoverable(digest, hasher=None)
    numbers = (signature[64], int.from_bytes(signature[:32]), int.from_bytes(signature[32:64]))
    return decode_signed_transaction(
        bytes([kind]) + encode([*fields, *(encode_uint(n) for n in numbers)])
    )


def publish_blobs(l1: FakeL1, blobs: Sequence[bytes]) -> Included:
    """Put blobs into one batcher transaction, and where the L1's blobs are read from."""
    names = [keccak256(blob) for blob in blobs]
    l1.published_blobs |= dict(zip(names, blobs, strict=True))
    return Included(signed_with(BLOB, b"", names))


def user_transaction(nonce: int) -> bytes:
    """Return a signed L2 transaction of the user."""
    return sign_dynamic_fee(
        USER_KEY,
        chain_id=901,
        nonce=nonce,
        max_priority_fee_per_gas=1,
        max_fee_per_gas=10**9,
        gas=21_000,
        to=Address(bytes(20)),
        value=1,
    ).raw


def abi_bytes(payload: bytes) -> bytes:
    """ABI-encode one dynamic byte string."""
    padding = bytes(-len(payload) % 32)
    return word(32) + word(len(payload)) + payload + padding


def word(value: int) -> bytes:
    """Return a 32-byte big-endian integer."""
    return value.to_bytes(32, "big")


def deposit_log(
    *,
    sender: Address,
    to: Address,
    mint: int = 0,
    value: int = 0,
    gas: int = 100_000,
    is_creation: bool = False,
    data: bytes = b"",
    portal: Address = PORTAL,
) -> Log:
    """Return the event of a deposit, as the portal emits it."""
    opaque = word(mint) + word(value) + gas.to_bytes(8, "big") + bytes([is_creation]) + data
    topics = (DEPOSIT_TOPIC, _padded(sender), _padded(to), Hash32(bytes(32)))
    return Log(portal, topics, abi_bytes(opaque))


def config_log(kind: int, payload: bytes, *, contract: Address = SYSTEM_CONFIG_CONTRACT) -> Log:
    """Return a ConfigUpdate event."""
    topics = (CONFIG_UPDATE_TOPIC, Hash32(bytes(32)), Hash32(word(kind)))
    return Log(contract, topics, abi_bytes(payload))


def with_logs(*logs: Log, status: int = 1) -> Included:
    """Put events into some L1 transaction."""
    transaction = batcher_transaction(b"", key=OTHER_KEY, to=Address(bytes(20)))
    return Included(transaction, logs, status)


def _padded(address: Address) -> Hash32:
    return Hash32(bytes(12) + address)


def make_channel(
    batches: Sequence[Batch],
    number: int,
    *,
    compression: Compression = Compression.BROTLI,
    max_frame_size: int = 100_000,
) -> tuple[Frame, ...]:
    """Cut batches into the frames of channel `number`."""
    writer = ChannelWriter(ChannelId(number.to_bytes(16, "big")), compression=compression)
    for batch in batches:
        writer.add(batch)
    return writer.frames(max_frame_size)
