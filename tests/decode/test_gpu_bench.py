"""The script that measures on a GPU works where there is none, as far as that goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.corpus import REPOSITORY


def bench(*arguments):
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "bench.gpu", *map(str, arguments)]
    return subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )


def test_without_a_gpu_it_says_what_is_missing(tmp_path):
    """Without a GPU the script ends with exit code 3, names what is missing, and writes nothing."""
    ran = bench("--out", tmp_path)
    assert ran.returncode == 3
    assert "bench.gpu cannot run: " in ran.stderr
    assert "NVIDIA driver" in ran.stderr
    assert "--cpu-only" in ran.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.soak
def test_the_rehearsal_runs_all_of_it(tmp_path):
    """On the CPU everything runs: correctness, all sizes and contenders, both files with the same tables."""
    ran = bench("--cpu-only", "--rounds", 1, "--images", 64, "--out", tmp_path)
    assert ran.returncode == 0, ran.stderr
    page, data = sorted(tmp_path.iterdir(), key=lambda path: path.suffix, reverse=True)
    results = json.loads(data.read_text(encoding="utf-8"))
    assert {row["verdict"] for row in results["correctness"]} == {"ok"}
    assert {row["size"] for row in results["rates"]} == {"small", "medium", "large"}
    assert sum(row.get("kind") == "ours" for row in results["rates"]) == 6
    assert [row["delivered"] for row in results["bad images"]] == [64, 63]
    text = page.read_text(encoding="utf-8")
    assert all(f"## {name}" in text for name in results if name != "machine")
