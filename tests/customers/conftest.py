"""What the tests of files share: the folder of real customer lists, and somebody who takes them in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flask_appadmin.rights import Operator, system_operator


@pytest.fixture
def clerk(db: Any) -> Operator:
    return system_operator("Frau Weber")


@pytest.fixture
def customers(shared_data: Path) -> Path:
    return shared_data / "customers"
