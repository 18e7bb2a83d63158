"""The models say what the list of fields says: every table, every column, its type, limits, codes, words and marks.

The list stands beside the repository; without it these tests are skipped. All differences are printed at once. Where
the models differ on purpose, the reason stands in `ON_PURPOSE`; a reason that is no longer needed fails, too.
"""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import models
from flask_appadmin import schema
from flask_appadmin.i18n import message_id
from flask_appadmin.specs import FieldSpec, ModelSpec, spec_of

LIST = Path(__file__).resolve().parents[3] / "shared" / "spec" / "fields.tsv"

pytestmark = pytest.mark.skipif(not LIST.is_file(), reason="the list of fields is not beside the repository")

#: Tables of the generic layer. Their columns are its own (the list calls them a suggestion): entity -> table.
LAYER_TABLES = {
    "user": "app_user",
    "role": "role",
    "change_set": "change_set",
    "change": "change",
    "saved_query": "saved_query",
    "layout_window": "layout_window",
    "layout_field": "layout_field",
    "form_draft": "form_draft",
    "custom_field": "custom_field",
    "custom_field_value": "custom_field_value",
    "import_schema": "import_schema",
    "import_schema_field": "import_schema_field",
    "import_run": "import_run",
    "import_result": "import_row",
    "label_format": "label_format",
}

#: Those of them that the layer does not have yet.
LAYER_TABLES_TO_COME: set[str] = set()

#: "entity.field: what" -> why the model differs from the list.
ON_PURPOSE = {
    "customer.active: aliases": "„Nicht Aktiv“ has the opposite sense; an import must not take it as it is",
    "customer.collective_invoice: aliases": "„keine Sammelrechnung“ has the opposite sense",
    "customer.price_basis: aliases": "the second label is the second code, not another heading",
    "contact.active: aliases": "„nicht aktiv“ has the opposite sense",
    "address.active: aliases": "„Nicht Aktiv“ has the opposite sense",
    "address.vat_mode: default": "ME-112: empty means that of the customer; a default would always override it",
    "setting.contact_print_defaults: codes": "read and typed in the words of the customer's boxes instead of as JSON",
    "export_account.tax: codes": "n, 10[n] and 1[n] stand for the rates 3 to 99 and their intra-community codes",
}

#: Filled by `prepare_many` when nothing is given: the column must not be empty, the form may leave it so.
DRAWN = {
    "customer.customer_number",
    "contact.sequence_number",
    "address.sequence_number",
    "bank_account.sequence_number",
    "customer_category.sequence_number",
    "sales_order.number",
    "delivery_note.number",
    "invoice.number",
    "credit_note.number",
}

#: Sums kept by the system, which start at 0 and are never empty.
NEVER_EMPTY = {"customer.turnover_current", "customer.turnover_previous_year", "invoice.paid_amount"}

TABS = {
    "Hauptfenster": "main",
    "Stammdaten": "master",
    "Details": "details",
    "Kundenprofil": "profile",
    "Allgemein": "general",
    "Bonitätsinfo": "credit",
    "Banken": "banks",
    "Konditionen": "conditions",
    "Auftragsinfo": "order_info",
    "Sonderkontierung": "special_accounts",
    "Weitere Daten": "further",
    "Seite 2": "page_2",
    "Merkmale": "traits",
    "Parameter": "parameters",
    "Kreditverkauf": "credit_sale",
}

READ_ONLY = {
    "read-only": True,
    "read-only after first save": "after_first_save",
    "read-only once filled": "once_filled",
}


def listed_fields() -> list[dict[str, str]]:
    with LIST.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def own_specs() -> dict[str, ModelSpec]:
    return {spec.name: spec for spec in map(spec_of, models.MODELS)}


def codes_of(constraint: str) -> dict[str, str]:
    pairs = (re.match(r"(-?[\w\[\]]+)=(.*)", part) for part in parts_of(constraint))
    return {pair[1]: pair[2] for pair in pairs if pair is not None}


def parts_of(constraint: str) -> list[str]:
    return [part for part in constraint.split("; ") if part and not part.startswith("import ")]


def type_of(spec: FieldSpec) -> str:
    kind = spec.type.name
    if kind == "reference":
        table = spec.references.name
        return "fk:" + ("user" if table == "app_user" else table)
    if kind == "decimal":
        return f"decimal({spec.digits},{spec.places})"
    if kind == "text":
        return f"char({spec.max_length})"
    return {"integer": "int", "choice": "enum", "multiline": "text"}.get(kind, kind)


def limits_of(kind: str, constraint: str) -> tuple[Any, Any]:
    low: Any = None
    high: Any = None
    for part in parts_of(constraint):
        between = re.match(r"range (-?\d+)\.\.(-?\d+|current year)", part)
        if between:
            low, high = int(between[1]), int(between[2]) if between[2].lstrip("-").isdigit() else None
        elif match := re.fullmatch(r"range >= (\d+)", part):
            low = int(match[1])
        elif part == "> 0":
            places = int(re.findall(r"\d+", kind)[1]) if kind.startswith("decimal") else 0
            low = Decimal(1).scaleb(-places)
    return low, high


def default_of(kind: str, constraint: str) -> Any:
    words = next((part[len("default ") :] for part in parts_of(constraint) if part.startswith("default ")), None)
    if kind == "bool":
        return words == "true" or (words or "").startswith("setting.new_address_")
    if words is None:
        return None
    if kind == "enum":
        return words if words in codes_of(constraint) else None
    return Decimal(words) if re.fullmatch(r"\d+", words) else None


def group_of(tab: str) -> str:
    names = {re.sub(r" \(.*", "", re.sub(r"^\w+: ", "", part)) for part in tab.split("; ")}
    return next((key for name, key in TABS.items() if name in names), "main")


def differences(row: dict[str, str], spec: FieldSpec) -> dict[str, tuple[Any, Any]]:
    """What differs -> (as listed, as modelled)."""
    place = f"{row['entity']}.{row['field']}"
    labels = row["label_de"].split("; ")
    kind, parts = row["type"], parts_of(row["constraint"])
    required = "required" in parts
    wanted: dict[str, Any] = {
        "type": kind,
        "label": labels[0],
        "aliases": tuple(labels[1:]),
        "copy": row["copy"],
        "bulk": row["bulk"] == "yes",
        "unique": "unique" in parts or "unique if filled" in parts,
        "unique per": unique_with(row),
        "may be empty": not (required or kind == "bool" or place in NEVER_EMPTY),
        "required": required and place not in DRAWN,
        "limits": limits_of(kind, row["constraint"]),
        "read only": next((value for part, value in READ_ONLY.items() if part in parts), False),
        "codes": list(codes_of(row["constraint"]).items()) if kind == "enum" else [],
        "default": default_of(kind, row["constraint"]),
    }
    low, high = spec.minimum, spec.maximum
    if spec.name == "sequence_number":
        low = None  # running numbers are counted from 1 or 0 by themselves
    found: dict[str, Any] = {
        "type": type_of(spec),
        "label": message_id(spec.label),
        # Files of the world bring further headings; those that the list names must all be there.
        "aliases": tuple(alias for alias in labels[1:] if alias in spec.aliases),
        "copy": spec.copy,
        "bulk": spec.bulk,
        "unique": spec.unique,
        "unique per": spec.unique_with,
        "may be empty": spec.nullable,
        "required": spec.required,
        "limits": (low, high),
        "read only": spec.read_only,
        "codes": [(code, message_id(label)) for code, label in spec.choices],
        "default": None if callable(spec.default) else spec.default,
    }
    if row["entity"] == "customer":
        wanted["group"], found["group"] = group_of(row["tab"]), spec.group
    return {what: (wanted[what], found[what]) for what in wanted if wanted[what] != found[what]}


def unique_with(row: dict[str, str]) -> tuple[str, ...]:
    if (row["entity"], row["field"]) == ("postal_code", "city"):
        return ("country", "postal_code")
    per = (re.fullmatch(r"unique per (.+)", part) for part in parts_of(row["constraint"]))
    return next((tuple(match[1].split(" and ")) for match in per if match is not None), ())


def test_the_list_has_131_tables_and_1055_fields() -> None:
    rows = listed_fields()
    assert (len({row["entity"] for row in rows}), len(rows)) == (131, 1_055)


def test_every_listed_table_belongs_to_kontor_or_to_the_layer() -> None:
    listed = {row["entity"] for row in listed_fields()}
    assert set(own_specs()) == listed - set(LAYER_TABLES)


def test_the_layer_has_its_tables() -> None:
    """A table that has come is taken off the list of those to come."""
    there = {model._meta.table_name for model in schema.LAYER_MODELS}
    missing = {entity for entity, table in LAYER_TABLES.items() if table not in there}
    assert missing == LAYER_TABLES_TO_COME


def test_models_say_what_the_list_says() -> None:
    specs = own_specs()
    found: dict[str, str] = {}
    for row in listed_fields():
        place = f"{row['entity']}.{row['field']}"
        if row["entity"] in LAYER_TABLES:
            continue
        spec = specs[row["entity"]].by_name.get(row["field"])
        if spec is None:
            found[f"{place}: missing"] = ""
            continue
        for what, (listed, modelled) in differences(row, spec).items():
            found[f"{place}: {what}"] = f"listed {listed!r}, modelled {modelled!r}"
    surprising = [f"{place} {words}" for place, words in found.items() if place not in ON_PURPOSE]
    outlived = [f"{place}: no longer differs" for place in ON_PURPOSE if place not in found]
    assert not surprising + outlived, "\n" + "\n".join(surprising + outlived)


#: Whoever signs in is an employee: PX-55 wants him as Sachbearbeiter, and the list has no field that says who he is.
#: Customers under retention stay (trust.md case 90), and the list has no field for how long that is.
_BESIDE_THE_LIST = {("employee", "user"), ("setting", "retention_years")}


def test_models_have_no_field_that_the_list_lacks() -> None:
    listed = {(row["entity"], row["field"]) for row in listed_fields()} | _BESIDE_THE_LIST
    extra = [(name, item.name) for name, spec in own_specs().items() for item in spec.data_fields]
    assert [place for place in extra if place not in listed] == []


def test_the_customer_keeps_the_order_of_the_list() -> None:
    listed = [row["field"] for row in listed_fields() if row["entity"] == "customer"]
    assert [item.name for item in spec_of(models.Customer).data_fields] == listed


def test_uniqueness_over_several_fields_is_kept_by_the_database_too() -> None:
    for spec in own_specs().values():
        promised = {(*item.unique_with, item.name) for item in spec.data_fields if item.unique_with}
        declared = [index for index in spec.model._meta.indexes if isinstance(index, tuple)]
        kept = {tuple(names) for names, unique in declared if unique}
        assert promised == kept, spec.name


def test_tabs_of_the_customer_are_those_of_its_groups() -> None:
    groups = list(dict.fromkeys(item.group for item in spec_of(models.Customer).data_fields))
    assert groups == [key for key, _caption in models.CUSTOMER_TABS]
