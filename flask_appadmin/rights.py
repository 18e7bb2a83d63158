"""The one gate: who the operator is, which rows he may see, and what he may do to which fields.

Shape: code asks for rights, never for roles: `operator.require("export.run")`. The registry of rights is
fixed in code; each model brings `<prefix>.read/.create/.edit/.delete`, each group of protected fields `<group>.read`,
`.read_full`, `.edit`. A role is a named set of rights; deny is the default. `visible()` answers a query, so that lists,
exports, searches and histories all pass the same gate.
Errors: NotAllowed with the right's German name. Source: design.md section 8, trust.md section 3.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import peewee

from flask_appadmin.database import Record, database
from flask_appadmin.errors import NotAllowed
from flask_appadmin.fieldtypes.columns import JSONField
from flask_appadmin.i18n import _, many
from flask_appadmin.specs import Description, FieldSpec, ModelSpec, ReferenceCache, described, shown, spec_of


class Role(Record):
    """A work group: a named set of rights."""

    description = Description(
        label=_("Arbeitsgruppe"), plural=_("Arbeitsgruppen"), title=("name",), menu="system", right="role"
    )
    name = described(
        peewee.CharField(max_length=60, unique=True, verbose_name=_("Arbeitsgruppe")),
        aliases=("Rolle",),
        copy="clear",
        natural_key=True,
        listed=True,
    )
    permissions = described(
        JSONField(default=list, verbose_name=_("Rechte"), help_text=_("Schlüssel der Rechte; „*“ heißt alle.")),
    )

    class Meta:
        table_name = "role"


class User(Record):
    """An operator. The password is kept as a hash and never shown."""

    description = Description(
        label=_("Benutzer"),
        plural=many("Benutzer", "Benutzer"),
        title=("username",),
        menu="system",
        right="user",
        order=("username",),
    )
    username = described(
        peewee.CharField(max_length=60, unique=True, verbose_name=_("Benutzername")),
        kind="username",
        copy="clear",
        natural_key=True,
        listed=True,
    )
    full_name = described(peewee.CharField(max_length=80, null=True, verbose_name=_("Name")), copy="clear", listed=True)
    password = described(
        peewee.CharField(max_length=255, verbose_name=_("Passwort")),
        copy="clear",
        secret=True,
        kind="password",
        required=False,
    )
    role = described(
        peewee.ForeignKeyField(Role, verbose_name=_("Rolle"), on_delete="RESTRICT"),
        aliases=("Arbeitsgruppe",),
        listed=True,
    )
    active = described(peewee.BooleanField(default=True, verbose_name=_("Aktiv")), listed=True)
    locale = described(
        peewee.CharField(
            max_length=2, default="de", choices=[("de", _("Deutsch")), ("en", _("Englisch"))], verbose_name=_("Sprache")
        ),
    )
    #: Changes with the password and ends all sessions (Flask-Security).
    fs_uniquifier = described(
        peewee.CharField(max_length=64, unique=True, verbose_name=_("Sitzungsmerkmal")),
        copy="renew",
        secret=True,
        kind="token",
        read_only=True,
        required=False,
    )

    class Meta:
        table_name = "app_user"

    @classmethod
    def prepare(cls, values: dict[str, Any], operation: Any) -> None:
        if not values.get("fs_uniquifier"):
            values["fs_uniquifier"] = secrets.token_hex(16)


class OperatorSession(peewee.Model):
    """One sign-in: a copied cookie dies with this row, however it is copied."""

    token_hash = peewee.CharField(max_length=64, unique=True)
    user = peewee.ForeignKeyField(User, on_delete="CASCADE")
    started_at = peewee.DateTimeField()
    seen_at = peewee.DateTimeField()
    ended_at = peewee.DateTimeField(null=True)

    class Meta:
        table_name = "operator_session"
        database = database


class SignInAttempt(peewee.Model):
    """Failed sign-ins of a name, shared by all processes: the longer the row of failures, the longer the wait."""

    name_hash = peewee.CharField(max_length=64, unique=True)
    failures = peewee.IntegerField(default=0)
    last_at = peewee.DateTimeField()

    class Meta:
        table_name = "sign_in_attempt"
        database = database


# --- the registry -----------------------------------------------------------------------------------------------------

#: Every right that exists: key -> German name. Models add theirs by `register_model_rights`.
RIGHTS: dict[str, Any] = {
    "bulk.edit": _("Einstellungen vieler ändern"),
    "bulk.large": _("Mehr als 1.000 auf einmal ändern"),
    "copy.run": _("Kopieren"),
    "copy.full": _("Vollständig kopieren"),
    "merge.run": _("Zusammenführen"),
    "export.run": _("Exportieren"),
    "export.large": _("Mehr als 1.000 exportieren"),
    "import.new": _("Importieren: Neu"),
    "import.replace": _("Importieren: Ersetzen"),
    "import.delete": _("Importieren: Löschen"),
    "label.print": _("Etiketten drucken"),
    "view.share": _("Ansichten für andere freigeben"),
    "history.read": _("Historie sehen"),
    "history.read_all": _("Vorgänge aller Benutzer sehen"),
    "undo.own": _("Eigene Vorgänge zurücknehmen"),
    "undo.all": _("Vorgänge anderer zurücknehmen"),
    "query.write": _("Abfragebedingung schreiben"),
    "query.share": _("Abfragen für alle freigeben"),
    "job.admin": _("Laufende Aufträge aller verwalten"),
}

_VERBS = (
    ("read", _("sehen")),
    ("create", _("anlegen")),
    ("edit", _("ändern")),
    ("delete", _("löschen")),
)


def register_rights(rights: dict[str, Any]) -> None:
    """Adds rights of the application to the registry; the same key twice must mean the same."""
    RIGHTS.update(rights)


def register_model_rights(specs: Iterable[ModelSpec]) -> None:
    """Adds the rights that the declarations ask for: four per prefix, up to three per group of protected fields."""
    for spec in specs:
        for verb, word in _VERBS:
            if not (spec.owner is not None and not spec.description.right):
                RIGHTS.setdefault(
                    f"{spec.right}.{verb}", _joined(spec.plural if spec.right != "value" else _("Stammdaten"), word)
                )
        for group in {item.right for item in spec.fields if item.right}:
            RIGHTS.setdefault(f"{group}.read", _joined(_GROUP_WORDS.get(group, group), _("sehen")))
            RIGHTS.setdefault(f"{group}.read_full", _joined(_GROUP_WORDS.get(group, group), _("ungekürzt sehen")))
            RIGHTS.setdefault(f"{group}.edit", _joined(_GROUP_WORDS.get(group, group), _("ändern")))


_GROUP_WORDS: dict[str, Any] = {"bank": _("Bankdaten"), "credit": _("Bonitätsdaten")}


class _Joined:
    """Two lazy words as one lazy text: "Autoren: ändern"."""

    def __init__(self, first: Any, second: Any) -> None:
        self._parts = (first, second)

    def __str__(self) -> str:
        return f"{self._parts[0]}: {self._parts[1]}"


def _joined(first: Any, second: Any) -> Any:
    return _Joined(first, second)


@dataclass(frozen=True)
class Operator:
    """Whoever acts: a signed-in user, or the command line and jobs that run for one."""

    user_id: int | None
    name: str
    rights: frozenset[str] = field(default_factory=frozenset)
    role: str = ""

    def may(self, right: str) -> bool:
        return right in self.rights or "*" in self.rights

    def require(self, right: str) -> None:
        """Raises NotAllowed unless the operator has the right."""
        if not self.may(right):
            raise NotAllowed(right, RIGHTS.get(right, right))


def operator_of(user: User) -> Operator:
    """The operator behind a user record, with the rights of the role as they are now."""
    role = user.role
    return Operator(user.id, user.full_name or user.username, frozenset(role.permissions or ()), role.name)


def system_operator(name: str) -> Operator:
    """The command line and set-up, which act with every right under the name given here."""
    return Operator(None, name, frozenset({"*"}), "")


# --- the gate ---------------------------------------------------------------------------------------------------------

#: Model -> function that answers which rows an operator may see, as an expression; models without one show all rows.
_scopes: dict[Any, Callable[[Operator], Any]] = {}


def register_scope(model: Any, scope: Callable[[Operator], Any]) -> None:
    """Limits the rows of a model for operators; scopes intersect, no operator passes by them."""
    _scopes[model] = scope


def visible(operator: Operator, spec: ModelSpec) -> Any:
    """The condition on the rows of a model that the operator may see, or None for all; NotAllowed without the right."""
    operator.require(f"{spec.right}.read")
    conditions = []
    scope = _scopes.get(spec.model)
    if scope is not None:
        condition = scope(operator)
        if condition is not None:
            conditions.append(condition)
    owner = spec.owner
    if owner is not None and owner.target in _scopes:
        inner = visible(operator, spec_of(owner.target))
        if inner is not None:
            target = owner.target
            conditions.append(owner.column_field << target.select(target._meta.primary_key).where(inner))
    result = None
    for condition in conditions:
        result = condition if result is None else result & condition
    return result


#: Functions that say which fields are kept from an operator's sight though he has the right.
_hiding: list[Callable[[Operator, FieldSpec], bool]] = []


def hide_fields(is_hidden: Callable[[Operator, FieldSpec], bool]) -> None:
    """Lets a room say which fields stand on no page: layouts, modules that are not installed."""
    _hiding.append(is_hidden)


def is_hidden(operator: Operator, spec: FieldSpec) -> bool:
    """Whether the field stands on no page; its stored values stay."""
    return spec.internal or any(hidden(operator, spec) for hidden in _hiding)


def may_set_secret(operator: Operator, spec: FieldSpec) -> bool:
    """Whether the field is a secret that forms offer to set."""
    return spec.secret and not is_hidden(operator, spec)


def may_read(operator: Operator, spec: FieldSpec) -> bool:
    """Whether the operator may see the field at all; secrets nobody reads, hidden fields stand nowhere."""
    if spec.secret or is_hidden(operator, spec):
        return False
    if not spec.right:
        return True
    return any(operator.may(f"{spec.right}.{verb}") for verb in ("read", "read_full", "edit"))


def may_read_full(operator: Operator, spec: FieldSpec) -> bool:
    """Whether a masked field is shown whole."""
    return may_read(operator, spec) and (not spec.masked or operator.may(f"{spec.right}.read_full"))


def may_edit(operator: Operator, spec: FieldSpec) -> bool:
    """Whether the operator may set the field, as far as rights go; read-only fields are the form's business."""
    return not spec.right or operator.may(f"{spec.right}.edit")


def readable_fields(operator: Operator, spec: ModelSpec) -> tuple[FieldSpec, ...]:
    return tuple(item for item in spec.fields if may_read(operator, item))


def words_for(operator: Operator, spec: FieldSpec, value: Any, names: ReferenceCache | None = None) -> str:
    """A value in words, as far as the operator may see it: whole, with its middle hidden, or dots."""
    if not may_read(operator, spec):
        return "••••"
    words = shown(spec, value, names)
    return words if may_read_full(operator, spec) else mask(words)


def mask(text: str) -> str:
    """Country and check digits, and the last two: "DE02 •••• •••• •••• •••• 51"; short texts vanish whole."""
    if not text:
        return ""
    if len(text) < 10:
        return "••••"
    hidden = "•" * (len(text) - 6)
    joined = text[:4] + hidden + text[-2:]
    return " ".join(joined[start : start + 4] for start in range(0, len(joined), 4))


#: Tables of this room, in the order of their creation.
MODELS = (Role, User, OperatorSession, SignInAttempt)
