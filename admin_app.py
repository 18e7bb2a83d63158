"""Kontor as a program: `create_app` for web servers, and the command line.

Shape: `python admin_app.py COMMAND` (or `kontor COMMAND`); each command is a function `_<command>` that takes the
parsed arguments and answers the exit code: 0 done, 1 done with findings (rows that were refused, values that stay),
2 wrong use, unreadable or not possible. Sentences go to stderr, results to stdout; `--json` prints one object there.
Environment: KONTOR_INSTANCE, DATABASE_URL, SECRET_KEY, SECRET_KEY_FALLBACKS (with a blank between two),
KONTOR_TRUSTED_HOSTS (the same), KONTOR_PROXIES (how many stand in front), KONTOR_HTTPS=1, KONTOR_SESSION_IDLE_HOURS,
KONTOR_SESSION_HOURS, KONTOR_DRAFT_DAYS.
Heavy packages are imported where a command needs them: `--help` answers at once.
Source: design.md section 9.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl

from flask_appadmin.errors import AppAdminError
from flask_appadmin.i18n import add_catalogue_folder, format_datetime, format_number, gettext, ngettext, set_locale

if TYPE_CHECKING:
    from flask import Flask

    from flask_appadmin.rights import Operator
    from flask_appadmin.specs import ModelSpec

ROOT = Path(__file__).resolve().parent
NAME = "Kontor"

add_catalogue_folder(ROOT / "translations")


# --- configuration ----------------------------------------------------------------------------------------------------


def instance_folder() -> Path:
    """The folder of database, secrets and uploads; nobody else may look into it."""
    folder = Path(os.environ.get("KONTOR_INSTANCE") or ROOT / "instance").resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def database_url() -> str:
    return os.environ.get("DATABASE_URL") or f"sqlite:///{instance_folder() / 'kontor.db'}"


def _secret_key(folder: Path) -> str:
    """The key that signs sessions and tokens: from the environment, or made once and kept for its owner only."""
    given = os.environ.get("SECRET_KEY")
    if given:
        return given
    path = folder / "secret_key"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text().strip()


def configuration() -> dict[str, Any]:
    """The settings of this machine, from its environment."""
    environment = os.environ
    folder = instance_folder()
    hosts = environment.get("KONTOR_TRUSTED_HOSTS", "").replace(",", " ").split()
    settings: dict[str, Any] = {
        "INSTANCE": folder,
        "DATABASE_URL": database_url(),
        "SECRET_KEY": _secret_key(folder),
        "SECRET_KEY_FALLBACKS": environment.get("SECRET_KEY_FALLBACKS", "").split(),
        "TRUSTED_HOSTS": ["localhost", "127.0.0.1", "[::1]", *_own_names(), *hosts],
        "PROXIES": int(environment.get("KONTOR_PROXIES") or 0),
        "SESSION_COOKIE_SECURE": environment.get("KONTOR_HTTPS", "") not in ("", "0"),
    }
    for name in ("SESSION_IDLE_HOURS", "SESSION_HOURS", "DRAFT_DAYS"):
        if environment.get(f"KONTOR_{name}"):
            settings[name] = float(environment[f"KONTOR_{name}"])
    return settings


def _own_names() -> list[str]:
    import socket

    return [socket.gethostname()]


def create_app(config: dict[str, Any] | None = None) -> Flask:
    """Kontor as a WSGI application on the configured database, which must be at this version's schema.

    `config` overrides the environment. Raises `checks.DeclarationFaults` when a declaration makes no sense.
    """
    from flask import Flask
    from flask_babel import Babel  # type: ignore[import-untyped]
    from werkzeug.middleware.proxy_fix import ProxyFix

    from domain.settings import ABSENT, current_setting
    from flask_appadmin import checks
    from flask_appadmin.database import connect_database, set_read_limit
    from flask_appadmin.i18n import current_locale
    from flask_appadmin.registry import Registry
    from flask_appadmin.schema import declare_models
    from flask_appadmin.security import init_security
    from flask_appadmin.shell import folder_version, init_shell
    from models import MODELS, Customer
    from views import HOME, MENU, TABLE_GROUPS, VIEWS

    settings = {**configuration(), **(config or {})}
    app = Flask(
        "kontor",
        root_path=str(ROOT),
        instance_path=str(settings["INSTANCE"]),
        static_folder="static",
        static_url_path=f"/static/{folder_version(ROOT / 'static')}",
    )
    app.config.update(settings)
    connect_database(app.config["DATABASE_URL"])
    set_read_limit(float(os.environ.get("KONTOR_READ_SECONDS") or 5))
    if app.config["PROXIES"]:
        count = app.config["PROXIES"]
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    checks.require_sound(checks.check_declarations(declare_models(MODELS)))
    Babel(app, locale_selector=current_locale)
    init_shell(app, NAME)
    init_security(app)
    Registry(
        app,
        MODELS,
        VIEWS,
        menu=MENU,
        brand=NAME,
        search_model=Customer,
        home=HOME,
        table_groups=TABLE_GROUPS,
        locks_on_new=lambda: bool(current_setting().lock_windows_on_new),
        absent=ABSENT,
    )
    _add_health(app)
    return app


def _add_health(app: Flask) -> None:
    """Where machines ask whether the process lives, and whether it can serve; both say nothing else."""
    from flask import Response, redirect

    from flask_appadmin.database import database
    from flask_appadmin.security import open_to_all
    from flask_appadmin.shell import needs_no_database

    @needs_no_database
    def live() -> Response:
        return Response("ok\n", content_type="text/plain")

    @open_to_all
    def ready() -> Response:
        import shutil

        from migrations import pending_steps

        try:
            database.execute_sql("SELECT 1").fetchone()
            usage = shutil.disk_usage(app.config["INSTANCE"])
            sound = not pending_steps() and usage.free > usage.total * 0.02
        except Exception:
            # Whatever it is, the answer is no; the log of the next real request has the reason.
            sound = False
        return Response("ok\n" if sound else "no\n", 200 if sound else 503, content_type="text/plain")

    @open_to_all
    def start() -> Any:
        return redirect("/admin/")

    app.add_url_rule("/health/live", "health_live", live)
    app.add_url_rule("/health/ready", "health_ready", ready)
    app.add_url_rule("/", "start", start)


# --- the database of a command ----------------------------------------------------------------------------------------


def upgrade(url: str) -> dict[str, Any]:
    """Brings a database to this version: schema, value tables, roles. Answers what was done; twice does nothing."""
    from domain.roles import create_roles
    from domain.value_data import fill_value_tables
    from domain.wincard import make_schema
    from flask_appadmin.database import connect_database
    from flask_appadmin.schema import declare_models
    from migrations import upgrade_schema
    from models import MODELS

    connect_database(url)
    declare_models(MODELS)
    done = {"steps": upgrade_schema(), "values": fill_value_tables(), "roles": create_roles()}
    return {**done, "label_formats": _fill_label_formats(), "import_schemas": make_schema()}


def _fill_label_formats() -> int:
    """Puts the usual label sheets into a database that has none; answers how many."""
    from flask_appadmin.changes import ChangeSet
    from flask_appadmin.labels import LabelFormat, factory_formats
    from flask_appadmin.rights import system_operator

    if LabelFormat.select(LabelFormat.id).exists():
        return 0
    change = ChangeSet("setup", title=gettext("Etikettenformate eingerichtet"))
    for values in factory_formats():
        change.create(LabelFormat, values)
    return change.apply(system_operator(NAME)).created


def _open() -> None:
    """The configured database, ready for a command; an empty one is made, one that is behind is not touched."""
    from flask_appadmin.database import connect_database, database
    from flask_appadmin.schema import declare_models
    from migrations import FIRST, pending_steps
    from models import MODELS

    connect_database(database_url())
    database.connect(reuse_if_open=True)
    declare_models(MODELS)
    pending = pending_steps()
    if FIRST in pending:
        upgrade(database_url())
    elif pending:
        raise AppAdminError(
            gettext("Die Datenbank ist nicht auf dem Stand dieses Programms. Bitte zuerst: admin_app.py upgrade")
        )


def _operator() -> Operator:
    """Whoever sits at the command line acts with every right; the history names the account of the machine."""
    import getpass

    from flask_appadmin import arrangements
    from flask_appadmin.rights import system_operator

    try:
        account = getpass.getuser()
    except (KeyError, OSError):
        account = ""
    operator = system_operator(gettext("Kommandozeile") + (f" ({account})" if account else ""))
    arrangements.begin(lambda: operator)
    return operator


def _model(name: str) -> ModelSpec:
    """The table that a command names: by its name or by what operators call it."""
    from flask_appadmin.changes import known_specs

    specs = known_specs()
    wanted = name.strip().casefold()
    for spec in specs.values():
        if wanted in (spec.name.casefold(), str(spec.plural).casefold(), str(spec.label).casefold()):
            return spec
    raise AppAdminError(gettext("„%(name)s“ ist keine Tabelle von Kontor.", name=name))


def _selection(spec: ModelSpec, query: str, operator: Operator) -> Any:
    """What a list with this address shows: what it leaves out unless it is asked for is left out here, too."""
    from flask_appadmin.selections import Selection

    return Selection.of_filter(_filter(spec, query, operator), operator)


def _filter(spec: ModelSpec, query: str, operator: Operator, view: str = "") -> Any:
    """The filter of the list's address behind --query, over that of a saved view with its number."""
    from flask_appadmin.listviews import filter_of
    from views import VIEWS

    usual = next((page.default_query for page in VIEWS if page.model is spec.model), "")
    pairs = parse_qsl(query.lstrip("?"), keep_blank_values=True)
    return filter_of(spec, operator, [*pairs, ("view", view)] if view else pairs, usual)


# --- what commands print ----------------------------------------------------------------------------------------------


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _report(arguments: argparse.Namespace, sentence: str, findings: Iterable[str] = (), **counts: Any) -> int:
    """Prints the outcome of a change and answers the exit code: 1 if anything was found that people should look at."""
    listed = [str(finding) for finding in findings]
    outcome: dict[str, Any] = {
        "new": 0,
        "changed": 0,
        "unchanged": 0,
        "conflicts": 0,
        "errors": 0,
        "skipped": 0,
        "duplicates": 0,
        "change_set": None,
        **counts,
        "findings": listed,
    }
    if arguments.json:
        print(json.dumps(outcome, ensure_ascii=False))
    else:
        print(sentence)
    for finding in listed:
        _say(finding)
    return 1 if listed or outcome["conflicts"] or outcome["errors"] else 0


# --- commands: operation ----------------------------------------------------------------------------------------------


def _serve(arguments: argparse.Namespace) -> int:
    import logging
    import socket

    from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

    from flask_appadmin import jobs
    from flask_appadmin.database import disconnect_database

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with socket.socket(socket.AF_INET6 if ":" in arguments.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((arguments.host, arguments.port))
        except OSError:
            raise AppAdminError(
                gettext(
                    "Auf %(host)s lässt sich der Port %(port)s nicht öffnen; vielleicht läuft Kontor dort schon. "
                    "Ein anderer: --port %(other)s",
                    host=arguments.host,
                    port=arguments.port,
                    other=arguments.port + 1,
                )
            ) from None
    done = upgrade(database_url())
    _first_administrator()
    for finding in _configuration_findings():
        _say(finding.line())
    app = create_app()
    if arguments.host not in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "::"):
        app.config["TRUSTED_HOSTS"].append(arguments.host)
    # A connection must not be carried into the workers.
    disconnect_database()
    address = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    runner: Any = None

    class Server(BaseApplication):
        def load_config(self) -> None:
            for name, value in settings.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            return app

    def start_worker(_worker: Any) -> None:
        nonlocal runner
        from flask_appadmin.database import connect_database
        from flask_appadmin.sheets.handing_on import settle_debts

        connect_database(app.config["DATABASE_URL"])
        settle_debts(Path(app.config["INSTANCE"]))
        runner = jobs.JobRunner()
        runner.start()

    def stop_worker(_server: Any, _worker: Any) -> None:
        if runner is not None:
            runner.stop()
        disconnect_database()

    def ready(_server: Any) -> None:
        host = "127.0.0.1" if arguments.host in ("0.0.0.0", "::") else address
        _say(gettext("Kontor läuft: %(url)s (Ende mit Strg+C)", url=f"http://{host}:{arguments.port}/admin/"))
        if done["steps"]:
            _say(
                gettext("Mit erfundenen Kunden füllen: %(command)s", command="admin_app.py demo-data --customers 1000")
            )

    settings = {
        "bind": f"{address}:{arguments.port}",
        "worker_class": "gthread",
        "workers": arguments.workers,
        "threads": arguments.threads,
        "preload_app": True,
        "timeout": 120,
        "graceful_timeout": 30,
        "keepalive": 5,
        "limit_request_line": 8190,
        "loglevel": "warning",
        "control_socket_disable": True,
        # The workers' sign of life must not wait for a busy disk.
        "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else None,
        "post_worker_init": start_worker,
        "worker_exit": stop_worker,
        "when_ready": ready,
    }
    Server().run()
    return 0


def _first_administrator() -> None:
    """On a database without operators: an administrator whose password is shown once, here."""
    from domain.roles import ADMINISTRATOR
    from flask_appadmin.rights import User
    from flask_appadmin.security import add_user

    if User.select(User.id).exists():
        return
    password = _random_password()
    add_user("admin", password, ADMINISTRATOR, _operator(), full_name=ADMINISTRATOR, source=gettext("Erster Start"))
    _say(
        gettext(
            "Der erste Benutzer ist angelegt. Dieses Passwort wird nur jetzt gezeigt:\n"
            "  Benutzername: admin\n  Passwort:     %(password)s",
            password=password,
        )
    )


def _random_password() -> str:
    """Five groups of four letters and digits that are not mistaken for each other: about 98 bits."""
    letters = "abcdefghijkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _place in range(4)) for _group in range(5))


def _upgrade(arguments: argparse.Namespace) -> int:
    done = upgrade(database_url())
    if done["steps"]:
        print(gettext("Die Datenbank ist auf dem neuesten Stand (%(steps)s).", steps=", ".join(done["steps"])))
    else:
        print(gettext("Die Datenbank war schon auf dem neuesten Stand."))
    return 0


def _configuration_findings() -> list[Any]:
    from flask_appadmin import checks

    return checks.check_configuration(configuration())


def _check(arguments: argparse.Namespace) -> int:
    from flask_appadmin import checks
    from flask_appadmin.database import connect_database
    from flask_appadmin.schema import declare_models
    from migrations import pending_steps, unknown_steps
    from models import MODELS

    specs = declare_models(MODELS)
    connect_database(database_url())
    findings = [*checks.check_declarations(specs), *_configuration_findings()]
    findings += checks.check_schema(pending_steps(), unknown_steps())
    if not any(finding.is_error for finding in findings):
        findings += checks.check_operators()
    if arguments.json:
        print(json.dumps({"findings": [finding.parts() for finding in findings]}, ensure_ascii=False))
    else:
        for finding in findings:
            _say(finding.line())
        print(
            ngettext("%(count)s Befund.", "%(count)s Befunde.", len(findings))
            if findings
            else gettext("Alles in Ordnung: %(count)s Tabellen.", count=len(specs))
        )
    return 2 if any(finding.is_error for finding in findings) else 0


def _backup(arguments: argparse.Namespace) -> int:
    from flask_appadmin.backup import write_backup
    from flask_appadmin.sheets import storage

    _open()
    size = write_backup(database_url(), Path(arguments.file), storage.documents(instance_folder()).folder)
    print(gettext("Gesichert: %(file)s (%(size)s MB).", file=arguments.file, size=f"{size / 1e6:.1f}"))
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    from flask_appadmin.backup import restore_backup
    from flask_appadmin.database import connect_database
    from flask_appadmin.security import end_sessions
    from flask_appadmin.sheets import storage

    connect_database(database_url())
    documents = storage.documents(instance_folder()).folder
    restore_backup(database_url(), Path(arguments.file), documents, force=arguments.force)
    done = upgrade(database_url())
    # Whoever was signed in when the backup was made is not signed in now.
    end_sessions()
    print(gettext("Zurückgespielt: %(file)s. Alle müssen sich neu anmelden.", file=arguments.file))
    if done["steps"]:
        print(gettext("Die Datenbank ist auf dem neuesten Stand (%(steps)s).", steps=", ".join(done["steps"])))
    return 0


def _user(arguments: argparse.Namespace) -> int:
    from domain.roles import create_roles
    from flask_appadmin.rights import Role, User
    from flask_appadmin.security import add_user, set_password, username_of

    _open()
    source = gettext("Kommandozeile")
    if arguments.user_command == "list":
        for user in User.select(User, Role).join(Role).order_by(User.username):
            print(f"{user.username}\t{user.role.name}\t{gettext('aktiv') if user.active else gettext('gesperrt')}")
        return 0
    password, made = _asked_password(arguments)
    if arguments.user_command == "add":
        create_roles()
        add_user(arguments.name, password, arguments.role, _operator(), full_name=arguments.full_name, source=source)
        print(gettext("Benutzer %(name)s ist angelegt (%(role)s).", name=arguments.name, role=arguments.role))
    else:
        user = User.get_or_none(User.username == username_of(arguments.name))
        if user is None:
            raise AppAdminError(gettext("Einen Benutzer „%(name)s“ gibt es nicht.", name=arguments.name))
        set_password(user.id, password, _operator(), source=source)
        print(gettext("%(name)s hat ein neues Passwort; alle Anmeldungen sind beendet.", name=user.username))
    if made:
        print(gettext("Dieses Passwort wird nur jetzt gezeigt: %(password)s", password=password))
    return 0


def _asked_password(arguments: argparse.Namespace) -> tuple[str, bool]:
    """The password from stdin, typed twice, or made up (True)."""
    if arguments.password_stdin:
        return sys.stdin.readline().rstrip("\r\n"), False
    if sys.stdin.isatty():
        import getpass

        first = getpass.getpass(gettext("Passwort (leer: eines ausdenken): "))
        if first:
            if getpass.getpass(gettext("Noch einmal: ")) != first:
                raise AppAdminError(gettext("Die beiden Passwörter sind verschieden. Es wurde nichts geändert."))
            return first, False
    return _random_password(), True


def _worker(arguments: argparse.Namespace) -> int:
    import signal
    import threading

    from flask_appadmin import jobs
    from flask_appadmin.sheets.handing_on import settle_debts

    _open()
    _register_jobs()
    settle_debts(instance_folder())
    runner = jobs.JobRunner(threads=arguments.threads)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_signal: ended.set())
    runner.start()
    _say(gettext("Aufträge werden bearbeitet (Ende mit Strg+C)."))
    ended.wait()
    runner.stop()
    return 0


def _register_jobs() -> None:
    """Makes the kinds of job known: importing the views and actions registers them."""
    import views  # noqa: F401


# --- commands: records ------------------------------------------------------------------------------------------------


def _change(arguments: argparse.Namespace) -> int:
    from flask_appadmin.changes import ChangeSet, plan_assign

    _open()
    operator = _operator()
    spec = _model(arguments.model)
    values = _assignments(spec, arguments.set, arguments.clear)
    selection = _selection(spec, arguments.query, operator)
    plan = plan_assign(selection, values, operator)
    refused = [f"{title}: {reason}" for _key, title, reason in plan.refused]
    unchanged = plan.count - plan.changed
    counts: dict[str, Any] = {"unchanged": unchanged, "errors": len(refused), "changed": plan.changed - len(refused)}
    sentence = gettext(
        "%(changed)s von %(count)s werden geändert, %(unchanged)s haben den Wert schon, %(refused)s gehen nicht.",
        changed=counts["changed"],
        count=plan.count,
        unchanged=unchanged,
        refused=len(refused),
    )
    if not arguments.dry_run and counts["changed"]:
        change = ChangeSet("bulk", source=gettext("Kommandozeile"), reason=arguments.reason)
        left_out = [key for key, _title, _reason in plan.refused]
        # The plan's state covers all rows; without the refused ones it has to be taken again.
        state = plan_assign(selection, dict(values), operator, without=left_out).state if left_out else plan.state
        change.assign(selection, values, expected=state, without=left_out)
        applied = change.apply(operator)
        counts["changed"], counts["change_set"] = applied.updated, applied.change_set
        sentence = gettext(
            "%(changed)s von %(count)s geändert, %(unchanged)s hatten den Wert schon, %(refused)s gingen nicht. "
            "Zurücknehmen: admin_app.py undo %(change_set)s",
            changed=applied.updated,
            count=plan.count,
            unchanged=unchanged,
            refused=len(refused),
            change_set=applied.change_set,
        )
    return _report(arguments, sentence, refused, **counts)


def _assignments(spec: ModelSpec, assigned: Sequence[str], cleared: Sequence[str]) -> dict[str, Any]:
    """`field=value` and fields to clear as values; raises FaultList with everything that cannot be."""
    from flask_appadmin.errors import FaultList, FieldError

    values: dict[str, Any] = {}
    faults: list[AppAdminError] = []
    pairs = [(*text.split("=", 1), "") if "=" in text else (text, None, "") for text in assigned]
    for name, text, _rest in [*pairs, *((name, "", "") for name in cleared)]:
        wanted = name.strip().casefold()
        item = next((item for item in spec.data_fields if wanted in map(str.casefold, item.headings())), None)
        if item is None or text is None:
            reason = gettext("ist kein Feld von „%(plural)s“", plural=str(spec.plural))
            faults.append(FieldError("--set", name, reason if text is not None else gettext("hat kein „=“")))
            continue
        try:
            values[item.name] = item.parse(text) if text else None
        except FieldError as fault:
            faults.append(fault)
    if faults:
        raise FaultList(faults)
    if not values:
        raise AppAdminError(gettext("Es fehlt, was geändert werden soll: --set Feld=Wert oder --clear Feld."))
    return values


def _undo(arguments: argparse.Namespace) -> int:
    from flask_appadmin.changes import ChangeSet, plan_undo
    from flask_appadmin.errors import NotFound
    from flask_appadmin.history import ChangeSetRecord

    _open()
    if ChangeSetRecord.get_or_none(ChangeSetRecord.id == arguments.change_set) is None:
        raise AppAdminError(
            gettext("Einen Vorgang %(number)s gibt es nicht.", number=arguments.change_set)
        ) from NotFound()
    operator = _operator()
    plan = plan_undo(arguments.change_set, operator=operator)
    findings = [
        f"{conflict.title}: {conflict.reason or gettext('inzwischen von %(who)s geändert', who=conflict.who or '?')}"
        for conflict in plan.conflicts
    ]
    counts: dict[str, Any] = {"changed": plan.count, "conflicts": plan.conflict_count}
    sentence = gettext(
        "%(changed)s Datensätze werden zurückgesetzt, %(conflicts)s Werte bleiben.",
        changed=plan.count,
        conflicts=plan.conflict_count,
    )
    if not arguments.dry_run:
        applied = ChangeSet.undo(arguments.change_set, reason=arguments.reason).apply(operator)
        counts |= {"changed": applied.count, "change_set": applied.change_set}
        sentence = gettext(
            "%(changed)s Datensätze zurückgesetzt, %(conflicts)s Werte bleiben.",
            changed=applied.count,
            conflicts=plan.conflict_count,
        )
    return _report(arguments, sentence, findings, **counts)


def _history(arguments: argparse.Namespace) -> int:
    from flask_appadmin.changes import known_specs
    from flask_appadmin.history import COPIED, ERASED, MERGED, lines_of_record, lines_of_set, operations

    _open()
    if arguments.customer is None and arguments.change_set is None:
        listed = operations(limit=arguments.limit)
        if arguments.json:
            found = [
                {
                    "change_set": row.id,
                    "at": f"{row.changed_at.isoformat()}Z",
                    "who": row.user_name,
                    "kind": row.kind,
                    "title": row.title,
                    "records": row.record_count,
                    "source": row.source,
                    "undo_of": row.undo_of_id,
                }
                for row in listed
            ]
            print(json.dumps({"operations": found}, ensure_ascii=False))
        for row in () if arguments.json else listed:
            print(f"{row.id:>7}  {format_datetime(row.changed_at)}  {row.user_name}  {row.kind_label}: {row.title}")
        return 0
    if arguments.change_set is not None:
        lines = lines_of_set(arguments.change_set, _operator(), known_specs(), limit=arguments.limit)
    else:
        spec = _model("customer")
        key = _key_of(spec, arguments.customer)
        lines = lines_of_record(spec, key, _operator(), known_specs(), limit=arguments.limit)
    if arguments.json:
        names = ("change_set_id", "entity", "title", "action", "field", "label", "old", "new", "who", "kind", "source")
        found = [
            {
                **{name: getattr(line, name) for name in names},
                "at": f"{line.when.isoformat()}Z" if line.when else None,
            }
            for line in lines
        ]
        print(json.dumps({"changes": found}, ensure_ascii=False))
        return 0
    for line in lines:
        when = f"{format_datetime(line.when)}  {line.who}  " if line.when else ""
        words = {
            "create": gettext("angelegt"),
            "delete": gettext("gelöscht"),
            COPIED: gettext("kopiert nach %(title)s", title=line.new),
            MERGED: gettext("zusammengeführt"),
            ERASED: "" if line.label else gettext("anonymisiert"),
        }.get(line.action, "")
        what = words or f"{line.label}: {line.old or gettext('leer')} → {line.new or gettext('leer')}"
        print(f"{line.change_set_id:>7}  {when}{line.title}  {what}")
    return 0


def _key_of(spec: ModelSpec, name: str) -> int:
    """The record people call `name` (its natural key); the survivor where it was merged with another one."""
    from flask_appadmin.errors import FieldError, NotFound
    from flask_appadmin.merging import current_key

    for item in spec.natural_key:
        try:
            value = item.parse(name)
        except FieldError:
            continue
        row = spec.model.select(spec.model.id).where(item.column_field == value).first()
        if row is not None:
            return current_key(spec, int(row.id))
    raise NotFound(spec, name)


def _demo_data(arguments: argparse.Namespace) -> int:
    from domain.demo_data import create_demo_data

    _open()

    def progress(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done:,} / {total:,}".replace(",", "."), end="", file=sys.stderr, flush=True)

    made = create_demo_data(arguments.customers, seed=arguments.seed, progress=progress)
    if sys.stderr.isatty():
        _say("")
    print(
        ngettext(
            "%(count)s Kunde mit allem, was dazugehört: %(rows)s Zeilen.",
            "%(count)s Kunden mit allem, was dazugehört: %(rows)s Zeilen.",
            made["customer"],
            rows=format_number(sum(made.values())),
        )
    )
    return 0


def _postal_codes(arguments: argparse.Namespace) -> int:
    from domain.postal_codes import load_postal_codes

    _open()
    path = Path(arguments.file)
    if not path.is_file():
        raise AppAdminError(gettext("Die Datei %(file)s gibt es nicht.", file=str(path)))
    added, there, left_out = load_postal_codes(path, _operator())
    sentence = gettext(
        "%(new)s Orte geladen, %(there)s waren schon da, %(skipped)s ausgelassen (Firmen, unbekannte Länder).",
        new=format_number(added),
        there=format_number(there),
        skipped=format_number(left_out),
    )
    return _report(arguments, sentence, new=added, unchanged=there, skipped=left_out)


def _import(arguments: argparse.Namespace) -> int:
    from actions.import_sheet import run_import

    _open()
    path = Path(arguments.file)
    if not path.is_file():
        raise AppAdminError(gettext("Die Datei %(file)s gibt es nicht.", file=str(path)))
    if any("=" not in text for text in (*arguments.set, *arguments.default)):
        raise AppAdminError(gettext("--set und --default brauchen Feld=Wert."))
    if arguments.report:
        _require_folder(Path(arguments.report))
    report = run_import(
        path,
        _model(arguments.model),
        _operator(),
        schema=arguments.schema,
        mode=arguments.mode,
        key=arguments.key,
        insert_missing=arguments.insert_missing,
        constants=dict(text.split("=", 1) for text in arguments.set),
        defaults=dict(text.split("=", 1) for text in arguments.default),
        confirmed=arguments.confirm,
        blank=arguments.blank,
        dry_run=arguments.dry_run,
        report=Path(arguments.report) if arguments.report else None,
        reason=arguments.reason,
        instance=instance_folder(),
    )
    names = ("new", "changed", "unchanged", "conflicts", "errors", "skipped", "duplicates", "deleted", "change_set")
    counts = {name: getattr(report, name) for name in names}
    sentence = gettext(
        "%(new)s neu, %(changed)s geändert, %(unchanged)s unverändert, %(conflicts)s Konflikte, %(errors)s fehlerhaft.",
        **{name: format_number(counts[name]) for name in names[:5]},
    )
    if report.deleted:
        sentence = f"{gettext('%(count)s gelöscht,', count=format_number(report.deleted))} {sentence}"
    if report.change_set:
        undo = gettext("Zurücknehmen: admin_app.py undo %(change_set)s", change_set=report.change_set)
        sentence = f"{sentence} {undo}"
    # A hint (a long text that goes on in the next field) is no fault: only what was left out counts.
    _report(arguments, sentence, report.findings, **counts)
    return report.exit_code


def _require_folder(path: Path) -> None:
    if not path.resolve().parent.is_dir():
        raise AppAdminError(gettext("Den Ordner %(folder)s gibt es nicht.", folder=str(path.parent)))


def _export(arguments: argparse.Namespace) -> int:
    from flask_appadmin.selections import Selection
    from flask_appadmin.sheets.exporting import write_export

    path = Path(arguments.file)
    file_format = path.suffix.lower().lstrip(".")
    if file_format not in ("xlsx", "csv"):
        raise AppAdminError(gettext("Möglich sind Dateien mit der Endung .xlsx oder .csv."))
    _require_folder(path)
    _open()
    operator = _operator()
    spec = _model(arguments.model)
    if arguments.keys:
        keys = [_key_of(spec, name) for name in arguments.keys.split(",") if name.strip()]
        selection = Selection.of_keys(spec, operator, keys)
    else:
        selection = _selection(spec, arguments.query, operator)
    shape: dict[str, Any] = {}
    if arguments.view:
        found, shape = _view(spec, arguments.view, arguments.query, operator)
        selection = selection if arguments.keys else Selection.of_filter(found, operator)
    written = write_export(path, selection, file_format=file_format, **shape)
    return _written(arguments, written.count, counts=written.counts)


def _view(spec: ModelSpec, name: str, query: str, operator: Operator) -> tuple[Any, dict[str, Any]]:
    """The records and the columns of a shared view: its filter, and what `write_export` takes."""
    from flask_appadmin.listviews import NoSuchView, Views, read_columns

    try:
        view = Views(spec, operator).named(name)
    except NoSuchView:
        raise AppAdminError(gettext("Eine gespeicherte Ansicht „%(name)s“ gibt es nicht.", name=name)) from None
    found = _filter(spec, query, operator, str(view.id))
    columns = [column.spec for column in read_columns(spec, operator, view.columns)[0]]
    first = [item for item in spec.natural_key if item not in columns]
    return found, {"fields": [*first, *columns], "children": []} if columns else {}


def _till_feed(arguments: argparse.Namespace) -> int:
    from domain.till_feed import FOLDER, transmit
    from flask_appadmin.sheets.outbox import outbox

    _open()
    base = outbox(instance_folder())
    feed = transmit(_operator(), base)
    arguments.file = str(base / FOLDER / feed.file_name)
    return _written(arguments, feed.record_count)


def _edifact(arguments: argparse.Namespace) -> int:
    from domain.trade.edifact import FOLDER, export_invoices
    from flask_appadmin.sheets.outbox import outbox

    _open()
    base = outbox(instance_folder())
    names, applied = export_invoices(None, _operator(), base)
    arguments.file = str(base / FOLDER)
    return _written(arguments, len(names), files=names, change_set=applied.change_set if applied else None)


def _labels(arguments: argparse.Namespace) -> int:
    from actions.print_labels import PrintCustomerLabels
    from flask_appadmin.labels import A4_SHEET, find_format, print_labels

    _open()
    selection = _selection(_model("customer"), arguments.query, _operator())
    label_format = find_format(arguments.format or A4_SHEET)
    found = PrintCustomerLabels().labels(selection, {"address": arguments.address, "sort": arguments.sort})
    if not found.labels:
        raise AppAdminError(
            gettext("Keiner dieser Kunden hat eine vollständige Anschrift; es ist keine Datei entstanden.")
        )
    printed = print_labels(
        Path(arguments.file), found.labels, label_format.geometry(), start=arguments.start, copies=arguments.copies
    )
    for _key, title, reason in found.skipped:
        _say(f"{title}: {reason}")
    for warning in printed.warnings:
        _say(warning.sentence())
    return _written(arguments, len(found.labels))


def _written(arguments: argparse.Namespace, count: int, **more: Any) -> int:
    if arguments.json:
        print(json.dumps({"count": count, "file": arguments.file, **more}, ensure_ascii=False))
    else:
        print(ngettext("%(count)s Datensatz: %(file)s", "%(count)s Datensätze: %(file)s", count, file=arguments.file))
    return 0


# --- the command line -------------------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """argparse whose complaints are in the language of the other sentences."""

    def error(self, message: str) -> NoReturn:
        _say(gettext("So lässt sich %(command)s nicht aufrufen: %(message)s", command=self.prog, message=message))
        _say(self.format_usage().strip())
        raise SystemExit(2)


def _number(smallest: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if value < smallest:
            raise argparse.ArgumentTypeError(gettext("mindestens %(count)s", count=smallest))
        return value

    return number


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="admin_app.py", description="Kontor: Kundenstammdaten. / Customer master data.")
    parser.add_argument("--lang", choices=("de", "en"), default="de", help="Sprache der Meldungen")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)

    def command(name: str, function: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
        added.set_defaults(function=function, json=False)
        return added

    def with_json(added: argparse.ArgumentParser) -> None:
        added.add_argument("--json", action="store_true", help="Ergebnis als JSON")

    serve = command("serve", _serve, "Kontor im Browser: legt die Datenbank an oder bringt sie auf den neuesten Stand")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=_number(1), default=8000)
    serve.add_argument("--workers", type=_number(1), default=min(2, os.cpu_count() or 1), help="Prozesse")
    serve.add_argument("--threads", type=_number(1), default=8, help="Anfragen zugleich je Prozess")

    command("upgrade", _upgrade, "Datenbank auf den Stand dieses Programms bringen")
    with_json(command("check", _check, "Beschreibungen und Einstellungen prüfen"))
    command("backup", _backup, "Sichern, auch während andere arbeiten").add_argument("file", metavar="FILE")
    restore = command("restore", _restore, "Eine Sicherung zurückspielen")
    restore.add_argument("file", metavar="FILE")
    restore.add_argument("--force", action="store_true", help="überschreibt, was da ist")

    user = command("user", _user, "Benutzer")
    user_commands = user.add_subparsers(dest="user_command", required=True, metavar="COMMAND", parser_class=_Parser)
    user_add = user_commands.add_parser("add", help="Benutzer anlegen")
    user_add.add_argument("--role", default="Sachbearbeitung", help="Rolle")
    user_add.add_argument("--full-name", default="", help="Name, wie er in der Historie steht")
    user_password = user_commands.add_parser("password", help="Passwort neu setzen; beendet alle Anmeldungen")
    for added in (user_add, user_password):
        added.add_argument("name", metavar="NAME")
        added.add_argument("--password-stdin", action="store_true", help="Passwort aus der Standardeingabe")
    user_commands.add_parser("list", help="Benutzer zeigen")

    demo = command("demo-data", _demo_data, "Mit erfundenen Kunden füllen")
    demo.add_argument("--customers", type=_number(1), default=1_000, metavar="N")
    demo.add_argument("--seed", type=int, default=1, metavar="S", help="gleiche Zahl, gleiche Kunden")

    postal_codes = command("postal-codes", _postal_codes, "Postleitzahlen laden: Datei von GeoNames, etwa DE.txt")
    postal_codes.add_argument("file", metavar="FILE")
    with_json(postal_codes)

    imported = command("import", _import, "Datei einlesen")
    imported.add_argument("file", metavar="FILE")
    imported.add_argument("--model", default="customer")
    imported.add_argument("--schema", default="", metavar="S", help="gespeichertes Importschema")
    imported.add_argument("--mode", choices=("both", "new", "replace", "delete"), default="")
    imported.add_argument("--key", default="", metavar="FIELD", help="Feld, an dem Zeilen ihren Datensatz finden")
    imported.add_argument("--insert-missing", action="store_true", help="Unbekannte anlegen")
    imported.add_argument("--set", action="append", default=[], metavar="field=value", help="für alle Zeilen")
    imported.add_argument("--default", action="append", default=[], metavar="field=value", help="Vorgabe für neue")
    imported.add_argument("--confirm", type=int, metavar="N", help="so viele dürfen gelöscht werden")
    imported.add_argument("--blank", choices=("keep", "clear"), default="", help="was leere Zellen bedeuten")
    imported.add_argument(
        "--reason",
        default="",
        help="steht in der Historie; nötig bei geänderten Bankdaten; bei neuen Einwilligungen mit Quelle und Datum",
    )
    imported.add_argument("--dry-run", action="store_true", help="nur zeigen")
    imported.add_argument(
        "--report",
        default="",
        metavar="OUT.xlsx|OUT.csv",
        help="die eigene Datei, Befunde an ihren Zellen, oder nur die Befunde",
    )
    with_json(imported)

    exported = command("export", _export, "Als xlsx oder csv schreiben")
    exported.add_argument("file", metavar="OUT.xlsx|OUT.csv")
    exported.add_argument("--model", default="customer", metavar="M")
    exported.add_argument("--query", default="", metavar="Q", help="wie hinter dem Fragezeichen der Liste")
    exported.add_argument("--view", default="", metavar="V", help="freigegebene Ansicht: ihr Filter und ihre Spalten")
    exported.add_argument("--keys", default="", metavar="K,K", help="nur diese, zum Beispiel Kundennummern")
    with_json(exported)

    change = command("change", _change, "Einstellungen vieler ändern")
    change.add_argument("--model", default="customer", metavar="M")
    change.add_argument("--query", required=True, metavar="Q", help="wie hinter dem Fragezeichen der Liste; leer: alle")
    change.add_argument("--set", action="append", default=[], metavar="field=value")
    change.add_argument("--clear", action="append", default=[], metavar="field")
    change.add_argument("--reason", default="", help="steht in der Historie")
    change.add_argument("--dry-run", action="store_true", help="nur zeigen")
    with_json(change)

    labels = command("labels", _labels, "Etiketten als PDF")
    labels.add_argument("file", metavar="OUT.pdf")
    labels.add_argument("--format", default="", metavar="F")
    labels.add_argument("--start", type=_number(1), default=1, metavar="N", help="erstes freies Etikett des Bogens")
    labels.add_argument("--copies", type=_number(1), default=1, metavar="N")
    labels.add_argument("--address", choices=("main", "delivery", "invoice"), default="main")
    labels.add_argument("--sort", choices=("number", "name", "postal_code"), default="number", metavar="S")
    labels.add_argument("--query", default="", metavar="Q")
    with_json(labels)

    with_json(command("till-feed", _till_feed, "Kunden an die Kassen übertragen: Datei in outbox/kasse der Instanz"))
    with_json(command("edifact", _edifact, "EDIFACT Ausgangsrechnungen: je Rechnung eine Datei in outbox/edifact"))

    undo = command("undo", _undo, "Einen Vorgang zurücknehmen")
    undo.add_argument("change_set", type=_number(1), metavar="CHANGE_SET")
    undo.add_argument("--reason", default="", help="steht in der Historie")
    undo.add_argument("--dry-run", action="store_true", help="nur zeigen")
    with_json(undo)

    history = command("history", _history, "Was geändert wurde")
    history.add_argument("--customer", metavar="N", help="nur dieser Kunde (Kundennummer)")
    history.add_argument("--change-set", type=_number(1), metavar="N", help="die Zeilen eines Vorgangs")
    history.add_argument("--limit", type=_number(1), default=50, metavar="N")
    with_json(history)

    worker = command("worker", _worker, "Aufträge auf einer eigenen Maschine bearbeiten (PostgreSQL)")
    worker.add_argument("--threads", type=_number(1), default=2)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; answers its exit code."""
    parsed = _parser().parse_args(arguments)
    set_locale(parsed.lang)
    try:
        code: int = parsed.function(parsed)
        return code
    except AppAdminError as fault:
        _say(str(fault))
        return 2
    except KeyboardInterrupt:
        _say(gettext("Abgebrochen."))
        return 2
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - stays open until the process ends
        return 0
    finally:
        _end_arrangements()


def _end_arrangements() -> None:
    from flask_appadmin import arrangements

    arrangements.end()


if __name__ == "__main__":
    sys.exit(main())
