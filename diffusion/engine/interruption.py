"""What works on rows in this process, and how it is ended from outside."""

import weakref
from typing import Final, Protocol


class Interruptible(Protocol):
    """Something that works for long."""

    def interrupt(self) -> None:
        """End what is being done with an error; nothing happens if nothing is done. Any thread may call it."""


OPEN: Final["weakref.WeakValueDictionary[int, Interruptible]"] = weakref.WeakValueDictionary()
"""What is open in this process, by `id`."""


def interrupt_engines() -> None:
    """End what every engine of this process is doing, with an error there; may be called from any thread."""
    for reference in OPEN.valuerefs():
        if (engine := reference()) is not None:
            engine.interrupt()
