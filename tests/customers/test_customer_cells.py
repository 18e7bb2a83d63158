"""Editing customers in their list: which columns are fixed, and the real application's token and rights."""

from __future__ import annotations

import json
from collections.abc import Callable

from flask.testing import FlaskClient

from models import Customer
from tests.conftest import SignedInClient
from tests.customers.test_customer_pages import make
from tests.reader import get


def test_numbers_and_times_stay_text_and_say_why(operator: FlaskClient) -> None:
    make(ABC={})
    page = get(operator, "/admin/customer/?edit=1")
    start = page.html.index("<template data-content>") + len("<template data-content>")
    columns = json.loads(page.html[start : page.html.index("</template>", start)])["columns"]
    fixed = {column["name"]: column["fixed"] for column in columns if column["fixed"]}
    assert fixed["updated_at"] == "Dieses Feld füllt das Programm selbst."
    assert fixed["customer_number"] == "Dieses Feld ist fest, sobald der Datensatz gespeichert ist."
    assert {"search_name", "city", "country", "status"} <= {column["name"] for column in columns if column["kind"]}


def test_a_number_is_not_changed_by_a_forged_request(operator: FlaskClient) -> None:
    (key,) = make(ABC={})
    number = Customer.get_by_id(key).customer_number
    change = {"key": key, "field": "customer_number", "value": "7", "base": number}
    answer = operator.post("/admin/customer/cells", json={"changes": [change]})
    assert answer.status_code == 422
    assert Customer.get_by_id(key).customer_number == number


def test_a_script_without_the_token_is_told_to_load_the_page_anew(sign_in_as: Callable[..., SignedInClient]) -> None:
    (key,) = make(ABC={})
    client = sign_in_as("Sachbearbeitung")
    change = {"key": key, "field": "search_name", "value": "Neu", "base": "ABC"}
    headers = {"X-CSRFToken": "", "Accept": "application/json"}
    refused = client.post("/admin/customer/cells", json={"changes": [change]}, headers=headers)
    assert refused.status_code == 400
    assert refused.get_json()["error"].endswith("Bitte laden Sie die Seite neu.")
    assert Customer.get_by_id(key).search_name == "ABC"
    assert client.post("/admin/customer/cells", json={"changes": [change]}).get_json() == {"saved": 1}


def test_nobody_edits_without_signing_in(client: FlaskClient) -> None:
    answer = client.post("/admin/customer/cells", json={"changes": []}, headers={"Accept": "application/json"})
    assert answer.status_code == 401
