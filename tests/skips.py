"""Under CI a skipped test is a failure: it proves nothing, and nobody would notice.

Tests marked `gpu` are excepted, since there may be no GPU. Tests that cannot run for a reason known before
they are collected (no corpus) are deselected, which the header says, and not skipped.
"""

from __future__ import annotations

import os

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Watch for skips, under CI only."""
    if os.environ.get("CI") == "true":
        config.pluginmanager.register(_NoSkips(), "no-skips")


class _NoSkips:
    """Collects skipped tests and turns a session that has any into a failed one."""

    def __init__(self) -> None:
        self._skipped: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module or class that skips itself."""
        if report.skipped:
            self._skipped.append(f"{report.nodeid}: {_reason(report)}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that is skipped by a mark, a fixture or itself; an expected failure is no skip."""
        if report.skipped and not hasattr(report, "wasxfail") and "gpu" not in report.keywords:
            self._skipped.append(f"{report.nodeid}: {_reason(report)}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the session."""
        if self._skipped and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name them."""
        if self._skipped:
            terminalreporter.section("skipped tests, which CI=true counts as failures", red=True)
            for line in self._skipped:
                terminalreporter.line(line)


def _reason(report: pytest.CollectReport | pytest.TestReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
