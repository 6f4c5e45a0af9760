"""Questions about a dataset, and about a run over it.

Is it sound (`check`), what is in it (`peek`), how does it look (`survey`), what holds up a run (`explain`).
`write_report` writes a survey as one HTML page, and a `Surveyor` makes the same survey of a run of your own::

    from tarlight.inspect import survey, write_report

    write_report(survey("shards/", limit=1000), "report.html")

The names are imported when they are first used: `tarlight --help` needs neither numpy nor a decoder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tarlight.lazy import lazy_names

if TYPE_CHECKING:
    from tarlight.inspect.checking.finding import Finding, Findings
    from tarlight.inspect.checking.kind import Kind, Severity
    from tarlight.inspect.checking.run import Checking, check
    from tarlight.inspect.explaining.run import Explanation, explain
    from tarlight.inspect.peeking.look import Glimpse, peek
    from tarlight.inspect.surveying.page import finish_survey, survey, write_report
    from tarlight.inspect.surveying.surveyor import Surveyor
    from tarlight.report.survey import RunFacts, Survey

__all__ = [
    "Checking",
    "Explanation",
    "Finding",
    "Findings",
    "Glimpse",
    "Kind",
    "RunFacts",
    "Severity",
    "Survey",
    "Surveyor",
    "check",
    "explain",
    "finish_survey",
    "peek",
    "survey",
    "write_report",
]

_HOMES = {
    "Checking": "tarlight.inspect.checking.run",
    "Explanation": "tarlight.inspect.explaining.run",
    "Finding": "tarlight.inspect.checking.finding",
    "Findings": "tarlight.inspect.checking.finding",
    "Glimpse": "tarlight.inspect.peeking.look",
    "Kind": "tarlight.inspect.checking.kind",
    "RunFacts": "tarlight.report.survey",
    "Severity": "tarlight.inspect.checking.kind",
    "Survey": "tarlight.report.survey",
    "Surveyor": "tarlight.inspect.surveying.surveyor",
    "check": "tarlight.inspect.checking.run",
    "explain": "tarlight.inspect.explaining.run",
    "finish_survey": "tarlight.inspect.surveying.page",
    "peek": "tarlight.inspect.peeking.look",
    "survey": "tarlight.inspect.surveying.page",
    "write_report": "tarlight.inspect.surveying.page",
}

__getattr__, __dir__ = lazy_names(__name__, globals(), _HOMES)
