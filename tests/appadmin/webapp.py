"""The toy library as a web application: its models, and nothing about pages."""

from __future__ import annotations

from flask import Flask, g
from flask_wtf import CSRFProtect

from flask_appadmin.i18n import _
from flask_appadmin.registry import Registry
from flask_appadmin.rights import Operator, system_operator
from flask_appadmin.shell import init_shell
from tests.appadmin.library import MODELS, Book


def create_library(operator: Operator | None = None) -> Flask:
    app = Flask(__name__)
    app.config.update(SECRET_KEY="for the tests of the toy library only", WTF_CSRF_ENABLED=False)
    CSRFProtect(app)
    init_shell(app, "Bücherei")
    Registry(app, MODELS, menu=((_("Bücherei"), ("book", "author")),), brand="Bücherei", search_model=Book)

    @app.before_request
    def sign_in() -> None:
        g.operator = operator or system_operator("Frau Weber")

    return app
