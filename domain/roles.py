"""The roles Kontor starts with: names of work groups and their rights.

Shape: `ROLES` maps a role's name to the keys of `rights.RIGHTS`; "*" is every right. `create_roles()` makes those that
are not there and never touches one that is: an administration may have changed it.
Source: trust.md section 3. The administrator of the first day has every right; the role „Technik“ keeps operators and
roles and sees no customer data.
"""

from __future__ import annotations

from flask_appadmin.changes import ChangeSet
from flask_appadmin.i18n import gettext
from flask_appadmin.rights import Role, system_operator

ADMINISTRATOR = "Administrator"

#: Tables around the customers that everybody who works with customers may look up.
_LOOK_UP = ("value.read", "catalog.read", "trade.read", "account.read", "setting.read", "number.read")
_READ = ("customer.read", *_LOOK_UP)
_EDIT = ("customer.edit", "trade.edit", "trade.create")

ROLES: dict[str, tuple[str, ...]] = {
    ADMINISTRATOR: ("*",),
    "Lesen": (*_READ, "bank.read", "label.print"),
    "Sachbearbeitung": (
        *_READ,
        *_EDIT,
        "customer.create",
        "copy.run",
        "bank.read",
        "bank.edit",
        "credit.read",
        "bulk.edit",
        "export.run",
        "label.print",
        "history.read",
        "undo.own",
    ),
    "Datenpflege": (
        *_READ,
        *_EDIT,
        "value.create",
        "value.edit",
        "number.create",
        "number.edit",
        "bank.read",
        "bulk.edit",
        "bulk.large",
        "import.new",
        "import_schema.read",
        "import_schema.create",
        "import_schema.edit",
        "import.replace",
        "customer.create",
        "export.run",
        "export.large",
        "label.print",
        "history.read",
        "query.write",
        "query.share",
        "undo.own",
    ),
    "Kredit": (
        *_READ,
        "bank.read",
        "credit.read",
        "credit.read_full",
        "credit.edit",
        "customer.edit",
        "export.run",
        "history.read",
        "query.write",
        "undo.own",
    ),
    "Buchhaltung": (
        *_READ,
        "bank.read",
        "bank.read_full",
        "bank.edit",
        "credit.read",
        "customer.edit",
        "account.create",
        "account.edit",
        "export.run",
        "export.large",
        "history.read",
        "query.write",
        "undo.own",
    ),
    "Marketing": (*_READ, "export.run", "export.large", "label.print", "query.write", "history.read", "undo.own"),
    "Leitung": (
        *_READ,
        *_EDIT,
        "customer.create",
        "customer.delete",
        "copy.run",
        "copy.full",
        "merge.run",
        "value.create",
        "value.edit",
        "number.create",
        "number.edit",
        "bank.read",
        "bank.read_full",
        "bank.edit",
        "credit.read",
        "credit.read_full",
        "credit.edit",
        "bulk.edit",
        "bulk.large",
        "import.new",
        "import_schema.read",
        "import_schema.create",
        "import_schema.edit",
        "import.replace",
        "export.run",
        "export.large",
        "label.print",
        "history.read",
        "history.read_all",
        "query.write",
        "query.share",
        "undo.own",
        "undo.all",
        "view.share",
        "job.admin",
    ),
    "Datenschutz": (*_READ, "bank.read", "export.run", "history.read", "history.read_all"),
    "Revision": (*_READ, "bank.read", "credit.read", "query.write", "history.read", "history.read_all"),
    "Technik": (
        "user.read",
        "user.create",
        "user.edit",
        "user.delete",
        "role.read",
        "setting.read",
        "setting.edit",
        "job.admin",
    ),
}


def create_roles() -> int:
    """Makes the roles that are missing, as one operation; answers how many."""
    present = {name for (name,) in Role.select(Role.name).tuples()}
    change = ChangeSet("setup", title=gettext("Rollen eingerichtet"))
    missing = [name for name in ROLES if name not in present]
    for name in missing:
        change.create(Role, {"name": name, "permissions": list(ROLES[name])})
    change.apply(system_operator("Kontor"))
    return len(missing)
