"""Two processes never run on one checkpoint of a disk."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tarlight.checkpoint import CheckpointFile, LocalFile
from tarlight.checkpoint.beside import beside
from tarlight.errors import CheckpointTakenError

HOLDER = """
import sys
from tarlight.checkpoint import CheckpointFile, LocalFile
file = CheckpointFile(LocalFile(sys.argv[1]))
file.claim()
print("mine", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "c.json"


@pytest.fixture
def holder(path):
    """Another process, which has claimed the checkpoint until it ends."""
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "mine\n"
        yield process
        process.kill()


def test_a_second_process_is_told_before_it_begins(path, holder):
    """While one process has a checkpoint, another one cannot claim it, and is told whose it is."""
    with pytest.raises(CheckpointTakenError, match=rf"another run .*process {holder.pid} on "):
        CheckpointFile(LocalFile(path)).claim()


def test_a_killed_process_has_nothing(path, holder):
    """The lock ends with its process, also by SIGKILL, and what is left of it is taken over and removed."""
    holder.kill()
    holder.wait()
    file = CheckpointFile(LocalFile(path))
    file.claim()
    file.save({"text": "mine now"})
    file.release()
    assert [entry.name for entry in path.parent.iterdir()] == ["c.json"]


KILLED = """
import os, signal, sys
from tarlight.checkpoint import CheckpointFile, LocalFile
file = CheckpointFile(LocalFile(sys.argv[1]))
file.claim()
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
file.save({"text": "half"})
"""


@pytest.fixture
def remains(path):
    """What a process leaves that is killed while it saves."""
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    (found,) = path.parent.glob(".c.json.*.new")
    return found


def test_half_a_file_is_removed_by_the_next_run(path, remains):
    """A file that a killed process had not finished is removed by whoever has the lock next, and no other."""
    others = {path.with_name(name) for name in (".b.json.0123456789abcdef.new", ".c.json.mine.new", "x.new")}
    for other in others:
        other.touch()
    CheckpointFile(LocalFile(path)).claim()
    assert not remains.exists()
    assert others < set(path.parent.iterdir())


def test_who_has_not_the_lock_removes_nothing(path, remains, holder):
    """While another process has the checkpoint, files beside it are left alone: they may be that one's."""
    remains.touch()
    with pytest.raises(CheckpointTakenError):
        CheckpointFile(LocalFile(path)).claim()
    assert remains.exists()


def test_files_of_this_process_are_left_alone(path):
    """A second run in one process does not remove what the first one is writing, however it is spelled."""
    with beside(path) as new:
        new.touch()
        CheckpointFile(LocalFile(path.parent / ".." / path.parent.name / path.name)).claim()
        assert new.exists()


def test_a_process_that_is_done_lets_others_in(path):
    """After `release` another process may claim it."""
    file = CheckpointFile(LocalFile(path))
    file.claim()
    file.release()
    command = [sys.executable, "-c", HOLDER, str(path)]
    done = subprocess.run(command, input="", capture_output=True, text=True, check=True)
    assert done.stdout == "mine\n"


def test_what_another_run_wrote_meanwhile_is_found_out_first(path):
    """A checkpoint that was written between reading and beginning is not gone on from in its old state."""
    late, other = CheckpointFile(LocalFile(path)), CheckpointFile(LocalFile(path))
    assert late.load() is None
    other.claim()
    other.save({"text": "further"})
    other.release()
    with pytest.raises(CheckpointTakenError):
        late.claim()
