"""An account that signs and sends by itself, with nothing between it and the wire."""

from dataclasses import dataclass
from typing import Any

from eth_account import Account as EthAccount

from attribution.calldata import decode_head_result, encode_head
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import Address, checksum_address, keccak256
from node.types.transaction import sign_dynamic_fee
from tests.integration.conditions import wait_until
from tests.integration.json_rpc import Rpc
from tests.integration.nodes import Account

GWEI = 10**9
STREAM = 1
MAX_FEE = 100 * GWEI
RECEIPT_TIMEOUT_S = 60.0


@dataclass(slots=True)
class User:
    """An account that keeps count of its own nonce and of its receipt stream on one chain."""

    account: Account
    rpc: Rpc
    chain_id: int
    nonce: int = 0
    next_seq: int = 0

    async def resynchronise(self) -> None:
        """Ask the chain where it stands: pending transactions may be lost in a restart."""
        address = "0x" + self.account.address.hex()
        self.nonce = int(await self.rpc.call("eth_getTransactionCount", address, "latest"), 16)

    async def resynchronise_stream(self) -> None:
        """Ask the receipt precompile how many records the stream has."""
        call = {
            "to": "0x" + ATTRIBUTION_ADDRESS.hex(),
            "data": "0x" + encode_head(self.account.address, STREAM).hex(),
        }
        output = bytes.fromhex((await self.rpc.call("eth_call", call, "latest"))[2:])
        self.next_seq = decode_head_result(output).count

    async def send(
        self, to: Address | None, *, value: int = 0, data: bytes = b"", gas: int = 21_000
    ) -> str:
        """Sign, send, and return the hash that the node answered."""
        transaction = sign_dynamic_fee(
            self.account.private_key,
            chain_id=self.chain_id,
            nonce=self.nonce,
            max_priority_fee_per_gas=GWEI,
            max_fee_per_gas=MAX_FEE,
            gas=gas,
            to=to,
            value=value,
            data=data,
        )
        return await self._publish(transaction.raw)

    async def send_other_type(self, to: Address, gas: int, **fields: Any) -> str:
        """Send what `fields` make of it: legacy, with an access list, with authorizations."""
        request = {
            "chainId": self.chain_id,
            "nonce": self.nonce,
            "gas": gas,
            "to": checksum_address(to),
            "value": 0,
            **fields,
        }
        signed = EthAccount.sign_transaction(request, self.account.private_key)
        return await self._publish(bytes(signed.raw_transaction))

    async def _publish(self, raw: bytes) -> str:
        answer = await self.rpc.call("eth_sendRawTransaction", "0x" + raw.hex())
        assert answer == "0x" + keccak256(raw).hex()
        self.nonce += 1
        return str(answer)

    async def receipt(self, transaction_hash: str) -> Any:
        """Wait for a receipt."""
        found: list[Any] = []

        async def included() -> bool:
            found[:] = [await self.rpc.call("eth_getTransactionReceipt", transaction_hash)]
            return found[0] is not None

        await wait_until(included, f"{transaction_hash} is included", RECEIPT_TIMEOUT_S)
        return found[0]
