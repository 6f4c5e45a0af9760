"""Progress on a terminal: a bar and the figures of the moment, redrawn in place."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tarlight.report.label import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from tarlight.report.pace import Standing

_WIDTH = 110
_INTERVAL_S = 0.2


class LiveDisplay:
    """Draws standings in place on `stream`, a terminal."""

    def __init__(self, title: str, stream: TextIO) -> None:
        self._console = Console(file=stream, force_terminal=True, highlight=False)
        self._title = printable(title, self._console.encoding)
        # What the program prints meanwhile goes above the bar; but a stdout that is a file stays one.
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
        )
        self._live.start()
        # The cursor stays visible, so that a killed process leaves nothing to repair.
        self._console.show_cursor(True)  # noqa: FBT003 (rich's signature)

    def wait_s(self, seconds: float) -> float:  # noqa: ARG002 (every display is asked with the time)
        """Return the seconds until the next frame."""
        return _INTERVAL_S

    def show(self, standing: Standing) -> None:
        """Draw one frame."""
        self._live.update(self._frame(standing), refresh=True)

    def close(self) -> None:
        """Wipe the display, and give stdout and stderr back."""
        self._live.stop()

    def _frame(self, standing: Standing) -> RenderableType:
        width = min(self._console.width, _WIDTH)
        head = Table.grid(padding=(0, 1), pad_edge=False)
        head.width = width
        head.add_column(no_wrap=True)
        head.add_column(ratio=1)
        head.add_column(no_wrap=True, justify="right")
        where = f"{standing.shard_text()}  {standing.time_text()}"
        head.add_row(Text(self._title, "bold"), _bar(standing.fraction), Text(where))
        if not standing.is_reading:
            return head
        encoding = self._console.encoding
        stalls = [Text(text, "yellow") for text in _in_lines(standing.stall_texts(encoding), width)]
        stages = [Text(text, "dim") for text in _in_lines(standing.stage_texts(encoding), width)]
        return Group(head, _figure_lines(standing, width), *stalls, *stages)


def _bar(fraction: float | None) -> RenderableType:
    if fraction is None:
        return ProgressBar(pulse=True)
    bar = Table.grid(padding=(0, 1), expand=True)
    bar.add_column(ratio=1)
    bar.add_column(no_wrap=True, justify="right")
    bar.add_row(ProgressBar(total=1.0, completed=fraction), Text(f"{fraction:4.0%}"))
    return bar


def _in_lines(texts: Iterable[str], width: int) -> list[str]:
    """The texts, as many in a line as fit."""
    lines: list[str] = []
    for text in texts:
        if lines and len(lines[-1]) + 2 + len(text) <= width:
            lines[-1] += f"  {text}"
        else:
            lines.append(text)
    return lines


def _figure_lines(standing: Standing, width: int) -> Text:
    """The figures, as many in a line as fit."""
    text, used = Text(), 0
    for position, figure in enumerate(standing.figures()):
        gap = 2 if used else 0
        if used + gap + len(figure) > width:
            text.append("\n")
            used = gap = 0
        troubled = (figure.endswith("skipped") and standing.skipped) or figure.endswith("lost")
        text.append(" " * gap)
        text.append(figure, "yellow" if troubled else "green" if position == 0 else "")
        used += gap + len(figure)
    return text
