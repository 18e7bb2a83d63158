"""The toy library as a web application: its models, and nothing about pages."""

from __future__ import annotations

import functools

from flask import Flask, g, request
from flask.testing import FlaskClient
from flask_wtf import CSRFProtect

from flask_appadmin.i18n import _
from flask_appadmin.registry import Registry
from flask_appadmin.rights import Operator, system_operator
from flask_appadmin.shell import init_shell
from tests.appadmin.library import MODELS, Book


def create_library() -> Flask:
    """A library of its own, for tests that change its settings; whoever asks is Frau Weber, who may everything."""
    app = Flask(__name__)
    app.config.update(SECRET_KEY="for the tests of the toy library only", WTF_CSRF_ENABLED=False)
    CSRFProtect(app)
    init_shell(app, "Bücherei")
    Registry(app, MODELS, menu=((_("Bücherei"), ("book", "author")),), brand="Bücherei", search_model=Book)

    @app.before_request
    def sign_in() -> None:
        g.operator = request.environ.get("library.operator") or system_operator("Frau Weber")

    return app


#: Making the addresses of all pages takes a second, and they are the same for every test.
_shared_library = functools.cache(create_library)


def library_client(operator: Operator | None = None) -> FlaskClient:
    """A browser at the library in which this operator is signed in, by default Frau Weber, who may everything."""
    client = _shared_library().test_client()
    client.environ_base["library.operator"] = operator
    return client
