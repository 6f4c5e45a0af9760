"""What the storage tests share."""

from __future__ import annotations

import os
from contextlib import contextmanager

import pytest

NOBODY = 65534


@pytest.fixture
def unprivileged(tmp_path, monkeypatch):
    """A context in which permissions count, also when root runs the tests; the test sits in its folder.

    Root may read everything, so for root the context lends the process the id of `nobody`. Relative paths
    below the current folder then work, although the folders above it are closed to that user.
    """
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)

    @contextmanager
    def context():
        was = os.geteuid()
        if was == 0:
            os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(was)

    return context
