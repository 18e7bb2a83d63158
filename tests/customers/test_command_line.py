"""The command line, as scripts use it: exit codes, JSON, German sentences on stderr. On both engines."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

import admin_app
from domain.roles import ROLES
from flask_appadmin.changes import ChangeSet
from flask_appadmin.database import connect_database, database, disconnect_database
from flask_appadmin.history import ChangeSetRecord
from flask_appadmin.i18n import set_locale
from flask_appadmin.listviews import ListView
from flask_appadmin.rights import RIGHTS, Role, User, system_operator
from flask_appadmin.schema import declare_models
from flask_appadmin.sheets import storage
from migrations import FOLDER, downgrade_schema, pending_steps, unknown_steps, upgrade_schema
from models import MODELS, Customer, Document, PostalCode

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "Rotes-Fahrrad-am-Hafen-7"


class Run:
    """What a command answered."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def kontor(
    engine_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Run]:
    """`kontor("change", …)` runs a command on a fresh database of this engine."""
    monkeypatch.setenv("KONTOR_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("DATABASE_URL", engine_url)

    def run(*arguments: str, given: str = "") -> Run:
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        capsys.readouterr()
        try:
            code = admin_app.main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            set_locale("de")
        said = capsys.readouterr()
        return Run(code, said.out, said.err)

    connect_database(engine_url)
    declare_models(MODELS)
    yield run  # type: ignore[misc]
    disconnect_database()


@pytest.fixture
def customers(kontor: Callable[..., Run]) -> list[int]:
    """Three customers: two in Mülheim, one in Wien."""
    change = ChangeSet("import")
    made = [
        change.create(Customer, {"customer_number": number, "name_1": name, "city": city, "decision_time_days": days})
        for number, name, city, days in (
            (10101, "Müller GmbH", "Mülheim", 14),
            (10102, "Bäckerei Öz", "Mülheim", 30),
            (10103, "Wiener Handel", "Wien", None),
        )
    ]
    change.apply(system_operator("Test"))
    return [record.key or 0 for record in made]


def due_days() -> list[int | None]:
    return [row.decision_time_days for row in Customer.select().order_by(Customer.customer_number)]


def test_a_change_can_be_looked_at_made_and_taken_back(kontor: Callable[..., Run], customers: list[int]) -> None:
    look = kontor("change", "--query", "city=Mülheim", "--set", "decision_time_days=30", "--dry-run", "--json")
    assert (look.code, look.json["changed"], look.json["unchanged"], look.json["change_set"]) == (0, 1, 1, None)
    assert due_days() == [14, 30, None]

    made = kontor(
        "change", "--query", "city=Mülheim", "--set", "Entscheidungszeit, Tage=30", "--reason", "neu", "--json"
    )
    assert set(made.json) >= {
        "new", "changed", "unchanged", "conflicts", "errors", "skipped", "duplicates", "change_set",
    }  # fmt: skip
    assert (made.code, made.json["changed"]) == (0, 1)
    assert due_days() == [30, 30, None]

    number = str(made.json["change_set"])
    looked = kontor("undo", number, "--dry-run", "--json")
    assert (looked.code, looked.json["changed"]) == (0, 1)
    assert due_days() == [30, 30, None]
    undone = kontor("undo", number)
    assert undone.code == 0
    assert undone.out == "1 Datensätze zurückgesetzt, 0 Werte bleiben.\n"
    assert due_days() == [14, 30, None]


def test_a_field_can_be_cleared(kontor: Callable[..., Run], customers: list[int]) -> None:
    assert kontor("change", "--query", "", "--clear", "decision_time_days").code == 0
    assert due_days() == [None, None, None]


def test_undo_leaves_what_was_changed_since_and_says_so(kontor: Callable[..., Run], customers: list[int]) -> None:
    first = kontor("change", "--query", "", "--set", "decision_time_days=60", "--json").json["change_set"]
    kontor("change", "--query", "city=Wien", "--set", "decision_time_days=90")
    undone = kontor("undo", str(first), "--json")
    assert (undone.code, undone.json["changed"], undone.json["conflicts"]) == (1, 2, 1)
    assert "Wiener Handel" in undone.err
    assert due_days() == [14, 30, 90]


def test_changes_that_make_no_sense_change_nothing(kontor: Callable[..., Run], customers: list[int]) -> None:
    for arguments, words in (
        (("--query", "nonsense=1", "--set", "decision_time_days=3"), "nicht ungefiltert"),
        (("--query", "", "--set", "decision_time_days=bald"), "„bald“"),
        (("--query", "", "--set", "decision_time_days=9999"), "Entscheidungszeit"),
        (("--query", "", "--set", "gibtsnicht=1"), "„gibtsnicht“"),
        (("--query", "", "--set", "decision_time_days"), "hat kein „=“"),
        (("--query", "", "--set", "customer_number=7"), "nicht für viele"),
        (("--query", ""), "Es fehlt"),
        (("--query", "", "--model", "nothing", "--set", "a=1"), "keine Tabelle"),
    ):
        refused = kontor("change", *arguments)
        assert (refused.code, refused.out) == (2, ""), arguments
        assert words in refused.err
    assert due_days() == [14, 30, None]


def test_sentences_come_in_english_on_demand(kontor: Callable[..., Run]) -> None:
    assert kontor("--lang", "en", "undo", "4711").code == 2
    assert "4711" in kontor("--lang", "en", "undo", "4711").err


def test_wrong_use_is_told_with_the_usage(kontor: Callable[..., Run]) -> None:
    for arguments in ((), ("fly",), ("change",), ("undo", "abc"), ("serve", "--port", "x"), ("undo", "0")):
        refused = kontor(*arguments)
        assert (refused.code, "usage" in refused.err) == (2, True), arguments


def test_the_history_of_all_and_of_one_customer(kontor: Callable[..., Run], customers: list[int]) -> None:
    kontor("change", "--query", "city=Wien", "--set", "decision_time_days=21")
    listed = kontor("history", "--json").json["operations"]
    assert [row["kind"] for row in listed][:2] == ["bulk", "import"]
    one = kontor("history", "--customer", "10103", "--json").json["changes"]
    assert (one[0]["field"], one[0]["old"], one[0]["new"]) == ("decision_time_days", "", "21")
    assert "Entscheidungszeit, Tage: leer → 21" in kontor("history", "--customer", "10103").out
    assert kontor("history", "--customer", "4711").code == 2


def test_an_operator_is_made_and_gets_another_password(kontor: Callable[..., Run]) -> None:
    made = kontor("user", "add", "Weber", "--role", "Administrator", "--password-stdin", given=PASSWORD + "\n")
    assert (made.code, made.err) == (0, "")
    user = User.get(User.username == "weber")
    assert user.password.startswith("$argon2id$")
    assert kontor("user", "list").out == "weber\tAdministrator\taktiv\n"
    before = user.password
    changed = kontor("user", "password", "weber", "--password-stdin", given="Blaues-Fahrrad-am-Hafen-8\n")
    assert changed.code == 0
    assert User.get_by_id(user.id).password != before
    assert ChangeSetRecord.select().where(ChangeSetRecord.entity == "app_user").count() == 2


def test_operators_that_cannot_be_are_refused(kontor: Callable[..., Run]) -> None:
    for arguments, given, words in (
        (("weber",), "kurz", "12 bis 128 Zeichen"),
        (("weber", "--role", "König"), PASSWORD, "Rolle: „König“ gibt es nicht. Vorhanden sind: Administrator"),
        (("we ber",), PASSWORD, "Benutzername"),
    ):
        refused = kontor("user", "add", *arguments, "--password-stdin", given=given + "\n")
        assert refused.code == 2
        assert words in refused.err
    assert not User.select().exists()
    assert kontor("user", "add", "weber", "--password-stdin", given=PASSWORD + "\n").code == 0
    again = kontor("user", "add", "WEBER", "--password-stdin", given=PASSWORD + "\n")
    assert (again.code, "bereits vorhanden" in again.err) == (2, True)


def test_check_finds_a_sound_installation_sound(kontor: Callable[..., Run]) -> None:
    kontor("user", "add", "weber", "--role", "Administrator", "--password-stdin", given=PASSWORD + "\n")
    found = kontor("check", "--json")
    assert [finding for finding in found.json["findings"] if finding["is_error"]] == []
    assert found.code == 0


def test_check_names_everything_at_once(kontor: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "kurz")
    Role.update(permissions=["customer.fly"]).where(Role.name == "Lesen").execute()
    found = kontor("check", "--json")
    assert found.code == 2
    assert "secret-short" in {finding["check"] for finding in found.json["findings"]}
    monkeypatch.delenv("SECRET_KEY")
    found = kontor("check", "--json")
    assert {"role-right-unknown", "no-administrator"} <= {finding["check"] for finding in found.json["findings"]}
    assert found.code == 2


def test_a_backup_brings_back_what_was(kontor: Callable[..., Run], customers: list[int], tmp_path: Path) -> None:
    target = tmp_path / "today.backup"
    written = kontor("backup", str(target))
    assert (written.code, target.stat().st_size > 10_000) == (0, True), written.err
    kontor("change", "--query", "", "--set", "decision_time_days=99")
    refused = kontor("restore", str(target))
    assert (refused.code, "--force" in refused.err) == (2, True)
    assert due_days() == [99, 99, 99]
    restored = kontor("restore", str(target), "--force")
    assert restored.code == 0, restored.err
    assert due_days() == [14, 30, None]
    # What is restored can be worked with: search index and counters are there.
    found = kontor("change", "--query", "search=baeckerei", "--set", "decision_time_days=7", "--json").json
    assert (found["changed"], due_days()) == (1, [14, 7, None])


def test_a_backup_brings_back_the_uploaded_documents(
    kontor: Callable[..., Run], customers: list[int], tmp_path: Path
) -> None:
    folder = tmp_path / "instance" / "documents"
    store = storage.documents(folder.parent)
    contract = b"%PDF-1.7\n" + bytes(range(256)) * 100
    kept, gone = store.save(io.BytesIO(contract)), store.save(io.BytesIO(b"Gutschein"))
    (folder / "notes.txt").write_text("not ours")
    change = ChangeSet("form")
    change.create(
        Document, {"customer": customers[0], "file_name": "vertrag.pdf", "storage_name": kept, "size_bytes": 1}
    )
    change.apply(system_operator("Frau Weber"))
    target = tmp_path / "today.backup"
    assert kontor("backup", str(target)).code == 0
    assert [path.name for path in tmp_path.glob("*.part")] == []

    store.remove(gone)
    store.path(kept).write_bytes(contract)
    later = store.save(io.BytesIO(b"later"))
    assert kontor("restore", str(target), "--force").code == 0
    assert [Path(name).read_bytes() for name in (store.path(kept), store.path(gone))] == [contract, b"Gutschein"]
    assert not store.has(later), "what the database no longer knows"
    assert (folder / "notes.txt").read_text() == "not ours"
    assert [row.storage_name for row in Document.select()] == [kept]
    assert sorted(path.name for path in folder.parent.iterdir() if path.is_dir()) == ["documents"]

    # A part that was altered, or cut off: nothing of it is taken, and what is there stays.
    store.remove(gone)
    content = target.read_bytes()
    at = content.index(contract) + 500
    for broken in (content[:at] + b"#" + content[at + 1 :], content[: len(contract)], content[:at]):
        target.write_bytes(broken)
        refused = kontor("restore", str(target), "--force")
        assert (refused.code, refused.err) == (
            2,
            "today.backup ist keine unversehrte Sicherung. Es wurde nichts geändert.\n",
        )
        assert (store.has(kept), store.has(gone)) == (True, False)


def test_backup_and_restore_refuse_what_is_no_backup(kontor: Callable[..., Run], tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Sehr geehrte Damen und Herren")
    for arguments in (
        ("restore", str(letter), "--force"),
        ("restore", str(tmp_path / "nowhere"), "--force"),
        ("backup", str(letter)),
        ("backup", str(tmp_path / "no" / "folder.db")),
    ):
        refused = kontor(*arguments)
        assert refused.code == 2, arguments
        assert refused.err.strip().count("\n") == 0
    assert letter.read_text() == "Sehr geehrte Damen und Herren"
    assert Role.select().count() == len(ROLES)


def test_upgrade_twice_does_nothing_the_second_time(kontor: Callable[..., Run]) -> None:
    before = ChangeSetRecord.select().count()
    assert kontor("upgrade").out == "Die Datenbank war schon auf dem neuesten Stand.\n"
    assert ChangeSetRecord.select().count() == before


def test_the_schema_goes_down_and_up_again(fresh_url: str) -> None:
    connect_database(fresh_url)
    assert upgrade_schema() == ["0001_everything"]
    assert (pending_steps(), unknown_steps()) == ([], [])
    tables = set(database.get_tables())
    assert {"customer", "app_user", "change", "job", "search_customer"} <= tables
    steps = sorted(path.stem for path in FOLDER.glob("[0-9]*.py"))
    assert downgrade_schema(steps[1]) == steps[:0:-1]
    assert set(database.get_tables()) < tables
    for name, rights in (
        ("Leitung", ["customer.read"]),
        ("Lesen", ["customer.read"]),
        ("Administrator", ["user.read"]),
        ("Technik", ["*"]),
        ("Marketing", ["customer.read"]),
    ):
        Role.insert(name=name, permissions=rights).execute()
    Role.update(version=2).where(Role.name == "Marketing").execute()
    assert upgrade_schema() == steps[1:], "what an older database lacks"
    assert set(database.get_tables()) == tables
    new = {"query.write", "query.share", "view.share", "merge.run"}
    assert {role.name: set(role.permissions) & new for role in Role.select()} == {
        "Leitung": new,
        "Lesen": set(),
        "Administrator": new,
        "Technik": set(),
        "Marketing": set(),
    }, "rights that came later; what an administration has changed stays as it is"
    assert downgrade_schema(steps[0]) == steps[::-1]
    assert {name for name in database.get_tables() if not name.startswith("sqlite_")} == {"schema_migration"}
    assert pending_steps() == steps
    upgrade_schema()
    assert set(database.get_tables()) == tables
    disconnect_database()


def test_a_database_of_a_newer_version_is_left_alone(kontor: Callable[..., Run]) -> None:
    database.execute_sql("INSERT INTO schema_migration (name, applied) VALUES ('9999_later', '2030-01-01 00:00:00')")
    refused = kontor("upgrade")
    assert (refused.code, "9999_later" in refused.err) == (2, True)


def test_roles_name_rights_that_exist(kontor: Callable[..., Run]) -> None:
    for name, rights in ROLES.items():
        assert set(rights) - set(RIGHTS) - {"*"} == set(), name
        assert len(set(rights)) == len(rights), name
    assert {row.name: set(row.permissions) for row in Role.select()} == {
        name: set(rights) for name, rights in ROLES.items()
    }


def test_a_role_that_was_changed_stays_as_it_is(kontor: Callable[..., Run], engine_url: str) -> None:
    change = ChangeSet("form")
    change.update(Role, Role.get(Role.name == "Lesen").id, {"permissions": ["customer.read"]})
    change.apply(system_operator("Test"))
    admin_app.upgrade(engine_url)
    assert Role.get(Role.name == "Lesen").permissions == ["customer.read"]


def test_health_answers_strangers_and_says_nothing_else(client: FlaskClient) -> None:
    assert [client.get(address).data for address in ("/health/live", "/health/ready")] == [b"ok\n", b"ok\n"]
    database.execute_sql("DELETE FROM schema_migration")
    not_ready = client.get("/health/ready")
    assert (not_ready.status_code, not_ready.data) == (503, b"no\n")
    assert client.get("/health/live").status_code == 200


def test_the_first_start_on_an_empty_folder_makes_everything(tmp_path: Path) -> None:
    """From nothing to a page that answers; the second start shows no password any more."""
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "SECRET_KEY")}
    environment |= {"KONTOR_INSTANCE": str(tmp_path / "instance"), "PYTHONUNBUFFERED": "1"}
    said = []
    for _start in range(2):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with subprocess.Popen(
            [sys.executable, "admin_app.py", "serve", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        ) as server:
            assert server.stderr is not None
            lines = []
            for line in server.stderr:
                lines.append(line)
                if "Kontor läuft" in line:
                    break
            try:
                answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=30)
                assert answer.status == 200
            finally:
                server.send_signal(signal.SIGTERM)
                lines += server.stderr.readlines()
        assert server.returncode == 0
        said.append("".join(lines))
    assert re.search(r"Benutzername: admin\n +Passwort: +[a-z2-9]{4}(-[a-z2-9]{4}){4}\n", said[0])
    assert "Passwort" not in said[1]
    assert "Traceback" not in said[0] + said[1]
    key = tmp_path / "instance" / "secret_key"
    assert (key.stat().st_mode & 0o777, len(key.read_text()) >= 32) == (0o600, True)
    assert (tmp_path / "instance").stat().st_mode & 0o777 == 0o700


def test_demo_data_export_and_labels(kontor: Callable[..., Run], tmp_path: Path) -> None:
    assert kontor("demo-data", "--customers", "30", "--seed", "7").code == 0
    assert Customer.select().count() >= 30
    labels = kontor("labels", str(tmp_path / "labels.pdf"), "--start", "3", "--json")
    assert labels.code == 0, labels.err
    assert (tmp_path / "labels.pdf").read_bytes().startswith(b"%PDF")
    number = Customer.select().order_by(Customer.id).first().customer_number
    written = kontor("export", str(tmp_path / "one.csv"), "--keys", str(number), "--json")
    assert (written.code, written.json["count"]) == (0, 1), written.err
    again = kontor("import", str(tmp_path / "one.csv"), "--json")
    assert (again.code, again.json["new"], again.json["changed"]) == (0, 0, 0), again.err
    assert kontor("export", str(tmp_path / "one.doc")).code == 2
    assert kontor("import", str(tmp_path / "nowhere.xlsx")).code == 2


def test_an_export_by_a_view_takes_its_filter_and_columns(kontor: Callable[..., Run], tmp_path: Path) -> None:
    """What the list does not show without a view (deleted customers) is no part of the file either."""
    change = ChangeSet("form")
    for name in ("Auer", "Bauer", "Huber"):
        change.create(Customer, {"name_1": name, "status": "active", "search_name": name})
    change.apply(system_operator("Test"))
    Customer.update(status="deleted").where(Customer.name_1 == "Bauer").execute()
    shown = [{"name": "name_1", "label": "Name 1"}, {"name": "city", "label": "Ort"}]
    ListView.insert(entity="customer", name="Auer und Bauer", query="name_1__contains=auer", columns=shown).execute()
    ListView.update(shared="all").execute()
    written = kontor("export", str(tmp_path / "view.csv"), "--view", "auer und bauer", "--json")
    assert written.code == 0, written.err
    lines = (tmp_path / "view.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [head for head in lines[0].split(";") if head in ("Kunden-Nr.", "Name 1", "Ort", "Telefon")] == [
        "Kunden-Nr.",
        "Name 1",
        "Ort",
    ]
    assert ["Auer" in line for line in lines[1:]] == [True]
    # An address of the list means the same behind --query, the view that it names too.
    number = ListView.select(ListView.id).scalar()
    for query, names in ((f"view={number}", ["Auer"]), (f"view={number}&view=all", ["Auer", "Bauer"])):
        assert kontor("export", str(tmp_path / "query.csv"), "--query", query).code == 0
        text = (tmp_path / "query.csv").read_text(encoding="utf-8-sig")
        assert [name for name in ("Auer", "Bauer", "Huber") if name in text] == names, query
    refused = kontor("export", str(tmp_path / "view.csv"), "--view", "Unbekannt")
    assert (refused.code, "Unbekannt" in refused.err) == (2, True)


@pytest.mark.engines("sqlite")
def test_postal_codes_come_from_a_file_of_geonames(kontor: Callable[..., Run], tmp_path: Path) -> None:
    path = tmp_path / "AT.txt"
    path.write_text(
        "AT\t1010\tWien, Innere Stadt\tWien\t09\t\t\t\t\t48.2\t16.3\t4\n"
        "AT\tA-8010\tGraz\tSteiermark\t06\t\t\t\t\t47.0\t15.4\t4\n"
        "DE\t10875\tDaimler Insurance Services GmbH\t\t\t\t\t\t\t48.8\t9.1\t4\n"
        "QQ\t1\tNirgends\t\t\t\t\t\t\t0\t0\t4\n",
        encoding="utf-8",
    )
    answer = kontor("postal-codes", str(path), "--json")
    assert (answer.code, answer.json["new"], answer.json["skipped"]) == (0, 2, 2)
    rows = PostalCode.select(PostalCode.postal_code, PostalCode.city, PostalCode.dialling_code).order_by(PostalCode.id)
    assert list(rows.tuples()) == [("1010", "Wien", "+43 1"), ("8010", "Graz", "+43 316")]
    archive = tmp_path / "AT.zip"
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("readme.txt", "GeoNames")
        target.write(path, "AT.txt")
    assert kontor("postal-codes", str(archive)).out == (
        "0 Orte geladen, 2 waren schon da, 2 ausgelassen (Firmen, unbekannte Länder).\n"
    )
    path.write_text("country_code,zipcode,place\nLU,L-4968,Schouweiler\n", encoding="utf-8")
    assert kontor("postal-codes", str(path), "--json").json["new"] == 1
    path.write_text("Nummer;Name\n1;Huber\n", encoding="utf-8")
    answer = kontor("postal-codes", str(path))
    assert answer.code == 2
    assert answer.err.startswith("In der Datei AT.txt fehlen Land, Postleitzahl und Ort.")
    assert kontor("postal-codes", str(tmp_path / "fehlt.txt")).code == 2
