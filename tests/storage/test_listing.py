"""Finding shards: every way to name them, and everything that can be wrong with names."""

from __future__ import annotations

import os
import socket
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tarlight.errors import (
    ArgumentError,
    ArgumentTypeError,
    InputDeniedError,
    InputMissingError,
)
from tarlight.storage import find_shards


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to sit in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names):
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(name.encode())


def found(file_paths, *extensions):
    listing = find_shards(file_paths, file_extensions=extensions or (".tar",))
    return [shard.path for shard in listing.shards]


def test_a_folder_is_read_at_any_depth_in_natural_order(here):
    """Every shard below a folder is found, hidden ones too, numbers counting as numbers."""
    touch("d/10.tar", "d/2.tar", "d/sub/deep/1.tar", "d/.hidden/7.tar", "d/.x.tar", "d/notes.txt")
    assert found("d") == ["d/.hidden/7.tar", "d/.x.tar", "d/2.tar", "d/10.tar", "d/sub/deep/1.tar"]


def test_equal_numbers_are_told_apart_by_their_text(here):
    """The order is total: `01.tar` comes before `1.tar` whatever the disk says."""
    touch("d/1.tar", "d/01.tar", "d/001.tar", "d/2.tar")
    assert found("d") == ["d/001.tar", "d/01.tar", "d/1.tar", "d/2.tar"]


def test_the_current_folder_and_odd_spellings(here):
    """`.`, `./`, doubled slashes and file:// name the same files, and paths come back clean."""
    touch("d/a b%.tar")
    assert (
        found(".")
        == found("./")
        == found("d//")
        == found(Path("d"))
        == found("./d/a b%.tar")
        == ["d/a b%.tar"]
    )
    assert found(f"file://{here}/d/a%20b%25.tar") == [f"{here}/d/a b%.tar"]


def test_sizes_and_versions_come_with_the_listing(here):
    """Each shard has its size, and a version that changes with the file."""
    touch("x.tar")
    first = find_shards("x.tar").shards[0]
    assert first.size == len("x.tar")
    Path("x.tar").write_bytes(b"other")
    os.utime("x.tar", ns=(1, 1))
    assert find_shards("x.tar").shards[0].version != first.version


def test_extensions_in_any_case_with_or_without_dot(here):
    """`.tar.gz` means what it says, `.gz` takes it as well, and `.tar` does not."""
    touch("a.tar", "b.TAR", "c.tar.gz", "d.gz", "e.Tar.GZ", "ftar", "g.xtar")
    assert found(".") == found(".", "TAR") == ["a.tar", "b.TAR"]
    assert found(".", "tar.gz") == found(".", ".Tar.Gz") == ["c.tar.gz", "e.Tar.GZ"]
    assert found(".", ".gz") == ["c.tar.gz", "d.gz", "e.Tar.GZ"]
    assert find_shards(".", file_extensions="tar").shards == find_shards(".").shards


def test_a_named_file_is_read_whatever_its_extension(here):
    """File names and brace ranges are explicit, so extensions do not filter them."""
    touch("x.bin", "p0.bin", "p1.bin")
    assert found("x.bin") == ["x.bin"]
    assert found("p{0..1}.bin") == ["p0.bin", "p1.bin"]


def test_globs_and_what_exists_literally(here):
    """A glob gives the files that match; a file whose name looks like one is that file."""
    touch("a/1.tar", "b/2.tar", "b/c/3.tar", "x[1].tar", "x1.tar", "y{0..1}.tar")
    assert found("*/*.tar") == ["a/1.tar", "b/2.tar"]
    assert found("**/*.tar", ".tar")[:3] == ["a/1.tar", "b/2.tar", "b/c/3.tar"]
    assert found("b*") == ["b/2.tar", "b/c/3.tar"]
    assert found("x[1].tar") == ["x[1].tar"]
    assert found("x[0-9].tar") == ["x1.tar"]
    assert found("y{0..1}.tar") == ["y{0..1}.tar"]
    assert found(f"{here}/*/1.tar") == [f"{here}/a/1.tar"]


def test_brace_ranges_may_name_folders_and_globs(here):
    """Several braces, comma lists, folders and globs go together."""
    touch("train/0.tar", "train/1.tar", "val/0.tar", "val/1.tar")
    assert found("{train,val}/{0..1}.tar") == found("{train,val}") == found("{train,val}/*.tar")
    assert len(found("{train,val}")) == 4


def test_entries_keep_their_order(here):
    """A list is read in the order given, each entry in natural order."""
    touch("z/2.tar", "z/10.tar", "a/1.tar")
    assert found(["z", Path("a")]) == found(("z", "a")) == ["z/2.tar", "z/10.tar", "a/1.tar"]


def test_a_path_named_twice_is_read_once_and_noted(here):
    """The same absolute path counts once, however it is spelled, and the ledger is told."""
    touch("d/1.tar", "d/2.tar")
    listing = find_shards(["d/2.tar", "d", f"{here}//d/./1.tar", "d/../d/1.tar"])
    assert [shard.path for shard in listing.shards] == ["d/2.tar", "d/1.tar"]
    assert [note.kind for note in listing.notes] == ["duplicate_path"]
    assert "d/2.tar" in listing.notes[0].text
    assert find_shards("d").notes == []


def test_links_are_followed_and_not_resolved(here):
    """A link is a path of its own, also where `..` follows it; a link back up does not hang."""
    touch("d/1.tar", "e/f/2.tar", "e/1.tar")
    Path("d/same.tar").symlink_to("1.tar")
    Path("d/e").symlink_to(here / "e")
    Path("d/up").symlink_to("..")
    Path("e/d").symlink_to(here / "d")
    Path("link").symlink_to("e/f")
    shards = found("d")
    assert {"d/1.tar", "d/same.tar", "d/e/1.tar", "d/e/f/2.tar"} <= set(shards)
    assert len({os.path.realpath(shard) for shard in shards}) == 3
    assert len(found(["link/../1.tar", "e/1.tar"])) == 2


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("nowhere/at/all", "nearest folder that exists is {here}"),
        ("d/1.tar/x", "Not a directory"),
        ("~/shards", "not expanded"),
        ("s3:/bucket/x.tar", "pathlib"),
        ("d/*.zip", r"nothing matches; near it are .txt \(2\), .tar \(1\), such as d/.*Check the pattern"),
        ("d/2.tar", r"Check the spelling.*; near it is '1.tar'"),
        ("d/quite-another.tar", "; its folder has '1.tar', 'a.txt', 'b.txt'$"),
        ("nowhere/*.tar", "there is no folder nowhere"),
        ("{3..4}.tar", "2 of 2 paths are missing"),
        ("d/{1..9}.tar", "d/2.tar.*8 of 9 paths are missing; also d/3.tar, d/4.tar, d/5.tar and 4 more"),
        ("x" * 300, "name too long"),
    ],
)
def test_what_is_missing_is_named(here, path, says):
    """A missing path is an error with the path, the reason and what to do."""
    touch("d/1.tar", "d/a.txt", "d/b.txt")
    with pytest.raises(InputMissingError, match=says.format(here=here)) as caught:
        find_shards(path)
    assert str(caught.value).startswith((path, "3.tar", "d/2.tar"))
    assert isinstance(caught.value, FileNotFoundError)


def test_a_folder_without_match_says_what_is_there(here):
    """The error counts the extensions that were found instead."""
    touch("d/a.tar.gz", "d/b.tar.gz", "d/c.JPG", "d/README", "d/.hidden")
    with pytest.raises(InputMissingError) as caught:
        find_shards("d")
    text = str(caught.value)
    assert text.startswith("d: no file ends in .tar; there are (no extension) (2), .tar.gz (2), .jpg (1). ")
    assert "file_extensions" in text
    touch("xy.zip")
    with pytest.raises(InputMissingError, match=r"x\*: no file ends in .tar; there are .zip \(1\)"):
        find_shards("x*")


def test_a_long_search_is_told(here):
    """After every thousandth path or shard a listener learns how far the search is."""
    told = []
    with pytest.raises(InputMissingError, match="2,500 of 2,500"):
        find_shards("{0000..2499}.tar", tell=told.append)
    assert [(event.asked, event.total) for event in told] == [(1_000, 2_500), (2_000, 2_500)]
    touch(*(f"d/{number}.tar" for number in range(1_500)))
    told.clear()
    assert len(find_shards("d", tell=told.append).shards) == 1_500
    assert [(event.total, event.found) for event in told] == [(1, 999)]


def test_an_empty_folder_is_an_error(here):
    """No shard is never an empty success."""
    Path("d").mkdir()
    with pytest.raises(InputMissingError, match=r"^d: no file is there \(looked for .tar"):
        find_shards("d")
    touch("d/e/0.tar")
    with pytest.raises(InputMissingError, match=r"no file is there \(looked for \.tar\)\. .* `\*\*` does"):
        find_shards("d/*.tar")
    assert len(find_shards("d/**/*.tar").shards) == 1


def test_one_missing_of_a_list_is_an_error(here):
    """A list with a missing entry is refused as a whole, and says how many are missing."""
    touch("a.tar")
    with pytest.raises(InputMissingError, match=r"^b.tar: .*\(1 of 2 paths are missing\)"):
        find_shards(["a.tar", "b.tar"])


def test_broken_links_are_errors_when_they_look_like_shards(here):
    """A link to nothing is named with its target; one without a shard's name is nobody's business."""
    touch("d/a.tar")
    Path("d/notes").symlink_to("gone")
    assert found("d") == ["d/a.tar"]
    Path("d/b.tar").symlink_to("gone.tar")
    with pytest.raises(InputMissingError, match=r"^d/b.tar: a symbolic link to gone.tar"):
        find_shards("d")
    Path("d/b.tar").unlink()
    Path("d/c.tar").symlink_to("c.tar")
    with pytest.raises(InputMissingError, match=r"^d/c.tar: a symbolic link to c.tar"):
        find_shards("d")


def test_special_files_are_errors_and_folders_named_like_shards_are_read(here):
    """A pipe or socket with a shard's name is refused without opening it; a folder is a folder."""
    touch("d/x.tar/1.tar")
    assert found("d") == found("d/x.tar") == ["d/x.tar/1.tar"]
    os.mkfifo("d/pipe.tar")
    for path in ("d", "d/pipe.tar", "d/*"):
        with pytest.raises(InputMissingError, match=r"^d/pipe.tar: a named pipe"):
            find_shards(path)
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind("s.tar")
        with pytest.raises(InputMissingError, match=r"^s.tar: a socket"):
            find_shards("s.tar")


def test_what_may_not_be_read_is_an_error(unprivileged):
    """An unreadable file, and a folder that cannot be listed or entered, are errors before any reading."""
    touch("d/a.tar", "d/locked.tar", "e/closed/a.tar", "f/a.tar")
    Path("d/locked.tar").chmod(0)
    Path("e/closed").chmod(0)
    with unprivileged():
        for path in ("d", "d/locked.tar", "d/*.tar", "{d,e}/locked.tar"):
            with pytest.raises(InputDeniedError, match=r"^d/locked.tar: permission denied, this file"):
                find_shards(path)
        for path in ("e", "e/*", "e/closed", "**/*.tar"):
            with pytest.raises(InputDeniedError, match=r"^(e/closed: .*this folder|d/locked)"):
                find_shards(path)
        with pytest.raises(PermissionError, match=r"^e/closed/a.tar: permission denied"):
            find_shards("e/closed/a.tar")
        assert found("f") == ["f/a.tar"]
    Path("e/closed").chmod(0o755)


@pytest.mark.parametrize("path", ["", [], ["a", ""], "a\0b", "\ud800"])
def test_empty_and_impossible_paths_are_refused(here, path):
    """No path at all and paths that no disk can have are wrong arguments."""
    with pytest.raises(ArgumentError, match=r"^file_paths"):
        find_shards(path)


@pytest.mark.parametrize("path", [None, 3, b"bytes", ["a", None], [["a"]], {"a"}, {"a": 1}, iter(["a"])])
def test_wrong_types_of_paths_are_refused(here, path):
    """Paths are text or PathLike, alone or in a list or tuple."""
    with pytest.raises(ArgumentTypeError, match=r"^file_paths"):
        find_shards(path)


@pytest.mark.parametrize(
    "url", ["ftp://b/k", "hdfs://b", "WASB://u:pw@c/k", "ssh://u:pw@host/x.tar?sig=hush"]
)
def test_other_urls_are_refused_without_their_secrets(url):
    """A URL that no store reads is refused with the schemes that are, and no password or signature."""
    with pytest.raises(ArgumentError, match=r"no store reads.*s3, .*gs, .*https") as caught:
        find_shards(url)
    assert "hush" not in str(caught.value)
    assert "pw" not in str(caught.value)


def test_file_urls_of_other_machines_are_refused():
    """Two slashes and a name mean another machine."""
    with pytest.raises(ArgumentError, match="three slashes"):
        find_shards("file://data/x.tar")


@pytest.mark.parametrize(
    ("extensions", "error"),
    [([], ArgumentError), ([""], ArgumentError), (".", ArgumentError), (["*.tar"], ArgumentError),
     (None, ArgumentTypeError), ([1], ArgumentTypeError), (5, ArgumentTypeError)],
)  # fmt: skip
def test_wrong_extensions_are_refused(here, extensions, error):
    """Extensions are texts like `.tar`."""
    with pytest.raises(error, match=r"^file_extensions"):
        find_shards(".", file_extensions=extensions)


def test_options_that_nobody_knows_are_refused_by_name(here):
    """The local disk takes no options; their names are said and their values are not."""
    touch("a.tar")
    with pytest.raises(ArgumentError, match=r"^storage_options: .*secret") as caught:
        find_shards("a.tar", storage_options={"secret": "hush"})
    assert "hush" not in str(caught.value)
    with pytest.raises(ArgumentTypeError, match=r"^storage_options"):
        find_shards("a.tar", storage_options=["secret"])
    assert find_shards("a.tar", storage_options={}).shards


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.text("ab01.", min_size=1, max_size=6), min_size=1, max_size=12), st.randoms())
def test_order_and_content_do_not_depend_on_the_disk(tmp_path_factory, names, random):
    """Whatever the order of creation, a folder gives every matching file once, in one order."""
    names = sorted(f"{name}.tar" for name in names)
    listings = []
    for _ in range(2):
        folder = tmp_path_factory.mktemp("d")
        random.shuffle(names)
        for name in names:
            (folder / name).touch()
        listings.append([Path(shard.path).name for shard in find_shards(folder).shards])
    assert listings[0] == listings[1]
    assert sorted(listings[0]) == sorted(names)


def test_a_row_takes_bounded_memory(here):
    """A listing keeps at most 250 bytes a shard besides its path, and nothing of other files."""
    folder = Path("d")
    folder.mkdir()
    for number in range(2000):
        (folder / f"{number:05}.tar").touch()
        (folder / f"{number:05}.txt").touch()
    find_shards("d")  # fill the caches of regular expressions
    tracemalloc.start()
    listing = find_shards("d")
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    paths = sum(shard.path.__sizeof__() for shard in listing.shards)
    assert len(listing.shards) == 2000
    assert (held - paths) / 2000 <= 250


def noted(file_paths, *extensions):
    notes = find_shards(file_paths, file_extensions=extensions or (".tar",)).notes
    return [(note.shard, note.text) for note in notes if note.kind == "other_extensions"]


def test_shards_of_other_extensions_are_noted(here):
    """Files that look like shards and were not wanted are counted in one note for the run."""
    touch("d/a.tar", "d/b.tar.gz", "d/e/c.TGZ", "d/x.txt", "d/y.jpg", "d/z.gz", "d/a.tar.json")
    says = "2 files were passed over: .tar.gz (1), .tgz (1); name these extensions of shards too to read them"
    assert noted("d") == noted("d/*") == [("", says)]
    assert noted("d", ".tar", ".tar.gz", ".tgz") == noted("d/*.tar") == noted("d/a.tar") == []
    assert noted("d", ".gz") == [
        ("", "2 files were passed over: .tar (1), .tgz (1); name these extensions of shards too to read them")
    ]
    assert noted("d/e", "tgz") == []


def test_overlapping_entries_count_what_is_passed_over_once(here):
    """A file below two entries counts once, and one that another entry names is read and not counted."""
    touch("d/a.tar", "d/b.tar.gz", "d/c.tgz")
    says = "1 file was passed over: .tgz (1); name these extensions of shards too to read them"
    assert noted(["d", f"{here}/d", "d/*", "d/b.tar.gz"]) == [("", says)]


def test_any_number_of_files_is_passed_over_in_bounded_memory(here):
    """Thousands are all counted, also beside a thousand other extensions, and take under 1 MB."""
    touch("d/a.tar", *(f"d/{number}.{number}" for number in range(1_000)))
    touch(*(f"d/{number}.tgz" for number in range(3_000)))
    find_shards("d")
    tracemalloc.start()
    assert noted("d")[0][1].startswith("3,000 files were passed over: .tgz (3,000);")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
