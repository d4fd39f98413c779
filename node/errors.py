"""The error tree of every layer, by severity.

    NodeError
      InvalidInput      somebody handed us something wrong: refuse it and go on
        DecodingError     bytes that are not what they claim to be
        ConfigError       a configuration file or flag
        InvalidTransaction
        InvalidBlock
        PrunedHistory     what was asked for is older than what this node keeps
        ExecutionFailed   of eth_call and eth_estimateGas
      OperationRefused  an operator asked for what the node cannot do in the state it is in
      TemporaryError    the same call may succeed later: retry
        OutOfTime
      ResetError        what we built on has changed: start again from the safe head
      CriticalError     going on would be wrong: stop the node
        CorruptStore
        InterpretersDiffer

One place maps severity to action: the consensus driver for blocks, the dispatcher for RPC.
"""


class NodeError(Exception):
    """Root of all errors that this project raises on purpose."""


class InvalidInput(NodeError):
    """Input that breaks a rule; the message says what was expected and what came."""


class DecodingError(InvalidInput):
    """Bytes that cannot be decoded as the type they claim to be."""


class ConfigError(InvalidInput):
    """A configuration value that is missing or wrong; the message starts with its name."""


class InvalidTransaction(InvalidInput):
    """A transaction that cannot be included in the block at hand.

    Messages begin with the phrases of go-ethereum, which wallets match on.
    """


class NonceTooLow(InvalidTransaction):
    """The sender has already used this nonce."""


class NonceTooHigh(InvalidTransaction):
    """A transaction with a lower nonce must come first."""


class InsufficientFunds(InvalidTransaction):
    """The sender cannot pay gas * price + value (and the L1 data fee on a rollup)."""


class IntrinsicGasTooLow(InvalidTransaction):
    """The gas limit does not cover the intrinsic cost or the calldata floor."""


class FeeCapTooLow(InvalidTransaction):
    """maxFeePerGas is below the block's base fee."""


class TipAboveFeeCap(InvalidTransaction):
    """maxPriorityFeePerGas is above maxFeePerGas."""


class TransactionTypeNotSupported(InvalidTransaction):
    """Transactions of this type are not part of the chain, or not yet."""


class SenderNotEoa(InvalidTransaction):
    """The sender is a contract (EIP-3607)."""


class InitCodeTooLarge(InvalidTransaction):
    """The init code is longer than EIP-3860 allows."""


class BlockGasLimitReached(InvalidTransaction):
    """The transaction does not fit into the gas that is left in the block."""


class LaneLimitReached(InvalidTransaction):
    """The attribution calldata of the block would exceed its bound."""


class InvalidBlock(InvalidInput):
    """A block that breaks a consensus rule.

    `field` names what differs, in the JSON-RPC spelling (`stateRoot`, `gasUsed`, ...).
    """

    def __init__(self, field: str, expected: object, actual: object) -> None:
        self.field = field
        self.expected = expected
        self.actual = actual
        super().__init__(f"{field}: expected {_show(expected)}, got {_show(actual)}")


class ExecutionFailed(InvalidInput):
    """A simulated message ended with an error; the message is go-ethereum's."""


class ExecutionReverted(ExecutionFailed):
    """A simulated message reverted; `data` is what it reverted with."""

    def __init__(self, message: str, data: bytes) -> None:
        self.data = data
        super().__init__(message)


class PrunedHistory(InvalidInput):
    """A block, its receipts or its state is no longer here, because a node keeps so much only."""


class OperationRefused(NodeError):
    """What an operator asked for does not go with the state the node is in; nothing was done."""


class TemporaryError(NodeError):
    """A failure that the passing of time may cure."""


class OutOfTime(TemporaryError):
    """Code was running for longer than whoever ran it was willing to wait."""


class ResetError(NodeError):
    """The ground moved (usually an L1 reorg): derivation must restart from the safe head."""


class CriticalError(NodeError):
    """The node cannot go on without doing harm."""


class InterpretersDiffer(CriticalError):
    """Two interpreters came to different results; `trace` shows where, on several lines."""

    def __init__(self, message: str, trace: str) -> None:
        self.trace = trace
        super().__init__(message)


class CorruptStore(CriticalError):
    """A stored value is missing or does not match its own hash."""


def _show(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
