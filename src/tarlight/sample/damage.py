"""Broken shards to try things on: each one shows one kind of damage, and a README says what to expect.

Strategy: sound bytes are made first and then damaged at one known place, so that what must survive is known.
"""

from __future__ import annotations

import gzip
import io
import lzma
from textwrap import dedent
from typing import TYPE_CHECKING

from PIL import Image

from tarlight.sample.flaw import bomb, empty, garble, mislabel, shorten
from tarlight.sample.shard import Member, record, replacing, tar_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tarlight.sample.scene import Scene

BLOCK = 512
"""Bytes of a tar header, and the unit of everything in a tar."""
RECORDS = 12
"""Records of a damaged shard: as many scenes are needed."""


_EXPECT = {
    "flipped_header.tar": """
        One byte of a header is flipped. 11 of 12 images are delivered; the twelfth is lost (bad_header).""",
    "truncated.tar": """
        Cut off inside the ninth image. 8 images are delivered, 1 is skipped (truncated).""",
    "bad_images.tar": """
        Good images among bad ones. 6 of 13 are delivered, the gray, CMYK and progressive ones too. Skipped
        are a cut JPEG (truncated), damaged data (corrupt), a PNG and a web page named .jpg (not_jpeg), an
        empty member (empty), a second member of the same name (duplicate_key), and one that claims
        65,500 x 65,500 pixels (too_many_pixels).""",
    "broken_json.tar": """
        3 images, all delivered. With the fields txt and json, the broken json of one and the caption of
        another, which is no UTF-8, are noted.""",
    "no_images.tar": """
        An archive without members. 0 images, and no error.""",
    "zero_bytes.tar": """
        No bytes at all. 0 images, and no error.""",
    "not_a_tar.tar": """
        A JPEG with the name of a shard. All of it is lost (not_a_tar).""",
    "packed_gzip.tar": """
        A sound shard packed with gzip, which is known by its first bytes. 12 images are delivered.""",
    "packed_xz.tar": """
        A sound shard packed with xz, which is not read. All of it is lost (unsupported_compression).""",
}
"""Name -> what is in it, and what a careful reader makes of it."""


def damaged_shards(scenes: Sequence[Scene]) -> dict[str, bytes]:
    """Return the broken shards: name -> bytes."""
    sound = _records(scenes)
    plain = tar_bytes(sound)
    return {
        "flipped_header.tar": _flip_header(plain, "damage_000005.jpg"),
        "truncated.tar": plain[: _header_of(plain, "damage_000008.jpg") + BLOCK + 1000],
        "bad_images.tar": tar_bytes(_bad_images(sound)),
        "broken_json.tar": tar_bytes(_broken_fields(sound)),
        "no_images.tar": tar_bytes([]),
        "zero_bytes.tar": b"",
        "not_a_tar.tar": sound[0][1],
        "packed_gzip.tar": gzip.compress(plain, 6, mtime=0),
        "packed_xz.tar": lzma.compress(plain, preset=0),
    }


def write_damaged(folder: Path, scenes: Sequence[Scene]) -> list[tuple[str, str]]:
    """Write the broken shards and a README.txt into `folder`; return path and description of each."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, payload in damaged_shards(scenes).items():
        _write_file(folder / name, payload)
        written.append((str(folder / name), " ".join(_EXPECT[name].split())))
    _write_file(folder / "README.txt", _readme().encode())
    return written


def _write_file(path: Path, payload: bytes) -> None:
    with replacing(path) as partial:
        partial.write_bytes(payload)


def _readme() -> str:
    head = "Shards that are broken on purpose, and what a careful reader makes of each.\n"
    return head + "".join(f"\n{name}\n{dedent(text).strip()}\n" for name, text in _EXPECT.items())


def _records(scenes: Sequence[Scene]) -> list[Member]:
    return [member for index, scene in enumerate(scenes) for member in record(f"damage_{index:06}", scene)]


def _header_of(archive: bytes, member: str) -> int:
    """Return where the header of `member` begins."""
    return archive.index(member.encode().ljust(100, b"\0"))


def _flip_header(archive: bytes, member: str) -> bytes:
    at = _header_of(archive, member) + 130  # in the size field: the worst place, since it says where to go on
    return archive[:at] + bytes([archive[at] ^ 0x04]) + archive[at + 1 :]


def _bad_images(sound: list[Member]) -> list[Member]:
    jpegs = [payload for name, payload in sound if name.endswith(".jpg")]
    first, second, third = jpegs[:3]
    picture = Image.open(io.BytesIO(third))
    return [
        ("a_good.jpg", first),
        ("b_cut.jpg", shorten(second)),
        ("c_damaged.jpg", garble(second)),
        ("d_good.jpg", second),
        ("e_png.jpg", _encode(picture, "PNG")),
        ("f_web_page.jpg", mislabel(second)),
        ("g_empty.jpg", empty(third)),
        ("h_twice.jpg", third),
        ("h_twice.jpg", first),
        ("i_bomb.jpg", bomb(third)),
        ("j_gray.jpg", _encode(picture.convert("L"))),
        ("k_cmyk.jpg", _encode(picture.convert("CMYK"))),
        ("l_progressive.jpg", _encode(picture, progressive=True)),
    ]


def _encode(picture: Image.Image, kind: str = "JPEG", **options: bool) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _broken_fields(sound: list[Member]) -> list[Member]:
    broken = {"damage_000001.json": b'{"width": 12,', "damage_000002.txt": b"caf\xe9 in Latin-1, not UTF-8\n"}
    return [(name, broken.get(name, payload)) for name, payload in sound[:9]]
