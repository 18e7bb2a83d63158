"""Passwords are stored as hashes, however they come in, and the history says only that they changed."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from flask_appadmin.changes import ChangeSet
from flask_appadmin.errors import FaultList
from flask_appadmin.history import ChangeRecord
from flask_appadmin.rights import Operator, Role, User


def _a_role(librarian: Operator) -> int:
    change = ChangeSet("setup")
    role = change.create(Role, {"name": "Lesen", "permissions": ["library.read"]})
    change.apply(librarian)
    return role.key or 0


def test_a_password_is_stored_as_a_hash_and_never_in_the_history(librarian: Operator) -> None:
    typed = " Rotes Fahrrad am Hafen "
    change = ChangeSet("form")
    user = change.create(User, {"username": "weber", "password": typed, "role": _a_role(librarian)})
    change.apply(librarian)
    stored = User.get_by_id(user.key).password
    assert stored.startswith("$argon2id$")
    assert PasswordHasher().verify(stored, typed)
    again = ChangeSet("form")
    again.update(User, user.key or 0, {"password": "Blaues Fahrrad am Hafen"})
    again.apply(librarian)
    assert PasswordHasher().verify(User.get_by_id(user.key).password, "Blaues Fahrrad am Hafen")
    texts = [f"{row.old_value} {row.new_value}" for row in ChangeRecord.select()]
    assert not [text for text in texts if "Fahrrad" in text or "argon2" in text]


def test_a_short_password_is_refused_without_being_repeated(librarian: Operator) -> None:
    change = ChangeSet("form")
    change.create(User, {"username": "weber", "password": "kurz", "role": _a_role(librarian)})
    with pytest.raises(FaultList) as refused:
        change.apply(librarian)
    assert str(refused.value) == "Passwort: Bitte mindestens 12 Zeichen."
