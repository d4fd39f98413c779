"""Blocks as test cases: which there are, and what replaying each of them has found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from node.chain_file import read_blocks
from node.difference import BlockReport
from node.errors import ConfigError, DecodingError
from openrollup.execution_node import StoredChain
from openrollup.testing.errors import BlockDiffers
from openrollup.testing.sources import DatadirSource, FileSource, Source, source_of

_OPTIONS = ("source", "genesis", "first", "last")


@dataclass(frozen=True, slots=True)
class BlockRange:
    """What a marker names. Paths are absolute; bounds are inclusive, None the source's own."""

    source: str
    genesis: str | None
    first: int | None
    last: int | None

    @classmethod
    def parse(cls, arguments: tuple[Any, ...], options: Mapping[str, Any], directory: Path) -> Self:
        """Read a marker's arguments; relative paths are seen from `directory`.

        ConfigError says what is wrong with them.
        """
        if len(arguments) > 1:
            raise ConfigError(f"expected the source, then keywords, got {arguments}")
        given = dict(zip(("source",), arguments, strict=False)) | dict(options)
        if unknown := sorted(set(given) - set(_OPTIONS)):
            raise ConfigError(f"{unknown[0]}: there is no such option: {', '.join(_OPTIONS)}")
        for name in ("first", "last"):
            number = given.get(name)
            if number is not None and (type(number) is not int or number < 0):
                raise ConfigError(f"{name}: expected the number of a block, got {number!r}")
        source, genesis = given.get("source"), given.get("genesis")
        if not isinstance(source, str | Path):
            raise ConfigError(f"source: expected a path or a URL, got {source!r}")
        if not isinstance(genesis, str | Path | None):
            raise ConfigError(f"genesis: expected a path, got {genesis!r}")
        return cls(
            _place(source, directory),
            None if genesis is None else _place(genesis, directory),
            given.get("first"),
            given.get("last"),
        )

    def open(self) -> Source:
        """Return the source; ConfigError if there is none."""
        return source_of(self.source, self.genesis)

    def numbers(self) -> range:
        """Return the blocks' numbers; looks into the source unless both bounds are given.

        ConfigError for a range that is not there, or a URL without a last block.
        """
        if self.first is not None and self.last is not None:
            if self.first > self.last:
                raise ConfigError(f"expected first <= last, got {self.first} and {self.last}")
            return range(self.first, self.last + 1)
        source = self.open()
        if isinstance(source, DatadirSource):
            with StoredChain.open(source.path) as chain:
                oldest, newest = chain.block_range(self.first, self.last)
            return range(oldest, newest + 1)
        last = self.last
        if last is None and isinstance(source, FileSource):
            last = _newest(source.path)
        if last is None:
            raise ConfigError(f"last: expected beside {self.source}: its chain may grow any time")
        first = 1 if self.first is None else self.first
        if first > last:
            raise ConfigError(f"expected first <= last, got {first} and {last}")
        return range(first, last + 1)


class ReplayCases:
    """Replays each range once, as far as it is asked for."""

    def __init__(self) -> None:
        self._running: dict[BlockRange, Iterator[BlockReport]] = {}
        self._reports: dict[tuple[BlockRange, int], BlockReport] = {}
        self._failed: dict[BlockRange, BlockReport] = {}

    def report(self, blocks: BlockRange, number: int) -> BlockReport:
        """Return the report of a block; BlockDiffers if it, or one before it, differs.

        ConfigError if the source does not reach it.
        """
        if blocks not in self._running:
            self._running[blocks] = iter(blocks.open().reports(blocks.first, blocks.last))
        while (blocks, number) not in self._reports and blocks not in self._failed:
            report = next(self._running[blocks], None)
            if report is None:
                raise ConfigError(f"{blocks.source}: there is no block {number}")
            self._reports[blocks, report.number] = report
            if report.difference is not None:
                self._failed[blocks] = report
        report = self._reports.get((blocks, number), self._failed.get(blocks))
        assert report is not None, "one of both has ended the loop"
        if report.difference is not None:
            raise BlockDiffers(report)
        return report


def _place(given: str | Path, directory: Path) -> str:
    text = str(given)
    return text if text.startswith(("http://", "https://")) else str(directory / text)


def _newest(path: Path) -> int:
    newest = 0
    for block in read_blocks(path):
        newest = block.number
    if newest == 0:
        raise DecodingError(f"{path}: expected blocks after block 0")
    return newest
