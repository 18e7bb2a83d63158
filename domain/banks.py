"""What an IBAN says about its bank: name, BIC and sort code; and whether a BIC fits it.

Shape: `bank_of` answers a Bank, with "" for what the list of banks does not know; None for a text that is no IBAN.
Source: the registry of schwifty (Deutsche Bundesbank, OeNB, SIX and others); ISO 13616 for the parts of an IBAN. The
registry takes half a second to read, so it is read at the first question only. Territories with a BIC of their own and
the IBAN of their state: EPC, list of SEPA countries.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from domain.check_digits import iban as iban_of
from flask_appadmin.fieldtypes.text_rules import is_plain_iban


@dataclass(frozen=True)
class Bank:
    name: str
    bic: str
    #: BLZ, or what the country calls it.
    code: str


def bank_of(iban: str | None) -> Bank | None:
    """The bank behind an IBAN.

    >>> bank_of("DE02 1203 0000 0000 2020 51")
    Bank(name='Deutsche Kreditbank Berlin', bic='BYLADEM1001', code='12030000')
    >>> bank_of("DE02 1203 0000 0000 2020 52") is None
    True
    """
    if not iban or len(iban) > 60:
        return None
    if is_plain_iban(iban):
        return _bank_of_code(iban[:2], iban[4 : 4 + _DIGITS[iban[:2]][0]])
    return _looked_up(iban)


#: Country whose IBANs have digits only -> digits of the bank code, and of the account behind it.
_DIGITS = {"DE": (8, 10), "AT": (5, 11)}


@functools.lru_cache(maxsize=5_000)
def _bank_of_code(country: str, code: str) -> Bank | None:
    """The bank of accounts that have this code in their IBAN: files bring the accounts of few banks."""
    return _looked_up(iban_of(country, code, "0" * _DIGITS[country][1]))


def _looked_up(iban: str) -> Bank | None:
    from schwifty import IBAN
    from schwifty.exceptions import SchwiftyException

    try:
        found = IBAN(iban)
        return Bank((found.bank_name or "")[:60], str(found.bic or ""), found.bank_code or "")
    except (SchwiftyException, ValueError, KeyError):
        return None


#: Country of an IBAN -> further countries of the BICs that its accounts may have.
_TERRITORIES = {
    "FI": frozenset(("AX",)),
    "FR": frozenset(("BL", "GF", "GP", "MF", "MQ", "NC", "PF", "PM", "RE", "TF", "WF", "YT")),
    "GB": frozenset(("GG", "IM", "JE")),
}


def differing_countries(iban: str | None, bic: str | None) -> tuple[str, str] | None:
    """(country of the IBAN, country of the BIC) where an account cannot have both; None where they fit together.

    >>> differing_countries("AT611904300234573201", "COBADEFF")
    ('AT', 'DE')
    >>> differing_countries("GB29NWBK60161331926819", "BARCJEHH") is None
    True
    """
    if not iban or not bic:
        return None
    account, bank = iban[:2].upper(), bic[4:6].upper()
    if bank == account or bank in _TERRITORIES.get(account, ()):
        return None
    # Some branches abroad go by the BIC of their head office; the registry knows them.
    known = bank_of(iban)
    return None if known is not None and known.bic[:8] == bic[:8].upper() else (account, bank)
