"""Customers that begin with a few words: a platform customer with its administrator, quick entry, the till.

Shape: each function puts its steps into a change set and answers the new customer. Numbers, search name and all rules
come from the models, as for every other customer. Errors: FaultList for a password that holds the user's name; all
others when the set is applied. Source: SC-14 to SC-17, PX-118, NE-31.
"""

from __future__ import annotations

from typing import Any

from flask_appadmin.changes import ChangeSet, NewRecord
from flask_appadmin.errors import FaultList, FieldError
from flask_appadmin.passwords import password_faults
from flask_appadmin.specs import spec_of
from models import Customer, CustomerUser


def plan_platform_customer(change: ChangeSet, values: dict[str, Any]) -> NewRecord:
    """A draft of Kundenart So.PROCURE with its administrator: `username` and `password_hash`, the password as typed."""
    username, password = values.get("username") or "", values.get("password_hash") or ""
    faults = password_faults(password, username) if password else []
    if faults:
        raise FaultList([FieldError(spec_of(CustomerUser).field("password_hash"), None, faults[0])])
    customer = change.create(Customer, {"portal_type": "so_procure", "status": "draft"})
    change.create(CustomerUser, {**values, "customer": customer, "is_administrator": True})
    return customer


def plan_quick_customer(change: ChangeSet, values: dict[str, Any]) -> NewRecord:
    """A customer of few words, from the telephone or the till: active at once, marked „Unvollständig“ to be completed.

    `values` need a name; all that is missing starts as in any new customer.
    """
    return change.create(Customer, {**values, "status": "active", "incomplete": True})
