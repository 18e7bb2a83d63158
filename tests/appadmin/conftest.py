"""A library on a database of its own, for every engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flask_appadmin.database import connect_database, disconnect_database
from flask_appadmin.rights import Operator, system_operator
from flask_appadmin.schema import create_tables, declare_models
from tests.appadmin.library import MODELS
from tests.engines import PostgresqlEngine, SqliteEngine


@pytest.fixture
def library(database_engine: SqliteEngine | PostgresqlEngine) -> Iterator[str]:
    database_engine.prepare("library", _create)
    url = database_engine.copy("library")
    connect_database(url)
    declare_models(MODELS)
    yield url
    disconnect_database()
    database_engine.drop(url)


def _create(url: str) -> None:
    connect_database(url)
    create_tables(MODELS)
    disconnect_database()


@pytest.fixture
def librarian(library: str) -> Operator:
    return system_operator("Frau Weber")
