"""A process that is told to stop ends the answers that stay open, for Granian lets it end only once every answer has.

The event loop has handlers for these signals already, Granian's; they stay. Python calls the handler that is put beside them here as
well, for the loop learns of a signal by another way (`signal.set_wakeup_fd`).
"""

import asyncio
import signal
from types import FrameType

from planwerk.store.database import Database

SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def end_streams(database: Database) -> None:
    """Wait for a signal, in the main thread, and let no stream wait for more."""
    loop = asyncio.get_running_loop()

    def hear(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (the signature of a handler)
        loop.call_soon_threadsafe(database.bell.ring_last)

    for number in SIGNALS:
        signal.signal(number, hear)
