"""A contact sheet in the terminal: pictures side by side, each with its key and size below.

Strategy: pictures are drawn by the graphics protocol of the terminal (kitty's or iTerm2's) where it has one,
else with half blocks. Which one is told by environment variables, so nothing is asked of the terminal.

Sources: "Terminal graphics protocol" (kitty), "Images" (iTerm2).
"""

from __future__ import annotations

import os
from base64 import b64encode
from typing import TYPE_CHECKING, TextIO

from tarlight.inspect.peeking.picture import as_blocks, as_png, make_thumbnail
from tarlight.report.label import label
from tarlight.report.paint import columns, fit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tarlight.inspect.peeking.look import PeekedRecord
    from tarlight.tasks import Pixels

GRAPHICS = ("auto", "kitty", "iterm2", "blocks")
"""How pictures may be drawn."""
WIDTH, HEIGHT = 24, 10
"""Columns and lines of one picture at most."""
_GAP = 2
_CELL_WIDTH, _CELL_HEIGHT = 10, 20
"""Pixels of one character, about; only their ratio shows."""
_KITTY_CHUNK = 4096
"""Bytes of base64 that kitty takes at once."""


def choose_graphics(environment: Mapping[str, str]) -> str:
    """Return how the terminal of this environment draws pictures: `kitty`, `iterm2` or `blocks`.

    Inside tmux and screen it is blocks, since they pass the protocols on only when told to.
    """
    if environment.get("TMUX") or environment.get("TERM", "").startswith(("screen", "tmux")):
        return "blocks"
    program = environment.get("TERM_PROGRAM", "").lower()
    if environment.get("KITTY_WINDOW_ID") or "kitty" in environment.get("TERM", "") or program == "ghostty":
        return "kitty"
    return "iterm2" if program in {"iterm.app", "wezterm"} else "blocks"


def print_sheet(records: Sequence[PeekedRecord], stream: TextIO, graphics: str = "auto") -> None:
    """Write the pictures of `records` to `stream`; `graphics` is one of `GRAPHICS`."""
    how = choose_graphics(os.environ) if graphics == "auto" else graphics
    shown = [record for record in records if record.image is not None]
    each = max(1, (columns(stream) + _GAP) // (WIDTH + _GAP))
    for start in range(0, len(shown), each):
        row = shown[start : start + each]
        stream.writelines(_blocks(row) if how == "blocks" else _placed(row, how))
        keys = _keys(row, stream.encoding or "ascii")
        stream.writelines(text.rstrip() + "\n" for text in (keys, _sizes(row)))
        stream.write("\n")
    stream.flush()


def _keys(row: Sequence[PeekedRecord], encoding: str) -> str:
    return (" " * _GAP).join(fit(label(record.key, WIDTH, encoding), WIDTH) for record in row)


def _sizes(row: Sequence[PeekedRecord]) -> str:
    return (" " * _GAP).join(fit(f"{record.width} x {record.height}", WIDTH) for record in row)


def _blocks(row: Sequence[PeekedRecord]) -> Iterator[str]:
    """Yield the lines of one row of pictures drawn with half blocks, their feet on one line."""
    true_colour = os.environ.get("COLORTERM", "") in {"truecolor", "24bit"}
    pictures = []
    for record in row:
        pixels = make_thumbnail(record.image or b"", WIDTH, 2 * HEIGHT)
        lines = [] if pixels is None else as_blocks(pixels, true_colour=true_colour)
        width = 0 if pixels is None else pixels.shape[1]
        pictures.append([line + " " * (WIDTH - width) for line in lines])
    height = max(map(len, pictures))
    filled = [[" " * WIDTH] * (height - len(lines)) + lines for lines in pictures]
    for parts in zip(*filled, strict=True):
        yield (" " * _GAP).join(parts) + "\n"


def _placed(row: Sequence[PeekedRecord], how: str) -> Iterator[str]:
    """Yield one row of pictures drawn by a protocol.

    Room is made first by scrolling; then each picture is drawn from the same line, one beside the other.
    """
    yield "\n" * HEIGHT + f"\x1b[{HEIGHT}A"
    for number, record in enumerate(row):
        pixels = make_thumbnail(record.image or b"", WIDTH * _CELL_WIDTH, HEIGHT * _CELL_HEIGHT)
        if pixels is not None:
            right = number * (WIDTH + _GAP)
            yield "\x1b7" + (f"\x1b[{right}C" if right else "")
            yield _kitty(pixels) if how == "kitty" else _iterm2(pixels)
            yield "\x1b8"
    yield f"\x1b[{HEIGHT}B\r"


def _kitty(pixels: Pixels) -> str:
    text = b64encode(as_png(pixels)).decode()
    pieces = [text[at : at + _KITTY_CHUNK] for at in range(0, len(text), _KITTY_CHUNK)]
    columns_, lines = _cells_of(pixels)
    first = f"a=T,f=100,q=2,C=1,c={columns_},r={lines},"
    return "".join(
        f"\x1b_G{first if number == 0 else ''}m={int(number < len(pieces) - 1)};{piece}\x1b\\"
        for number, piece in enumerate(pieces)
    )


def _iterm2(pixels: Pixels) -> str:
    png = as_png(pixels)
    columns_, lines = _cells_of(pixels)
    options = f"inline=1;size={len(png)};width={columns_};height={lines};preserveAspectRatio=1"
    return f"\x1b]1337;File={options}:{b64encode(png).decode()}\x07"


def _cells_of(pixels: Pixels) -> tuple[int, int]:
    """Columns and lines that a picture takes, at most `WIDTH` and `HEIGHT`."""
    height, width = pixels.shape[:2]
    scale = min(WIDTH * _CELL_WIDTH / width, HEIGHT * _CELL_HEIGHT / height)
    across, down = width * scale / _CELL_WIDTH, height * scale / _CELL_HEIGHT
    return max(1, min(WIDTH, round(across))), max(1, min(HEIGHT, round(down)))
