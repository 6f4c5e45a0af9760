"""`check` names what is wrong, at the right place, and nothing else."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tarlight import FilePartitioningStage, ImageReaderStage, Pipeline
from tarlight.errors import ArgumentError, InputMissingError
from tarlight.events import Event, PartitionsPlanned, RunEnded, RunStarted
from tarlight.inspect import Checking, Findings, Kind, Severity, check
from tarlight.inspect.checking.kind import KINDS, OF_LOSS, OF_NOTE, OF_SKIP
from tarlight.ledger import LossReason, SkipReason
from tarlight.tar.header import BLOCK
from tests.inspect.shards import jpeg, records, write_shard

if TYPE_CHECKING:
    from tarlight.sample import SampleSummary

Place = tuple[str, str, str, int | None]


def places(findings: Findings) -> list[Place]:
    """Kind, shard, member and offset of every example."""
    return [(str(one.kind), Path(one.shard).name, one.member, one.offset) for one in findings.examples]


def planted(folder: str) -> list[Place]:
    """The same, as the manifest of the sample says."""
    plants = json.loads((Path(folder) / "manifest.json").read_text())["planted"]
    return [(plant["kind"], plant["shard"], plant["member"], plant["offset"]) for plant in plants]


def test_every_kind_is_planted_once(faults: str) -> None:
    """The sample's faulty dataset has one fault of each kind of the closed list."""
    assert sorted(kind for kind, *_ in planted(faults)) == sorted(kind.value for kind in Kind)


def test_every_planted_fault_is_found_and_nothing_else(faults: str) -> None:
    """A full check finds what the manifest says, where it says, once each, most harmful first."""
    findings = check(faults)
    order = [kind.value for kind in Kind]
    assert places(findings) == sorted(planted(faults), key=lambda place: order.index(place[0]))
    assert list(findings.counts.values()) == [1] * len(Kind)
    assert (findings.outcome, findings.is_clean) == ("finished", False)


def test_a_fast_check_finds_all_but_damaged_image_data(faults: str) -> None:
    """Without decoding everything planted is found but the flaw inside compressed data."""
    assert set(planted(faults)) - set(places(check(faults, fast=True))) == {
        place for place in planted(faults) if place[0] == "corrupt_image"
    }


@pytest.mark.parametrize("names", ["short", "long" * 40])
def test_every_byte_that_is_named_begins_a_header(tmp_path: Path, names: str) -> None:
    """Offsets of members, also in details, are where the standard library reads the member's own header."""
    for number in range(2):
        members = [(f"{names}.jpg", jpeg()), (f"{names}.jpg", jpeg()), (f"{names}.json", b"{")]
        with tarfile.open(tmp_path / f"{number}.tar", "w", format=tarfile.PAX_FORMAT) as archive:
            for name, data in members:
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    with tarfile.open(tmp_path / "0.tar") as archive:
        first, second, third = (entry.offset_data - 512 for entry in archive)
    findings = check(tmp_path)
    assert [one.offset for one in findings.of(Kind.DUPLICATE_IN_SHARD)] == [second, second]
    assert [one.offset for one in findings.of(Kind.BROKEN_SIDECAR)] == [third, third]
    across = findings.of(Kind.DUPLICATE_ACROSS_SHARDS)
    assert [one.offset for one in across] == [first]
    details = [*(one.detail for one in findings.of(Kind.DUPLICATE_IN_SHARD)), across[0].detail]
    named = [re.findall(r"at byte ([\d,]+)", detail) for detail in details]
    assert named == [[f"{first:,}"]] * 3


@pytest.mark.parametrize("fast", [True, False])
def test_nothing_is_found_in_sound_shards(sample: SampleSummary, fast: bool) -> None:
    """The sound sample, whose records cannot be spread evenly over its shards, is clean."""
    findings = check(list(sample.shards), fast=fast)
    assert findings.is_clean
    assert (findings.shards, findings.records, findings.images) == (4, 10, 10)


@pytest.mark.parametrize("fast", [True, False])
def test_nothing_is_found_in_sound_photos(corpus: Path, fast: bool) -> None:
    """900 real photographs with captions and JSON are clean at both depths."""
    findings = check(corpus / "photos", fast=fast)
    assert findings.is_clean, findings.counts
    assert (findings.shards, findings.records, findings.images) == (5, 900, 900)


@pytest.mark.parametrize("folder", ["mixed", "odd_jpegs", "bad_jpegs"])
def test_bad_images_are_those_that_a_run_skips(corpus: Path, folder: str) -> None:
    """A full check and a run agree on which images are bad and why, on thousands of real broken ones."""
    findings = check(corpus / folder, max_examples=10_000)
    stages = [FilePartitioningStage(corpus / folder), ImageReaderStage(verbose=False)]
    with Pipeline(stages=stages).stream() as stream:
        assert all(batch.num_images for batch in stream)
    skips = {
        (OF_SKIP[skip.reason], skip.shard, skip.member, skip.offset - BLOCK) for skip in stream.report.skips
    }
    assert {(one.kind, one.shard, one.member, one.offset) for one in findings.examples} == skips
    assert findings.images == stream.report.images_seen


@pytest.mark.parametrize("folder", ["mixed", "odd_jpegs", "bad_jpegs"])
def test_a_fast_check_blames_no_good_image(corpus: Path, folder: str) -> None:
    """Whatever a fast check finds, a full check finds at the same place."""
    fast, full = (check(corpus / folder, fast=fast, max_examples=10_000) for fast in (True, False))
    assert {(one.member, one.offset) for one in fast.examples} <= {
        (one.member, one.offset) for one in full.examples
    }
    assert fast.num_findings


def test_every_archive_of_the_corpus_gets_an_answer(corpus: Path) -> None:
    """265 archives of every dialect, sound, odd and hostile, are checked without an error."""
    findings = check(corpus / "tars", fast=True, file_extensions=[".tar", ".gz", ".tgz", ".xz", ".bz2"])
    assert findings.outcome == "finished"
    assert {Kind.DAMAGED_SHARD, Kind.TRUNCATED_SHARD, Kind.NOT_A_TAR, Kind.UNREADABLE_SHARD} <= set(
        findings.counts
    )


def test_findings_do_not_depend_on_threads(faults: str) -> None:
    """One decoding thread and four give the same findings in the same order."""
    one, four = (check([faults, f"{faults}/../damaged"], num_threads=count) for count in (1, 4))
    assert one.examples == four.examples
    assert one.counts == four.counts


def test_counts_are_exact_where_examples_are_few(tmp_path: Path) -> None:
    """Of each kind only so many findings are kept, the first ones, and all are counted."""
    sound = records([f"{number:03}" for number in range(100)])
    write_shard(tmp_path / "a.tar", [*sound, *records("vwxyz", "txt"), *records("abc", "jpg")])
    write_shard(tmp_path / "b.tar", sound)
    findings = check(tmp_path, max_examples=2)
    assert findings.counts == {
        Kind.DUPLICATE_ACROSS_SHARDS: 100,
        Kind.RECORD_WITHOUT_IMAGE: 5,
        Kind.MISSING_SIDECAR: 3,
    }
    assert [one.member for one in findings.of(Kind.RECORD_WITHOUT_IMAGE)] == ["v.txt", "w.txt"]
    assert [one.member for one in findings.of(Kind.MISSING_SIDECAR)] == ["a.jpg", "b.jpg"]
    assert [one.shard for one in findings.of(Kind.DUPLICATE_ACROSS_SHARDS)] == [str(tmp_path / "b.tar")] * 2


def test_records_beside_damage_are_not_blamed(tmp_path: Path) -> None:
    """What a record lacks beside lost bytes is explained by the loss, and is no finding of its own."""
    path = write_shard(tmp_path / "a.tar", records([f"{number:02}" for number in range(40)]))
    data = bytearray(path.read_bytes())
    at = data.index(b"07.jpg\0")
    data[at + 130] ^= 4
    path.write_bytes(data)
    assert list(check(path).counts) == [Kind.DAMAGED_SHARD]


def test_the_same_file_twice_is_one_finding_wherever_it_lies(tmp_path: Path) -> None:
    """A second image of a key is found beside the first and apart from it, also by another extension."""
    parts = [("a.jpg", jpeg()), ("a.JPEG", jpeg()), ("b.jpg", jpeg()), ("a.jpg", jpeg())]
    findings = check(write_shard(tmp_path / "a.tar", parts))
    assert [(one.kind, one.member) for one in findings.examples] == [
        (Kind.DUPLICATE_IN_SHARD, "a.JPEG"),
        (Kind.DUPLICATE_IN_SHARD, "a.jpg"),
    ]


def test_several_images_of_a_record_are_no_duplicates(tmp_path: Path) -> None:
    """Records with a left and a right image are sound, and one without its right image is found."""
    members = [(f"{key}.{side}.jpg", jpeg()) for key in range(20) for side in ("left", "right")]
    findings = check(write_shard(tmp_path / "a.tar", members[:-1]))
    assert [(one.kind, one.member) for one in findings.examples] == [(Kind.MISSING_SIDECAR, "19.left.jpg")]


def test_what_is_no_record_is_passed_over(tmp_path: Path) -> None:
    """Macs' metadata and names without an extension are no records."""
    extra = [("._000.jpg", b"x"), ("__MACOSX/._001.jpg", b"x"), ("README", b"hello")]
    path = write_shard(tmp_path / "a.tar", [*records(["000", "001"]), *extra])
    assert check(path).is_clean


def test_duplicates_are_named_in_gzip_shards_and_below_long_names(tmp_path: Path) -> None:
    """The second look at a duplicate finds it at its place in a packed shard, and by a long name."""
    key = "k" * 300
    plain = write_shard(tmp_path / "a.tar", records(["0", key]))
    packed = tmp_path / "b.tar"
    packed.write_bytes(gzip.compress(write_shard(tmp_path / "b", records([key, "1"])).read_bytes()))
    findings = check([packed, plain])
    assert [(one.kind, one.shard, one.member) for one in findings.examples] == [
        (Kind.DUPLICATE_ACROSS_SHARDS, str(plain), f"{key}.jpg")
    ]
    again = check([plain, packed]).examples
    assert [(one.shard, one.member) for one in again] == [(str(packed), f"{key}.jpg")]


def test_a_shard_that_changes_while_it_is_checked_is_unreadable(tmp_path: Path) -> None:
    """A shard that is cut after it was listed is named, and the others are checked to their end."""
    for name in "abc":
        write_shard(tmp_path / f"{name}.tar", records([name]))

    def cut(event: Event) -> None:
        if isinstance(event, PartitionsPlanned):
            (tmp_path / "b.tar").write_bytes(b"")

    findings = check(tmp_path, listeners=[cut])
    assert [(one.kind, one.shard) for one in findings.examples] == [
        (Kind.UNREADABLE_SHARD, str(tmp_path / "b.tar"))
    ]
    assert (findings.records, findings.outcome) == (2, "finished")


def test_an_interrupted_check_keeps_what_it_found(sample: SampleSummary) -> None:
    """After Ctrl-C the findings so far can be had, and say that they are not all."""
    checking = Checking(list(sample.shards))

    def interrupt(event: Event) -> None:
        if isinstance(event, PartitionsPlanned):
            raise KeyboardInterrupt

    checking.listen(interrupt)
    with pytest.raises(KeyboardInterrupt):
        checking.run()
    assert (checking.findings.outcome, checking.findings.planned_shards) == ("stopped", 4)
    assert not checking.findings.is_clean


def test_listeners_hear_of_the_plan(sample: SampleSummary) -> None:
    """A listener is told of the beginning, the number of shards and the end."""
    events: list[Event] = []
    check(list(sample.shards), fast=True, listeners=[events.append])
    assert [type(event) for event in events] == [RunStarted, PartitionsPlanned, RunEnded]
    assert events[-1] == RunEnded("finished")


def test_missing_input_is_an_error(tmp_path: Path) -> None:
    """A path that is not there, and an argument that is wrong, are errors before anything is read."""
    with pytest.raises(InputMissingError):
        check(tmp_path / "nothing")
    with pytest.raises(ArgumentError, match="extensions"):
        check(tmp_path, extensions=[".png"])
    with pytest.raises(ArgumentError, match="max_examples"):
        check(tmp_path, max_examples=0)
    with pytest.raises(ArgumentError, match="num_threads"):
        check(tmp_path, num_threads=0)


def test_json_has_everything(faults: str) -> None:
    """The JSON names each kind with its count, severity, advice and examples."""
    findings = check(faults, fast=True)
    plain = json.loads(json.dumps(findings.to_dict()))
    assert [group["kind"] for group in plain["findings"]] == list(findings.counts)
    assert sum(group["count"] for group in plain["findings"]) == findings.num_findings
    shown = [(group["kind"], one["offset"]) for group in plain["findings"] for one in group["examples"]]
    assert shown == [(one.kind, one.offset) for one in findings.examples]
    assert all(group["advice"] and group["meaning"] for group in plain["findings"])


def test_csv_is_safe_to_open(tmp_path: Path) -> None:
    """Names that a spreadsheet would run, or that no file can hold, are made harmless in the CSV."""
    names = ["=cmd()|.txt", "\x1b[2J\udcff.txt"]
    stream = io.StringIO()
    check(write_shard(tmp_path / "a.tar", [(name, b"") for name in names])).write_csv(stream)
    rows = list(csv.DictReader(io.StringIO(stream.getvalue())))
    without = [row["member"] for row in rows if row["kind"] == "record_without_image"]
    assert without == ["'=cmd()|.txt", "\\x1b[2J\\xff.txt"]
    assert stream.getvalue().isprintable() or "\x1b" not in stream.getvalue()
    stream.getvalue().encode("utf-8")


def test_every_reason_of_the_ledger_is_a_kind() -> None:
    """Each reason for a skip or loss has its kind, and each kind its meaning, in the order of severity."""
    assert OF_SKIP.keys() == set(SkipReason)
    assert OF_LOSS.keys() == set(LossReason)
    assert {*OF_SKIP.values(), *OF_LOSS.values(), *OF_NOTE.values()} <= KINDS.keys()
    assert list(KINDS) == list(Kind)
    ranks = [list(Severity).index(kind.severity) for kind in Kind]
    assert ranks == sorted(ranks)
