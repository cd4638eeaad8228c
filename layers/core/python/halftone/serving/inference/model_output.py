"""Separates what package code writes from the lines that Halftone itself writes to the log.

CloudWatch turns each log line that is a valid document of the embedded metric format into metrics,
and the capture ingest reads each line that is a JSON object with the field ``halftone``. Both trust
the line alone. So the process writes its own lines to a private copy of the log's file descriptor,
and whatever else arrives at stdout or stderr is written with ``PREFIX`` before each line and with
control characters escaped: no such line is JSON.

| written by                                   | passes through                                  |
| -------------------------------------------- | ----------------------------------------------- |
| ``print``, ``sys.stdout``, ``sys.stderr``    | ``_Framed``, at once                            |
| handlers of ``logging`` on a stream          | the same                                        |
| the root handler of Lambda's Python runtime  | ``_FramedSink``, at once                        |
| ``os.write`` to 1 or 2, C code, subprocesses | a pipe to a forked process, which survives what |
|                                              | ends this one                                   |

Code that looks for the private descriptor in its own process finds it: only code of another process
can be kept from it. The last bytes of a process that Lambda kills together with its sandbox are
lost, and so is a line without an end in a process that ends without a flush.
"""

import array
import contextlib
import fcntl
import io
import logging
import mmap
import os
import re
import select
import signal
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

PREFIX = "model: "
"""What begins each line that is not Halftone's own."""

SETTLE_SECONDS = 0.02
"""How long an invocation waits for lines that are on their way through the pipe."""

_ATOMIC = select.PIPE_BUF
_LONGEST = 65_536
"""Bytes of a line. CloudWatch and Lambda cut lines of 256 KB themselves, and what follows a cut has
no prefix."""

_IDLE_MS = 100
_DESCRIPTORS = 64  # more than a process has open that has just begun
_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_Write = Callable[[str], object]


class Lines:
    """Cuts bytes into lines that nobody takes for Halftone's own."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def open(self) -> bool:
        """Whether there are bytes of a line that has no end yet."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that ``data`` completes, each with its prefix and its end."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        framed = [line for one in whole for line in _framed(one)]
        if len(self._rest) > _LONGEST:
            framed += _framed(self._rest)
            self._rest = b""
        return framed

    def end(self) -> list[bytes]:
        """What is left, as a line."""
        rest, self._rest = self._rest, b""
        return _framed(rest) if rest else []


def _framed(line: bytes) -> list[bytes]:
    text = _CONTROLS.sub(_escaped, line.removesuffix(b"\r").decode(errors="backslashreplace"))
    if len(line) <= _LONGEST // 10:  # an escaped character has at most ten bytes
        return [f"{PREFIX}{text}\n".encode()]
    size = _LONGEST // 4 - len(PREFIX)  # one that is not has at most four
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    return [f"{PREFIX}{chunk}\n".encode() for chunk in chunks]


def _escaped(character: re.Match[str]) -> str:
    return character[0].encode("unicode_escape").decode()


class _Log:
    """The log's file descriptor, shared by the threads of this process and the forked one.

    A write of up to PIPE_BUF bytes to a pipe is never mixed with another. Longer ones hold the lock
    of the file ``guard``, and so does each of the forked process.
    """

    def __init__(self, descriptor: int, guard: int) -> None:
        self._descriptor = descriptor
        self._guard = guard
        self._turn = threading.Lock()

    def own(self, line: str) -> None:
        """Write a line of Halftone's own."""
        data = f"{line}\n".encode(errors="backslashreplace")
        with self._turn:
            if len(data) <= _ATOMIC:
                _write_all(self._descriptor, data)
            else:
                self._guarded((data,))

    def framed(self, lines: Iterable[bytes]) -> None:
        """Write lines of package code in this process."""
        with self._turn:
            for line in lines:
                if len(line) <= _ATOMIC:
                    _write_all(self._descriptor, line)
                else:
                    self._guarded((line,))

    def forwarded(self, lines: Iterable[bytes]) -> None:
        """Write lines in the forked process."""
        self._guarded(lines)

    def _guarded(self, lines: Iterable[bytes]) -> None:
        fcntl.lockf(self._guard, fcntl.LOCK_EX)
        try:
            for line in lines:
                _write_all(self._descriptor, line)
        finally:
            fcntl.lockf(self._guard, fcntl.LOCK_UN)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except OSError:
            return  # nobody reads the log any more: a request is worth more than its line


class _Framed(io.RawIOBase):
    """A standard stream of this process. ``descriptor`` is what a subprocess inherits of it."""

    def __init__(self, log: _Log, descriptor: int) -> None:
        super().__init__()
        self._log = log
        self._descriptor = descriptor
        self._lines = Lines()
        self._turn = threading.RLock()

    def writable(self) -> bool:
        """See io.RawIOBase."""
        return True

    def fileno(self) -> int:
        """See io.RawIOBase."""
        return self._descriptor

    def write(self, data: Any) -> int:
        """See io.RawIOBase."""
        given = bytes(data)
        with self._turn:
            self._log.framed(self._lines.feed(given))
        return len(given)

    def end_line(self) -> None:
        """End the line that was begun."""
        if self._lines.open:
            with self._turn:
                self._log.framed(self._lines.end())


class _FramedSink:
    """A log sink of Lambda's Python runtime, in which each message is one event of the log."""

    def __init__(self, sink: Any) -> None:
        self._sink = sink

    def log(self, message: str, **more: Any) -> None:
        """Hand ``message`` on with the prefix. A text with half a surrogate pair is no UTF-8."""
        whole = message.encode(errors="backslashreplace").decode()
        self._sink.log(f"{PREFIX}{whole}", **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sink, name)


class Output:
    """The log of this process after ``separate``. Without it, as in a test or beneath a command,
    Halftone's lines go to stdout with all others.
    """

    def __init__(self, write: _Write, settle: Callable[[], None] = lambda: None) -> None:
        self.write = write
        self.settle = settle
        """To be called after each invocation: ends lines that were begun, and waits (at most
        ``SETTLE_SECONDS``) for what is still in the pipe."""


def separate() -> Output:
    """Separate what this process writes, from now on and for good.

    To be called once, before package code is imported and before there are threads.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    descriptor = os.dup(sys.stdout.fileno())
    with tempfile.TemporaryFile() as file:
        guard = os.dup(file.fileno())
    log = _Log(descriptor, guard)
    busy = mmap.mmap(-1, 1)  # shared with the forked process
    source, pipe = os.pipe()
    if os.fork() == 0:
        _forward(source, log, busy, kept={source, descriptor, guard})
    os.close(source)
    for standard in (1, 2):
        os.dup2(pipe, standard)
    os.close(pipe)
    streams = [_Framed(log, 1), _Framed(log, 2)]
    sys.stdout, sys.stderr = (_text(stream) for stream in streams)
    for handler in logging.getLogger().handlers:
        sink = getattr(handler, "log_sink", None)
        if hasattr(sink, "fd"):  # else it writes to sys.stdout
            handler.log_sink = _FramedSink(sink)  # type: ignore[attr-defined]

    def settle() -> None:
        for stream in streams:
            stream.end_line()
        _await_forwarded(busy)

    return Output(log.own, settle)


def _text(stream: _Framed) -> io.TextIOWrapper:
    # A model that prints half a surrogate pair of a client's must not fail by that.
    return io.TextIOWrapper(
        stream,  # type: ignore[arg-type]
        encoding="utf-8",
        errors="backslashreplace",
        write_through=True,
    )


def _await_forwarded(busy: mmap.mmap) -> None:
    """Wait until the pipe is empty and its last lines are written. ``busy`` is set before bytes are
    taken out, so that the pipe is to be looked at first.
    """
    left = array.array("i", [0])
    deadline = 0.0
    while True:
        try:
            fcntl.ioctl(1, termios.FIONREAD, left)
        except OSError:
            return  # package code closed or replaced it
        if not left[0] and not busy[0]:
            return
        now = time.monotonic()
        deadline = deadline or now + SETTLE_SECONDS
        if now > deadline:
            return
        time.sleep(0.0002)


def _forward(source: int, log: _Log, busy: mmap.mmap, kept: set[int]) -> None:
    """The forked process: lines from the pipe to the log, until nobody can write to it any more."""
    status = 0
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: whoever writes ends first
        for descriptor in set(range(_DESCRIPTORS)) - kept:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        lines, poll = Lines(), select.poll()
        poll.register(source, select.POLLIN)
        while True:
            if not poll.poll(_IDLE_MS if lines.open else None):
                log.forwarded(lines.end())
                continue
            busy[0] = 1
            data = os.read(source, 1 << 16)
            log.forwarded(lines.feed(data) if data else lines.end())
            busy[0] = 0
            if not data:
                break
    except BaseException:  # noqa: BLE001  (nothing of this process may reach the code of the other)
        status = 1
    finally:
        os._exit(status)
