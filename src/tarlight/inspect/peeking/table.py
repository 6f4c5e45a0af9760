"""A glimpse as a table for people.

Names and captions go through `label`: whoever wrote the shard chose them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from tarlight.report.figure import num_bytes, plural
from tarlight.report.label import label
from tarlight.report.paint import Span, Spans, cells, columns, fit, line, write_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tarlight.inspect.peeking.look import Glimpse, PeekedRecord

MAX_KEY = 28
MAX_FIELDS = 6
"""Fields that get a column of their own."""
_LEAST_CAPTION = 16
_LEAST_COLUMNS = 2
_LONGEST = 600
_GAP = "  "


def print_glimpse(glimpse: Glimpse, stream: TextIO) -> None:
    """Write the table to `stream`: in colour on a terminal (unless `NO_COLOR` is set), else as plain text."""
    encoding = stream.encoding or "ascii"
    write_lines(lay_out(glimpse, width=columns(stream), encoding=encoding), stream)


def lay_out(glimpse: Glimpse, *, width: int, encoding: str = "utf-8") -> Iterator[Spans]:
    """Yield the lines of the table, at most `width` columns wide."""
    if glimpse.records:
        yield from _table(glimpse, width, encoding)
        yield ()
    else:
        yield line(Span("no records", "bold yellow"))
    for trouble in glimpse.troubles[:5]:
        yield line(Span(label(trouble, width, encoding), "yellow"))
    yield line(Span(_where(glimpse), "dim"))


def _where(glimpse: Glimpse) -> str:
    """Say what was looked at, and what was not."""
    num_looked, total = len(glimpse.shards), plural(glimpse.num_shards, "shard")
    looked = f"the first {num_looked:,}" if num_looked > 1 else "the first"
    if glimpse.is_all:
        among = f"{looked} of {total}" if glimpse.num_shards > 1 else "the only shard"
    elif glimpse.num_shards > 1:
        shards = f"{total} on the first page of the listing"
        among = f"{looked} of {shards}, in the store's order"
    else:
        among = "the first shard of the range"
    return f"{plural(len(glimpse.records), 'record')} out of {among}; {num_bytes(glimpse.bytes_read)} read"


def _table(glimpse: Glimpse, width: int, encoding: str) -> Iterator[Spans]:
    fields, rows = _columns_of(glimpse.records, min(MAX_KEY, width // 3), encoding)
    heads = ["key", "width x height", *(label(name, 14, encoding) for name in fields)]
    is_rest = any(set(record.sizes) - set(fields) for record in glimpse.records)
    if is_rest:
        heads.append("more")
    widths = [max(cells(head), *(cells(row[at]) for row in rows)) for at, head in enumerate(heads)]
    while sum(widths) + len(_GAP) * len(widths) + _LEAST_CAPTION > width and len(widths) > _LEAST_COLUMNS:
        del widths[-1], heads[-1]
    room = width - sum(widths) - len(_GAP) * len(widths)
    captions = [_first_words(record.caption, encoding) for record in glimpse.records]
    yield line(Span(_GAP.join(_aligned(heads, widths)) + (_GAP + "caption" if any(captions) else ""), "bold"))
    shard = ""
    for record, row, caption in zip(glimpse.records, rows, captions, strict=True):
        if record.shard != shard:
            shard = record.shard
            yield line(Span(label(shard, width, encoding), "dim"))
        yield _row(_aligned(row[: len(widths)], widths), record, caption, room, encoding)


def _row(texts: list[str], record: PeekedRecord, caption: str, room: int, encoding: str) -> Spans:
    key, *rest = texts
    last = Span(_GAP + fit(caption, max(room, 1)).rstrip() if caption else "")
    if record.trouble:
        last = Span(_GAP + fit(label(record.trouble, _LONGEST, encoding), max(room, 1)).rstrip(), "yellow")
    return line(Span(key, "cyan"), _GAP, _GAP.join(rest), last)


def _columns_of(
    records: Sequence[PeekedRecord], key_width: int, encoding: str
) -> tuple[list[str], list[list[str]]]:
    """Return the fields that get a column, and the cells of every record but for its caption."""
    fields = list(dict.fromkeys(name for record in records for name in record.sizes))[:MAX_FIELDS]
    rows = []
    for record in records:
        size = f"{record.width:,} x {record.height:,}" if record.width and record.height else "-"
        sizes = [num_bytes(record.sizes[name]) if name in record.sizes else "-" for name in fields]
        more = len(set(record.sizes) - set(fields))
        rows.append([label(record.key, key_width, encoding), size, *sizes, f"+{more}" if more else ""])
    return fields, rows


def _aligned(texts: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Fill the first column at the right, the others at the left."""
    first, *rest = (" " * (width - cells(text)) + text for text, width in zip(texts, widths, strict=True))
    return [fit(first.lstrip(), widths[0]), *rest]


def _first_words(caption: str, encoding: str) -> str:
    return label(" ".join(caption[:_LONGEST].split()), _LONGEST, encoding)
