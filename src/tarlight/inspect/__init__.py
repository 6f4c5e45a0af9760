"""Questions about a dataset: what is in it, and what is wrong with it.

`survey` reads a dataset and returns a `Survey`; `write_report` writes it as one HTML page. A `Surveyor` makes
the same survey of a run of your own::

    from tarlight.inspect import survey, write_report

    write_report(survey("shards/", limit=1000), "report.html")
"""

from tarlight.inspect.page import finish_survey, survey, write_report
from tarlight.inspect.surveyor import Surveyor
from tarlight.report.survey import RunFacts, Survey

__all__ = ["RunFacts", "Survey", "Surveyor", "finish_survey", "survey", "write_report"]
