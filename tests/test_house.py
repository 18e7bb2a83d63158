"""The promises of the house: who imports whom, who writes, what pages may contain, what stays at home.

A sentence that fails here names the place. Where a rule has an exception, the exception stands below with its reason;
an exception that nobody needs any more fails too.
"""

from __future__ import annotations

import pytest

from tests.house import (
    LAYER,
    HouseFile,
    addresses,
    customer_words,
    files,
    inline_code,
    machine_paths,
    missing_exports,
    nameless_rooms,
    outside_urls,
    product_files,
    unknown_rooms,
    writes,
    wrong_arrows,
)


class _Any(set[str]):
    """Contains everything."""

    def __contains__(self, name: object) -> bool:
        return True


ANY = _Any()

#: Who writes into the database besides the gateway: the place (a folder's name ends with a slash), the models or tables
#: as the code names them, and why that is right.
WRITERS: dict[str, tuple[set[str], str]] = {
    "flask_appadmin/changes/": (ANY, "the gateway itself: the only room that writes records"),
    "flask_appadmin/search.py": (ANY, "the index is derived from records, and written with the change set"),
    "flask_appadmin/loading.py": (
        ANY,
        "first fillings of a million rows; one entry of the history says what was loaded",
    ),
    "flask_appadmin/jobs.py": ({"Job"}, "progress and heartbeat are no business data: no history, no undo"),
    "flask_appadmin/security.py": ({"OperatorSession", "SignInAttempt"}, "the door's own book: no history, no undo"),
    "flask_appadmin/queries.py": ({"SavedQuery"}, "a saved condition is a bookmark: it changes no business data"),
    "flask_appadmin/selections.py": ({"StoredSelection"}, "a remembered selection is a bookmark of one operator"),
    "flask_appadmin/listviews.py": (
        {"ListView", "ListArrangement"},
        "how an operator arranges a list is a setting of his own: no history, no undo",
    ),
    "flask_appadmin/drafts.py": ({"FormDraft"}, "input that nobody saved yet is no business data: no history, no undo"),
    "flask_appadmin/presence.py": ({"FormPresence"}, "who looks at what changes no business data"),
    "flask_appadmin/worklists.py": ({"Worklist", "WorklistEntry"}, "a list of bookmarks changes no business data"),
    "flask_appadmin/duplicates.py": (
        {"NoDuplicate", "likeness"},
        "that two records are two is a remark of an operator; the other table is a scratch pad of one search",
    ),
    "migrations/0006_exceptions_of_selections.py": ({'"selection"'}, "moves what one column held into two"),
    "migrations/0012_place_of_list.py": (
        {'"role"'},
        "rights that no work group could have yet; older tables may not do",
    ),
    "migrations/0016_right_to_merge.py": ({'"role"'}, "a right that no work group could have yet"),
    "flask_appadmin/sheets/": (
        {"ImportRun", "ImportRow", "import_row", "SheetExport"},
        "an import is a stored session until the gateway applies it; an export is kept so that it is known again",
    ),
    "flask_appadmin/views/imports/": ({"ImportRun", "ImportRow", "run"}, "the same session, page by page"),
    "actions/import_sheet.py": ({"ImportRun"}, "begins a session on the command line"),
    "domain/numbers.py": (
        {"NumberRange", "running_number"},
        "the counter of a number range is raised inside the saving transaction; it has no history",
    ),
}


def tell(breaches: list[str]) -> str:
    """All breaches, one a line."""
    return f"{len(breaches)} found:\n" + "\n".join(breaches)


def test_imports_follow_the_drawing_of_the_rooms() -> None:
    breaches = wrong_arrows(files(".py"))
    assert not breaches, tell(breaches)


def test_every_python_file_stands_in_a_room() -> None:
    breaches = unknown_rooms(files(".py")) + nameless_rooms(files())
    assert not breaches, tell(breaches)


def test_the_layer_knows_no_customers() -> None:
    breaches = customer_words(files(".py", ".html", ".js", ".css", ".md", ".po", ".svg", below=[f"{LAYER}/"]))
    assert not breaches, tell(breaches)


def test_only_the_gateway_writes_records() -> None:
    breaches = [
        str(write) for file in product_files(".py") for write in writes(file) if write.table not in _allowed(file.place)
    ]
    assert not breaches, tell(breaches)


def _allowed(place: str) -> set[str]:
    return next((tables for start, (tables, _reason) in WRITERS.items() if place.startswith(start)), set())


def test_no_exception_for_writers_outlives_its_need() -> None:
    for start, (tables, _reason) in WRITERS.items():
        written = {
            write.table for file in product_files(".py") if file.place.startswith(start) for write in writes(file)
        }
        assert written, f"{start} writes nothing any more: take it off the list"
        if tables is not ANY:
            assert written == tables, f"{start} writes into {sorted(written)}; the list says {sorted(tables)}"


def test_pages_hold_nothing_a_strict_policy_refuses() -> None:
    breaches = inline_code(product_files(".html", ".js", ".mjs", ".py", ".svg"))
    assert not breaches, tell(breaches)


def test_pages_load_nothing_from_another_host() -> None:
    breaches = outside_urls(product_files(".html", ".js", ".mjs", ".css", ".svg"))
    assert not breaches, tell(breaches)


def test_scripts_import_what_others_offer() -> None:
    breaches = missing_exports(product_files(".js"))
    assert not breaches, tell(breaches)


def test_lock_files_name_no_address() -> None:
    breaches = addresses([file for file in files() if file.place.endswith((".lock", "requirements.txt"))])
    assert not breaches, tell(breaches)


def test_nothing_names_the_machine_it_was_made_on() -> None:
    breaches = machine_paths(files())
    assert not breaches, tell(breaches)


# ---------------------------------------------------------------------------- the rules notice what they are there for


def _breaches(sentences: list[str]) -> list[int]:
    """The lines of the breaches, for one file."""
    return sorted({int(sentence.split(":")[1].split(" ")[0]) for sentence in sentences})


@pytest.mark.parametrize(
    ("place", "statement"),
    [
        ("models.py", "import views"),
        ("models.py", "import flask"),
        ("domain/numbers.py", "from models import Customer"),
        ("actions/copy_records.py", "from views.customer import CustomerView"),
        ("views/customer.py", "from flask_admin import BaseView"),
        ("views/customer.py", "import migrations"),
        ("flask_appadmin/specs.py", "from flask_appadmin.changes import ChangeSet"),
        ("flask_appadmin/specs.py", "def f():\n    from flask_appadmin import views"),
        ("flask_appadmin/database.py", "from flask_appadmin.jobs import Job"),
        ("flask_appadmin/sheets/reading.py", "from ..forms import form_for"),
        ("flask_appadmin/sheets/reading.py", "import flask"),
        ("flask_appadmin/forms.py", "from flask_admin.form import rules"),
        ("flask_appadmin/history.py", "import wtforms"),
        ("flask_appadmin/views.py", "from models import Customer"),
        ("flask_appadmin/errors.py", "from . import specs"),
        ("flask_appadmin/__init__.py", "from flask_appadmin.specs import described"),
        ("flask_appadmin/gadgets.py", ""),
    ],
)
def test_a_wrong_arrow_is_noticed(place: str, statement: str) -> None:
    assert len(wrong_arrows([HouseFile(place, statement)])) == 1


@pytest.mark.parametrize(
    ("place", "statement"),
    [
        ("admin_app.py", "import flask, views, models, migrations"),
        ("models.py", "from domain.values.countries import Country\nfrom flask_appadmin.specs import described"),
        ("flask_appadmin/views.py", "import flask_admin\nfrom flask_appadmin import checks, forms, i18n"),
        ("flask_appadmin/sheets/reading.py", "from flask_appadmin.sheets import limits\nfrom . import archive"),
        ("flask_appadmin/search.py", "from flask_appadmin.database import engine"),
        ("flask_appadmin/errors.py", "if TYPE_CHECKING:\n    from flask_appadmin.specs import FieldSpec"),
    ],
)
def test_a_drawn_arrow_is_allowed(place: str, statement: str) -> None:
    assert wrong_arrows([HouseFile(place, statement)]) == []


def test_customers_are_noticed_and_seconds_are_not() -> None:
    text = "Kundennummer\nnach 30 Sekunden\nUrkunde\nSTAMMKUNDE\nbulk_customers\nerkunden\n"
    assert _breaches(customer_words([HouseFile("flask_appadmin/x.md", text)])) == [1, 4, 5]


def test_writes_are_noticed_and_dictionaries_are_not() -> None:
    source = (
        '"""Says INSERT INTO in its docstring."""\n'
        "record.save()\n"
        "values.update(other)\n"
        "names.insert(0, name)\n"
        "Customer.update(active=True).execute()\n"
        "self.model.create(name=name)\n"
        'database.execute_sql("INSERT INTO customer VALUES (1)")\n'
        'database.execute_sql(f"UPDATE {table} SET a = 1")\n'
        "text.replace('a', 'b')\n"
        "Customer.select().where(Customer.id == 1)\n"
        "canvas.save()\n"
        "record.delete_instance()\n"
        "digest.update(b'')\n"
    )
    assert _breaches([str(write) for write in writes(HouseFile("views/x.py", source))]) == [2, 5, 6, 7, 8, 12]


def test_inline_code_is_noticed() -> None:
    page = (
        "{# onclick= in a comment is none #}\n"
        '<button onclick="go()">\n'
        '<p style="color: red">\n'
        "<style>p {}</style>\n"
        "<script>go()</script>\n"
        '<a href="javascript:go()">\n'
        '<script type="module" src="/static/list.js"></script>\n'
        '<script type="application/json" id="columns">[]</script>\n'
        '<p class="lifestyle" data-on="1">\n'
    )
    assert _breaches(inline_code([HouseFile("templates/x.html", page)])) == [2, 3, 4, 5, 6]
    script = "// eval( in a comment\nconst onclick = {};\nnode.style.width = '3px';\nnode.setAttribute('style', 'x');\n"
    assert _breaches(inline_code([HouseFile("static/x.js", script)])) == [4]
    assert _breaches(inline_code([HouseFile("views/x.py", "a = 1\nb = '<p style=\"color: red\">'")])) == [2]


def test_other_hosts_are_noticed() -> None:
    page = '<img src="//cdn.example/x.png">\n<svg xmlns="http://www.w3.org/2000/svg">\n<a href="https://example.org">\n'
    assert _breaches(outside_urls([HouseFile("templates/x.html", page)])) == [1, 3]


def test_a_script_that_offers_something_else_is_noticed() -> None:
    offers = HouseFile("static/a.js", "export function start() {}\nexport const isOn = () => true;\n")
    wants = HouseFile("static/b.js", 'import { start, isOn as on } from "./a.js";\nimport { stop } from "./a.js";\n')
    assert missing_exports([offers, wants]) == ["static/b.js:2: static/a.js offers no stop"]


def test_machine_paths_are_noticed() -> None:
    text = "see " + "/wo" + "rk/main/x.py\n/admin/customer/\n/path/to/python\n" + "/ho" + "me/anna/kontor\n"
    assert _breaches(machine_paths([HouseFile("docs/x.md", text)])) == [1, 4]
