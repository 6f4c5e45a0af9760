"""The rules about skips, the corpus and the soak tests hold."""

from __future__ import annotations

from pathlib import Path

import pytest

_TESTS = Path(__file__).parent.parent

_SKIPPING = """
import pytest

def test_skips():
    pytest.skip("no reason to run")

@pytest.mark.gpu
def test_needs_a_gpu():
    pytest.skip("no GPU")

@pytest.mark.xfail(strict=True)
def test_fails_as_expected():
    assert False

def test_passes():
    pass
"""


def _run(pytester: pytest.Pytester, plugin: str, source: str, *options: str) -> pytest.RunResult:
    pytester.makeini("[pytest]\nmarkers = gpu\n  soak\n  counted\n  corpus")
    text = (_TESTS / f"{plugin}.py").read_text(encoding="utf-8")
    pytester.makeconftest(text)
    pytester.makepyfile(source)
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)


def test_a_skip_fails_the_run_under_ci(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """With CI=true a skipped test makes the exit status a failure and is named with its reason."""
    monkeypatch.setenv("CI", "true")
    result = _run(pytester, "skips", _SKIPPING)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*CI=true counts as failures*", "*test_skips: *no reason to run*"])
    result.stdout.no_fnmatch_line("*::test_needs_a_gpu: *")
    result.stdout.no_fnmatch_line("*::test_fails_as_expected: *")


def test_a_skipped_module_fails_the_run_under_ci(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With CI=true a module that skips itself while it is collected makes the run a failure."""
    monkeypatch.setenv("CI", "true")
    result = _run(pytester, "skips", "import pytest\npytest.importorskip('no_such_module')\n")
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_a_missing_gpu_is_no_failure_under_ci(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With CI=true a run whose only skips are for a missing GPU passes."""
    monkeypatch.setenv("CI", "true")
    source = "import pytest\n@pytest.mark.gpu\ndef test_it():\n    pytest.skip('no GPU')\n"
    assert _run(pytester, "skips", source).ret == pytest.ExitCode.OK


def test_a_skip_is_allowed_outside_ci(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without CI=true a skipped test leaves the run passed."""
    monkeypatch.delenv("CI", raising=False)
    result = _run(pytester, "skips", _SKIPPING)
    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=1, skipped=2, xfailed=1)


_REPEATING = """
import pytest
from hypothesis import given, settings, strategies

@pytest.mark.soak
def test_long():
    pass

def test_once():
    pass

@given(strategies.none())
def test_property(_):
    pass
"""


@pytest.mark.parametrize(
    ("soaking", "options", "passed"),
    [("", (), 2), ("1", (), 3), ("1", ("-m", "soak or counted"), 2), ("", ("-m", "soak or counted"), 1)],
)
def test_long_tests_run_only_when_soaking(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    soaking: str,
    options: tuple[str, ...],
    passed: int,
) -> None:
    """Tests marked soak are left out without TARLIGHT_SOAK=1; properties count as counted by themselves."""
    monkeypatch.setenv("TARLIGHT_SOAK", soaking)
    _run(pytester, "soak", _REPEATING, *options).assert_outcomes(passed=passed, deselected=3 - passed)


_REAL_FILES = "def test_real(corpus):\n    assert corpus.is_dir()\n\ndef test_made():\n    pass\n"


def test_without_a_corpus_its_tests_are_deselected(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no corpus the tests that need it are deselected, not skipped, and the header says so."""
    monkeypatch.setenv("CI", "true")
    monkeypatch.delenv("TARLIGHT_CORPUS", raising=False)
    result = _run_corpus(pytester)
    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.fnmatch_lines(["corpus: none, *"])


def test_with_a_corpus_its_tests_run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where TARLIGHT_CORPUS names a corpus the tests that need it run on it."""
    for name in ("photos", "odd_jpegs", "bad_jpegs", "mixed", "tars"):
        pytester.mkdir(name)
        pytester.path.joinpath(name, "00000.tar").write_bytes(b"")
    monkeypatch.setenv("TARLIGHT_CORPUS", str(pytester.path))
    _run_corpus(pytester).assert_outcomes(passed=2)


def test_a_corpus_that_cannot_be_used_is_an_error(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A corpus that is named but incomplete stops the run."""
    monkeypatch.setenv("TARLIGHT_CORPUS", str(pytester.path))
    assert _run_corpus(pytester).ret == pytest.ExitCode.USAGE_ERROR


def test_a_shared_folder_without_a_corpus_is_an_error_under_ci(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With CI=true and a folder `shared` beside the repository, a missing corpus stops the run."""
    monkeypatch.setenv("CI", "true")
    monkeypatch.delenv("TARLIGHT_CORPUS", raising=False)
    pytester.mkdir("shared")
    assert _run_corpus(pytester).ret == pytest.ExitCode.USAGE_ERROR


def _run_corpus(pytester: pytest.Pytester) -> pytest.RunResult:
    """Run in a project below the test's folder, so that `shared` would lie beside the project."""
    project = pytester.mkdir("project")
    for name, text in (
        ("pytest.ini", "[pytest]\nmarkers = corpus"),
        ("conftest.py", "pytest_plugins = ['tests.corpus']\n"),
        ("tests/__init__.py", ""),
        ("tests/corpus.py", (_TESTS / "corpus.py").read_text(encoding="utf-8")),
        ("tests/test_it.py", _REAL_FILES),
    ):
        path = project / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "--rootdir", project, project)
