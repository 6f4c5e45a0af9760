"""A survey as one HTML page: `render_page` is a pure function from the value to the text."""

from tarlight.report.page.document import render_page

__all__ = ["render_page"]
