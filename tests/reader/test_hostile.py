"""Hostile shards cost bounded memory and time (C12): each is loaded in a process of its own and measured."""

from __future__ import annotations

import gzip
import json
import re
import struct
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.soak import repetitions

from .dataset import jpeg, record, write_tar

MIB = 1 << 20

LOAD = r"""
import json, re, sys
from pathlib import Path
from tarlight import FilePartitioningStage, ImageReaderStage, Pipeline
stages = [FilePartitioningStage(sys.argv[1]), ImageReaderStage(num_threads=2, verbose=False)]
with Pipeline(stages=stages).stream() as stream:
    for batch in stream:
        pass
print(json.dumps({
    "delivered": stream.report.images_delivered,
    "skipped": stream.report.images_skipped,
    "losses": [loss.reason for loss in stream.report.losses],
    "balanced": stream.report.is_balanced,
    "peak": int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) * 1024,
}))
"""


def measure(shard):
    """Load one shard in a fresh process; it must end within a minute, whatever the shard holds.

    The peak is read from /proc: getrusage would count the memory of the process that started it.
    """
    command = [sys.executable, "-c", LOAD, str(shard)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """Peak memory for a shard of one sound record."""
    return measure(write_tar(tmp_path_factory.mktemp("usual") / "a.tar", record(1)))["peak"]


def with_frame(width, height):
    data = bytearray(jpeg(1))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def many_scans():
    """A progressive picture whose last scan is repeated thousands of times."""
    from io import BytesIO  # noqa: PLC0415

    from PIL import Image  # noqa: PLC0415

    buffer = BytesIO()
    Image.new("RGB", (2000, 2000), "teal").save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = [match.start() for match in re.finditer(b"\xff\xda", data)][-1]
    return data[:-2] + data[last:-2] * 5000 + b"\xff\xd9"


def header(name, size_field, flag=b"0"):
    """A ustar header with any size field and a right checksum."""
    block = bytearray(512)
    block[0 : len(name)] = name
    block[100:108] = b"0000644\0"
    block[124 : 124 + len(size_field)] = size_field
    block[156:157] = flag
    block[257:265] = b"ustar\x0000"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def chain(flag, count):
    """Extension headers in a row, each with a small sound payload."""
    payload = b"9 mtime=1\n"[:10].ljust(512, b"\0") if flag == b"x" else b"name.jpg\0".ljust(512, b"\0")
    size = b"%011o\0" % (10 if flag == b"x" else 9)
    return (header(b"ext", size, flag) + payload) * count


TAIL = header(b"2.jpg", b"%011o\0" % len(jpeg(2))) + jpeg(2) + b"\0" * (-len(jpeg(2)) % 512 + 1024)

SHARDS = {
    "10 GB size": header(b"1.jpg", b"%011o\0" % (8**11 - 1)) + TAIL,
    "2^63 size": header(b"1.jpg", b"\x80\0\0\0\x7f" + b"\xff" * 7) + TAIL,
    "largest base-256 size": header(b"1.jpg", b"\xbf" + b"\xff" * 11) + TAIL,
    "negative size": header(b"1.jpg", b"\xff" * 12) + TAIL,
    "5,000 PAX headers": chain(b"x", 5000) + TAIL,
    "5,000 long names": chain(b"L", 5000) + TAIL,
    "8 GiB PAX header": header(b"ext", b"%011o\0" % (8**11 - 1), b"x") + TAIL,
    "8 GiB long name": header(b"ext", b"%011o\0" % (8**11 - 1), b"L") + TAIL,
}


@pytest.mark.parametrize("name", SHARDS)
def test_hostile_headers(tmp_path, usual, name):
    """Whatever a header claims, the image after it is delivered and under 64 MiB are taken."""
    shard = tmp_path / "a.tar"
    shard.write_bytes(SHARDS[name])
    found = measure(shard)
    assert found["balanced"]
    assert found["delivered"] + found["skipped"].get("name_lost", 0) == 1
    assert found["losses"]
    assert found["peak"] - usual < 64 * MIB


@pytest.mark.parametrize(
    ("make", "reason"),
    [(lambda: with_frame(65_500, 65_500), "too_many_pixels"), (many_scans, "too_many_scans")],
)
def test_hostile_images(tmp_path, usual, make, reason):
    """A pixel bomb and a scan bomb are refused by their headers; the image after them is delivered."""
    shard = write_tar(tmp_path / "a.tar", [("1.jpg", make()), ("2.jpg", jpeg(2))])
    found = measure(shard)
    assert (found["delivered"], found["skipped"]) == (1, {reason: 1})
    assert found["peak"] - usual < 64 * MIB


def test_a_gzip_bomb(tmp_path, usual):
    """A gzip stream that inflates to a gigabyte is given up early, named, in bounded memory."""
    shard = tmp_path / "a.tar.gz"
    with gzip.open(shard, "wb", compresslevel=9) as packed:
        packed.write(header(b"1.bin", b"%011o\0" % (1 << 30)))
        for _ in range(1024):
            packed.write(b"\0" * MIB)
    found = measure(shard)
    assert found["losses"] == ["inflates_too_much"]
    assert found["balanced"]
    assert found["peak"] - usual < 64 * MIB


def test_a_million_empty_images(tmp_path):
    """A million empty members are a million skips, in under 256 MiB (fewer members by default)."""
    count = repetitions(50_000, 1_000_000)
    shard = Path(tmp_path / "a.tar")
    with shard.open("wb") as raw:
        for index in range(count):
            member = tarfile.TarInfo(f"{index:07d}.jpg")
            raw.write(member.tobuf(tarfile.USTAR_FORMAT))
        raw.write(b"\0" * 1024)
    found = measure(shard)
    assert found["skipped"] == {"empty": count}
    assert found["balanced"]
    assert found["peak"] < 256 * MIB
