"""The pages of actions: bulk change with preview, confirmations, documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_appadmin.bulk import Action
from flask_appadmin.errors import NotFound
from flask_appadmin.rights import Operator

if TYPE_CHECKING:
    from flask_appadmin.views.model_view import AppModelView


class ActionPages:
    def __init__(self, view: AppModelView, operator: Operator, action: Action) -> None:
        self.view = view
        self.operator = operator
        self.action = action

    def answer(self) -> Any:
        raise NotFound()
