"""What goes wrong in a test's own use of the network."""

from node.errors import NodeError


class DevnetError(NodeError):
    """The network cannot do what the test asks for; the message says what would help."""


class NotIncluded(DevnetError):
    """A transaction that the test waits for gets into no block, and the message says why."""


class DerivationDiffers(DevnetError):
    """L1 gives another chain than the sequencer built; names the first difference."""
