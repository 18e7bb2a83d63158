"""A record as a form: tabs, fields, child grids, one save; a file for each idea.

Only the open tab is built; the others are asked for one by one and stand in the same form. What is saved is the
difference to what the page showed (`_base`), so a field that nobody touched is never written, and a value that somebody
else changed meanwhile is noticed. Parent and all children are one change set.
"""

from __future__ import annotations

from flask_appadmin.views.form_page.companions import answer_draft, answer_presence
from flask_appadmin.views.form_page.grids import child_counts
from flask_appadmin.views.form_page.page import FormPage
from flask_appadmin.views.form_page.proposals import answer_proposals
from flask_appadmin.views.form_page.record import FormRecord
from flask_appadmin.views.form_page.saving import posted_reason

__all__ = [
    "FormPage",
    "FormRecord",
    "answer_draft",
    "answer_presence",
    "answer_proposals",
    "child_counts",
    "posted_reason",
]
