"""Every list of the shared folder comes in or is refused with a sentence; what comes in keeps its exact spelling.

What an operator does on the pages is done here: columns that do not fit are left out (`leave`), columns without a
heading are put to fields (`put`), and every repair that is proposed is taken.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from flask.testing import FlaskClient

from actions.import_sheet import run_import
from flask_appadmin.errors import AppAdminError
from flask_appadmin.rights import Operator, system_operator
from flask_appadmin.sheets.applying import apply_run
from flask_appadmin.sheets.damage.damages import damages_of
from flask_appadmin.sheets.limits import ReadLimits
from flask_appadmin.sheets.nursery import nursery
from flask_appadmin.sheets.planning import Planner
from flask_appadmin.sheets.sessions import ImportRow, ImportRun
from flask_appadmin.sheets.surveying import ImportOptions, propose_options, survey_file
from flask_appadmin.specs import spec_of
from models import Customer
from tests.customers.test_spreadsheets import upload
from tests.reader import read
from tests.spreadsheets import words_of

SPEC = spec_of(Customer)


class Given(NamedTuple):
    """One list: its rows, those that stay behind and why, and columns whose text must arrive exactly as it is."""

    rows: int
    #: Field -> heading, or number of the column where there are no headings.
    exact: dict[str, str | int]
    encoding: str = "utf-8-sig"
    separator: str = ","
    leave: tuple[str, ...] = ()
    put: dict[int, str] = {}
    #: Rows that are refused or passed over, by the beginning of their sentence.
    behind: dict[str, int] = {}


_OFFICE: dict[str, str | int] = {
    "name_1": "Name", "street": "Adresse", "postal_code": "PLZ", "email": "E-Mail", "phone": "Tel", "fax": "Fax",
}  # fmt: skip
_BREWERY: dict[str, str | int] = {
    "name_1": "name", "street": "address_1", "postal_code": "postal_code", "city": "city", "phone": "phone",
}  # fmt: skip
_OFFICES = {
    "bund_bundesbehoerden": 59, "bund_interessensvertretungen": 36, "bund_kammern": 12, "bund_parteien": 5,
    "bund_sozialversicherung": 21, "bund_staatsnahe_staatseigene_unternehmen": 26, "burgenland_berufsschulen": 4,
    "burgenland_bezirkshauptmannschaften": 9, "burgenland_burgenland": 17, "niederoesterreich_berufsschulen": 23,
    "niederoesterreich_bezirkshauptmannschaften": 20, "niederoesterreich_niederoesterreich": 30,
    "oberoesterreich_berufsschulen": 23, "oberoesterreich_bezirkshauptmannschaften": 14,
    "oberoesterreich_oberoesterreich": 31, "privat_auskunfteien": 15, "privat_einzelhandel": 23,
    "privat_infrastruktur": 37, "privat_vereine": 19, "privat_verkehr": 10, "privat_versicherungen": 32,
    "wien_berufsschulen": 20, "wien_magistratische_bezirksaemter": 15, "wien_magistratsabteilungen": 56,
    "wien_volkshochschulen": 46, "wien_wien": 60,
}  # fmt: skip
_BREWERIES = {
    "baden-wurttemberg": 195, "berlin": 41, "brandenburg": 36, "bremen": 4, "hamburg": 14, "hessen": 78,
    "mecklenburg-vorpommern": 27, "niedersachsen": 79, "rheinland-pfalz": 58, "saarland": 14, "sachsen-anhalt": 25,
    "schleswig-holstein": 28, "thuringen": 37,
}  # fmt: skip
_NORTHWIND: dict[str, str | int] = {
    "name_1": "CompanyName", "street": "Address", "postal_code": "PostalCode", "city": "City", "phone": "Phone",
}  # fmt: skip

#: Every list that comes in, but for those with a test of their own (test_spreadsheets.py): see OTHERS.
LISTS: dict[str, Given] = {
    **{f"behoerden_at/{name}.csv": Given(rows, _OFFICE, leave=("Typ",)) for name, rows in _OFFICES.items()},
    **{
        f"brauereien/germany_{name}.csv": Given(rows, _BREWERY, leave=("longitude", "latitude", "brewery_type"))
        for name, rows in _BREWERIES.items()
    },
    "northwind/customers.utf8.csv": Given(91, _NORTHWIND),
    "northwind/suppliers.utf8.csv": Given(29, _NORTHWIND),
    "finanzaemter/finanzaemter.cp1252.csv": Given(
        488,
        {"name_1": "Name", "street": "Strasse", "city": "Ort", "phone": "Telefon", "po_box": "Postfach"},
        "cp1252",
        ";",
    ),
    "krankenhaeuser/DE.csv": Given(
        2809, {"postal_code": "postcode", "city": "city"}, behind={"Die Zeile ist dieselbe wie": 31}
    ),
    "firmen_datenanfragen/companies.quoted-newlines.csv": Given(
        2086, {"phone": "phone", "fax": "fax", "email": "email"}, separator=";"
    ),
    "datev/EXTF_Stammdaten.csv": Given(
        4,
        {"street": "Straße", "postal_code": "Postleitzahl", "city": "Ort", "phone": "Telefon"},
        "cp1252",
        ";",
        leave=("Sprache",),
        behind={"Name 1 oder Name 2 muss gefüllt sein": 1},
    ),
    "adventureworks/Address.DE.tsv": Given(
        1821,
        {"street": 1, "city": 3, "postal_code": 5},
        separator="\t",
        put={0: "name_1", 1: "street", 3: "city", 5: "postal_code"},
    ),
    "adventureworks/DimReseller.csv": Given(
        701, {"name_1": 5, "phone": 3}, separator="|", put={2: "external_customer_id", 3: "phone", 5: "name_1"}
    ),
    "kontakte/odoo_res.partner.csv": Given(
        6, {"name_1": "Name", "postal_code": "ZIP"}, leave=("Company Type", "Supplier")
    ),
    "kontakte/thunderbird_csv_semicolon.csv": Given(2, {"name_1": "Display Name"}, separator=";"),
    "kontakte/civicrm_organization_multiple_duplicates_invalid.csv": Given(
        3, {"name_1": "organization_name"}, put={0: "name_1"}
    ),
    "kontakte/roundcube_all.csv": Given(1, {"phone": "Home Phone"}, leave=("Title",)),
    "kontakte/roundcube_tb_plain.csv": Given(1, {"name_1": "First Name"}, leave=("Organization",)),
    "kontakte/roundcube_outlook.csv": Given(1, {}, behind={"Name 1 oder Name 2 muss gefüllt sein": 1}),
}
#: Lists up to this many rows are written, too.
_WRITTEN = 100
#: What is no table, or is tried elsewhere.
REFUSED = ("chinook/Customer.json", "chinook/Employee.json", "firmen_datenanfragen/companies.json")
OTHERS = {"banken_at": 1, "northwind": 7, "schulen_nrw": 1, "gemeinden_destatis": 1}


def brought_in(path: Path, given: Given, clerk: Operator) -> ImportRun:
    """The plan of a list, with the mapping and the repairs that an operator would choose."""
    options = ImportOptions()
    survey = survey_file(path, path.name, SPEC, clerk, options)
    options = propose_options(survey, SPEC, options)
    for index, heading in enumerate(survey.main.detection.headings):
        options.targets[index] = given.put.get(index, "" if heading in given.leave else options.targets[index])
    run = ImportRun.create(
        user_name=clerk.name, entity=SPEC.name, file_name=path.name, detection=survey.to_json(),
        options=options.to_json(), state="preview",
    )  # fmt: skip
    Planner(run, path, SPEC, clerk, options).plan(survey)
    run = ImportRun.get_by_id(run.id)
    options.repairs = {damage.key: "repair" for damage in damages_of(run.detection)}
    if options.repairs:
        Planner(run, path, SPEC, clerk, options).plan(survey)
        run = ImportRun.get_by_id(run.id)
    return run


def taken_over(run: ImportRun, given: Given, clerk: Operator) -> list[dict[str, Any]]:
    """The values of the new customers; of long lists as they are planned, with every rule asked, to save the time."""
    names = ("name_1", "name_2", "name_3", *given.exact)
    if given.rows > _WRITTEN:
        new = ImportRow.select(ImportRow.plan).where(ImportRow.run == run.id, ImportRow.state == "new")
        return [row.plan for row in new]
    apply_run(run, SPEC, clerk)
    found = [{name: getattr(row, name) for name in names} for row in Customer.select()]
    Customer.delete().execute()
    return found


def written_in(path: Path, given: Given) -> dict[str, Counter[str]]:
    """What the file says in the columns that are looked at, read without Kontor; blanks and apostrophes as repaired."""
    text = path.read_bytes().decode(given.encoding)
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=given.separator) if any(row)]
    first = {name: column for name, column in given.exact.items() if isinstance(column, str)}
    while first and not set(first.values()) <= set(rows[0]):
        del rows[0]
    headings = rows[0] if first else []
    places = {
        name: headings.index(column) if isinstance(column, str) else column for name, column in given.exact.items()
    }
    found: dict[str, Counter[str]] = {name: Counter() for name in _joined(places)}
    for row in rows[1:] if first else rows:
        cells = {name: row[place] for name, place in places.items() if place < len(row)}
        cells = {name: re.sub(r"^['‘’]+(?=[+=\-@\d])", "", cell) for name, cell in cells.items()}
        for name, text in _joined(cells).items():
            found[name][text] += 1
    return found


def _joined(texts: dict[str, Any]) -> dict[str, str]:
    """The texts without blanks; name and street are one, since what is too long goes on in the fields between them."""
    joined = {name: "".join(str(text or "").replace(",", " ").split()) for name, text in texts.items()}
    if "email" in joined:
        joined["email"] = joined["email"].casefold()
    if "name_1" in joined:
        names = ("name_1", "name_2", "name_3", "street")
        joined["name_1"] = "".join(joined.pop(name) for name in names if name in joined)
    return joined


@pytest.mark.engines("sqlite")  # the files are what is tried; both engines take them in test_spreadsheets.py
def test_every_list_comes_in_with_its_exact_spelling_or_stays_behind_with_a_sentence(
    clerk: Operator, customers: Path
) -> None:
    files = {str(path.relative_to(customers)) for path in customers.rglob("*.*") if path.name != "README.md"}
    others = Counter(name.split("/")[0] for name in files - set(LISTS) - set(REFUSED))
    assert others == OTHERS and set(LISTS) | set(REFUSED) <= files
    for name, given in LISTS.items():
        run = brought_in(customers / name, given, clerk)
        new = taken_over(run, given, clerk)
        left = ImportRow.select().where(ImportRow.run == run.id, ImportRow.state.in_(("error", "skipped")))
        said = [row.findings[-1][2] for row in left]
        behind = Counter(next((words for words in given.behind if words in text), text) for text in said)
        few = sum(given.behind.values())
        assert (name, len(new), behind) == (name, given.rows - few, given.behind)
        written = written_in(customers / name, given)
        fields = [*given.exact, *(("name_2", "name_3") if "name_1" in given.exact else ())]
        stored: dict[str, Counter[str]] = {field: Counter() for field in written}
        for values in new:
            for field, text in _joined({field: values.get(field) for field in fields}).items():
                stored[field][text] += 1
        for field, texts in written.items():
            lost, added = texts - stored[field], stored[field] - texts
            assert lost.total() <= few and not added, (name, field, lost, added)


@pytest.mark.engines("sqlite")
def test_a_report_with_titles_and_footnotes_stays_behind_row_by_row(clerk: Operator, customers: Path) -> None:
    """The directory of municipalities: headings over six rows, and names that no column of ours is given to."""
    (path,) = (customers / "gemeinden_destatis").glob("*.xlsx")
    report = run_import(path, SPEC, clerk, dry_run=True)
    assert (report.new, report.changed, report.errors, report.skipped) == (0, 0, 16_054, 9)
    assert not Customer.select().exists()


def test_what_is_no_list_is_refused_by_page_and_command_with_the_same_sentence(
    operator: FlaskClient, customers: Path
) -> None:
    for name in REFUSED:
        path = customers / name
        answer = upload(operator, path)
        sentence = f"„{path.name}“ ist keine Tabelle (sondern eine JSON-Datei)."
        assert answer.status_code == 422 and sentence in words_of(answer.get_data(as_text=True))
        with pytest.raises(AppAdminError, match=re.escape(sentence)):
            run_import(path, SPEC, system_operator("Kommandozeile"))
    with pytest.raises(AppAdminError, match=r"Keine Überschrift von „DimReseller\.csv“ gehört zu einem Feld"):
        run_import(customers / "adventureworks" / "DimReseller.csv", SPEC, system_operator("Kommandozeile"))
    assert not ImportRun.select().exists()


#: What is locked, empty, foreign or damaged -> what its sentence says.
UNREADABLE = {
    "calamine/pass_protected.xlsx": "ist mit einem Kennwort geschützt",
    "calamine/pass_protected.ods": "ist mit einem Kennwort geschützt",
    "poi/password.xls": "ist mit einem Kennwort geschützt",
    "openpyxl/null_file.xlsx": "ist leer",
    "openspout/csv__csv_all_lines_empty.csv": "ist leer",
    "XlsxWriter/hide01.xlsx": "steht keine Tabelle mit Zeilen",
    "csv-spectrum/json__utf8.json": "ist keine Tabelle (sondern eine JSON-Datei)",
    "PhpSpreadsheet/HTML__charset.ISO-8859-1.html": "ist keine Tabelle (sondern eine Internetseite, HTML)",
    "PhpSpreadsheet/Xml__excel2003.iso8859-1.xml": "ist eine XML-Kalkulationstabelle von 2003",
    "ExcelDataReader/as3xls_BIFF2.xls": "ist eine Tabelle aus Excel 4 oder älter",
    "PhpSpreadsheet/XLS__oleloop.xls": "ist beschädigt oder unvollständig",
    "poi/xlsx-corrupted.xlsx": "ist beschädigt oder unvollständig",
    "poi/poc-xmlbomb.xlsx": "enthält eigene XML-Definitionen",
    "generated/zipbombe_30mb.xlsx": "ist ungewöhnlich stark gepackt",
    "generated/nullbytes.csv": "Nullbyte",
    "generated/anfuehrung_offen.csv": "Das Anführungszeichen in Zeile",
}


def test_locked_empty_foreign_and_damaged_files_get_one_sentence_while_others_work(
    operator: FlaskClient, sign_in_as: Callable[..., FlaskClient], shared_data: Path
) -> None:
    other = sign_in_as("Administrator", "huber", "Herr Huber")
    limits = ReadLimits()

    def bring() -> list[tuple[str, int, list[str], bool]]:
        found = []
        for name in UNREADABLE:
            path = shared_data / "spreadsheets" / name
            began = time.monotonic()
            answer = read(upload(operator, path))
            found.append((name, answer.status, answer.summary, time.monotonic() - began < 15))
        return found

    # What makes a reader work as long as it may: others are served all the while.
    endless = tempfile.TemporaryFile()  # noqa: SIM115 (closed below)
    endless.write(b"a;b\n" + b"1;2\n" * 8_000_000)
    endless.flush()
    request = json.dumps({"limits": limits._asdict(), "encoding": "", "separator": ""}).encode()
    busy = nursery.reader(endless, request)
    try:
        with ThreadPoolExecutor(1) as pool:
            bringing = pool.submit(bring)
            pages = [other.get("/admin/customer/").status_code for _page in range(5)]
            answers = bringing.result()
    finally:
        busy.close()
        endless.close()
    assert pages == [200] * 5
    for name, status, said, in_time in answers:
        assert (name, status, len(said), in_time) == (name, 422, 1, True), said
        assert UNREADABLE[name] in said[0] and said[0].endswith(".")
    assert not ImportRun.select().exists()
