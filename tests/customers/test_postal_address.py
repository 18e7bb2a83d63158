"""Address lines: PO box, country line, places of other countries, choice and order of labels."""

from __future__ import annotations

import doctest

import pytest

from domain import postal_address
from domain.postal_address import chosen_addresses, labels_for, postal_lines


def address(**values):
    return {"name_1": "Berger GmbH", "country": "DE", "postal_code": "01067", "city": "Dresden"} | values


@pytest.mark.req("PX-89")
@pytest.mark.parametrize(
    ("po_box", "line"),
    [
        ("123", "Postfach 123"),
        ("12 34 56", "Postfach 12 34 56"),
        ("PF 123", "PF 123"),
        ("Postfach 123", "Postfach 123"),
        ("P.O. Box 9", "P.O. Box 9"),
    ],
)
def test_a_po_box_gets_its_word_only_where_none_was_typed(po_box, line):
    assert postal_lines(address(po_box=po_box)) == ["Berger GmbH", line, "01067 Dresden"]


@pytest.mark.req("ME-31", partly=True)
def test_the_salutation_stands_first_with_the_name_it_belongs_to():
    assert postal_lines(address(title="Firma"))[:2] == ["Firma", "Berger GmbH"]
    (lines,) = labels_for([{"id": 1, **address(title="Firma")}], addresses={1: {"name_1": "Lager", "city": "Graz"}})
    assert lines == ["Lager", "Graz"]


@pytest.mark.req("NE-69", partly=True)
def test_the_street_goes_before_the_po_box():
    assert postal_lines(address(street="Ring 1", po_box="123"))[1] == "Ring 1"
    assert postal_lines(address(street="  ", po_box="123"))[1] == "Postfach 123"


@pytest.mark.req("PX-91", partly=True)
def test_only_a_foreign_address_ends_with_its_country_in_capitals():
    assert postal_lines(address(), own_country="AT")[-1] == "DEUTSCHLAND"
    assert postal_lines(address(country="AT", postal_code="8010", city="Graz"), own_country="AT")[-1] == "8010 Graz"
    assert postal_lines(address(country="AT", postal_code="8010", city="Graz"))[-2:] == ["8010 Graz", "ÖSTERREICH"]
    assert postal_lines(address(country=None))[-1] == "01067 Dresden"


def test_the_name_in_the_table_of_countries_is_the_one_printed():
    assert postal_lines(address(country="GB", country_name="Großbritannien"))[-1] == "GROSSBRITANNIEN"
    assert postal_lines(address(country="DE", country_name="Deutschland"))[-1] == "01067 Dresden"
    assert postal_lines(address(country="", country_name="Norwegen"))[-1] == "NORWEGEN"


@pytest.mark.parametrize("code", ["A", "AT", "AUT", "at"])
def test_a_country_is_known_by_each_of_its_codes(code):
    assert postal_lines(address(country=code), own_country="AT")[-1] == "01067 Dresden"
    assert postal_lines(address(country=code))[-1] == "ÖSTERREICH"


@pytest.mark.parametrize(
    ("country", "code", "city", "state", "lines"),
    [
        ("AT", "1010", "Wien", "", ["1010 Wien", "ÖSTERREICH"]),
        ("AT", "A-1010", "Wien", "", ["1010 Wien", "ÖSTERREICH"]),
        ("CH", "CH-8001", "Zürich", "", ["8001 Zürich", "SCHWEIZ"]),
        ("LU", "L-1611", "Luxembourg", "", ["L-1611 Luxembourg", "LUXEMBURG"]),
        ("FR", "75007", "Paris", "", ["75007 Paris", "FRANKREICH"]),
        ("NL", "2595 AA", "Den Haag", "", ["2595 AA Den Haag", "NIEDERLANDE"]),
        ("IT", "39100", "Bozen", "BZ", ["39100 Bozen BZ", "ITALIEN"]),
        ("GB", "SW1A 2AA", "London", "", ["London", "SW1A 2AA", "VEREINIGTES KÖNIGREICH"]),
        ("US", "94107", "San Francisco", "CA", ["San Francisco CA 94107", "VEREINIGTE STAATEN"]),
        ("CA", "V3F 3K2", "Tsawassen", "BC", ["Tsawassen BC V3F 3K2", "KANADA"]),
        ("LV", "LV-1050", "Riga", "", ["Riga, LV-1050", "LETTLAND"]),
        ("LV", "", "Riga", "", ["Riga", "LETTLAND"]),
        ("XX", "12", "Irgendwo", "", ["12 Irgendwo", "XX"]),
    ],
)
def test_the_place_is_written_as_its_country_does(country, code, city, state, lines):
    record = {"country": country, "postal_code": code, "city": city, "federal_state": state}
    assert postal_lines(record) == lines


def test_zeros_at_the_start_of_a_postcode_stay():
    assert postal_lines(address(postal_code="D-01067"))[-1] == "01067 Dresden"


def test_names_and_attention_stand_above_the_street():
    record = address(name_2="Zentrale", name_3="Haus B", attention_to="Frau Berger", street="Ring 1")
    assert postal_lines(record) == [
        "Berger GmbH",
        "Zentrale",
        "Haus B",
        "z. Hd. Frau Berger",
        "Ring 1",
        "01067 Dresden",
    ]
    assert postal_lines(address(attention_to="z.Hd. Herrn Maier"))[1] == "z.Hd. Herrn Maier"


def test_an_empty_address_has_no_lines():
    assert postal_lines({}) == []


def customers():
    return [
        address(
            id=1, customer_number=30, name_1="Zeta", postal_code="1010", city="Wien", country="AT", street="Ring 1"
        ),
        address(id=2, customer_number=4, name_1="Alpha", postal_code="8010", city="Graz", country="AT"),
        address(id=3, customer_number=100, name_1="Älpler", postal_code="1020", city="Wien", country="AT"),
    ]


@pytest.mark.req("NE-15", partly=True)
@pytest.mark.parametrize(
    ("sort_order", "names"),
    [
        ("number", ["Alpha", "Zeta", "Älpler"]),
        ("name", ["Alpha", "Älpler", "Zeta"]),
        ("postal_code", ["Zeta", "Älpler", "Alpha"]),
        ("", ["Zeta", "Alpha", "Älpler"]),
    ],
)
def test_labels_come_in_the_chosen_order(sort_order, names):
    labels = labels_for(customers(), sort_order=sort_order, own_country="AT")
    assert [lines[0] for lines in labels] == names


def test_labels_by_postcode_put_our_own_country_first():
    records = [address(id=1, country="AT", postal_code="1010"), address(id=2, country="DE", postal_code="99999")]
    assert [lines[-1] for lines in labels_for(records, sort_order="postal_code")] == ["99999 Dresden", "ÖSTERREICH"]


@pytest.mark.req("NE-16", partly=True)
def test_the_delivery_address_is_printed_where_there_is_one():
    rows = [
        {"customer": 1, "sequence_number": 3, "is_delivery": True, "street": "Tor 9", "city": "Linz", "country": "AT"},
        {"customer": 1, "sequence_number": 2, "is_delivery": True, "street": "Hof 2", "city": "Linz", "country": "AT"},
        {"customer": 1, "sequence_number": 1, "is_invoice": True, "street": "Amt 1", "city": "Linz", "country": "AT"},
        {"customer": 2, "sequence_number": 1, "is_delivery": True, "active": False, "street": "Alt 1", "city": "Linz"},
    ]
    labels = list(labels_for(customers(), addresses=chosen_addresses(rows, "delivery"), own_country="AT"))
    assert labels[0] == ["Zeta", "Hof 2", "Linz"]
    assert labels[1] == ["Alpha", "8010 Graz"]
    residence = list(labels_for(customers(), addresses=chosen_addresses(rows, "residence"), own_country="AT"))
    assert residence[0] == ["Zeta", "Ring 1", "1010 Wien"]


def test_an_address_with_names_of_its_own_is_printed_with_these():
    rows = [{"customer": 1, "sequence_number": 1, "is_delivery": True, "name_1": "Lager Süd", "city": "Linz"}]
    labels = list(labels_for(customers()[:1], addresses=chosen_addresses(rows, "delivery"), own_country="AT"))
    assert labels == [["Lager Süd", "Linz"]]


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(postal_address).failed == 0
