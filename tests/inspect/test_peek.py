"""`peek` shows the first records, and reads no more than it takes."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from rich.cells import cell_len

from tarlight.errors import ArgumentError, InputMissingError
from tarlight.inspect import peek
from tarlight.inspect.peeking import first
from tarlight.inspect.peeking.picture import as_blocks, as_png, make_thumbnail
from tarlight.inspect.peeking.sheet import choose_graphics, print_sheet
from tarlight.inspect.peeking.table import lay_out
from tarlight.storage import EVERYTHING, LocalStore, Selection, ShardStat
from tests.inspect.shards import jpeg, records, write_shard

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from tarlight.sample import SampleSummary


class CountingStore(LocalStore):
    """The local disk, counting what is asked of it."""

    __slots__ = ("closed", "listed", "opened")

    def __init__(self) -> None:
        self.listed = self.opened = self.closed = 0

    def list(self, prefix: str, selection: Selection = EVERYTHING) -> Iterator[ShardStat]:
        for shard in super().list(prefix, selection):
            self.listed += 1
            yield shard

    def chunks(self, shard: ShardStat) -> Generator[bytes, None, None]:
        self.opened += 1
        try:
            yield from super().chunks(shard)
        finally:
            self.closed += 1


def text_of(path: Path | str, *, width: int = 100, encoding: str = "utf-8", num_records: int = 10) -> str:
    """The table of a glimpse as plain text."""
    lines = lay_out(peek(path, num_records=num_records), width=width, encoding=encoding)
    return "\n".join("".join(span.text for span in spans).rstrip() for spans in lines)


def test_records_come_in_order_with_their_facts(sample: SampleSummary) -> None:
    """Keys, sizes, dimensions and captions are those of the first records, across shards."""
    folder = Path(sample.shards[0]).parent
    glimpse = peek(f"{folder}/*.tar", num_records=5, with_images=True)
    keys = ["000000000", "000000001", "000000002", "000001000", "000001001"]
    assert [record.key for record in glimpse.records] == keys
    assert glimpse.shards == sample.shards[:2]
    assert (glimpse.num_shards, glimpse.is_all) == (4, True)
    for record in glimpse.records:
        assert record.image is not None
        assert record.sizes["jpg"] == len(record.image)
        assert Image.open(io.BytesIO(record.image)).size == (record.width, record.height)
        assert record.caption.endswith(".\n")


def test_shards_are_left_when_there_is_enough(tmp_path: Path) -> None:
    """Of a large shard only its beginning is read, it is closed at once, and no other is opened."""
    many = [(f"{number:04}.jpg", jpeg() + bytes(100_000)) for number in range(100)]
    for name in ("0.tar", "1.tar"):
        write_shard(tmp_path / name, many)
    store = CountingStore()
    glimpse = peek(tmp_path, num_records=3, store=store)
    assert len(glimpse.records) == 3
    assert glimpse.bytes_read == 1 << 20
    assert (store.opened, store.closed) == (1, 1)


def test_a_listing_is_left_after_its_first_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more of a listing is pulled than one page, and the table says so."""
    monkeypatch.setattr(first, "LOCAL_PAGE", 5)
    for number in range(20):
        write_shard(tmp_path / f"{number}.tar", records([str(number)]))
    store = CountingStore()
    glimpse = peek(tmp_path, num_records=1, store=store)
    assert (store.listed, glimpse.num_shards, glimpse.is_all) == (5, 5, False)
    assert "of 5 shards on the first page of the listing, in the store's order" in text_of(tmp_path)


def test_the_first_shard_of_a_range_is_enough(tmp_path: Path) -> None:
    """Of a range only its first shard must be there."""
    write_shard(tmp_path / "00.tar", records(["0", "1"]))
    glimpse = peek(f"{tmp_path}/{{00..99}}.tar")
    assert [record.key for record in glimpse.records] == ["0", "1"]
    assert not glimpse.is_all


def test_damage_is_shown_and_not_raised(sample: SampleSummary) -> None:
    """A shard that is no tar, a cut one and bad images are shown with what is wrong."""
    damaged = Path(sample.shards[0]).parent / "damaged"
    assert "not_a_tar: looks like a JPEG" in text_of(damaged / "not_a_tar.tar")
    assert "truncated_shard" in text_of(damaged / "truncated.tar", num_records=50)
    assert "not_jpeg: an HTML page" in text_of(damaged / "bad_images.tar", num_records=50)
    assert text_of(damaged / "zero_bytes.tar").startswith("no records")


def test_missing_input_is_an_error(tmp_path: Path) -> None:
    """Nothing at a path, no shard in a folder and no match of a glob are errors."""
    (tmp_path / "notes.txt").touch()
    for path in (tmp_path / "x.tar", tmp_path, tmp_path / "*.tar"):
        with pytest.raises(InputMissingError):
            peek(path)
    with pytest.raises(ArgumentError, match="num_records"):
        peek(tmp_path, num_records=0)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [40, 80, 120])
def test_untrusted_names_and_captions_are_harmless(tmp_path: Path, width: int, encoding: str) -> None:
    """Escapes, reversed text and wide characters stay inside their lines, at every width."""
    evil = "\x1b[2J\u202egnp.\x07\udcff"
    parts = [(f"{evil}.jpg", jpeg()), (f"{evil}.txt", "\x1b]0;owned\x07 \u202e 日本語 ".encode() * 40)]
    parts += [(f"{evil}.{'x' * 90}", b""), ("k" * 500 + ".jpg", jpeg())]
    text = text_of(write_shard(tmp_path / "a.tar", parts), width=width, encoding=encoding)
    assert all(line.isprintable() for line in text.splitlines())
    text.encode(encoding)
    assert max(map(cell_len, text.splitlines()[:-1])) <= width


def test_captions_come_from_text_or_json(tmp_path: Path) -> None:
    """The caption is that of the text file, else one of the JSON's usual names; broken ones are none."""
    members = [
        *(("a.jpg", jpeg()), ("a.txt", b"from text"), ("a.json", b'{"caption": "no"}')),
        *(("b.jpg", jpeg()), ("b.json", b'{"prompt": "from json"}')),
        *(("c.jpg", jpeg()), ("c.json", b'{"prompt": ')),
    ]
    glimpse = peek(write_shard(tmp_path / "a.tar", members))
    assert [record.caption for record in glimpse.records] == ["from text", "from json", ""]


def test_thumbnails_are_averages(tmp_path: Path) -> None:
    """A thumbnail fits its box, keeps the proportions, and its colours are those of Pillow's box filter."""
    gradient = np.linspace(0, 255, 640, dtype=np.uint8)[None, :, None].repeat(320, 0).repeat(3, 2)
    buffer = io.BytesIO()
    Image.fromarray(gradient).save(buffer, "JPEG", quality=95)
    small = make_thumbnail(buffer.getvalue(), 20, 20)
    assert small is not None
    assert small.shape == (10, 20, 3)
    expected = Image.fromarray(gradient).resize((20, 10), Image.Resampling.BOX)
    assert np.abs(small.astype(int) - np.asarray(expected)).max() <= 2
    tiny = make_thumbnail(jpeg(3, 2), 20, 20)
    assert tiny is not None
    assert tiny.shape == (2, 3, 3)
    assert make_thumbnail(b"no image", 20, 20) is None


def test_pictures_are_sound_png() -> None:
    """Pillow reads the PNG that is sent to terminals back as the same pixels."""
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    assert (np.asarray(Image.open(io.BytesIO(as_png(pixels)))) == pixels).all()


def test_blocks_have_two_pixels_each() -> None:
    """Half blocks carry the upper pixel in front and the lower one behind; an odd last row is doubled."""
    pixels = np.array([[[1, 2, 3]], [[4, 5, 6]], [[255, 0, 128]]], np.uint8)
    assert as_blocks(pixels, true_colour=True) == [
        "\x1b[38;2;1;2;3;48;2;4;5;6m\u2580\x1b[0m",
        "\x1b[38;2;255;0;128;48;2;255;0;128m\u2580\x1b[0m",
    ]
    assert "38;5;199;48;5;199" in as_blocks(pixels, true_colour=False)[1]


@pytest.mark.parametrize(
    ("environment", "graphics"),
    [
        ({"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-kitty", "TMUX": "/run/x"}, "blocks"),
        ({"TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({"TERM_PROGRAM": "ghostty"}, "kitty"),
        ({"TERM_PROGRAM": "iTerm.app", "TERM": "screen-256color"}, "blocks"),
        ({"TERM": "xterm-256color"}, "blocks"),
        ({}, "blocks"),
    ],
)
def test_the_terminal_is_known_by_its_environment(environment: dict[str, str], graphics: str) -> None:
    """Graphics protocols are used where the terminal says that it has one, and never inside tmux."""
    assert choose_graphics(environment) == graphics


@pytest.mark.parametrize("graphics", ["kitty", "iterm2", "blocks"])
def test_a_sheet_holds_every_sound_picture(sample: SampleSummary, graphics: str) -> None:
    """Each picture is drawn once, whichever way, with its key below; bad ones are left out."""
    records = peek(Path(sample.shards[0]).parent / "damaged" / "bad_images.tar", with_images=True).records
    sound = [record for record in records if record.width]
    stream = io.StringIO()
    print_sheet(records, stream, graphics)
    drawn = stream.getvalue()
    starts = {"kitty": "\x1b_Ga=T", "iterm2": "\x1b]1337;File=", "blocks": "\x1b[0m"}
    assert drawn.count(starts[graphics]) >= len(sound) > 3
    assert all(record.key in drawn for record in sound)
    assert "e_png" not in drawn
