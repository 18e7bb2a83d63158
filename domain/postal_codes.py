"""Places behind a postal code: what the form proposes for a country and a code, and how the table of them is filled.

Shape: `places_of` answers the places of a code, the important ones first; none where the table has no entry, since a
guess is worse than nothing. `dialling_prefix` is what a number there begins with. `load_postal_codes` reads a file as
GeoNames gives it away: tabs, no heading, code of the country, postal code, place; or the same columns with headings and
commas or semicolons. Codes stand in the table without a country sign ("4968", not "L-4968").
Units: prefixes as they are dialled from abroad, "+43 316". Errors: AppAdminError for a file that is none of these.
Source: PX-60, PX-61; design.md section 11. GeoNames lists companies with a code of their own as places (no place), and
districts behind a comma ("Wien, Innere Stadt" is Wien). Area codes by place: phonenumbers, only where its name belongs
to one area.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from domain.values.countries import Country, PostalCode
from flask_appadmin import search
from flask_appadmin.changes import load_rows, record_loading
from flask_appadmin.database import transaction
from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Operator
from flask_appadmin.specs import spec_of

#: So many places are offered for one code.
_MOST_PLACES = 60


@dataclass(frozen=True)
class Place:
    city: str
    #: What phone numbers there begin with, as dialled from abroad; "" where it is not known.
    prefix: str


def plain_code(code: str) -> str:
    """A postal code without the sign of its country and without blanks around it.

    >>> [plain_code(code) for code in ("A-1010", " 8010 ", "L-4968", "sw1a 2aa", "D 01067")]
    ['1010', '8010', '4968', 'SW1A 2AA', '01067']
    """
    return re.sub(r"^[A-Z]{1,3}\s*[-–]\s*(?=\d)|^[A-Z]{1,3}\s+(?=\d)", "", " ".join(code.upper().split()))


def places_of(country: int | None, code: str | None) -> list[Place]:
    """The places of a postal code; [] without country or code, or where the table has none."""
    text = plain_code(code or "")
    if country is None or not text:
        return []
    # Files of some countries have the first part only ("2595 AA" is in 2595, "SW1A 2AA" in SW1A).
    for wanted in dict.fromkeys((text, text.split()[0])):
        query = (
            PostalCode.select(PostalCode.city, PostalCode.dialling_code, Country.dialling_code)
            .join(Country)
            .where(PostalCode.country == country, PostalCode.postal_code == wanted)
            .order_by(PostalCode.dialling_code.is_null(), PostalCode.city)
            .limit(_MOST_PLACES)
        )
        found = [Place(city, _from_abroad(area, dialling)) for city, area, dialling in query.tuples()]
        if found:
            return found
    return []


def _from_abroad(area: str | None, country: str | None) -> str:
    """The prefix of a place with its country: "+43 316", also where the table says "0316"."""
    area = (area or "").strip()
    if not area or area.startswith("+"):
        return area
    return f"{country} {area.lstrip('0')}" if country else ""


def prefix_of(places: list[Place], city: str | None) -> str:
    """The prefix that phones get at a code: that of the city, or the one that all its places share."""
    named = [place for place in places if city and place.city.casefold() == city.strip().casefold()]
    prefixes = {place.prefix for place in named or places}
    return prefixes.pop() if len(prefixes) == 1 else ""


# --- filling the table ------------------------------------------------------------------------------------------------

#: Columns of a GeoNames file without heading.
_GEONAMES = ("country_code", "postal_code", "place")
_HEADINGS = {
    "country_code": ("country_code", "country", "land", "länderkürzel", "länderkennzeichen"),
    "postal_code": ("postal_code", "zipcode", "zip", "plz", "postleitzahl"),
    "place": ("place", "place_name", "city", "ort"),
}
#: A company that has a postal code of its own is no place.
_COMPANY = re.compile(r"\b(GmbH|mbH|AG|KG|KGaA|SE|OHG|UG|e\. ?V\.|Ltd\.?|S\.A\.|N\.V\.|& Co)(?!\w)")


def load_postal_codes(path: Path, operator: Operator) -> tuple[int, int, int]:
    """Adds the places of a file that the table does not have yet; nothing is removed.

    Answers how many were added, were there already, and were left out (unknown country, company, empty).
    """
    countries = {code.upper(): key for key, code in Country.select(Country.id, Country.code).tuples()}
    query = PostalCode.select(PostalCode.country, PostalCode.postal_code, PostalCode.city)
    known = set(query.tuples())
    areas = _area_codes()
    added: list[tuple[int, str, str, str | None]] = []
    there = left_out = 0
    seen = set()
    for code, postal_code, place in _rows_of(path):
        country = countries.get(code.strip().upper())
        city = _city_of(code, place)[:60]
        postal_code = plain_code(postal_code)[:10]
        if country is None or not city or not postal_code:
            left_out += 1
            continue
        row = (country, postal_code, city)
        if row in seen:
            continue
        seen.add(row)
        if row in known:
            there += 1
        else:
            added.append((*row, areas.get((code.strip().upper(), search.fold(city)))))
    with transaction():
        if added:
            load_rows(PostalCode, ("country", "postal_code", "city", "dialling_code"), added)
            title = gettext("Postleitzahlen aus „%(file)s“ geladen", file=path.name)
            record_loading(operator, spec_of(PostalCode), len(added), title)
            search.rebuild(spec_of(PostalCode))
    return len(added), there, left_out


def _rows_of(path: Path) -> Iterator[tuple[str, str, str]]:
    """Country, postal code and place of each row; raises AppAdminError where these cannot be found."""
    text = _text_of(path)
    lines = text.split("\n", 1)[0]
    mark = max("\t;,", key=lines.count)
    rows = csv.reader(io.StringIO(text), delimiter=mark, quoting=csv.QUOTE_NONE if mark == "\t" else csv.QUOTE_MINIMAL)
    first = next(rows, [])
    names = [cell.strip().casefold() for cell in first]
    places = [next((names.index(word) for word in _HEADINGS[key] if word in names), -1) for key in _GEONAMES]
    if -1 in places:
        if not re.fullmatch(r"[A-Z]{2}", first[0].strip() if len(first) > 2 else ""):
            raise AppAdminError(
                gettext(
                    "In der Datei %(file)s fehlen Land, Postleitzahl und Ort. Erwartet wird eine Datei von GeoNames "
                    "(DE.txt) oder eine csv mit den Spalten country_code, postal_code und place.",
                    file=path.name,
                )
            )
        places = [0, 1, 2]
        yield first[0], first[1], first[2]
    for row in rows:
        if len(row) > max(places):
            yield row[places[0]], row[places[1]], row[places[2]]


def _text_of(path: Path) -> str:
    """The file's text; of an archive as it is downloaded, that of the list in it."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if name.endswith(".txt") and "readme" not in name.lower()]
                content = archive.read(names[0]) if names else b""
        else:
            content = path.read_bytes()
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError, zipfile.BadZipFile) as fault:
        raise AppAdminError(gettext("Die Datei %(file)s lässt sich nicht lesen.", file=path.name)) from fault


def _city_of(code: str, place: str) -> str:
    """The town of a place: without its district, "" for a company."""
    name = " ".join(place.split(" / ")[0].split())
    if _COMPANY.search(name):
        return ""
    return name.split(",")[0].strip() if code.strip().upper() == "AT" else name


_WIEN = ("AT", "wien")


def _area_codes() -> dict[tuple[str, str], str]:
    """(country, folded name of a place) -> prefix, for names that belong to one area only."""
    from phonenumbers.geodata import GEOCODE_DATA

    found: dict[tuple[str, str], set[str]] = {}
    for country, dialling in (("DE", "49"), ("AT", "43"), ("CH", "41")):
        for prefix, names in GEOCODE_DATA.items():
            if prefix.startswith(dialling) and "de" in names:
                place = (country, search.fold(names["de"]))
                found.setdefault(place, set()).add(f"+{dialling} {prefix[len(dialling) :]}")
    # Numbers of Wien begin with 1 and a digit of the number itself: it stands there under each of these.
    return {place: prefixes.pop() for place, prefixes in found.items() if len(prefixes) == 1} | {_WIEN: "+43 1"}
