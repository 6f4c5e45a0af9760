"""Streaming from a store takes bounded memory, however slow the consumer."""

from __future__ import annotations

import os
import subprocess
import sys

from bench.server import serving

MIB = 1 << 20
CODE = """
import sys, time
from bench.bucket import options
from bench.measure import peak_rss_bytes
from tarlight.storage import find_shards, open_store

port = int(sys.argv[1])
shards = find_shards(["s3://bucket/large"], storage_options=options(port)).shards
store = open_store("s3://bucket/large", options(port))
first = store.read(shards[0], 0, 10)
before, total = peak_rss_bytes(), 0
for shard in shards[:3]:
    for chunk in store.chunks(shard):
        total += len(chunk)
        if total < 4 << 20:
            time.sleep(0.3)  # the network runs far ahead
print(total, before, peak_rss_bytes())
"""


def test_a_network_that_runs_ahead_is_held_back():
    """384 MiB pass through a slow start within the window of 128 MiB and what a process has anyway."""
    with serving() as port:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        command = [sys.executable, "-c", CODE, str(port)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    total, before, after = map(int, done.stdout.split())
    assert total == 3 * 128 * MIB
    assert after - before < (128 + 64) * MIB
