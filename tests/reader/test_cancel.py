"""Leaving a run: threads go, books balance (C11)."""

from __future__ import annotations

import gc
import os
import random
import signal
import tarfile
import threading
import time

import pytest

from tarlight.pipeline import Pipeline
from tarlight.stages.base import ProcessingStage
from tarlight.tasks import FileGroupTask
from tests.soak import repetitions

from .dataset import pipeline, write_shards


def our_threads():
    # The thread that makes requests belongs to the process, once a test has read over a network.
    names = ("tarlight-read", "tarlight-decode", "tarlight-close")
    return [thread for thread in threading.enumerate() if thread.name.startswith(names)]


@pytest.fixture
def shards(tmp_path):
    write_shards(tmp_path, shards=6, records=40)
    return str(tmp_path)


@pytest.mark.parametrize("taken", [0, 1, 5, 100])
def test_leaving_early(shards, taken):
    """Leaving a with block after any number of batches ends all threads with balanced books."""
    with pipeline(shards, batch_size=10).stream() as run:
        for number, _ in enumerate(run):
            if number >= taken:
                break
    assert our_threads() == []
    assert run.report.is_balanced
    assert run.report.outcome == ("stopped" if taken < 24 else "finished")
    assert run.report.undelivered <= 240


def test_exception_in_the_loop_body(shards):
    """An exception in the loop body ends the threads of a stream that nobody holds."""

    def body():
        for _ in pipeline(shards, batch_size=10).stream():
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        body()
    gc.collect()
    assert our_threads() == []


def test_closing_before_the_start(shards):
    """A stream that was never asked for anything closes without a thread or a read."""
    run = pipeline(shards).stream()
    run.close()
    assert our_threads() == []
    assert run.report.bytes_read == 0
    assert list(run) == []


def test_closing_while_the_reader_waits(shards):
    """A reader that waits for the byte budget lets go when the stream is closed."""
    with pipeline(shards, batch_size=2, max_batch_bytes=5_000).stream() as run:
        next(run)
        time.sleep(0.05)
    assert our_threads() == []
    assert run.report.is_balanced


def test_closing_in_the_middle_of_a_huge_member(tmp_path):
    """Closing does not wait for the end of a shard that holds no image for a long while."""
    shard = tmp_path / "a.tar"
    video = tarfile.TarInfo("1.mp4")
    video.size = 1 << 35
    with shard.open("wb") as raw:
        raw.write(video.tobuf(tarfile.GNU_FORMAT))
        raw.truncate(512 + video.size + 1024)
    run = pipeline(str(shard)).stream()
    timer = interrupt_after(0.2)
    timer.start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        next(run)
    assert time.monotonic() - started < 20  # reading all of it takes minutes
    assert our_threads() == []
    assert run.report.is_balanced


def test_stages_before_the_reader_work_in_the_consumers_thread(shards):
    """All user stages work in the thread that takes the batches, those before the reader too."""
    threads = set()

    class Watch(ProcessingStage[FileGroupTask, FileGroupTask]):
        def process(self, task):
            threads.add(threading.current_thread().name)
            return task

    planner, reader = pipeline(shards).stages
    assert sum(len(batch.data) for batch in Pipeline(stages=[planner, Watch(), reader]).stream()) == 240
    assert threads == {threading.current_thread().name}


def test_a_stream_let_go_in_its_own_thread(shards):
    """A stream that the collector finds in a thread of its own run ends all the same."""
    run = pipeline(shards, batch_size=10).stream()
    next(run)
    thread = threading.Thread(target=run.__del__, name="tarlight-read-as-if")
    thread.start()
    thread.join(10)
    deadline = time.monotonic() + 10
    while our_threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert our_threads() == []
    run.close()
    assert run.report.is_balanced


def interrupt_after(seconds, number=signal.SIGINT):
    return threading.Timer(seconds, os.kill, (os.getpid(), number))


@pytest.fixture
def sigterm():
    """SIGTERM, with the handler that the documentation shows."""
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield signal.SIGTERM
    assert signal.signal(signal.SIGTERM, previous) is signal.default_int_handler


# An interrupt can strike between `os.scandir` and the `with` around it; then counting references closes it.
@pytest.mark.filterwarnings("ignore:unclosed scandir iterator")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_at_any_moment(shards, sigterm, number):
    """Ctrl-C or SIGTERM at a random moment raises KeyboardInterrupt, ends all threads, the books balance."""
    random.seed(7)
    outcomes = set()
    for _ in range(repetitions(20, 400)):
        slow = [lambda _: time.sleep(0.0005)]  # a listener, so that interrupts strike there too
        run = pipeline(shards, batch_size=3).stream(listeners=slow)
        timer = interrupt_after(random.uniform(0.0005, 0.03), number)
        try:
            timer.start()
            for _ in run:
                pass
            timer.join()
            time.sleep(0.01)
        except KeyboardInterrupt:
            outcomes.add("interrupted")
            timer.join()
        if run.report.outcome == "running":  # struck in the loop body: nothing of ours could know
            run.close()
        assert our_threads() == []
        assert run.report.is_balanced, str(run.report)
    assert outcomes == {"interrupted"}
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_program_with_its_own_handler_keeps_it(shards):
    """Where a program handles SIGINT itself, tarlight does not touch the handler."""
    heard = []
    previous = signal.signal(signal.SIGINT, lambda *_: heard.append(1))
    try:
        with pipeline(shards, batch_size=10).stream() as run:
            next(run)
            os.kill(os.getpid(), signal.SIGINT)
            next(run)
    finally:
        signal.signal(signal.SIGINT, previous)
    assert heard == [1]
    assert run.report.is_balanced


def test_stream_outside_the_main_thread(shards):
    """A stream may be consumed in any one thread."""
    counts = []

    def consume():
        counts.append(sum(len(batch.data) for batch in pipeline(shards).stream()))

    thread = threading.Thread(target=consume)
    thread.start()
    thread.join(60)
    assert counts == [240]
