"""Tells listeners of events, and keeps those that fail from harming the run."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tarlight.events import Event, Listener

log = logging.getLogger(__name__)


class Teller:
    """Tells listeners of events, one event at a time. Thread-safe."""

    def __init__(self, listeners: list[Listener]) -> None:
        self._listeners = listeners
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Tell every listener of `event`."""
        with self._lock:
            for listener in tuple(self._listeners):
                try:
                    listener(event)
                except Exception:
                    # Listeners watch, they never steer: a broken one is told no more, and the run goes on.
                    log.exception("a listener failed at %r and is not told any more", event)
                    self._listeners.remove(listener)
