"""What becomes of a new customer that is not saved yet: kept as a draft, or locking the other windows, as it is set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from domain.settings import Setting
from flask_appadmin.changes import ChangeSet
from flask_appadmin.drafts import FormDraft
from flask_appadmin.rights import system_operator
from flask_appadmin.security import end_sessions
from models import Customer
from tests.conftest import PASSWORD, SignedInClient
from tests.customers.test_customer_pages import three
from tests.reader import Page, get, read, send

NEW = "/admin/customer/new/"


def keep(client: FlaskClient, page: Page, **typed: str) -> None:
    form = page.one("form", id="form")
    assert client.post(form["data-draft-url"], data=form.fields(**typed)).json["kept"]


def discard(client: FlaskClient, page: Page) -> Page:
    """„Verwerfen“, as the page's script sends it."""
    form = page.one("form", id="form")
    sent = {"_token": form.fields()["_token"], "_discard": "/admin/customer/"}
    return send(client, form["data-draft-url"], sent)


def switch_lock(on: bool) -> None:
    change = ChangeSet("form")
    found = Setting.select().order_by(Setting.id).first()
    if found is None:
        change.create(Setting, {"lock_windows_on_new": on})
    else:
        change.update(Setting, found.id, {"lock_windows_on_new": on})
    change.apply(system_operator("Test"))


@pytest.mark.engines("sqlite")
@pytest.mark.req("PX-43", "PX-44")
def test_a_new_customer_is_kept_or_locks_the_other_windows(operator: FlaskClient) -> None:
    abc, *_rest = three()
    url = f"/admin/customer/edit/?id={abc}"

    # Off, as it comes: nothing is locked, and the input is kept over the end of the window and of the sign-in.
    new = get(operator, NEW)
    keep(operator, new, name_1="Angefangen GmbH")
    other = get(operator, url)
    assert not other.all("p", "lock") and not other.all("div", "locked")
    assert send(operator, url, other.one("form", id="form").fields(name_2="geht")).toast == "Gespeichert."
    operator.post("/logout")
    operator.sign_in("weber", PASSWORD)
    offer = get(operator, NEW).one("div", "offer")
    again = get(operator, offer.one("a")["href"])
    assert again.one("form", id="form").fields()["name_1"] == "Angefangen GmbH"
    assert discard(operator, again).status == 200
    assert not get(operator, NEW).all("div", "offer") and Customer.select().count() == 3

    # On: other windows say so, take no input, and are free again after „Verwerfen“ or „Speichern“.
    switch_lock(True)
    for end in ("discard", "save", "log out"):
        new = get(operator, NEW)
        if end == "log out":
            keep(operator, new, name_1="Geht verloren")
        for address in ("/admin/customer/", url, "/admin/"):
            locked = get(operator, address)
            note = locked.one("p", "lock")
            assert note.one("a")["href"] == NEW and "nimmt dieses Fenster keine Eingaben an" in note.text
            assert "inert" in locked.one("div", "locked").attributes
        fields = get(operator, url).one("form", id="form").fields(name_2=f"gesperrt {end}")
        refused = read(operator.post(url, data=fields))
        assert refused.status == 423 and "nimmt dieses Fenster keine Eingaben an" in refused.text
        assert operator.post("/admin/customer/selection", json={"add": [abc]}).status_code == 423
        assert Customer.get_by_id(abc).name_2 == "geht"
        if end == "discard":
            discard(operator, new)
        elif end == "save":
            assert send(operator, NEW, new.one("form", id="form").fields(name_1="Huber")).toast == "Gespeichert."
        else:
            operator.post("/logout")
            operator.sign_in("weber", PASSWORD)
            assert not get(operator, NEW).all("div", "offer"), "logging out discards"
            discard(operator, get(operator, NEW))
        assert not get(operator, url).all("p", "lock")
        assert Customer.select().count() == (3 if end == "discard" else 4)
    # It is switched off while a new record is open: nobody stays locked in.
    get(operator, NEW)
    switch_lock(False)
    assert not get(operator, url).all("p", "lock")
    assert send(operator, url, get(operator, url).one("form", id="form").fields(name_2="frei")).toast == "Gespeichert."


@pytest.mark.engines("sqlite")
def test_a_sign_in_lost_while_saving_loses_nothing(
    app: Any, operator: SignedInClient, sign_in_as: Callable[..., FlaskClient]
) -> None:
    """Case 68 and F5: whoever saves without a sign-in signs in and goes on; another operator's input is not taken."""
    abc, *_rest = three()
    url = f"/admin/customer/edit/?id={abc}"
    page = get(operator, url)
    keep(operator, page, name_2="Getippt")
    typed = page.one("form", id="form").fields(name_2="Getippt")
    end_sessions()
    refused = read(operator.post(url, data=typed))
    assert refused.status == 401 and "Ihre Eingaben sind noch da" in refused.text
    kept = refused.one("form", method="post").fields()
    assert (kept["name_2"], kept["_token"]) == ("Getippt", typed["_token"])
    assert Customer.get_by_id(abc).name_2 is None

    # Somebody else signs in at this desk and sends it: refused, with everything on the page.
    stranger = sign_in_as("Sachbearbeitung", "berger", "Herr Berger")
    answer = read(stranger.post(url, data={**kept, "csrf_token": ""}))
    assert answer.status == 422 and answer.summary[0].startswith("Diese Seite wurde mit einer anderen Anmeldung")
    assert Customer.get_by_id(abc).name_2 is None

    # He himself signs in again: the page that was refused can be sent, and a new window offers the same.
    operator.sign_in("weber", PASSWORD)
    assert get(operator, url).one("div", "offer").one("a")
    sent = {name: value for name, value in kept.items() if name != "csrf_token"} | {"_draft": "1"}
    assert send(operator, url, sent).toast == "Gespeichert."
    assert Customer.get_by_id(abc).name_2 == "Getippt"
    assert not get(operator, url).all("div", "offer")
    assert FormDraft.select().where(~FormDraft.closed).count() == 0
