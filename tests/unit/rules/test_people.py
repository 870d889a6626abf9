"""What follows from the properties of users and webhooks."""

from typing import Any

import pytest
from tests.unit.rules.plant import Plant

from planwerk.actor import Actor
from planwerk.rules.apps import made_by
from planwerk.rules.people import can_send, names_of_user

TX: Any = None  # these rules look at nothing but the values
ADA = {"firstname": "Ada", "infix": None, "lastname": "Lovelace"}


def derived(values: dict[str, Any], row: dict[str, Any] | None = None) -> dict[str, Any]:
    names_of_user(TX, values, row)
    return values


def test_a_new_user_logs_in_by_mail_address() -> None:
    assert derived({"email": "ada@example.com"})["username"] == "ada@example.com"


def test_a_user_name_that_is_given_stays() -> None:
    assert derived({"email": "ada@example.com", "username": "ada@work"})["username"] == "ada@work"


@pytest.mark.parametrize(
    ("values", "username", "becomes"),
    [
        ({}, "old@example.com", "new@example.com"),
        ({}, "Old@Example.com", "new@example.com"),
        ({"username": "old@example.com"}, "old@example.com", "new@example.com"),  # sent back as it was got
        ({"username": "ada@work"}, "old@example.com", "ada@work"),
        ({"username": None}, "old@example.com", None),
    ],
)
def test_a_user_name_that_is_the_address_follows_it(values: dict[str, Any], username: str, becomes: str | None) -> None:
    row = {"email": "old@example.com", "username": username}
    assert derived({"email": "new@example.com", **values}, row)["username"] == becomes


@pytest.mark.parametrize("username", ["ada@work", None])
def test_another_user_name_stays_when_the_address_changes(username: str | None) -> None:
    assert "username" not in derived({"email": "new@example.com"}, {"email": "old@example.com", "username": username})


@pytest.mark.parametrize(
    ("values", "row", "fullname"),
    [
        ({"firstname": "Ada", "lastname": "Lovelace"}, None, "Ada Lovelace"),
        ({"firstname": "Vincent", "infix": "van", "lastname": "Gogh"}, None, "Vincent van Gogh"),
        ({"lastname": "King"}, {"firstname": "Ada", "infix": None, "lastname": "Lovelace"}, "Ada King"),
        ({"lastname": None}, {"firstname": "Ada", "infix": None, "lastname": "Lovelace"}, "Ada"),
        ({"firstname": None}, {"firstname": "Ada", "infix": None, "lastname": None}, None),
        ({"firstname": "Ada", "fullname": "Countess"}, None, "Countess"),
        ({"firstname": "Eva", "fullname": "Ada King"}, {**ADA, "fullname": "Ada King"}, "Eva Lovelace"),  # sent back as it was got
        ({"firstname": "Ada", "fullname": "Ada King"}, {**ADA, "fullname": "Ada King"}, "Ada King"),
        ({"firstname": "Eva", "fullname": "Eva King"}, {**ADA, "fullname": "Ada King"}, "Eva King"),
        ({"firstname": "a" * 255, "lastname": "b" * 255}, None, "a" * 255),
    ],
)
def test_the_full_name_is_put_together_from_its_parts(values: dict[str, Any], row: dict[str, Any] | None, fullname: str | None) -> None:
    assert derived(values, row)["fullname"] == fullname


def test_a_change_of_other_properties_leaves_the_full_name_alone() -> None:
    assert "fullname" not in derived({"about": "x"}, {"firstname": "Ada", "infix": None, "lastname": None})


@pytest.mark.parametrize(
    ("values", "row", "may"),
    [
        ({}, None, True),
        ({"active": False}, None, False),
        ({}, {"active": 0, "disabled_until": None}, False),
        ({"active": True}, {"active": 0, "disabled_until": None}, True),
        ({"active": True}, {"active": 1, "disabled_until": "2030-01-01T00:00:00Z"}, False),
    ],
)
def test_a_webhook_sends_while_it_is_active_and_not_suspended(values: dict[str, Any], row: dict[str, Any] | None, may: bool) -> None:
    can_send(TX, values, row)
    assert values["can_send"] is may


@pytest.mark.parametrize(
    ("actor", "values"),
    [
        (Actor("environment", "api-key", "the key"), {"api_key_id": "the key", "third_party": True}),
        (Actor("environment", "user", "somebody"), {}),
        (None, {}),
    ],
)
def test_a_webhook_belongs_to_the_key_that_made_it(plant: Plant, actor: Actor | None, values: dict[str, Any]) -> None:
    def work(tx: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        tx.actor = actor
        made_by(tx, found)
        return found

    assert plant.work(work) == values
