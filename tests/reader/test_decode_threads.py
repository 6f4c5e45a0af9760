"""Decoding threads where the system has no room for all of them."""

from __future__ import annotations

import pytest

from tarlight.stages.image.io import decode_threads
from tests.reader.dataset import images, jpeg, load, write_tar


@pytest.fixture
def folder(tmp_path):
    """A shard of several groups."""
    picture = jpeg(1, 32, 32)
    write_tar(tmp_path / "0.tar", [(f"{index:04d}.jpg", picture) for index in range(300)])
    return str(tmp_path)


def allow(monkeypatch, number):
    """Let only so many threads be started."""
    start, started = decode_threads._start, []

    def start_one(work, name):
        if len(started) == number:
            raise RuntimeError("can't start new thread")
        started.append(name)
        return start(work, name)

    monkeypatch.setattr(decode_threads, "_start", start_one)
    return started


def test_fewer_threads_do_it_all(folder, monkeypatch):
    """Where one thread can be started and eight are asked for, that one decodes everything."""
    started = allow(monkeypatch, 1)
    assert len(images(load(folder, num_threads=8))) == 300
    assert len(started) == 1


def test_no_thread_at_all(folder, monkeypatch):
    """Where none can be started the run fails with the reason, and its books balance."""
    allow(monkeypatch, 0)
    with pytest.raises(RuntimeError, match="can't start new thread") as caught:
        load(folder, num_threads=8)
    assert not any("balance" in note for note in getattr(caught.value, "__notes__", ()))
