"""Passwords are stored as hashes, however they come in, and the history says only that they changed."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from flask_appadmin.changes import ChangeSet
from flask_appadmin.errors import FaultList
from flask_appadmin.history import ChangeRecord
from flask_appadmin.rights import Operator, Role, User


def _a_role(librarian: Operator, name: str = "Lesen") -> int:
    change = ChangeSet("setup")
    role = change.create(Role, {"name": name, "permissions": ["library.read"]})
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


@pytest.mark.parametrize(("password", "wrong"), [("kurz", "12 bis 128 Zeichen"), ("passwort1234", "leicht zu erraten")])
def test_a_weak_password_is_refused_without_being_repeated(librarian: Operator, password: str, wrong: str) -> None:
    change = ChangeSet("form")
    change.create(User, {"username": "weber", "password": password, "role": _a_role(librarian)})
    with pytest.raises(FaultList) as refused:
        change.apply(librarian)
    assert wrong in str(refused.value)
    assert password not in str(refused.value)


def test_user_names_are_stored_as_they_are_looked_up(librarian: Operator) -> None:
    change = ChangeSet("form")
    user = change.create(User, {"username": " ＷEBER ", "password": "Rotes Fahrrad", "role": _a_role(librarian)})
    change.apply(librarian)
    assert User.get_by_id(user.key).username == "weber"
    taken = ChangeSet("form")
    taken.create(User, {"username": "wеber", "password": "Rotes Fahrrad", "role": _a_role(librarian, "Zweite")})
    with pytest.raises(FaultList, match="ein Zeichen, das hier nicht geht"):
        taken.apply(librarian)
