"""Networks that outlast a test, and begin each one as if they had just been started."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from openrollup.testing.devnet import Devnet, Snapshot
from openrollup.testing.options import DevnetOptions


class DevnetCache:
    """Keeps a network for each set of options; all are stopped at the end of its `with` block."""

    def __init__(self) -> None:
        self._kept: dict[DevnetOptions, tuple[Devnet, Snapshot]] = {}

    def get(self, options: Mapping[str, Any]) -> Devnet:
        """Return a network in the state of its start; ConfigError for impossible options."""
        key = DevnetOptions.parse(options)
        if key not in self._kept:
            devnet = Devnet(**options).start()
            self._kept[key] = devnet, devnet.snapshot()
        else:
            devnet, beginning = self._kept[key]
            devnet.begin_again(beginning)
        return self._kept[key][0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for devnet, _ in self._kept.values():
            devnet.stop()
