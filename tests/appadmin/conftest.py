"""A library on a database of its own, for every engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flask_appadmin.database import connect_database, disconnect_database
from flask_appadmin.rights import Operator, system_operator
from flask_appadmin.schema import create_tables
from tests.appadmin.library import MODELS


@pytest.fixture
def library(fresh_url: str) -> Iterator[str]:
    connect_database(fresh_url)
    create_tables(MODELS)
    yield fresh_url
    disconnect_database()


@pytest.fixture
def librarian(library: str) -> Operator:
    return system_operator("Frau Weber")
