"""Contracts of others: the very code that stands at their addresses elsewhere, and working."""

from pathlib import Path

import pytest
from coincurve import PrivateKey
from eth_abi import decode, encode

from node.artifacts import preinstalls
from node.artifacts.preinstalls import load_preinstall
from node.execution.simulate import CallRequest
from node.genesis import GenesisAccount, dev_accounts, l1_dev_genesis, l2_genesis
from node.genesis.preinstalls import (
    ethereum_preinstalls,
    permit2_domain_separator,
    rollup_preinstalls,
)
from node.types.primitives import Address, create_address, hex_address, keccak256
from node.types.rlp_codec import encode as rlp_encode
from node.types.rlp_codec import encode_uint
from node.types.transaction import Transaction, decode_signed_transaction, sign_dynamic_fee
from tests.node.chains import Chain, open_chain

NAMES = {
    "Multicall3": "d5c15df687b16f2ff992fc8d767b4216323184a2bbc6ee2f9c398c318e770891",
    "Create2Deployer": "b0550b5b431e30d38000efb7107aaa0ade03d48a7198a140edda9d27134468b2",
    "DeterministicDeploymentProxy": (
        "2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989"
    ),
    "SafeSingletonFactory": "2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989",
    "EntryPoint": "8db5ff695839d655407cc8490bb7a5d82337a86a6b39c3f0258aa6c3b582fc58",
    "SenderCreator": "283c9d14378f5f4c4e24045b87d621d48443fa5b4af7dd7180a599b3756a7689",
}
# What Permit2's code hashes to on Ethereum mainnet and on another chain.
PERMIT2_HASHES = {
    1: "c67d1657868aa5146eaf24fb879fb1fdec3d2d493b3683a61c9c2f4fb2851131",
    4663: "5208783f52488f7d3493e5e38311ab707c1d75457fe472a19b0b4d57d66a7fca",
}
# Returns the rest of its input as code: PUSH1 69 DUP1 PUSH1 14 PUSH1 0 CODECOPY PUSH1 0 RETURN.
DEPLOYS_69_BYTES = bytes.fromhex("604580600e600039806000f350fe")
CHAIN_ID = 901
ALICE = dev_accounts()[0]
PERMIT2 = hex_address("0x000000000022D473030F116dDEE9F6B43aC78BA3")


def ask(chain: Chain, to: bytes, data: bytes) -> bytes:
    return chain.reader.call(CallRequest(to=Address(to), data=data), chain.head()).output


def selector(signature: str) -> bytes:
    return keccak256(signature.encode())[:4]


@pytest.mark.parametrize("name", NAMES)
def test_the_code_is_that_of_public_chains(name: str) -> None:
    preinstall = load_preinstall(name)
    assert keccak256(preinstall.code) == preinstall.code_hash == bytes.fromhex(NAMES[name])
    account = rollup_preinstalls(CHAIN_ID)[Address(preinstall.address)]
    expected = GenesisAccount(
        nonce=preinstall.nonce, code=preinstall.code, storage=preinstall.storage
    )
    assert account == expected


@pytest.mark.parametrize("chain_id", PERMIT2_HASHES)
def test_permit2_is_as_deployed_on_a_chain(chain_id: int) -> None:
    code = rollup_preinstalls(chain_id)[PERMIT2].code
    assert keccak256(code).hex() == PERMIT2_HASHES[chain_id]


def test_immutable_values_have_to_be_given() -> None:
    permit2 = load_preinstall("Permit2")
    with pytest.raises(ValueError, match=r"Permit2: expected \['chainId', 'domainSeparator'\]"):
        permit2.code_with(chainId=bytes(32))
    with pytest.raises(ValueError, match=r"Permit2.chainId: expected 32 bytes, got 1"):
        permit2.code_with(chainId=b"\x01", domainSeparator=bytes(32))


def test_the_deterministic_proxy_is_what_its_transaction_creates() -> None:
    """Its signature was made up, so nobody has the key: the code decides sender and address."""
    proxy = load_preinstall("DeterministicDeploymentProxy")
    fields = [0, 100_000_000_000, 100_000, b"", 0, DEPLOYS_69_BYTES + proxy.code, 27]
    made_up = int("2" * 64, 16)
    tx = decode_signed_transaction(_rlp([*fields, made_up, made_up]))
    assert create_address(tx.sender, 0) == proxy.address


def test_the_safe_factory_is_what_its_transaction_creates() -> None:
    """Signed for Ethereum mainnet by the one key that may deploy it."""
    factory = load_preinstall("SafeSingletonFactory")
    r = 0xB1FD9F4102283A663738983F1AAC789E979E220A1B649FAA74033F507B911AF5
    s = 0x61DD0F2F6F2341EE95913CF94B3B8A49CAC9FDD7BE6310DA7ACD7A96E31958D7
    fields = [0, 100_000_000_000, 100_000, b"", 0, DEPLOYS_69_BYTES + factory.code, 38, r, s]
    tx = decode_signed_transaction(_rlp(fields))
    assert create_address(tx.sender, 0) == factory.address


def test_the_sender_creator_is_the_entry_points_creation() -> None:
    entry_point, creator = load_preinstall("EntryPoint"), load_preinstall("SenderCreator")
    assert create_address(Address(entry_point.address), 1) == creator.address
    assert entry_point.code.count(creator.address) > 0


def test_every_file_is_explained() -> None:
    folder = Path(preinstalls.__file__).parent
    text = (folder / "README.md").read_text()
    names = {path.stem for path in folder.glob("*.json")}
    assert names == {*NAMES, "Permit2"}
    assert all(f"| {name}" in text for name in names)


@pytest.mark.parametrize("chain_id", [901, 2**40 + 1])
def test_permit2_has_the_chains_domain(chain_id: int) -> None:
    """Also as the contract computes it where it was deployed on another chain."""
    with open_chain(genesis=l2_genesis(chain_id=chain_id, timestamp=1_700_000_000)) as chain:
        separator = ask(chain, PERMIT2, selector("DOMAIN_SEPARATOR()"))
        assert separator == permit2_domain_separator(chain_id, PERMIT2)
    elsewhere = {PERMIT2: rollup_preinstalls(1)[PERMIT2]}
    genesis = l2_genesis(chain_id=chain_id, timestamp=1_700_000_000, contracts=elsewhere)
    with open_chain(genesis=genesis) as chain:
        assert ask(chain, PERMIT2, selector("DOMAIN_SEPARATOR()")) == separator


def test_permit2_takes_a_signed_permit() -> None:
    token, spender = Address(b"\x70" * 20), Address(b"\x5e" * 20)
    with open_chain(genesis=l2_genesis(chain_id=CHAIN_ID, timestamp=1_700_000_000)) as chain:
        details = (token, 2**100, 2_000_000_000, 0)
        types = ["bytes32", "address", "uint160", "uint48", "uint48"]
        fields = "(address token,uint160 amount,uint48 expiration,uint48 nonce)"
        details_type = b"PermitDetails" + fields.encode()
        hashed = keccak256(encode(types, [keccak256(details_type), *details]))
        single = b"PermitSingle(PermitDetails details,address spender,uint256 sigDeadline)"
        words = [keccak256(single + details_type), hashed, spender, 2_000_000_000]
        struct = keccak256(encode(["bytes32", "bytes32", "address", "uint256"], words))
        digest = keccak256(b"\x19\x01" + permit2_domain_separator(CHAIN_ID, PERMIT2) + struct)
        signature = PrivateKey(ALICE.private_key).sign_recoverable(digest, hasher=None)
        signature = signature[:64] + bytes([27 + signature[64]])
        permit = "permit(address,((address,uint160,uint48,uint48),address,uint256),bytes)"
        arguments = (ALICE.address, (details, spender, 2_000_000_000), signature)
        data = selector(permit) + encode(
            ["address", "((address,uint160,uint48,uint48),address,uint256)", "bytes"], arguments
        )
        executed = chain.extend(_call(chain, PERMIT2, data))
        assert executed.receipts[1].status == 1
        question = selector("allowance(address,address,address)")
        question += encode(["address"] * 3, [ALICE.address, token, spender])
        allowance = decode(["uint160", "uint48", "uint48"], ask(chain, PERMIT2, question))
        assert allowance == (2**100, 2_000_000_000, 1)


@pytest.mark.parametrize(
    "name", ["DeterministicDeploymentProxy", "SafeSingletonFactory", "Create2Deployer"]
)
def test_deployers_create_at_addresses_known_ahead(name: str) -> None:
    deployer = Address(load_preinstall(name).address)
    salt, code = keccak256(b"salt"), bytes.fromhex("6001600c60003960016000f3") + b"\xfe"
    created = keccak256(b"\xff" + deployer + salt + keccak256(code))[12:]
    data = salt + code
    if name == "Create2Deployer":
        arguments = encode(["uint256", "bytes32", "bytes"], [0, salt, code])
        data = selector("deploy(uint256,bytes32,bytes)") + arguments
    with open_chain(genesis=l2_genesis(chain_id=CHAIN_ID, timestamp=1_700_000_000)) as chain:
        assert chain.extend(_call(chain, deployer, data)).receipts[1].status == 1
        assert chain.reader.code(Address(created), chain.head()) == b"\xfe"


@pytest.mark.parametrize("is_rollup", [True, False])
def test_multicall_reads_in_batches(is_rollup: bool) -> None:
    multicall = load_preinstall("Multicall3").address
    question = encode(["address"], [ALICE.address])
    calls = [
        (multicall, False, selector("getChainId()")),
        (multicall, True, b"\xff\xff\xff\xff"),
        (multicall, False, selector("getEthBalance(address)") + question),
    ]
    data = selector("aggregate3((address,bool,bytes)[])")
    data += encode(["(address,bool,bytes)[]"], [calls])
    genesis = (
        l2_genesis(chain_id=CHAIN_ID, timestamp=1_700_000_000)
        if is_rollup
        else l1_dev_genesis(timestamp=1_700_000_000, chain_id=CHAIN_ID)
    )
    with open_chain(genesis=genesis) as chain:
        chain.extend()
        (answers,) = decode(["(bool,bytes)[]"], ask(chain, multicall, data))
    assert [success for success, _ in answers] == [True, False, True]
    assert int.from_bytes(answers[0][1], "big") == CHAIN_ID
    assert int.from_bytes(answers[2][1], "big") == 10_000 * 10**18


def test_the_entry_point_answers() -> None:
    entry_point = load_preinstall("EntryPoint").address
    with open_chain(genesis=l2_genesis(chain_id=CHAIN_ID, timestamp=1_700_000_000)) as chain:
        question = selector("getNonce(address,uint192)") + encode(
            ["address", "uint192"], [ALICE.address, 7]
        )
        assert ask(chain, entry_point, question) == encode(["uint256"], [7 << 64])
        deposit = selector("depositTo(address)") + encode(["address"], [ALICE.address])
        assert chain.extend(_call(chain, Address(entry_point), deposit, 5)).receipts[1].status == 1
        question = selector("balanceOf(address)") + encode(["address"], [ALICE.address])
        assert ask(chain, entry_point, question) == encode(["uint256"], [5])


def test_the_embedded_l1_has_what_tools_expect() -> None:
    alloc = l1_dev_genesis(timestamp=1).alloc
    assert len(ethereum_preinstalls()) == 2
    assert all(alloc[address] == value for address, value in ethereum_preinstalls().items())


def _rlp(fields: list[int | bytes]) -> bytes:
    return rlp_encode([encode_uint(value) if isinstance(value, int) else value for value in fields])


def _call(chain: Chain, to: Address, data: bytes, value: int = 0) -> Transaction:
    account = chain.reader.account(ALICE.address, chain.head())
    assert account is not None
    return sign_dynamic_fee(
        ALICE.private_key,
        chain_id=CHAIN_ID,
        nonce=account.nonce,
        max_priority_fee_per_gas=0,
        max_fee_per_gas=10**11,
        gas=1_000_000,
        to=to,
        value=value,
        data=data,
    )
