"""Where reading processes come from: one small process per server process that forks a reader for each file.

An interpreter takes a twentieth of a second to start and to import the parser, a fork of one that has done so two
thousandths. The nursery itself never sees a byte of a file; it starts with the first file, is started anew if it is
gone, and ends with its server process or when nobody needs it for ten minutes.
Shape: a request travels with three open files over a socket: what is read, where the answer goes, and the line over
which `reader_child.serve` says that it has begun and how it ended. Closing that line ends the reader.
Errors: OSError where no process can be started.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import BinaryIO

#: What the nursery runs: it makes the packages by name only, so that none of what they import is loaded, and goes on
#: with `reader_child`, whose compiled form is kept.
_START = """
import os, sys, types
folder, library = sys.argv[1:]
for name, path in (("flask_appadmin", os.path.dirname(folder)), ("flask_appadmin.sheets", folder)):
    sys.modules[name] = package = types.ModuleType(name)
    package.__path__ = [path]
sys.path.append(library)
from flask_appadmin.sheets.reader_child import serve
serve()
"""
#: So often a process is asked for before it is given up.
_ATTEMPTS = 3


class Reader:
    """A process that reads one file: its answer comes out of `pipe`."""

    def __init__(self, pipe: int, line: socket.socket) -> None:
        self.pipe = pipe
        self._line = line

    def exit_code(self) -> int | None:
        """How it ended, negative for a signal; waits for its end. None if the nursery ended with it."""
        self._line.settimeout(10)
        try:
            return int(self._line.recv(64) or b"x")
        except (OSError, ValueError):
            return None

    def close(self) -> None:
        """Ends the process, whatever it is doing."""
        self._line.close()
        if self.pipe >= 0:
            os.close(self.pipe)
            self.pipe = -1


class Nursery:
    """Hands out readers; safe for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        #: The server process that started it; a fork of that one starts its own.
        self._starter = 0

    def reader(self, file: BinaryIO, request: bytes) -> Reader:
        """A process that reads this open file; `request` is what `reader_child` is to know."""
        for attempt in range(_ATTEMPTS):
            # A nursery that just ended for want of work takes no request; another one is started.
            with self._lock:
                control = self._started()
            found = self._asked(control, file, request)
            if found is not None:
                return found
            with self._lock:
                if self._control is control and attempt:
                    self._forget()
        raise OSError("no process to read with")

    @staticmethod
    def _asked(control: socket.socket, file: BinaryIO, request: bytes) -> Reader | None:
        with contextlib.ExitStack() as stack:
            pipe, answer = os.pipe()
            line, far_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            stack.callback(os.close, answer)
            stack.enter_context(far_end)
            try:
                socket.send_fds(control, [request], [file.fileno(), answer, far_end.fileno()])
            except OSError:
                os.close(pipe)
                line.close()
                return None
        reader = Reader(pipe, line)
        if line.recv(64) == b"begun":
            return reader
        reader.close()
        return None

    def _started(self) -> socket.socket:
        if self._process is not None and (self._starter != os.getpid() or self._process.poll() is not None):
            self._forget()
        if self._control is None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            # Isolated (-I) and without site (-S): no settings of this process get in, and it starts quickly. The
            # environment is empty, since ours may carry secrets.
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", "-X", "utf8", "-c", _START, str(Path(__file__).parent), _library()],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={"LC_ALL": "C.UTF-8"},
                    cwd="/",
                )
            self._control, self._starter = ours, os.getpid()
        return self._control

    def close(self) -> None:
        """Ends the nursery; the next file starts another one."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None and self._starter == os.getpid():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
        self._control = self._process = None


def _library() -> str:
    """Where the parser's package lies; a reader has no other folder of packages."""
    found = importlib.util.find_spec("python_calamine")
    assert found is not None and found.origin is not None
    return str(Path(found.origin).parent.parent)


#: The nursery of this process.
nursery = Nursery()
atexit.register(nursery.close)
