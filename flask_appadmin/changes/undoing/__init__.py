"""Undo: the inverse of a whole set, found by joining its history with the records; what was changed again stays.

Shape: `plan.plan_undo` says what would come back and what stands in the way, `restoring.write_undo` does it inside the
transaction of the gateway. Both ask the same questions: `values` which old values come back, `records` which records go
that the set made and which come back that it removed. `part` narrows all of it to one record or one value.
Errors: OnlyWhole and NotTakenBack (part.py); a conflict is no error but stays as it is and is told.
"""
