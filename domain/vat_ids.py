"""VAT ids in two parts: the letters of the country and the code behind them.

Shape: `split_vat_id` takes what people type or files bring, in one piece or in two. Whether the check digits are right
is a hint (`doubt_of`), never a refusal: an id can be entered before the office that gives it has told all others.
Source: PX-135 to PX-138; Council Directive 2006/112/EC article 215 (EL for Greece, XI for Northern Ireland).
"""

from __future__ import annotations

import re

from flask_appadmin.i18n import gettext

#: First letters of VAT ids: the members of the EU, Greece as EL, and Northern Ireland as XI.
VAT_COUNTRIES = frozenset(re.findall("..", "ATBEBGCYCZDEDKEEELESFIFRHRHUIEITLTLULVMTNLPLPTROSESISKXI"))


def split_vat_id(country: str | None, code: str | None) -> tuple[str | None, str | None]:
    """Both parts of a VAT id; a code that begins with its country loses it.

    >>> split_vat_id(None, "ATU 52109800"), split_vat_id("AT", "ATU52109800"), split_vat_id("DE", "123456789")
    (('AT', 'U52109800'), ('AT', 'U52109800'), ('DE', '123456789'))
    """
    compact = re.sub(r"[\s.\-/]", "", code or "").upper()
    if compact[:2] in VAT_COUNTRIES and (not country or country.upper() == compact[:2]) and len(compact) > 4:
        return compact[:2], compact[2:]
    return country, compact or code


def whole_vat_id(country: str | None, code: str | None) -> str:
    """Both parts as documents show them; "" unless both are there.

    >>> whole_vat_id("AT", "U52109800")
    'ATU52109800'
    """
    return f"{country}{code}" if country and code else ""


def doubt_of(country: str | None, code: str | None) -> str:
    """A sentence where the code cannot be one of its country; "" where it can, or where nobody knows."""
    from stdnum.eu import vat
    from stdnum.exceptions import ValidationError

    whole = whole_vat_id(country, code)
    if whole[:2] not in VAT_COUNTRIES:
        return ""
    try:
        vat.validate(whole)
    except ValidationError:
        return gettext("„%(vat_id)s“ ist so keine gültige UID (Länge oder Prüfziffer). Bitte prüfen.", vat_id=whole)
    return ""
