"""The publicly known accounts of development chains. Their keys are secret to nobody."""

from dataclasses import dataclass

from node.types.primitives import Address, hex_address

MNEMONIC = "test test test test test test test test test test test junk"
DERIVATION_PATH = "m/44'/60'/0'/0/"

# Derived from the mnemonic at indices 0 to 12, in order. Constants, because deriving takes seconds
# that every start of a dev chain would pay.
_KNOWN = (
    (
        "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "f39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    ),
    (
        "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
        "70997970C51812dc3A010C7d01b50e0d17dc79C8",
    ),
    (
        "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
        "3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
    ),
    (
        "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
        "90F79bf6EB2c4f870365E785982E1f101E93b906",
    ),
    (
        "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
        "15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
    ),
    (
        "8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
        "9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
    ),
    (
        "92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
        "976EA74026E726554dB657fA54763abd0C3a0aa9",
    ),
    (
        "4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
        "14dC79964da2C08b23698B3D3cc7Ca32193d9955",
    ),
    (
        "dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
        "23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
    ),
    (
        "2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
        "a0Ee7A142d267C1f36714E4a8F75612F20a79720",
    ),
    (
        "f214f2b2cd398c806f84e317254e0f0b801d0643303237d97a22a48e01628897",
        "Bcd4042DE499D14e55001CcbB24a551F3b954096",
    ),
    (
        "701b615bbdfb9de65240bc28bd21bbc0d996645a3dd57e7b12bc2bdf6f192c82",
        "71bE63f3384f5fb98995898A86B02Fb2426c5788",
    ),
    (
        "a267530f49f8280200edf313ee7af6b827f2a8bce2897751d06a843f644967b1",
        "FABB0ac9d68B0B445fB7357272Ff202C5651694a",
    ),
)


@dataclass(frozen=True, slots=True)
class DevAccount:
    """One account of the development mnemonic."""

    index: int
    address: Address
    private_key: bytes


_ACCOUNTS = tuple(
    DevAccount(index, hex_address(address), bytes.fromhex(key))
    for index, (key, address) in enumerate(_KNOWN)
)

USER_ACCOUNTS = _ACCOUNTS[:10]
BATCHER_ACCOUNT, PROPOSER_ACCOUNT, DEPLOYER_ACCOUNT = _ACCOUNTS[10:]
OPERATOR_ACCOUNTS = _ACCOUNTS[10:]


def dev_accounts() -> tuple[DevAccount, ...]:
    """The ten accounts handed to users; the operator's keys are never among them."""
    return USER_ACCOUNTS
