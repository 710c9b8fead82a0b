"""Ctrl-C and SIGTERM: one line and the exit code, from the first moment to the last."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

HEARD: Final = (signal.SIGINT, signal.SIGTERM)

STOPPED: Final = "chart-diffusion: stopped\n"

SHOW_CURSOR: Final = "\x1b[?25h\n"
"""What a terminal needs when progress was shown on it and could not be removed."""


class Stopped(BaseException):
    """The first signal during the work: it unwinds the main thread, so that unfinished files are removed."""


class Signals:
    """Listens for Ctrl-C and SIGTERM until the process ends.

    While nothing needs to be cleaned up, a signal ends the process at once. During `working` the first signal raises
    `Stopped` in the main thread, and a second one ends the process at once, also while the main thread is in a library
    that does not return to Python: a thread of its own waits for the signals.
    """

    def __init__(self) -> None:
        self.code = 0
        """Exit code of the signal that stopped the work; 0 if none did."""
        self._interrupt: Callable[[], None] | None = None
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        self._numbers = [number for number in HEARD if signal.getsignal(number) != signal.SIG_IGN]
        self._listen()
        sys.unraisablehook = self._raise_again
        threading.excepthook = self._unless_stopped
        self._raised = self._lost = self._said = False
        threading.Thread(target=self._watch, args=(reading,), daemon=True).start()

    @contextmanager
    def working(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Let the first signal raise `Stopped` in the block; `interrupt` ends what engines are doing."""
        self._listen()  # polars, when it is imported, sets a handler with which a waiting thread does not wake up
        self._interrupt = interrupt
        try:
            yield
        finally:
            self._interrupt = None

    def done(self) -> None:
        """Ignore signals from now on: all is done and said, and the process is about to end."""
        for number in self._numbers:
            signal.signal(number, signal.SIG_IGN)

    def say(self) -> None:
        """Write the line, once, on standard error."""
        if not self._said:
            self._said = True
            os.write(2, STOPPED.encode())

    def _listen(self) -> None:
        for number in self._numbers:
            signal.signal(number, self._raise)

    def _watch(self, reading: int) -> None:
        """Wait for signals: interrupt the work for the first one, end the process for any other."""
        first = True
        while True:
            number = os.read(reading, 1)[0]
            interrupt = self._interrupt
            if self._lost:
                self._lost = False
            elif interrupt is None or not first:
                self._end(128 + number)
            else:
                first = False
                interrupt()

    def _raise(self, number: int, frame: FrameType | None) -> None:
        """Raise `Stopped` in the main thread for the first signal during the work."""
        if self._interrupt is not None and not self._raised:
            self._raised, self.code = True, 128 + number
            raise Stopped(number)

    def _raise_again(self, unraisable: "sys.UnraisableHookArgs") -> None:
        """Raise `Stopped` again where it came in a finaliser, in which Python ignores errors."""
        if isinstance(unraisable.exc_value, Stopped):
            self._raised, self._lost = False, True
            threading.Timer(0.01, os.kill, (os.getpid(), *unraisable.exc_value.args)).start()  # not in this hook itself
        elif not self._raised:
            sys.__unraisablehook__(unraisable)

    def _unless_stopped(self, error: threading.ExceptHookArgs) -> None:
        """Report an error of another thread, except after a signal, when pools of processes and of threads break."""
        if not self.code:
            threading.__excepthook__(error)

    def _end(self, code: int) -> NoReturn:
        if os.isatty(2) and not self._said:
            os.write(2, SHOW_CURSOR.encode())
        self.say()
        os._exit(code)
