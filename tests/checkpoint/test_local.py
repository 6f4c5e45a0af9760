"""Checkpoints on the local executor."""

from __future__ import annotations

from .contract import CheckpointContract


class TestLocalCheckpoint(CheckpointContract):
    """The shared suite on the local executor."""

    executor = "tarlight.executors.local:LocalExecutor"
