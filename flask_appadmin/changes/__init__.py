"""The change gateway: plans, applies and takes back changes. The only room that writes business records.

Shape: a ChangeSet is one operation with steps. *Record steps* (create, update, delete) carry values; a *set step*
(assign) carries a selection and one value per field and is written by the database itself, never row by row; *undo* is
the inverse of a whole set, found by joining its history with the records. `apply` runs everything in one transaction:
records, children, history, search index, or nothing at all.
What follows: a model may say which further steps follow from records made or changed (`Record.follow`), and what a new
record takes over from those it refers to (`Record.propose_many`); both are asked inside the same transaction.
Order inside a set: removals, new records (owners before children), changes; a removal that others still point to waits
until the changes are written.
Units: values are Python values as FieldSpec.check answers them; references are keys, or a NewRecord of the same set.
Errors: FaultList with a FieldError for each refused value, ConflictError where somebody else was faster, PlanChanged
where the rows are no longer those that were shown, NotAllowed from the gate. After an error nothing is written.
Source: design.md section 3.
"""

from __future__ import annotations

from flask_appadmin.changes.assign_plan import AssignPlan, Sample, ValueGroup, plan_assign
from flask_appadmin.changes.assignment import (
    heading_of,
    is_protected,
    values_from_json,
    values_to_json,
    words_of,
)
from flask_appadmin.changes.creating import next_keys
from flask_appadmin.changes.deleting import Deletion, carry_on, carry_out, end_deletion
from flask_appadmin.changes.departing import ANONYMISE, DELETE, REFUSE, Departure, MustStay, departures_of, led_to
from flask_appadmin.changes.filling import load_rows, record_loading
from flask_appadmin.changes.gateway import ChangeSet
from flask_appadmin.changes.merging import Merge, MergedMeanwhile, Move, Repoint, number_field, state_of
from flask_appadmin.changes.relating import Relation, open_children, relation_name
from flask_appadmin.changes.removing import ChangedMeanwhile, StillUsed, users_of
from flask_appadmin.changes.running import Applied, NewRecord, Update, Written, know, known_specs
from flask_appadmin.changes.transforms import Transform, copyable, make_transform, transforms_for
from flask_appadmin.changes.undoing.conflict import UndoConflict
from flask_appadmin.changes.undoing.part import UndoPart
from flask_appadmin.changes.undoing.plan import UndoPlan, plan_undo, plan_undo_groups
from flask_appadmin.changes.unique import unique_sets

__all__ = [
    "ANONYMISE",
    "DELETE",
    "REFUSE",
    "Applied",
    "AssignPlan",
    "ChangeSet",
    "ChangedMeanwhile",
    "Deletion",
    "Departure",
    "Merge",
    "MergedMeanwhile",
    "Move",
    "MustStay",
    "NewRecord",
    "Relation",
    "Repoint",
    "Sample",
    "StillUsed",
    "Transform",
    "UndoConflict",
    "UndoPart",
    "UndoPlan",
    "Update",
    "ValueGroup",
    "Written",
    "carry_on",
    "carry_out",
    "copyable",
    "departures_of",
    "end_deletion",
    "heading_of",
    "is_protected",
    "know",
    "known_specs",
    "led_to",
    "load_rows",
    "make_transform",
    "next_keys",
    "number_field",
    "open_children",
    "plan_assign",
    "plan_undo",
    "plan_undo_groups",
    "record_loading",
    "relation_name",
    "state_of",
    "transforms_for",
    "unique_sets",
    "users_of",
    "values_from_json",
    "values_to_json",
    "words_of",
]
