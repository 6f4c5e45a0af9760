"""The library's errors in the words of the command line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tarlight import FilePartitioningStage, ImageReaderStage
from tarlight.cli.wording import in_options
from tarlight.errors import InputMissingError, TarlightError
from tarlight.sample import write_sample
from tarlight.storage import find_shards

PYTHON = ("_", "os.", "[", "(")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: ImageReaderStage(batch_size=0), "--batch-size"),
        (lambda: ImageReaderStage(num_threads=0), "--threads"),
        (lambda: ImageReaderStage(decoder="x"), "--decoder"),
        (lambda: ImageReaderStage(on_error="x"), "--on-error"),
        (lambda: ImageReaderStage(verify="x"), "--verify"),
        (lambda: ImageReaderStage(extensions=()), "--extensions"),
        (lambda: ImageReaderStage(fields="a/b"), "--fields"),
        (lambda: ImageReaderStage(max_failures=1.5), "--max-failures"),
        (lambda: FilePartitioningStage(""), "PATH"),
        (lambda: FilePartitioningStage("ftp://b"), "PATH"),
        (lambda: FilePartitioningStage("x", file_extensions=()), "--shard-extensions"),
        (lambda: FilePartitioningStage("x", file_extensions=["*"]), "--shard-extensions"),
        (lambda: find_shards("~/x"), "the shell expands it"),
        (lambda: find_shards("s3:/x"), "two slashes"),
        (lambda: write_sample("x", num_images=1, num_shards=2), "--shards must not be more than --images"),
    ],
)
def test_errors_name_options(call: Callable[[], object], says: str) -> None:
    """What a wrong command raises names the option, and nothing that only Python knows."""
    with pytest.raises(TarlightError) as caught:
        call()
    told = in_options(caught.value)
    assert says in told
    assert not any(word in told.replace("(.jpg", "") for word in PYTHON)


def test_a_folder_without_shards_names_the_option(tmp_path, monkeypatch) -> None:
    """The advice to read other extensions is to be typed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.tgz").touch()
    with pytest.raises(InputMissingError) as caught:
        find_shards(".")
    assert "Pass --shard-extensions .A,.B" in in_options(caught.value)


@pytest.mark.parametrize("path", ["num_threads", "file_paths/x.tar", "d/max_failures.tar"])
def test_paths_are_left_alone(path: str) -> None:
    """A path that is spelled like an argument is shown as it is."""
    with pytest.raises(InputMissingError) as caught:
        find_shards(path)
    assert in_options(caught.value) == str(caught.value)
