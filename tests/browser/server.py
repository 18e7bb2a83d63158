"""A running Kontor for the browser tests: the real server, started the way an operator starts it.

Shape: `KontorServer.url` is the address without a slash at the end; `instance` its folder; `kontor(...)` runs a command
of the command line against the same database and returns what it printed. The server is a process of its own, in an
instance folder of its own; nothing is shared between two of them.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: The operator every server starts with. The password is long enough for the rules and means nothing elsewhere.
OPERATOR = "weber"
PASSWORD = "Rotes-Fahrrad-am-Hafen-7"

_START_SECONDS = 40


class KontorFailed(RuntimeError):
    """A command ended with an error, or the server did not answer; the message holds what it printed."""


@dataclass
class KontorServer:
    """A server on a free port of the loopback address, on the database `database_url`."""

    instance: Path
    database_url: str
    engine: str
    url: str = ""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("KONTOR_", "FLASK_"))},
            "KONTOR_INSTANCE": str(self.instance),
            "DATABASE_URL": self.database_url,
            "PYTHONUNBUFFERED": "1",
        }

    def kontor(self, *arguments: str, given: str = "", expect: int | None = 0) -> str:
        """Run `admin_app.py ARGUMENTS` on the server's database; `given` is its standard input."""
        run = subprocess.run(
            [sys.executable, "admin_app.py", *arguments],
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=self.environment,
            timeout=120,
        )
        if expect is not None and run.returncode != expect:
            raise KontorFailed(f"admin_app.py {' '.join(arguments)} ended with {run.returncode}:\n{run.stdout}")
        return run.stdout

    def add_operator(self, name: str = OPERATOR, password: str = PASSWORD, role: str = "Administrator") -> None:
        """Make an operator; in this process, because starting another one takes seconds."""
        from flask_appadmin.database import connect_database, disconnect_database
        from flask_appadmin.rights import system_operator
        from flask_appadmin.schema import declare_models
        from flask_appadmin.security import add_user
        from models import MODELS

        connect_database(self.database_url)
        declare_models(MODELS)
        add_user(name, password, role, system_operator("Test"), full_name=f"Frau {name.title()}")
        disconnect_database()

    def start(self) -> None:
        self.instance.mkdir(parents=True, exist_ok=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        with open(self._log_path, "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "admin_app.py", "serve", "--host", "127.0.0.1", "--port", str(port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env=self.environment,
                start_new_session=True,
            )
        until = time.monotonic() + _START_SECONDS
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(self.url + "/health/live", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        self.stop()
        raise KontorFailed(f"The server did not answer on /health/live:\n{self.log()}")

    def stop(self, *, gently: bool = False) -> int:
        """End the server and its workers, by default at once; answers the exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        self._signal(process, signal.SIGTERM if gently else signal.SIGKILL)
        try:
            return process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            self._signal(process, signal.SIGKILL)
            process.wait()
            raise

    def log(self) -> str:
        """What the server printed so far."""
        return self._log_path.read_text(errors="replace") if self._log_path.exists() else ""

    @property
    def _log_path(self) -> Path:
        return self.instance.with_suffix(".log")

    @staticmethod
    def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        # The server is the leader of its own session, so its workers hear it too.
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            pass
