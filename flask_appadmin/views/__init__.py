"""The pages of a model on Flask-Admin: the only room besides the registry that knows its inside.

`AppModelView` takes everything from the model's spec: list, form with tabs and child grids, selection, actions,
look-ups. A view of an application is a subclass with a few class attributes (layout, columns, quick filters, actions);
pages of its own are methods that `expose` gives an address, and ask `operator()` who they are for.
"""

from __future__ import annotations

from flask_appadmin.views.choosing import Choosing
from flask_appadmin.views.entry_window import Asked, EntryWindow
from flask_appadmin.views.list_page.table import ColumnSign
from flask_appadmin.views.model_view import AppModelView, expose, operator

__all__ = ["AppModelView", "Asked", "Choosing", "ColumnSign", "EntryWindow", "expose", "operator"]
