"""Every decoder passes the contract: add one by one line."""

from __future__ import annotations

from tests.decode.contract import DecoderContract


class TestTurbo(DecoderContract):
    name = "turbo"


class TestPillow(DecoderContract):
    name = "pillow"
