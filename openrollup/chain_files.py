"""`openrollup export` and `openrollup import`: chains as files of concatenated RLP."""

import sys
from pathlib import Path

from node.chain_file import export_blocks, import_blocks
from node.errors import ConfigError
from node.genesis import read_genesis
from node.types.primitives import BlockNumber
from openrollup.execution_node import ExecutionNode, StoredChain
from openrollup.progress import Progress


def run_export(datadir: Path, file: Path, first: int | None, last: int | None) -> int:
    """Write blocks `first` (1) to `last` (the newest) of a stored chain to a file."""
    chain = StoredChain.open(datadir)
    try:
        newest = chain.reader.heads().unsafe.number
        first = 1 if first is None else first
        last = newest if last is None else last
        if not 0 <= first <= last <= newest:
            raise ConfigError(
                f"--from, --to: expected 0 <= from <= to <= {newest} (the newest block), "
                f"got {first} and {last}"
            )
        progress = Progress("export", last - first + 1)
        for ref in export_blocks(chain.reader, file, BlockNumber(first), BlockNumber(last)):
            progress.show(ref.number - first + 1)
        progress.close()
    finally:
        chain.close()
    sys.stdout.write(f"{last - first + 1} blocks written to {file}\n")
    return 0


def run_import(datadir: Path, genesis_file: Path, file: Path) -> int:
    """Execute the blocks of a file on top of what the datadir holds."""
    node = ExecutionNode.open(read_genesis(genesis_file), datadir)
    try:
        count = import_file(node, file)
        head = node.engine.heads.unsafe
    finally:
        node.close()
    sys.stdout.write(f"{count} blocks imported, head {head.number} 0x{head.hash.hex()}\n")
    return 0


def import_file(node: ExecutionNode, file: Path) -> int:
    """Import, counting on the terminal; return how many were new."""
    count = 0
    progress = Progress("import", None)
    for _ in import_blocks(node.engine, node.reader, file):
        count += 1
        progress.show(count)
    progress.close()
    return count
