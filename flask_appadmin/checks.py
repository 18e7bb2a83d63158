"""Questions asked of all declarations and of the configuration; all findings at once, each with place, sentence, hint.

Shape: `check_declarations(specs)` needs no database; `check_configuration`, `check_schema`, `check_operators` look at
the machine and the connected database. A finding is an error (nothing starts with it) or a warning.
Errors: `require_sound` raises DeclarationFaults with every error found.
Source: style.md section 6; trust.md section 5 (configuration at start).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import apsw
import peewee

from flask_appadmin.database import MINIMAL_SQLITE, Record, database, engine
from flask_appadmin.errors import AppAdminError
from flask_appadmin.fieldtypes.text_rules import TEXT_KINDS
from flask_appadmin.filters import RESERVED
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import RIGHTS, Role, User
from flask_appadmin.specs import COPY_MARKS, PERSONAL_MARKS, Description, FieldSpec, ModelSpec, is_owner


@dataclass(frozen=True)
class Finding:
    """What is wrong, where, and what would be right. `check` names the question, for documents and exemptions."""

    check: str
    place: str
    sentence: str
    hint: str = ""
    is_error: bool = True

    def line(self) -> str:
        word = gettext("Fehler") if self.is_error else gettext("Hinweis")
        return f"{word}  {self.place}: {self.sentence}{f' {self.hint}' if self.hint else ''} [{self.check}]"

    def parts(self) -> dict[str, Any]:
        return asdict(self)


class DeclarationFaults(AppAdminError):
    """Declarations or settings with which nothing starts."""

    status = 500

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(*findings)
        self.findings = list(findings)

    def sentence(self) -> str:
        return "\n".join(finding.line() for finding in self.findings)


def require_sound(findings: Iterable[Finding]) -> None:
    """Raises DeclarationFaults when there is an error among the findings."""
    errors = [finding for finding in findings if finding.is_error]
    if errors:
        raise DeclarationFaults(errors)


# --- declarations -----------------------------------------------------------------------------------------------------


def check_declarations(specs: Iterable[ModelSpec]) -> list[Finding]:
    """Everything about the models that makes no sense, in the order of the models."""
    listed = list(specs)
    findings: list[Finding] = []
    for spec in listed:
        findings += _check_model(spec)
        for item in spec.fields:
            findings += _check_field(spec, item)
    targets = {spec.model for spec in listed}
    for spec in listed:
        for item in spec.fields:
            if item.target is not None and item.target not in targets:
                findings.append(
                    Finding(
                        "reference-undeclared",
                        _place(spec, item),
                        gettext("verweist auf eine Tabelle, die nicht angemeldet ist."),
                        gettext("Sie gehört in die Liste der Modelle."),
                    )
                )
    return findings


def _place(spec: ModelSpec, item: FieldSpec | None = None) -> str:
    return f"{spec.name}.{item.name}" if item is not None else spec.name


def _check_model(spec: ModelSpec) -> Iterator[Finding]:
    model = spec.model
    if not isinstance(getattr(model, "description", None), Description):
        yield Finding(
            "model-described",
            _place(spec),
            gettext("hat keine Bezeichnung."),
            "description = Description(label=…, plural=…)",
            is_error=False,
        )
    for kind, names in (
        ("title", spec.description.title),
        ("order", [name.lstrip("-") for name in spec.description.order]),
        ("rule_fields", model.rule_fields),
        ("remark_fields", model.remark_fields),
        ("unique_messages", model.unique_messages),
    ):
        for name in names:
            if name not in spec.by_name:
                yield Finding(
                    f"{kind.replace('_', '-')}-unknown",
                    _place(spec),
                    gettext("nennt in %(kind)s das Feld „%(name)s“, das es nicht gibt.", kind=kind, name=name),
                )
    if not spec.title_specs:
        yield Finding(
            "title-missing",
            _place(spec),
            gettext("hat kein Feld, das seinen Namen zeigt."),
            'Description(title=("name",))',
            is_error=False,
        )
    owners = [fk for fk in model._meta.sorted_fields if is_owner(fk)]
    if len(owners) > 1:
        yield Finding("owner-twice", _place(spec), gettext("hat mehr als einen Besitzer."))
    for fk in owners:
        if (fk.on_delete or "").upper() != "CASCADE":
            yield Finding(
                "owner-cascade",
                f"{spec.name}.{fk.name}",
                gettext("bleibt stehen, wenn der Besitzer gelöscht wird."),
                'on_delete="CASCADE"',
            )
    for key in (f"{spec.right}.{verb}" for verb in ("read", "create", "edit", "delete")):
        if key not in RIGHTS:
            yield Finding(
                "right-unknown",
                _place(spec),
                gettext("braucht das Recht „%(key)s“, das es nicht gibt.", key=key),
                "register_model_rights",
            )
    if len(spec.natural_key) == 1 and not (spec.natural_key[0].unique or spec.natural_key[0].unique_with):
        yield Finding(
            "natural-key-ambiguous",
            _place(spec, spec.natural_key[0]),
            gettext("benennt Datensätze, darf aber mehrfach vorkommen."),
            "unique=True, unique_with=(…)",
            is_error=False,
        )
    yield from _check_headings(spec)


def _check_headings(spec: ModelSpec) -> Iterator[Finding]:
    """A heading of a file must name one field."""
    seen: dict[str, str] = {}
    for item in spec.data_fields:
        for heading in {heading.casefold() for heading in item.headings()}:
            other = seen.setdefault(heading, item.name)
            if other != item.name:
                yield Finding(
                    "heading-twice",
                    _place(spec, item),
                    gettext("heißt in Dateien „%(heading)s“ wie %(other)s.", heading=heading, other=other),
                    is_error=False,
                )


#: (check, applies, sentence, hint): what two words of one description say against each other.
_CONTRADICTIONS: tuple[tuple[str, Callable[[FieldSpec], bool], Callable[[], str], str], ...] = (
    (
        "bulk-unique",
        lambda item: item.bulk and (item.unique or bool(item.unique_with)),
        lambda: gettext("ließe sich für viele ändern, darf aber nur einmal vorkommen."),
        "bulk=False",
    ),
    (
        "bulk-secret",
        lambda item: item.bulk and item.secret,
        lambda: gettext("ist geheim und ließe sich für viele ändern."),
        "bulk=False",
    ),
    (
        "bulk-read-only",
        lambda item: item.bulk and item.read_only is True,
        lambda: gettext("lässt sich nicht ändern, wird aber für viele angeboten."),
        "bulk=False",
    ),
    (
        "copy-unique",
        lambda item: item.unique and item.copy == "keep" and item.target is None,
        lambda: gettext("darf nur einmal vorkommen; eine Kopie mit demselben Wert ginge nie."),
        'copy="clear", copy="renew"',
    ),
    (
        "secret-shown",
        lambda item: item.secret and (item.searchable or item.listed or item.natural_key),
        lambda: gettext("ist geheim und würde gezeigt oder gesucht."),
        "secret=False, listed=False, searchable=False",
    ),
    (
        "masked-without-right",
        lambda item: item.masked and not item.right,
        lambda: gettext("wird gekürzt gezeigt, aber niemand darf es ganz sehen."),
        "right=…",
    ),
    (
        "limits-crossed",
        lambda item: item.minimum is not None and item.maximum is not None and item.minimum > item.maximum,
        lambda: gettext("hat einen kleinsten Wert über dem größten."),
        "minimum, maximum",
    ),
    (
        "limits-without-number",
        lambda item: (
            (item.minimum is not None or item.maximum is not None)
            and item.type.name not in ("integer", "decimal", "date", "datetime")
        ),
        lambda: gettext("hat Grenzen, ist aber weder Zahl noch Datum."),
        "minimum, maximum",
    ),
)


def _check_field(spec: ModelSpec, item: FieldSpec) -> Iterator[Finding]:
    place = _place(spec, item)
    if item.is_system:
        return
    if not item.column_field.verbose_name:
        yield Finding("label-missing", place, gettext("hat keine Beschriftung."), 'verbose_name=_("…")')
    for check, applies, sentence, hint in _CONTRADICTIONS:
        if applies(item):
            yield Finding(check, place, sentence(), hint)
    if item.personal not in PERSONAL_MARKS:
        yield Finding(
            "personal-unknown",
            place,
            gettext("ist als „%(mark)s“ eingestuft.", mark=item.personal),
            "name, wipe, quasi, keep",
        )
    is_word = item.type.name in ("text", "multiline") and not item.secret and not item.choices
    if spec.model.sealed_when is not None and is_word and not item.personal:
        yield Finding(
            "personal-missing",
            place,
            gettext("sagt nicht, was beim Anonymisieren mit dem Text geschieht."),
            'personal="wipe"',
        )
    if item.copy not in COPY_MARKS:
        yield Finding(
            "copy-unknown", place, gettext("hat die Kopierregel „%(mark)s“.", mark=item.copy), "keep, clear, renew"
        )
    # A reference to the owner is renewed by the copy itself.
    if item.copy == "renew" and not (item.owner or _renews(spec)) and item.default is None:
        yield Finding(
            "copy-renew",
            place,
            gettext("soll in einer Kopie neu vergeben werden, aber niemand vergibt es."),
            "prepare, prepare_many",
            is_error=False,
        )
    if item.required and item.read_only is True and item.default is None and not _renews(spec):
        yield Finding(
            "required-read-only",
            place,
            gettext("muss ausgefüllt sein; im Formular lässt sich kein neuer Datensatz anlegen."),
            "default=…, prepare",
            is_error=False,
        )
    if item.read_only not in (False, True, "after_first_save", "once_filled"):
        yield Finding("read-only-unknown", place, gettext("hat für read_only einen unbekannten Wert."))
    if item.kind not in TEXT_KINDS:
        yield Finding("kind-unknown", place, gettext("hat die unbekannte Art „%(kind)s“.", kind=item.kind))
    if item.name in RESERVED:
        yield Finding(
            "name-reserved",
            place,
            gettext("heißt wie ein Wort der Liste; danach ließe sich nicht filtern."),
            gettext("Ein anderer Name."),
            is_error=False,
        )
    for name in item.unique_with:
        if name not in spec.by_name:
            yield Finding(
                "unique-with-unknown", place, gettext("nennt das Feld „%(name)s“, das es nicht gibt.", name=name)
            )
    if item.right:
        for verb in ("read", "edit"):
            if f"{item.right}.{verb}" not in RIGHTS:
                yield Finding(
                    "right-unknown",
                    place,
                    gettext("braucht das Recht „%(key)s“, das es nicht gibt.", key=f"{item.right}.{verb}"),
                )
    yield from _check_choices(place, item)


def _renews(spec: ModelSpec) -> bool:
    """Whether the model gives new records values of its own."""
    methods = ("prepare", "prepare_many")
    return any(getattr(spec.model, name).__func__ is not vars(Record)[name].__func__ for name in methods)


def _check_choices(place: str, item: FieldSpec) -> Iterator[Finding]:
    if not item.choices:
        return
    codes = [code for code, _words in item.choices]
    if len(set(codes)) < len(codes):
        yield Finding("choices-twice", place, gettext("hat einen Schlüssel zweimal in der Auswahl."))
    for code in codes:
        if item.max_length and len(code) > item.max_length:
            yield Finding(
                "choices-long", place, gettext("hat den Schlüssel „%(code)s“, der nicht hineinpasst.", code=code)
            )
    default = item.default
    if default is not None and not callable(default) and str(default) not in codes:
        yield Finding(
            "choices-default", place, gettext("beginnt mit „%(code)s“, das nicht zur Auswahl steht.", code=default)
        )


# --- configuration ----------------------------------------------------------------------------------------------------


def check_configuration(settings: dict[str, Any]) -> list[Finding]:
    """What is wrong with this machine's settings and with the connected database."""
    findings: list[Finding] = []
    if len(str(settings.get("SECRET_KEY") or "")) < 32:
        findings.append(
            Finding(
                "secret-short",
                "SECRET_KEY",
                gettext("hat weniger als 32 Zeichen."),
                gettext("Ohne Angabe wird ein eigener gemacht und aufbewahrt."),
            )
        )
    if settings.get("DEBUG"):
        findings.append(Finding("debug-on", "DEBUG", gettext("ist eingeschaltet und zeigt Fremden das Innere.")))
    if not settings.get("TRUSTED_HOSTS"):
        findings.append(
            Finding("hosts-open", "KONTOR_TRUSTED_HOSTS", gettext("ist leer: jeder Name im Netz wird angenommen."))
        )
    findings += _check_folder(settings.get("INSTANCE"))
    return [*findings, *(_check_sqlite() if engine() == "sqlite" else _check_postgresql())]


def _check_folder(folder: Path | None) -> Iterator[Finding]:
    if folder is None:
        return
    if not os.access(folder, os.W_OK):
        yield Finding(
            "folder-read-only", "KONTOR_INSTANCE", gettext("In %(folder)s lässt sich nicht schreiben.", folder=folder)
        )
        return
    for path in (folder, folder / "secret_key"):
        if path.exists() and path.stat().st_mode & (stat.S_IRWXO):
            yield Finding(
                "folder-open",
                "KONTOR_INSTANCE",
                gettext("%(path)s steht allen Benutzern dieser Maschine offen.", path=path),
                f"chmod o-rwx {path.name}",
                is_error=False,
            )


def _check_sqlite() -> Iterator[Finding]:
    version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
    if version < MINIMAL_SQLITE:
        yield Finding(
            "sqlite-old", "DATABASE_URL", gettext("SQLite %(version)s ist zu alt.", version=apsw.sqlite_lib_version())
        )
    database.connect(reuse_if_open=True)
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    for name, value in wanted.items():
        found = database.pragma(name)
        if str(found).lower() != str(value):
            yield Finding(
                "sqlite-setting",
                "DATABASE_URL",
                gettext("SQLite hat %(name)s = %(found)s statt %(value)s.", name=name, found=found, value=value),
                gettext("Liegt die Datei auf einem Netzlaufwerk?"),
            )


def _check_postgresql() -> Iterator[Finding]:
    database.connect(reuse_if_open=True)
    encoding = database.execute_sql("SHOW server_encoding").fetchone()[0]
    if encoding.upper() != "UTF8":
        yield Finding(
            "encoding", "DATABASE_URL", gettext("Die Datenbank hat die Kodierung %(name)s statt UTF8.", name=encoding)
        )
    row = database.execute_sql("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    if row and row[0]:
        yield Finding(
            "database-superuser",
            "DATABASE_URL",
            gettext("Das Programm ist als Verwalter des ganzen Servers angemeldet; weniger Rechte genügen."),
            is_error=False,
        )


def check_schema(pending: Sequence[str], unknown: Sequence[str]) -> list[Finding]:
    """Whether the database is at the level of the program; the steps come from the migrations."""
    findings = []
    if pending:
        findings.append(
            Finding(
                "schema-behind",
                gettext("Datenbank"),
                gettext("Es fehlen Schritte: %(steps)s.", steps=", ".join(pending)),
                "admin_app.py upgrade",
            )
        )
    if unknown:
        findings.append(
            Finding(
                "schema-ahead",
                gettext("Datenbank"),
                gettext("Sie gehört zu einer neueren Fassung: %(steps)s.", steps=", ".join(unknown)),
            )
        )
    return findings


def check_operators() -> list[Finding]:
    """Whether somebody can administer, and whether every role names rights that exist."""
    findings: list[Finding] = []
    managers = 0
    for role in Role.select():
        rights = set(role.permissions or ())
        unknown = sorted(rights - set(RIGHTS) - {"*"})
        if unknown:
            findings.append(
                Finding(
                    "role-right-unknown",
                    gettext("Rolle %(name)s", name=role.name),
                    gettext("hat Rechte, die es nicht gibt: %(names)s.", names=", ".join(unknown)),
                )
            )
        if rights & {"*", "user.edit"}:
            managers += User.select(peewee.fn.COUNT(User.id)).where(User.role == role, User.active).scalar()
    if not managers:
        findings.append(
            Finding(
                "no-administrator",
                gettext("Benutzer"),
                gettext("Niemand kann Benutzer verwalten."),
                "admin_app.py user add NAME --role Administrator",
                is_error=False,
            )
        )
    return findings
