"""The door: who gets in, how often one may try, when a sign-in ends, what forged requests achieve. On the library."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, g, request
from flask.testing import FlaskClient
from flask_babel import Babel

from flask_appadmin.changes import ChangeSet
from flask_appadmin.database import fixed_clock, utcnow
from flask_appadmin.errors import FaultList, NotAllowed
from flask_appadmin.history import ChangeRecord
from flask_appadmin.i18n import current_locale
from flask_appadmin.passwords import password_faults
from flask_appadmin.registry import Registry
from flask_appadmin.rights import Operator, OperatorSession, Role, User
from flask_appadmin.security import (
    add_user,
    end_sessions,
    init_security,
    safe_path,
    set_password,
    unguarded_endpoints,
    waiting_time,
)
from flask_appadmin.shell import init_shell
from tests.appadmin.library import MODELS, Book

PASSWORD = "Rotes-Fahrrad-am-Hafen-7"


@pytest.fixture
def app(librarian: Operator) -> Flask:
    """The toy library behind its door, with one operator „weber“ who may do everything."""
    app = Flask(__name__)
    app.config.update(SECRET_KEY="for the tests of the toy library only", TRUSTED_HOSTS=["localhost"])
    Babel(app, locale_selector=current_locale)
    init_shell(app, "Bücherei")
    init_security(app)
    Registry(app, MODELS, menu=(("Bücherei", ("book", "author")),), brand="Bücherei", search_model=Book)

    @app.post("/admin/echo")
    def echo() -> str:
        return f"saved {request.form['title']}"

    @app.get("/admin/broken")
    def broken() -> str:
        raise ZeroDivisionError("secret value 4711")

    @app.get("/admin/forbidden")
    def forbidden() -> str:
        raise NotAllowed("export.run", "Exportieren")

    @app.get("/admin/who")
    def who() -> str:
        return f"{g.operator.name} ({g.operator.role})"

    @app.get("/admin/away")
    def away() -> Any:
        return "", 302, {"Location": "https://evil.example/"}

    roles = ChangeSet("setup")
    roles.create(Role, {"name": "Alles", "permissions": ["*"]})
    roles.apply(librarian)
    add_user("weber", PASSWORD, "Alles", librarian, full_name="Frau Weber")
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def clock() -> Iterator[Any]:
    """Moves the clock of the layer by so many seconds."""
    start = datetime.datetime(2026, 5, 18, 8, 30)
    running = fixed_clock(start)
    running.__enter__()
    contexts = [running]

    def forward(seconds: float) -> None:
        step = fixed_clock(utcnow() + datetime.timedelta(seconds=seconds))
        step.__enter__()
        contexts.append(step)

    yield forward
    for context in reversed(contexts):
        context.__exit__(None, None, None)


def token_of(page: str) -> str:
    found = re.search(r'name="csrf_token" type="hidden" value="([^"]+)"|name="csrf_token" value="([^"]+)"', page)
    assert found, page
    return found.group(1) or found.group(2)


def sign_in(client: FlaskClient, name: str = "weber", password: str = PASSWORD, **more: Any) -> Any:
    page = client.get("/login").get_data(as_text=True)
    values = {"username": name, "password": password, "csrf_token": token_of(page)}
    return client.post("/login", data=values, **more)


@pytest.mark.parametrize("name", ["weber", " Weber", "WEBER", "ｗｅｂｅｒ"])
def test_a_right_password_opens_the_door(client: FlaskClient, name: str) -> None:
    answer = sign_in(client, name)
    assert (answer.status_code, answer.location) == (302, "/admin/")
    assert client.get("/admin/book/").status_code == 200


def test_nothing_is_open_without_sign_in(app: Flask, client: FlaskClient) -> None:
    assert unguarded_endpoints(app) == ["security.login", "security.logout"]
    for address in ("/admin/", "/admin/book/", "/admin/book/edit/?id=1", "/admin/broken"):
        answer = client.get(address)
        assert (answer.status_code, answer.location.split("?")[0]) == (302, "/login"), address
    assert client.get("/admin/book/", headers={"Accept": "application/json"}).status_code == 401
    assert client.post("/admin/echo", data={"title": "x"}).status_code == 401


def test_whoever_was_sent_to_the_door_arrives_where_he_wanted_to_go(client: FlaskClient) -> None:
    address = client.get("/admin/book/?search=a").location
    page = client.get(address).get_data(as_text=True)
    values = {"username": "weber", "password": PASSWORD, "csrf_token": token_of(page), "next": "/admin/book/?search=a"}
    assert client.post(address, data=values).location == "/admin/book/?search=a"


def test_wrong_name_wrong_password_and_locked_account_read_the_same(app: Flask, librarian: Operator) -> None:
    add_user("gesperrt", PASSWORD, "Alles", librarian)
    change = ChangeSet("form")
    change.update(User, User.get(User.username == "gesperrt").id, {"active": False})
    change.apply(librarian)
    pages = []
    for name, password in (("weber", "falsch"), ("niemand", PASSWORD), ("gesperrt", PASSWORD), ("x" * 61, "y" * 129)):
        answer = sign_in(app.test_client(), name, password)
        page = answer.get_data(as_text=True).replace(name, "…")
        pages.append((answer.status_code, re.sub(r'value="[^"]*"', "", page)))
    assert pages == [pages[0]] * 4
    assert pages[0][0] == 200
    assert "stimmen nicht" in pages[0][1]


@pytest.mark.parametrize(("name", "password"), [("we\x00ber", PASSWORD), ("weber", "a" * 20_000)])
def test_nonsense_is_refused_before_any_hash(client: FlaskClient, name: str, password: str) -> None:
    assert sign_in(client, name, password).status_code == 400


@pytest.mark.engines("sqlite", later="postgresql")
def test_guessing_gets_slower_and_never_locks_for_good(app: Flask, client: FlaskClient, clock: Any) -> None:
    evaluated = 0
    for _second in range(600):
        answer = sign_in(app.test_client(), "weber", "falsch geraten", environ_overrides={"REMOTE_ADDR": "192.0.2.9"})
        if answer.status_code == 429:
            assert 0 < int(answer.headers["Retry-After"]) <= 25
            assert "Sekunde" in answer.get_data(as_text=True)
            # Nobody has to try each second for the test's sake.
            clock(int(answer.headers["Retry-After"]) - 1)
        else:
            evaluated += 1
        clock(1)
        if utcnow() > datetime.datetime(2026, 5, 18, 8, 40):
            break
    assert evaluated <= 50
    clock(25)
    assert sign_in(client).status_code == 302


def test_a_device_that_is_known_does_not_wait_for_strangers(app: Flask, client: FlaskClient, clock: Any) -> None:
    assert sign_in(client).status_code == 302
    client.post("/logout", data={"csrf_token": token_of(client.get("/admin/book/").get_data(as_text=True))})
    for _try in range(8):
        sign_in(app.test_client(), "weber", "falsch geraten", environ_overrides={"REMOTE_ADDR": "192.0.2.9"})
    assert sign_in(app.test_client()).status_code == 429
    assert sign_in(client).status_code == 302


def test_waiting_times_grow_to_25_seconds() -> None:
    assert [waiting_time(failures) for failures in range(10)] == [0, 0, 0, 0, 1, 2, 4, 8, 16, 25]


def test_a_copied_cookie_dies_with_the_sign_out(app: Flask, client: FlaskClient) -> None:
    sign_in(client)
    copied = client.get_cookie("session")
    assert copied is not None
    page = client.get("/admin/book/").get_data(as_text=True)
    assert client.post("/logout", data={"csrf_token": token_of(page)}).location == "/login"
    thief = app.test_client()
    thief.set_cookie("session", copied.value)
    assert thief.get("/admin/book/").status_code == 302
    assert OperatorSession.select().where(OperatorSession.ended_at.is_null()).count() == 0


def test_what_stood_in_the_cookie_before_signing_in_is_gone(app: Flask, client: FlaskClient) -> None:
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
    client.get("/login")
    with client.session_transaction() as session:
        before = session["csrf_token"]
    sign_in(client)
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session.get("csrf_token") != before


@pytest.mark.parametrize("end", ["idle", "age", "password", "password in a form", "administrator", "locked"])
def test_a_sign_in_ends(client: FlaskClient, librarian: Operator, clock: Any, end: str) -> None:
    sign_in(client)
    user = User.get(User.username == "weber")
    assert client.get("/admin/book/").status_code == 200
    if end == "idle":
        clock(8 * 3600 + 60)
    elif end == "age":
        for _hour in range(25):
            clock(3600)
            client.get("/admin/book/")
    elif end == "password":
        set_password(user.id, "Blaues-Fahrrad-am-Hafen-8", librarian)
    elif end == "password in a form":
        change = ChangeSet("form")
        change.update(User, user.id, {"password": "Blaues-Fahrrad-am-Hafen-8"})
        change.apply(librarian)
    elif end == "administrator":
        assert end_sessions(user.id) == 1
    else:
        change = ChangeSet("form")
        change.update(User, user.id, {"active": False})
        change.apply(librarian)
    assert client.get("/admin/book/").status_code == 302


def test_work_keeps_a_sign_in_alive(client: FlaskClient, clock: Any) -> None:
    sign_in(client)
    for _hour in range(20):
        clock(3600)
        assert client.get("/admin/book/").status_code == 200


def test_a_form_without_token_changes_nothing_and_keeps_its_values(client: FlaskClient) -> None:
    sign_in(client)
    answer = client.post("/admin/echo", data={"title": "Das <Schloss>", "password": "geheim"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert 'name="title" value="Das &lt;Schloss&gt;"' in page
    assert "geheim" not in page
    again = client.post("/admin/echo", data={"title": "Das <Schloss>", "csrf_token": token_of(page)})
    assert again.get_data(as_text=True) == "saved Das <Schloss>"


def test_a_form_whose_sign_in_has_ended_comes_back_and_can_be_sent_after_a_new_one(client: FlaskClient) -> None:
    sign_in(client)
    end_sessions()
    page = client.post("/admin/echo", data={"title": "Das Schloss"})
    assert page.status_code == 401
    assert "In neuem Fenster anmelden" in page.get_data(as_text=True)
    sign_in(client)
    again = client.post(
        "/admin/echo", data={"title": "Das Schloss", "csrf_token": token_of(page.get_data(as_text=True))}
    )
    # The token of the page belonged to nobody; the next page has one of this sign-in.
    token = token_of(again.get_data(as_text=True))
    last = client.post("/admin/echo", data={"title": "Das Schloss", "csrf_token": token})
    assert last.get_data(as_text=True) == "saved Das Schloss"


def test_scripts_are_told_in_json(client: FlaskClient) -> None:
    sign_in(client)
    answer = client.post("/admin/echo", data={"title": "x"}, headers={"Accept": "application/json"})
    assert answer.status_code == 400
    assert "laden Sie die Seite neu" in answer.json["error"]
    forbidden = client.get("/admin/forbidden", headers={"Accept": "application/json"})
    assert (forbidden.status_code, "Exportieren" in forbidden.json["error"]) == (403, True)


HOSTILE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https://evil.example/",
    "http://localhost@evil.example/",
    "javascript:alert(1)",
    "data:text/html,x",
    "/%0d%0aLocation: x\r\nSet-Cookie: a=b",
    " /admin/",
    "/admin/\t/x",
    "evil",
    "",
]


@pytest.mark.parametrize("address", HOSTILE)
def test_no_address_leads_away(client: FlaskClient, address: str) -> None:
    assert safe_path(address, "/admin/") == "/admin/"
    page = client.get("/login").get_data(as_text=True)
    values = {"username": "weber", "password": PASSWORD, "csrf_token": token_of(page), "next": address}
    answer = client.post("/login", query_string={"next": address}, data=values)
    assert answer.status_code == 302
    assert answer.location in ("/admin/", "/login")


def test_a_redirect_to_another_host_is_turned_round(client: FlaskClient) -> None:
    sign_in(client)
    assert client.get("/admin/away").location == "/admin/"


def test_another_host_name_is_refused(client: FlaskClient) -> None:
    answer = client.get("/login", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "evil" not in answer.get_data(as_text=True)


def test_faults_tell_a_number_and_nothing_internal(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    sign_in(client)
    answer = client.get("/admin/broken")
    page = answer.get_data(as_text=True)
    number = re.search(r"fault ([0-9A-F]{6}) ZeroDivisionError", caplog.text)
    assert answer.status_code == 500
    assert number and number.group(1) in page
    assert "4711" not in page + caplog.text
    assert "Es wurde nichts gespeichert." in page


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/admin/nothing/", 404, "Diese Seite gibt es nicht."),
        ("/admin/echo", 405, "lässt sich so nicht aufrufen"),
        ("/admin/forbidden", 403, "Ihnen fehlt das Recht „Exportieren“"),
    ],
)
def test_refusals_are_pages_in_words(client: FlaskClient, address: str, status: int, words: str) -> None:
    sign_in(client)
    answer = client.get(address)
    assert (answer.status_code, words in answer.get_data(as_text=True)) == (status, True)


def test_a_form_of_more_than_two_megabytes_is_refused(client: FlaskClient) -> None:
    sign_in(client)
    token = token_of(client.get("/admin/book/").get_data(as_text=True))
    answer = client.post("/admin/echo", data={"title": "x" * 3_000_000, "csrf_token": token})
    assert (answer.status_code, "2 MB" in answer.get_data(as_text=True)) == (413, True)


def test_every_answer_has_its_headers(client: FlaskClient) -> None:
    sign_in(client)
    for address in ("/admin/book/", "/admin/nothing/", "/admin/broken", "/login", "/admin/away"):
        headers = client.get(address).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_cookie_is_kept_from_scripts_and_from_other_sites(client: FlaskClient) -> None:
    cookies = sign_in(client).headers.getlist("Set-Cookie")
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie


def test_pages_and_static_files_travel_compressed(client: FlaskClient) -> None:
    sign_in(client)
    page = client.get("/admin/book/", headers={"Accept-Encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
    plain = client.get("/admin/book/").get_data(as_text=True)
    address = re.search(r'href="(/appadmin-static/[0-9a-f]+/css/page.css)"', plain)
    assert address
    style = client.get(address.group(1), headers={"Accept-Encoding": "gzip"})
    assert style.headers["Content-Encoding"] == "gzip"
    assert style.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "password", ["kurz", "a" * 20, "123456789012", "passwort1234", "abcdefghijklmn", "Weber-am-Hafen-1", "x" * 129]
)
def test_passwords_that_are_easy_to_guess_are_refused(password: str) -> None:
    assert len(password_faults(password, "weber")) == 1


@pytest.mark.parametrize(
    "password", [PASSWORD, "korrekt pferd batterie heftklammer", "🚲🏠🌳🚀🎈🍕🎹🐢🦊🌵🎯🧭", "ä" * 4 + "öüßqwert"]
)
def test_long_passwords_of_any_letters_are_good(password: str) -> None:
    assert password_faults(password, "weber") == []


def test_the_history_has_no_password(app: Flask, librarian: Operator) -> None:
    user = User.get(User.username == "weber")
    set_password(user.id, "Blaues-Fahrrad-am-Hafen-8", librarian)
    written = " ".join(
        f"{row.old_value} {row.new_value}" for row in ChangeRecord.select().where(ChangeRecord.entity == "app_user")
    )
    assert "argon2" not in written
    assert "Fahrrad" not in written
    assert User.get_by_id(user.id).password.startswith("$argon2id$")


@pytest.mark.parametrize("name", ["аdmin", "web er", "we;ber", "w", ""])
def test_names_that_pass_for_others_are_refused(app: Flask, librarian: Operator, name: str) -> None:
    with pytest.raises(FaultList, match="Benutzername"):
        add_user(name, PASSWORD, "Alles", librarian)
    assert User.select().count() == 1


def test_requests_know_who_signed_in(client: FlaskClient) -> None:
    sign_in(client)
    assert client.get("/admin/who").get_data(as_text=True) == "Frau Weber (Alles)"
