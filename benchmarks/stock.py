"""The databases the figures are taken on: made once per number of customers and version of the program, then copied.

Shape: `open_stock` answers a Stock: a copy to work on, Kontor's application on it, a signed-in client and an operator
with every right. SQLite's database is kept as a file between runs; PostgreSQL's server lives as long as the run.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring import ROOT, in_child

PASSWORD = "Blaues-Boot-im-Nebel-4"
USER = "messung"

#: What decides how the database looks; another content makes it anew.
_SOURCES = (
    "models.py",
    "migrations",
    "domain",
    "flask_appadmin/search.py",
    "flask_appadmin/history.py",
    "benchmarks/sparse.py",
)


def bench_folder() -> Path:
    """Where databases and files of the benchmarks lie."""
    folder = Path(os.environ.get("KONTOR_BENCH") or Path(__file__).parent / ".out").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dataclass
class Stock:
    """A database of demo customers, and how Kontor works on it."""

    engine: str
    url: str
    customers: int
    #: For files that are written.
    folder: Path
    app: Any
    client: Any
    operator: Any

    @property
    def spec(self) -> Any:
        from flask_appadmin.changes import known_specs

        return known_specs()["customer"]

    def keys(self, count: int, offset: int = 0) -> list[int]:
        """Keys of customers that can be changed, spread over the whole stock and not in order of storing."""
        from flask_appadmin.database import database

        step = max(self.customers // count, 1)
        rows = database.execute_sql(
            f"SELECT id FROM customer WHERE id - id / {step} * {step} = {offset % step} AND status <> 'anonymised' "
            f"ORDER BY id LIMIT {count}"
        ).fetchall()
        return [row[0] for row in rows]


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for name in _SOURCES:
        path = ROOT / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.read_bytes())
    return digest.hexdigest()[:10]


@contextlib.contextmanager
def own_settings() -> Iterator[None]:
    """Keeps the run away from the database and the secrets of whoever starts it."""
    kept = dict(os.environ)
    folder = tempfile.mkdtemp(prefix="kontor-bench-")
    for name in [*os.environ]:
        if name.startswith("KONTOR_") and not name.startswith(("KONTOR_BENCH", "KONTOR_TEST_")):
            del os.environ[name]
    os.environ.pop("DATABASE_URL", None)
    os.environ["SECRET_KEY"] = "for the benchmarks only, and long enough for the checks"
    os.environ["KONTOR_INSTANCE"] = folder
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def open_stock(engine: str, customers: int, *, sparse: bool = False) -> Iterator[Stock]:
    """The stock of an engine; its copy vanishes with the context."""
    from tests.engines import PostgresqlEngine

    folder = Path(tempfile.mkdtemp(prefix="run-", dir=bench_folder()))
    server: Any = None
    try:
        if engine == "sqlite":
            url = f"sqlite:///{folder / 'stock.db'}"
            shutil.copyfile(_kept_sqlite(customers, sparse), folder / "stock.db")
        else:
            server = PostgresqlEngine()
            url = server.fresh()
            in_child("fill_sparse" if sparse else "fill", url=url, customers=customers)
        with _opened(engine, url, customers, folder) as stock:
            yield stock
    finally:
        from flask_appadmin.database import disconnect_database

        disconnect_database()
        if server is not None:
            server.close()
        shutil.rmtree(folder, ignore_errors=True)


def fresh_url(stock: Stock, name: str) -> str:
    """Another database of the stock's engine, still empty; it vanishes with the stock's folder or server."""
    if stock.engine == "sqlite":
        return f"sqlite:///{stock.folder / name}.db"
    import psycopg
    from psycopg import sql

    with psycopg.connect(stock.url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    return stock.url.rsplit("/", 1)[0] + f"/{name}"


def _kept_sqlite(customers: int, sparse: bool = False) -> Path:
    kind = "sparse" if sparse else "customers"
    path = bench_folder() / f"{kind}-{customers}-{_fingerprint()}.db"
    if path.exists():
        return path
    for old in bench_folder().glob(f"{kind}-{customers}-*.db*"):
        old.unlink()
    unfinished = path.with_suffix(".part")
    for name in bench_folder().glob(f"{unfinished.name}*"):
        name.unlink()
    in_child("fill_sparse" if sparse else "fill", url=f"sqlite:///{unfinished}", customers=customers)
    unfinished.rename(path)
    return path


@contextlib.contextmanager
def _opened(engine: str, url: str, customers: int, folder: Path) -> Iterator[Stock]:
    import admin_app
    from domain.roles import ADMINISTRATOR
    from flask_appadmin.database import connect_database, database
    from flask_appadmin.rights import system_operator
    from flask_appadmin.security import add_user

    app = admin_app.create_app({"DATABASE_URL": url, "INSTANCE": folder})
    connect_database(url)
    database.connect(reuse_if_open=True)
    add_user(USER, PASSWORD, ADMINISTRATOR, system_operator("Messung"), full_name="Messung")
    client = app.test_client()
    token = _token(client.get("/login"))
    answer = client.post("/login", data={"username": USER, "password": PASSWORD, "csrf_token": token})
    if answer.status_code != 302:
        raise RuntimeError(f"the sign-in of the benchmarks answered {answer.status_code}")
    yield Stock(engine, url, customers, folder, app, client, system_operator("Messung"))


def _token(answer: Any) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', answer.get_data(as_text=True))
    return found.group(1) if found else ""
