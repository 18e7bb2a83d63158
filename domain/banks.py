"""What an IBAN says about its bank: name, BIC and sort code.

Shape: `bank_of` answers a Bank, with "" for what the list of banks does not know; None for a text that is no IBAN.
Source: the registry of schwifty (Deutsche Bundesbank, OeNB, SIX and others); ISO 13616 for the parts of an IBAN. The
registry takes half a second to read, so it is read at the first question only.
"""

from __future__ import annotations

from dataclasses import dataclass


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
    from schwifty import IBAN
    from schwifty.exceptions import SchwiftyException

    try:
        found = IBAN(iban)
        return Bank((found.bank_name or "")[:60], str(found.bic or ""), found.bank_code or "")
    except (SchwiftyException, ValueError, KeyError):
        return None
