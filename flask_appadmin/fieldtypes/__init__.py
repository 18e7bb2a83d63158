"""Kinds of value: what operators type or files hold becomes a Python value and back. No forms, no HTML.

Shape: one object per kind with the same verbs. `parse` takes text as typed (German or English by locale), `from_cell` a
cell of a spreadsheet (text, number, date, bool), both answer a Python value or raise FieldError; blank is None.
`format` makes the text people read, `to_cell` the value a spreadsheet takes. `to_json`/`from_json` keep exact values in
the history; `sql_to_json`/`sql_from_json` do the same for a whole column inside the database, so that a change of a
million rows is recorded without passing through Python. Every number of a field (limits, lengths) comes from its
FieldSpec.
Units: decimals are `Decimal`, stored as whole numbers of the smallest unit (cents); times are UTC without zone.
Errors: FieldError with the field, what was found, what is wrong, what is right.
Source: DIN 5008 for German numbers and dates; ISO 8601; check digits by python-stdnum and phonenumbers.
"""
