"""Writes an address as the post wants it: the lines of a label, an envelope or a document, from receiver to country.

Shape: an address is a mapping with the keys of `ADDRESS_KEYS` (missing keys are empty); a country is given by its code,
ISO 3166 ("AT", "AUT") or the sign on cars ("A"). The result has no empty lines. Errors: none; a value that is not
understood is printed as it was typed, because an address is better printed oddly than not at all.
Source: PX-89 and NE-69 (PO box), PX-91 (country), NE-15 and NE-16 (labels); DIN 5008 and the country sheets of the
Universal Postal Union; decision in docs/decisions/address-lines.md.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from babel import Locale

#: What `postal_lines` reads. `country` is a code; `country_name` is what the table of countries or the record says.
ADDRESS_KEYS = (
    "title",
    "name_1",
    "name_2",
    "name_3",
    "attention_to",
    "street",
    "po_box",
    "country",
    "country_name",
    "postal_code",
    "city",
    "federal_state",
)
_NAME_KEYS = ("name_1", "name_2", "name_3")

#: Country codes of older records: signs on cars and ISO 3166 with three letters, where they differ from two letters.
_OTHER_CODES = {
    "A": "AT", "AUT": "AT", "B": "BE", "BEL": "BE", "CHE": "CH", "CZE": "CZ", "D": "DE", "DEU": "DE", "DNK": "DK",
    "E": "ES", "ESP": "ES", "EST": "EE", "F": "FR", "FRA": "FR", "FIN": "FI", "FL": "LI", "LIE": "LI", "GBR": "GB",
    "UK": "GB", "GRC": "GR", "EL": "GR", "H": "HU", "HUN": "HU", "HRV": "HR", "I": "IT", "ITA": "IT", "IRL": "IE",
    "L": "LU", "LUX": "LU", "N": "NO", "NOR": "NO", "NLD": "NL", "P": "PT", "PRT": "PT", "POL": "PL", "S": "SE",
    "SWE": "SE", "SLO": "SI", "SVN": "SI", "SVK": "SK", "USA": "US", "CAN": "CA", "AUS": "AU", "JPN": "JP",
}  # fmt: skip

#: The place line: postcode, blank, city; these countries write it otherwise ("|" starts a new line).
_PLACE_LINES = {
    "AU": "{city} {state} {code}",
    "BR": "{city} {state}|{code}",
    "BY": "{city}|{code}",
    "CA": "{city} {state} {code}",
    "GB": "{city}|{code}",
    "GG": "{city}|{code}",
    "GI": "{city}|{code}",
    "ID": "{city} {code}",
    "IE": "{city}|{code}",
    "IM": "{city}|{code}",
    "IN": "{city} {code}|{state}",
    "IT": "{code} {city} {province}",
    "JE": "{city}|{code}",
    "JP": "{city} {state} {code}",
    "KR": "{city} {code}",
    "KZ": "{city}|{code}",
    "LV": "{city}, {code}",
    "MT": "{city} {code}",
    "MX": "{code} {city} {state}",
    "NZ": "{city} {code}",
    "PR": "{city} {state} {code}",
    "RU": "{city}|{code}",
    "SG": "{city} {code}",
    "TH": "{city} {code}",
    "TW": "{city} {code}",
    "UA": "{city}|{code}",
    "US": "{city} {state} {code}",
    "VN": "{city} {code}",
    "ZA": "{city}|{code}",
}

#: A country sign before the postcode, which DIN 5008 has dropped and sorting machines stumble over.
_COUNTRY_SIGN = {
    "DE": re.compile(r"^(?:D|DE)\s*[-–]\s*(?=\d)", re.IGNORECASE),
    "AT": re.compile(r"^(?:A|AT)\s*[-–]\s*(?=\d)", re.IGNORECASE),
    "CH": re.compile(r"^CH\s*[-–]\s*(?=\d)", re.IGNORECASE),
    "LI": re.compile(r"^(?:FL|LI)\s*[-–]\s*(?=\d)", re.IGNORECASE),
}
_ATTENTION_SAID = re.compile(r"^(?:z\.? ?h|zu h|c/o|att|an )", re.IGNORECASE)


def postal_lines(record: Mapping[str, Any], own_country: str = "DE") -> list[str]:
    """The lines of an address, receiver first; the country stands last, in capitals, and only if it is not our own.

    >>> postal_lines({"name_1": "Berger & Co", "po_box": "123", "postal_code": "8010", "city": "Graz", "country": "AT"})
    ['Berger & Co', 'Postfach 123', '8010 Graz', 'ÖSTERREICH']
    """
    own = country_code(own_country)
    country = country_code(_text(record, "country")) or own
    lines = [_text(record, key) for key in ("title", *_NAME_KEYS)]
    lines.append(_attention_line(_text(record, "attention_to")))
    lines.append(_text(record, "street") or _po_box_line(_text(record, "po_box")))
    lines += _place_lines(record, country)
    lines.append(_country_line(record, country, own))
    return [line for line in lines if line]


def country_code(code: str) -> str:
    """The code with two letters for any spelling of a country code; "" for none."""
    code = code.strip().upper()
    return _OTHER_CODES.get(code, code)


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    return " ".join(str(value).split()) if value else ""


def _attention_line(text: str) -> str:
    return text if not text or _ATTENTION_SAID.match(text) else f"z. Hd. {text}"


def _po_box_line(text: str) -> str:
    """PX-89: a number gets its word; whoever typed letters has chosen the word already."""
    return text if not text or any(character.isalpha() for character in text) else f"Postfach {text}"


def _place_lines(record: Mapping[str, Any], country: str) -> list[str]:
    code, city, state = _text(record, "postal_code"), _text(record, "city"), _text(record, "federal_state")
    sign = _COUNTRY_SIGN.get(country)
    if sign:
        code = sign.sub("", code)
    template = _PLACE_LINES.get(country)
    if template is None:
        return [f"{code} {city}".strip()]
    province = state if len(state) == 2 else ""
    filled = template.format(code=code, city=city, state=state, province=province)
    return [" ".join(line.split()).strip(" ,") for line in filled.split("|")]


def _country_line(record: Mapping[str, Any], country: str, own: str) -> str:
    typed = _text(record, "country_name")
    if not _text(record, "country") and typed and typed.casefold() != _german_name(own).casefold():
        # No code, but a name: old lists have only that.
        return typed.upper()
    return "" if country == own else (typed or _german_name(country)).upper()


@functools.cache
def _german_name(country: str) -> str:
    return str(Locale("de").territories.get(country, country))


def labels_for(
    records: Iterable[Mapping[str, Any]],
    *,
    addresses: Mapping[Any, Mapping[str, Any]] | None = None,
    sort_order: str = "",
    own_country: str = "DE",
) -> Iterator[list[str]]:
    """The lines of one label per customer.

    `records` are customers as mappings (`id`, `customer_number` and the keys of an address), `addresses` the chosen
    further address by customer's id (see `chosen_addresses`); a customer without one gets the main address (NE-16), an
    address without names the names of its customer. `sort_order` is "number", "name" or "postal_code" (NE-15); without
    it the given order is kept and nothing is held in memory.
    """
    printed: Iterable[Mapping[str, Any]] = (_printed_address(record, addresses) for record in records)
    if sort_order:
        printed = sorted(printed, key=functools.partial(_SORT_KEYS[sort_order], own_country))
    for address in printed:
        yield postal_lines(address, own_country)


def _printed_address(record: Mapping[str, Any], addresses: Mapping[Any, Mapping[str, Any]] | None) -> Mapping[str, Any]:
    address = addresses.get(record["id"]) if addresses else None
    if address is None:
        return record
    names: Mapping[str, Any] = address if any(address.get(key) for key in _NAME_KEYS) else record
    return {
        **address,
        **{key: names.get(key) for key in ("title", *_NAME_KEYS)},
        "attention_to": record.get("attention_to") if names is record else None,
        "customer_number": record.get("customer_number"),
    }


#: The kinds of address that can be chosen, and the mark in the table of addresses.
ADDRESS_MARKS = {"residence": "is_residence", "delivery": "is_delivery", "invoice": "is_invoice"}


def chosen_addresses(rows: Iterable[Mapping[str, Any]], choice: str) -> dict[Any, Mapping[str, Any]]:
    """Of the further addresses (rows of the table, `customer` as id) the one to print for each customer.

    The first active one with the mark of the choice; "main" chooses none.
    """
    mark = ADDRESS_MARKS.get(choice)
    chosen: dict[Any, Mapping[str, Any]] = {}
    if mark is None:
        return chosen
    for row in rows:
        if not row.get(mark) or row.get("active") is False or row.get("no_print"):
            continue
        best = chosen.get(row["customer"])
        if best is None or row["sequence_number"] < best["sequence_number"]:
            chosen[row["customer"]] = row
    return chosen


def _number(record: Mapping[str, Any]) -> int:
    return int(record.get("customer_number") or 0)


def _folded(text: str) -> str:
    """Letters as a German index sorts them (DIN 5007-1): ä beside a, ß as ss."""
    plain = unicodedata.normalize("NFD", text.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))


def _by_number(_own: str, record: Mapping[str, Any]) -> tuple[Any, ...]:
    return (_number(record),)


def _by_name(_own: str, record: Mapping[str, Any]) -> tuple[Any, ...]:
    return (_folded(" ".join(_text(record, key) for key in _NAME_KEYS)), _number(record))


def _by_postal_code(own: str, record: Mapping[str, Any]) -> tuple[Any, ...]:
    """Our own country first, then country by country, as the post wants mass mailings."""
    country = country_code(_text(record, "country")) or country_code(own)
    return (
        country != country_code(own),
        country,
        _text(record, "postal_code"),
        _folded(_text(record, "city")),
        _folded(_text(record, "street")),
        _number(record),
    )


_SORT_KEYS: dict[str, Callable[[str, Mapping[str, Any]], tuple[Any, ...]]] = {
    "number": _by_number,
    "name": _by_name,
    "postal_code": _by_postal_code,
}
