"""`openrollup export` and `openrollup import`: chains as files of concatenated RLP."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from node.chain_file import export_blocks, import_blocks
from node.genesis import read_genesis
from node.types.block import BlockRef
from openrollup.execution_node import ExecutionNode, StoredChain
from openrollup.progress import Progress


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Which blocks, both ends included, go to which file. None: from block 1, to the newest."""

    datadir: Path
    file: Path
    first: int | None
    last: int | None
    json: bool


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """The file with the blocks, and the store that they go into."""

    datadir: Path
    genesis: Path
    file: Path
    json: bool


def run_export(options: ExportOptions) -> int:
    """Write blocks of a stored chain to a file."""
    with StoredChain.open(options.datadir) as chain:
        first, last = chain.whole_blocks(options.first, options.last)
        with Progress("export", last - first + 1) as progress:
            for ref in export_blocks(chain.reader, options.file, first, last):
                progress.show(ref.number - first + 1)
    count = last - first + 1
    if options.json:
        _print_json({"blocks": count, "file": str(options.file)})
    else:
        sys.stdout.write(f"{count} blocks written to {options.file}\n")
    return 0


def run_import(options: ImportOptions) -> int:
    """Execute the blocks of a file on top of what the datadir holds."""
    with ExecutionNode.open(read_genesis(options.genesis), options.datadir) as node:
        count = sum(1 for _ in import_file(node, options.file))
        head = node.engine.heads.unsafe
    if options.json:
        shown = {"number": head.number, "hash": "0x" + head.hash.hex()}
        _print_json({"blocks": count, "head": shown})
    else:
        sys.stdout.write(f"{count} blocks imported, head {head.number} 0x{head.hash.hex()}\n")
    return 0


def import_file(node: ExecutionNode, file: Path) -> Iterator[BlockRef]:
    """Import, counting on the terminal; yield each block that was new."""
    with Progress("import", None) as progress:
        for done, ref in enumerate(import_blocks(node.engine, node.reader, file), 1):
            progress.show(done)
            yield ref


def _print_json(result: dict[str, object]) -> None:
    sys.stdout.write(orjson.dumps(result).decode() + "\n")
