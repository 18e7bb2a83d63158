"""Where customers of demo data live: towns with everything that follows from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from domain.check_digits import austrian_vat_code, german_vat_code, luxembourg_vat_code
from domain.demo_data import words
from domain.demo_data.picking import spread
from domain.demo_data.towns import TOWNS


@dataclass(frozen=True, slots=True)
class Place:
    """A town with everything that follows from it."""

    country: str
    country_key: int
    postal_code: str
    city: str
    #: Without the addition in brackets, as it stands in names of firms.
    short_city: str
    phone_prefix: str
    territory: int | None
    currency: int | None
    legal_forms: Sequence[str]
    vat_code: Callable[[int], str] | None


_DIALLING = {"DE": "+49", "AT": "+43", "CH": "+41", "LU": "+352"}
_COUNTRY_PERCENT = {"DE": 70, "AT": 25, "CH": 4, "LU": 1}
_LARGE = ("Berlin", "Hamburg", "München", "Köln", "Frankfurt am Main", "Stuttgart", "Leipzig", "Wien", "Graz", "Zürich")


def _vat_maker(country: str) -> Callable[[int], str] | None:
    """From a random number of 32 bits to the code behind the country, or None where there is no such id."""
    if country == "DE":
        return lambda number: german_vat_code(10_000_000 + number % 90_000_000)
    if country == "AT":
        return lambda number: austrian_vat_code(number % 10_000_000)
    if country == "LU":
        return lambda number: luxembourg_vat_code(100_000 + number % 900_000)
    return None


def _territory(country: str, postal_code: str) -> str:
    if country == "DE":
        return {"0": "DE-O", "1": "DE-O", "2": "DE-N", "3": "DE-N", "4": "DE-W", "5": "DE-W", "6": "DE-W"}.get(
            postal_code[0], "DE-S"
        )
    if country == "AT":
        return "AT-W" if postal_code[0] in "56" else "AT-O"
    return country


def place_table(countries: dict[str, int], currencies: dict[str, int], territories: dict[str, int]) -> list[Place]:
    """1,024 places, large towns more often; the keys of countries, currencies and territories go by their codes."""
    table: list[Place] = []
    for country, percent in _COUNTRY_PERCENT.items():
        places = [
            Place(
                country,
                countries[country],
                town.postal_code,
                town.city,
                re.split(r" \(|/", town.city)[0],
                f"{_DIALLING[country]} {town.area_code} ".replace("  ", " "),
                territories.get(_territory(country, town.postal_code)),
                currencies.get("CHF") if country == "CH" else None,
                words.LEGAL_FORMS[country],
                _vat_maker(country),
            )
            for town in sorted(TOWNS, key=lambda town: town.city not in _LARGE)
            if town.country == country
        ]
        table += spread(places, max(len(places), round(percent * 10.24)), falling=0.4)
    return (table + table)[:1_024]
