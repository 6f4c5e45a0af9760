"""A program that loads a dataset, keeps what it loads, and is killed: `python victim.py SETTINGS`."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from pathlib import Path

from tests.checkpoint.dataset import ids, make


def append(path, entry):
    """Write one line, whole or not at all for whoever reads up to the last newline."""
    with Path(path).open("ab", buffering=0) as log:
        log.write(json.dumps(entry).encode() + b"\n")


def main(settings):
    """Load to the end; log every batch, with the state beside it or behind a commit."""
    module, _, name = settings["executor"].partition(":")
    executor = getattr(importlib.import_module(module), name)()
    log, way = settings["log"], settings["way"]
    path = settings["checkpoint"] if way != "state" else None
    run = make(settings["dataset"], **settings["options"]).stream(executor, checkpoint_path=path)
    if way == "state" and settings["state"] is not None:
        run.load_state_dict(settings["state"])
    with run:
        for batch in run:
            if way == "state":
                append(log, {"task": batch.task_id, "ids": ids(batch), "state": run.state_dict()})
            else:
                append(log, {"task": batch.task_id, "ids": ids(batch)})
            if way == "commit":
                run.commit()
            time.sleep(settings["pause_s"])
    append(log, {"report": run.report.to_dict(), "state": run.state_dict()})


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    main(json.loads(sys.argv[1]))
