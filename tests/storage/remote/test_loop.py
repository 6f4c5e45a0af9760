"""One event loop thread a process, never inherited by a fork, ended with the program."""

from __future__ import annotations

import subprocess
import sys

_FORK = """
import os
from tarlight.errors import PipelineError
from tarlight.storage.remote.loop import submit

async def answer():
    return 42

if {before}:
    assert submit(answer()).result() == 42
child = os.fork()
if not child:
    try:
        print("answered", submit(answer()).result(10))
    except PipelineError as error:
        print("refused", "spawn" in str(error))
else:
    os.waitpid(child, 0)
    print("parent", submit(answer()).result(10))
"""


def _run(code):
    warnings = ["-W", "error", "-W", "ignore:This process:DeprecationWarning"]  # of forking with threads
    ran = subprocess.run(
        [sys.executable, "-X", "dev", *warnings, "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stderr == ""
    return ran.stdout.splitlines()


def test_a_child_of_a_process_with_a_loop_is_refused():
    """A child forked from a process that made requests gets an error of ours, and the parent goes on."""
    assert _run(_FORK.format(before=True)) == ["refused True", "parent 42"]


def test_a_child_makes_a_loop_of_its_own():
    """A process that was forked before anything was read makes its own loop."""
    assert _run(_FORK.format(before=False)) == ["answered 42", "parent 42"]


def test_the_loop_ends_with_the_program():
    """A program that ends while requests are under way ends at once, without a warning."""
    code = (
        "import asyncio\n"
        "from tarlight.storage.remote.loop import submit\n"
        "submit(asyncio.sleep(3600))\n"
        "print('done')\n"
    )
    assert _run(code) == ["done"]
