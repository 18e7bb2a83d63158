"""Passwords and the names that go with them: what is good enough, and how it is stored.

A password is kept as an argon2id hash that nobody can read it back from; the cost is the least that OWASP names.
Source: trust.md, E5.
"""

from __future__ import annotations

import functools
import itertools
import re
import unicodedata

from argon2 import PasswordHasher

from flask_appadmin.i18n import gettext

PASSWORD_LENGTHS = (12, 128)

#: argon2id: two rounds, 19 MiB, one lane.
PASSES, MEMORY_KIB = 2, 19_456
_HASH = re.compile(r"\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]{16,}\$[A-Za-z0-9+/]{32,}")

#: What people choose when twelve characters are asked for.
_COMMON = frozenset(
    [
        "passwort1234",
        "passwort12345",
        "password1234",
        "password12345",
        "123456789012",
        "1234567890123",
        "qwertzuiop12",
        "qwertyuiop12",
        "qwertz123456",
        "qwerty123456",
        "hallo1234567",
        "willkommen12",
        "willkommen123",
        "willkommen2025",
        "willkommen2026",
        "administrator",
        "administrator1",
        "schalke04schalke04",
        "ichliebedich",
        "ichliebedich1",
        "passwortpasswort",
        "passwordpassword",
        "geheim123456",
        "sommer2025!!",
        "sommer2026!!",
        "winter2025!!",
        "winter2026!!",
        "abcdefghijkl",
        "abcd12345678",
        "changeme1234",
        "letmein12345",
        "welcome12345",
        "admin1234567",
        "adminadmin12",
        "iloveyou1234",
        "dragon123456",
        "monkey123456",
        "sunshine1234",
        "football1234",
        "master123456",
    ]
)


def password_faults(password: str, username: str = "") -> list[str]:
    """What is wrong with a new password, in sentences; an empty list is a good one.

    >>> password_faults("Rotes-Fahrrad-am-Hafen-7"), len(password_faults("kurz"))
    ([], 1)
    """
    shortest, longest = PASSWORD_LENGTHS
    password = unicodedata.normalize("NFC", password)
    if not shortest <= len(password) <= longest:
        return [
            gettext(
                "Das Passwort braucht %(shortest)s bis %(longest)s Zeichen; es hat %(count)s.",
                shortest=shortest,
                longest=longest,
                count=len(password),
            )
        ]
    if "\x00" in password:
        return [gettext("Das Passwort enthält ein Zeichen, das sich nicht tippen lässt.")]
    plain = password.casefold()
    if len(set(plain)) < 5 or plain in _COMMON or _is_sequence(plain):
        return [gettext("Dieses Passwort ist leicht zu erraten. Bitte wählen Sie zum Beispiel vier zufällige Wörter.")]
    if len(username) >= 3 and username.casefold() in plain:
        return [gettext("Das Passwort enthält den Benutzernamen. Bitte wählen Sie ein anderes.")]
    return []


def _is_sequence(text: str) -> bool:
    steps = {ord(second) - ord(first) for first, second in itertools.pairwise(text)}
    return len(steps) == 1


@functools.cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1)


def hash_secret(text: str) -> str:
    """The argon2id hash of a password, with its salt."""
    return _hasher().hash(unicodedata.normalize("NFC", text))


def is_hash(text: str) -> bool:
    """Whether this is what `hash_secret` answers.

    >>> is_hash(hash_secret("Rotes-Fahrrad-am-Hafen-7")), is_hash("$argon2id$")
    (True, False)
    """
    return _HASH.fullmatch(text) is not None


def username_of(text: str) -> str:
    """A user name as it is looked up: full width, capitals and blanks around it do not matter.

    >>> username_of(" Weber "), username_of("ＡＤＭＩＮ")
    ('weber', 'admin')
    """
    return unicodedata.normalize("NFKC", text).strip().casefold()
