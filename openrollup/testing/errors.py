"""What goes wrong in a test's own use of the network."""

from node.difference import BlockReport
from node.errors import NodeError


class DevnetError(NodeError):
    """The network cannot do what the test asks for; the message says what would help."""


class NotIncluded(DevnetError):
    """A transaction that the test waits for gets into no block, and the message says why."""


class DerivationDiffers(DevnetError):
    """L1 gives another chain than the sequencer built; names the first difference."""


class BlockDiffers(DevnetError):
    """A block is not what comes out when it is executed; `report` says in what."""

    def __init__(self, report: BlockReport) -> None:
        self.report = report
        super().__init__(f"block {report.number} differs: {report.difference}")
