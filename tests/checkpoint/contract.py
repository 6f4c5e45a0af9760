"""What every executor must keep when its whole process is killed: one suite, subclassed by each.

A subclass names its executor in `executor` as `module:Name`; it is made without arguments in the killed
process.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.corpus import REPOSITORY
from tests.soak import repetitions

from .dataset import books, ids, stream, unordered, write

SHARDS = [
    (".tar", ["good"] * 11 + ["broken", "empty"]),
    (".tar", ["other"] * 3),
    (".tar.gz", ["good", "broken", "again", "again", *["good"] * 9]),
    (".hit.tar", ["good"] * 14),
    (".cut.tar", ["broken", *["good"] * 12, "empty"]),
    (".tar", ["good"] * 12 + ["broken"] * 2),
]
KILLS = repetitions(3, 20)


class Run:
    """One run of the victim, and the log that all of them write."""

    def __init__(self, folder, executor, way):
        self.settings = {
            "executor": executor,
            "way": way,
            "dataset": write(folder / "data", SHARDS * repetitions(1, 6)),
            "log": str(folder / "log"),
            "checkpoint": str(folder / "checkpoint.json"),
            "state": None,
            "pause_s": 0.1 if way == "next" else 0.02,
        }
        self.random = random.Random(way)

    def begin(self):
        """Start the victim with other options than before, and wait until it has delivered something."""
        choose = self.random.randint
        options = {
            "batch_size": choose(1, 7),
            "num_threads": choose(1, 3),
            "files_per_partition": choose(1, 4),
        }
        before = len(self.lines())
        settings = json.dumps({**self.settings, "options": options})
        victim = subprocess.Popen([sys.executable, "-m", "tests.checkpoint.victim", settings], cwd=REPOSITORY)
        while victim.poll() is None and len(self.lines()) == before:
            time.sleep(0.005)
        return victim

    def kill(self):
        """Begin, and kill -9 a moment later. Returns whether it was still alive."""
        victim = self.begin()
        # What nobody commits is saved once a second: some of those runs must live long enough to be saved.
        time.sleep(self.random.uniform(0, 1.5 if self.settings["way"] == "next" else 0.1))
        was_alive = victim.poll() is None
        victim.kill()
        victim.wait()
        self.settings["state"] = self.lines()[-1].get("state")
        return was_alive

    def finish(self):
        """Begin, and let it come to its end. Returns the log."""
        assert self.begin().wait(timeout=120) == 0
        return self.lines()

    def lines(self):
        """What was logged so far, in whole lines."""
        log = Path(self.settings["log"])
        whole = log.read_bytes().rpartition(b"\n")[0] if log.exists() else b""
        return [json.loads(line) for line in whole.splitlines()]


class CheckpointContract:
    """Subclasses give `executor`, as `module:Name`."""

    executor: str
    in_order: bool = True

    @pytest.mark.timeout(600)
    @pytest.mark.parametrize("way", ["state", "commit", "next"])
    def test_kills(self, tmp_path, way):
        """Killed at random, resumed with other options: together the runs deliver the dataset.

        With the state beside the output nothing comes twice, otherwise the batch in hand at each kill at
        most, which has the id that it had: kept under their ids, batches are exactly the dataset.
        """
        run = Run(tmp_path, self.executor, way)
        whole = stream(run.settings["dataset"])
        expected = sorted(name for batch in whole for name in ids(batch))
        kills = 0
        for _ in range(KILLS):
            kills += run.kill()
            if "report" in run.lines()[-1]:
                break
        assert kills
        log = run.finish()
        batches = [line["ids"] for line in log if "ids" in line]
        delivered = [name for batch in batches for name in batch]
        assert sorted(set(delivered)) == expected
        repeated = len(delivered) - len(expected)
        most = {
            "state": 0,
            "commit": kills * max(map(len, batches)),
            "next": len(delivered),
        }  # saved each second
        assert repeated <= most[way]
        if way != "next":  # where several batches may come again, and with other borders
            kept = {line["task"]: line["ids"] for line in log if "ids" in line}
            assert sorted(name for batch in kept.values() for name in batch) == expected
        compared = books if self.in_order else unordered
        assert compared(Logged(log[-1]["report"])) == compared(whole.report)


class Logged:
    """A report that was logged as plain data."""

    def __init__(self, plain):
        self.plain = plain

    def to_dict(self):
        """Return the plain data."""
        return self.plain
