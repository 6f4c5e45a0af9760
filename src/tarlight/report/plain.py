"""Progress without a terminal: one line now and then, for log files and pipes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from tarlight.report.pace import Standing

_FIRST_S = 1.0
_SHORTEST_S = 5.0
_LONGEST_S = 60.0
_LINES = 20
"""About so many lines in a run of a few minutes; a long one gets a line a minute."""


class PlainDisplay:
    """Writes one line a standing to `stream`, ever more seldom as the run goes on."""

    def __init__(self, title: str, stream: TextIO) -> None:
        self._title = title
        self._stream = stream

    def wait_s(self, seconds: float) -> float:
        """Return the seconds until the next line."""
        if seconds < _FIRST_S:
            return _FIRST_S
        return min(max(_SHORTEST_S, seconds / _LINES), _LONGEST_S)

    def show(self, standing: Standing) -> None:
        """Write one line."""
        texts = [standing.shard_text(), standing.time_text()]
        if standing.is_reading:
            encoding = self._stream.encoding or "ascii"
            stages = standing.stage_texts(encoding)
            texts[1:1] = [*standing.figures(), *standing.stall_texts(encoding), *stages]
        self._stream.write(f"{self._title}: {', '.join(texts)}\n")
        self._stream.flush()

    def close(self) -> None:
        """Do nothing: every line is complete."""
