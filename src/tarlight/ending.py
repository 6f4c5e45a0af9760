"""Streams that their program leaves open, as a global of a module may be: they are ended as it ends.

Python first joins the threads of a program, then calls what was registered with `atexit`, then stops all
other threads wherever they are, and only then lets go of modules. So a stream is ended at the second of
these: at the fourth its own threads would be gone, with what they had in hand.
"""

from __future__ import annotations

import atexit
import logging
from typing import TYPE_CHECKING
from weakref import WeakMethod

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)


class Ending:
    """Ends one stream with its program.

    Args:
        close: a method that ends it; its object is not kept alive.
    """

    def __init__(self, close: Callable[[], None]) -> None:
        self._close = WeakMethod(close)
        self._is_armed = False

    def arm(self) -> None:
        """From now on.

        Called behind the first batch: what is registered last is called first, and clusters and connections
        that a run has opened must still be there.
        """
        if not self._is_armed:
            self._is_armed = True
            atexit.register(self._end)

    def disarm(self) -> None:
        """The stream has ended. May be called again."""
        if self._is_armed:
            self._is_armed = False
            atexit.unregister(self._end)

    def _end(self) -> None:
        close = self._close()
        if close is None:
            return
        try:
            close()
        except Exception:
            log.exception("a stream that was left open could not be ended with the program")
