"""The library's errors in the words of the command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from inspect import signature

import pytest

from tarlight import FilePartitioningStage, ImageReaderStage, Pipeline, RayExecutor
from tarlight.cli.wording import in_options
from tarlight.errors import InputMissingError, TarlightError
from tarlight.inspect import check, explain, peek, survey
from tarlight.resources import Resources
from tarlight.sample import write_sample
from tarlight.storage import find_shards
from tarlight.storage.remote.failure import error_for
from tarlight.storage.remote.wire import Fault, FaultKind

PYTHON = ("_", "os.", "[", "(")

CALLABLES = (
    ImageReaderStage.__init__,
    FilePartitioningStage.__init__,
    RayExecutor.__init__,
    Pipeline.stream,
    Pipeline.run,
    check,
    explain,
    peek,
    survey,
    write_sample,
)
ARGUMENTS = {name for one in CALLABLES for name in signature(one).parameters if "_" in name}
"""Every argument of what the commands call that cannot be an English word."""
NAMED_ARGUMENT = re.compile(rf"\b(?:{'|'.join(sorted(ARGUMENTS))})\b|\b\w+=(?:True|False|None)\b|\w\(\)")


def _error(call: Callable[[], object]) -> Exception:
    with pytest.raises(TarlightError) as caught:
        call()
    return caught.value


URLS = ("s3://bucket/a.tar", "gs://bucket/a.tar", "az://container/a.tar", "http://127.0.0.1/a.tar")


@pytest.mark.parametrize("status", [None, 401, 403, 404])
@pytest.mark.parametrize("kind", FaultKind)
def test_faults_of_stores_name_options(kind: FaultKind, status: int | None) -> None:
    """Whatever a store answers, wherever it lies, the command says nothing that only Python knows."""
    for url in URLS:
        told = in_options(error_for(Fault(kind, "said so", status=status), url))
        assert told.startswith(url)
        assert not NAMED_ARGUMENT.search(told), told
        assert "storage_options" not in told


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("s3://b/a.tar", {"regoin": "x"}),
        ("s3://b/a.tar", {"qqq": "x"}),
        ("s3://b/a.tar", {"region": ["x"]}),
        ("s3://b/a.tar", {"anon": "maybe"}),
        ("s3://b/a.tar", {"use_ssl": "false"}),
        ("s3://b/a.tar", {"headers": "x"}),
        ("s3://b/a.tar", {"headers": {"a": 1}}),
        ("s3://b/a.tar", {"headers": {"a": "b\n"}}),
        ("s3://b/a.tar", {"endpoint_url": "x", "endpoint": "y"}),
        ("s3://b/a.tar", {"endpoint_url": "nowhere"}),
        ("s3://b/a.tar", {"read_timeout": "soon"}),
        ("s3://b/a.tar", {"retry_config": "x"}),
        ("s3://b/a.tar", {"retry_config": {"max": 1}}),
        ("s3://b/a.tar", {"retry_config": {"max_retries": "x"}}),
        ("s3://b/a.tar", {"retry_config": {"max_retries": -1}}),
        ("s3://b/a.tar", {"retry_config": {"backoff": 1}}),
        ("s3://b/a.tar", {"client_options": {"time": "1s"}}),
        ("s3://b/a.tar", {"client_kwargs": {"regoin_name": "x"}}),
        ("s3://b/a.tar", {"credential_provider": "x"}),
        ("gs://b/a.tar", {"token": {"type": "authorized_user"}}),
        ("az://c/a.tar", {"account": "x"}),
        ("a.tar", {"anon": "true"}),
        ("s3://b:80/a.tar", {}),
        ("s3://b/a.tar?X-Amz=1", {}),
        ("s3:///a.tar", {}),
        ("s3://b//a.tar", {}),
        ("http://u:p@h/a.tar", {}),
        ("http://h/", {}),
        ("http://h/*.tar", {}),
        ("s3:/b/a.tar?x", {}),
        ("file://host/a.tar", {}),
        ("a\0.tar", {}),
        ("{0..9999999}.tar", {}),
    ],
)
def test_wrong_paths_and_storage_options_name_options(url: str, options: dict[str, object]) -> None:
    """Whatever is wrong with a path or a storage option, the command speaks of PATH or --storage-option."""
    told = in_options(_error(lambda: find_shards(url, storage_options=options)))
    assert told.startswith("--storage-option: " if options else "PATH: ")
    assert not NAMED_ARGUMENT.search(told), told


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
    assert in_options(caught.value).endswith("there are .tgz (1). Pass --shard-extensions .tgz to read those")
    (tmp_path / "b.tar.gz").touch()
    (tmp_path / "a.tgz").rename(tmp_path / "c.txt")
    with pytest.raises(InputMissingError, match=r"Pass --shard-extensions \.tar\.gz to read"):
        raise InputMissingError(in_options(_error(lambda: find_shards("."))))
    with pytest.raises(InputMissingError, match=r"pass --shard-extensions \.tar\.gz to read"):
        raise InputMissingError(in_options(_error(lambda: find_shards("*.tar"))))
    (tmp_path / "b.tar.gz").unlink()
    assert "Pass --shard-extensions .A,.B to read others" in in_options(_error(lambda: find_shards(".")))


@pytest.mark.parametrize("path", ["num_threads", "file_paths/x.tar", "d/max_failures.tar"])
def test_paths_are_left_alone(path: str) -> None:
    """A path that is spelled like an argument is shown as it is."""
    with pytest.raises(InputMissingError) as caught:
        find_shards(path)
    assert in_options(caught.value) == str(caught.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"decoder": "pillow"}, "--decoder was auto and is pillow"),
        ({"verify": "strict"}, "--verify was headers and is strict"),
        ({"fields": ("txt", "json")}, "--fields was not given and is json,txt"),
        ({"extensions": ".jpg"}, "--extensions was .jpeg,.jpg and is .jpg"),
        ({"max_scans": 9}, "max_scans (for Python only) was 100 and is 9"),
        ({"decoder": "turbo", "fields": "txt"}, "is turbo; --fields was not given and is txt"),
    ],
)
def test_other_options_than_those_of_a_checkpoint(change, says, sample, tmp_path) -> None:
    """What a checkpoint was made with, and what is asked for now, is told as it would be typed."""

    def run(**options):
        stages = [
            FilePartitioningStage(str(sample / "00000.tar")),
            ImageReaderStage(verbose=False, **options),
        ]
        return list(Pipeline(stages=stages).stream(checkpoint_path=tmp_path / "run.json"))

    run()
    told = in_options(_error(lambda: run(**change)))
    assert told.startswith(f"{tmp_path}/run.json: the checkpoint was made with other options: ")
    assert f"{says}; use those" in told


def test_a_decoder_is_named_once() -> None:
    """An error about a decoder that begins with the argument has its option once."""
    reader = ImageReaderStage(decoder="dali")
    told = in_options(_error(lambda: reader.fitted(Resources(cpus=2, gpus=0))))
    assert told.startswith("--decoder dali asks for 0.25 of a GPU")
    assert "or --gpus-per-worker 0 where it can do without" in told
    assert not NAMED_ARGUMENT.search(told)
