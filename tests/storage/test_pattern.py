"""Brace ranges, globs and natural order, against bash, pathlib and a plain definition."""

from __future__ import annotations

import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarlight.errors import ArgumentError
from tarlight.storage.pattern import Glob, expand_braces, is_glob, natural_key

BRACES = [
    "{00000..00012}.tar",
    "{8..12}.tar",
    "{12..8}.tar",
    "{0..10..3}.tar",
    "{10..0..3}.tar",
    "{-2..2}.tar",
    "{-02..2}.tar",
    "{a,b}.tar",
    "{a,b}/{0..2}.tar",
    "{train,val-{0..1}}/x.tar",
    "{a,{b,c}}d",
    "{,x}y",
    "a{b}c",
    "a{b{1,2}c}d",
    "{a..e}.tar",
    "{e..a}.tar",
    "plain.tar",
    "{0..1}{0..1}",
    "{a",
    "b}",
    "{a{0..1}",
    "{1..3..0}",
    "{09..11}",
    "{1..2..3..4}",
    "{}",
    "{}{1,2}",
]


@pytest.mark.parametrize("text", BRACES)
def test_braces_expand_as_in_bash(text):
    """A text stands for the same paths as in bash."""
    shell = subprocess.run(
        ["bash", "-c", f"printf '%s\\n' {text}"], capture_output=True, text=True, check=True
    )
    assert expand_braces(text) == shell.stdout.splitlines()


def test_a_slip_does_not_fill_the_memory():
    """A range of more than a million paths is an error, and found without making them."""
    with pytest.raises(ArgumentError, match="more than 1,000,000"):
        expand_braces("{0..99999}{0..99999}.tar")


def _pieces(path):
    """The order by definition: a number counts as one piece that sorts where digits do."""
    runs = re.findall(r"[0-9]+|[^0-9]", path)
    return [("0", int(run)) if run.isdigit() else (run, -1) for run in runs]


@given(st.lists(st.text("ab019/.-", max_size=12), max_size=30))
def test_natural_order_is_the_order_of_numbers_in_text(paths):
    """The compact keys sort as lists of characters and numbers do."""
    assert sorted(paths, key=natural_key) == sorted(paths, key=_pieces)


def test_two_comes_before_ten():
    """Shards are in the order in which people number them."""
    names = ["10.tar", "2.tar", "1.tar", "a10/1.tar", "a9/2.tar", "100.tar"]
    assert sorted(names, key=natural_key) == ["1.tar", "2.tar", "10.tar", "100.tar", "a9/2.tar", "a10/1.tar"]


@pytest.mark.parametrize(("path", "expected"), [("a*", True), ("a?", True), ("[ab]", True), ("a[", False)])
def test_globs_are_known_by_their_signs(path, expected):
    """`*`, `?` and a whole bracket make a glob."""
    assert is_glob(path) is expected


FILES = ["a/1.tar", "a/b/1.tar", "a/b/c/2.tar", "b/1.tar", "b/x1.tar", "1.tar", ".h/1.tar", "a/.1.tar"]
PATTERNS = ["*.tar", "*/1.tar", "**/1.tar", "a/**/*.tar", "?/[12].tar", "*/*/*/*", "a/**/b/**/2.tar", "**/**"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_globs_match_what_pathlib_matches(tmp_path, pattern):
    """Files that pathlib's glob gives are wanted, and no others unless below a folder that it gives."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    given_by_pathlib = set(tmp_path.glob(pattern))
    glob = Glob(f"{tmp_path}/{pattern}")
    for name in FILES:
        path = tmp_path / name
        if not str(path).startswith(glob.prefix + "/"):
            continue  # never asked: a store lists below the prefix
        assert glob.wants(str(path)) == any(above in given_by_pathlib for above in (path, *path.parents)), (
            name
        )


@given(
    st.sampled_from(["*", "**", "?", "[ab]"]),
    st.lists(st.sampled_from(["a", "b", "*", "**", "?", "[ab]"]), max_size=4),
    st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=6),
)
def test_folders_above_a_match_are_entered(first, pattern, names):
    """A folder is entered whenever a file below it is wanted: passing over folders loses nothing."""
    glob = Glob("/".join([first, *pattern]))
    if glob.wants("/".join(names)):
        assert all(glob.enters("/".join(names[:depth])) for depth in range(1, len(names)))


def test_folders_beside_a_glob_are_not_entered():
    """A glob does not walk folders in which nothing can match."""
    glob = Glob("/data/20*/x.tar")
    assert glob.prefix == "/data"
    assert glob.enters("/data/2024")
    assert not glob.enters("/data/home")
    assert not glob.enters("/data/2024/deeper")
