"""The event loop that runs all requests of this process, in one daemon thread.

Made on first use and closed when the program ends. The client library's own threads do not survive a fork: a
request made in a child of a process that has made some would wait for ever, so it is refused.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from typing import TYPE_CHECKING, TypeVar

from tarlight.errors import PipelineError

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from concurrent.futures import Future
    from typing import Any

T = TypeVar("T")

THREAD_NAME = "tarlight-fetch"


class LoopThread:
    """One event loop and the thread that runs it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Cancel what runs, end the thread, close the loop."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
            self.loop.run_until_complete(_cancel_all())
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        finally:
            self.loop.close()


class _Process:
    """What this process has: one loop thread, from its first request to its end."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.thread: LoopThread | None = None
        self.parents: list[LoopThread] = []
        """Loops that run in a parent process, kept so that nothing closes them here."""

    def after_fork(self) -> None:
        """In a forked child: the lock may be held by a thread that is not here."""
        self.lock = threading.Lock()
        if self.thread is not None:
            self.parents.append(self.thread)
            self.thread = None

    def close(self) -> None:
        """The process ends."""
        if self.thread is not None:
            self.thread.close()


_process = _Process()
os.register_at_fork(after_in_child=_process.after_fork)
atexit.register(_process.close)


def event_loop() -> asyncio.AbstractEventLoop:
    """Return this process's loop, and start it on first use. Thread-safe.

    Raises:
        PipelineError: this process was forked from one that has made requests.
    """
    with _process.lock:
        if _process.parents:
            raise PipelineError(
                "this process was forked from one that reads from object stores, and their connections do "
                'not survive a fork. Start it with multiprocessing.get_context("spawn"), or fork before '
                "anything is read"
            )
        if _process.thread is None:
            _process.thread = LoopThread()
        return _process.thread.loop


def submit(work: Coroutine[Any, Any, T]) -> Future[T]:
    """Run a coroutine in the loop's thread; cancel its future to cancel it. Not for that thread itself."""
    try:
        return asyncio.run_coroutine_threadsafe(work, event_loop())
    except BaseException:
        work.close()
        raise


async def _cancel_all() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
