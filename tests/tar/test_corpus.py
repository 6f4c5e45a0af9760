"""Archives of every dialect, sound, odd and hostile, written by many programs."""

from __future__ import annotations

import json
import time
import tracemalloc
from pathlib import Path

import pytest

from tarlight.tar import Damage, Member, iter_members
from tests.tar.shards import records, split

pytestmark = pytest.mark.corpus

HANG_S = 4.0
"""No limit of speed: only a hang takes longer."""


@pytest.fixture(scope="module")
def archives(corpus: Path) -> list[Path]:
    """Every archive of the corpus."""
    return sorted(path for path in (corpus / "tars").iterdir() if path.suffix not in (".json", ".tsv"))


@pytest.fixture(scope="module")
def expected(corpus: Path) -> dict[str, dict]:
    """What a careful reader finds in some of them."""
    return json.loads((corpus / "tars" / "expected.json").read_text(encoding="utf-8"))


def test_sound_archives_give_exactly_their_members(corpus: Path, expected: dict[str, dict]) -> None:
    """Each archive whose members are known gives their names, in order, and no damage."""
    checked = 0
    for file, facts in expected.items():
        if facts["members"] is None:
            continue
        data = (corpus / "tars" / file).read_bytes()
        items = list(iter_members([data], size=len(data)))
        kinds = ("directory", "fifo", "character_device", "block_device", "dumpdir")
        found = [item.name for item in items if isinstance(item, Member) and item.kind not in kinds]
        if "concatenated" in file:  # the file holds a second archive, which the manifest's reader never saw
            assert len(found) == 2 * len(facts["members"])
            found = found[: len(found) // 2]
        assert found == facts["members"], file
        assert not any(isinstance(item, Damage) or item.flaw for item in items), file
        checked += 1
    assert checked >= 30


def test_keys_are_those_expected(corpus: Path, expected: dict[str, dict]) -> None:
    """Where keys are given, the records have these."""
    for file, facts in expected.items():
        if facts["keys"]:
            images, _ = records((corpus / "tars" / file).read_bytes())
            assert [image.key for image in images] == facts["keys"], file


def test_every_archive_ends_in_bounded_time_and_memory(archives: list[Path]) -> None:
    """No archive hangs, raises, takes much memory or unbalances the books, in large chunks or small ones."""
    for path in archives:
        data = path.read_bytes()
        started = time.process_time()
        tracemalloc.start()
        try:
            images, report = records(data, fields=("json", "txt"))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert time.process_time() - started < 10 * HANG_S, path.name
        assert peak < (64 << 20) + 600 * len(images) + 2 * len(data), path.name
        assert not report.unbalanced_shards, path.name
        assert report.images_seen == len(images)


def test_chunks_change_nothing_for_any_archive(archives: list[Path]) -> None:
    """Every archive gives the same in chunks of 1,000 bytes as in one."""
    for path in archives:
        data = path.read_bytes()
        if len(data) > 200_000:
            continue
        whole = [_plain(item) for item in iter_members([data], size=len(data))]
        assert [_plain(item) for item in iter_members(split(data, 1000), size=len(data))] == whole, path.name


def _plain(item: Member | Damage) -> object:
    return item if isinstance(item, Damage) or item.data is None else item._replace(data=bytes(item.data))


@pytest.mark.parametrize(
    ("file", "delivered", "flaws", "losses"),
    [
        ("bad_checksum_first.tar", 3, [], ["bad_header"]),
        ("bad_checksum_middle.tar", 6, [], ["bad_header"]),
        ("bad_crc_gz.tar.gz", 3, [], []),
        ("bad_gnu_L_chain_5000.tar", 0, ["name_lost"], ["bad_header"]),
        ("bad_gnu_longname_8gib.tar", 0, [], ["truncated_shard"]),
        ("bad_pax_header_8gib.tar", 0, [], ["truncated_shard"]),
        ("bad_gzip_bomb_1gib.tar.gz", 0, ["truncated"], ["inflates_too_much"]),
        ("bad_hardlink_missing.tar", 1, [], []),
        ("bad_html_named.tar", 0, [], ["not_a_tar"]),
        ("bad_neg_size_base256.tar", 0, [], ["bad_header"]),
        ("bad_neg_size_octal.tar", 0, [], ["bad_header"]),
        ("bad_pax_record_len_huge.tar", 0, ["name_lost"], []),
        ("bad_pax_size_negative.tar", 0, ["name_lost"], []),
        ("bad_size_8gib.tar", 0, ["truncated"], ["truncated_shard"]),
        ("bad_size_too_small.tar", 2, [], ["bad_header"]),
        ("bad_size_swallows_next.tar", 2, [], []),
        ("bad_symlink_loop.tar", 1, [], []),
        ("bad_trunc_in_gz.tar.gz", 2, ["truncated"], ["gzip_error"]),
        ("bad_trunc_mid_body.tar", 0, ["truncated"], ["truncated_shard"]),
        ("bad_trunc_mid_padding.tar", 1, [], []),
        ("ok_pax_size.tar", 2, [], []),
        ("ok_hardlink_with_data.tar", 1, [], []),
    ],
)
def test_hostile_archives_have_their_outcome(
    corpus: Path, file: str, delivered: int, flaws: list[str], losses: list[str]
) -> None:
    """Each kind of damage has the stated outcome, or a better one where the rest can be found again."""
    images, report = records((corpus / "tars" / f"generated-{file}").read_bytes())
    assert sum(image.flaw is None for image in images) == delivered
    assert [image.flaw for image in images if image.flaw is not None] == flaws
    assert [loss.reason for loss in report.losses] == losses
