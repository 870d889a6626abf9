"""Who the caller is, and to which environment it belongs."""

from tests.unit.rules.plant import Plant

from planwerk.actor import Actor, Role
from planwerk.catalog.api_key import API_KEY
from planwerk.identity.api_keys import create_key
from planwerk.rules.whoami import me
from planwerk.store.environments import create_environment


def test_a_key_sees_itself_and_its_environment(plant: Plant) -> None:
    environment = plant.work(lambda tx: create_environment(tx, plant.environment_id))
    plant.environment_id = environment.id
    key, row = plant.work(lambda tx: create_key(tx, API_KEY, "for the shop floor", is_read_only=True))
    found = plant.work(lambda tx: me(tx, Actor(environment.id, "api-key", row["id"]), {}, None))
    assert found["type"] == "api-key"
    assert (found["environment"]["hash"], found["environment"]["customer"]) == (environment.hash, environment.name)
    assert (found["api-key"]["description"], found["api-key"]["is_read_only"]) == ("for the shop floor", True)
    assert found["permissions"] == {"role": "admin"}
    assert key not in str(found)
    assert row["key_hash"] not in str(found)


def test_a_caller_without_a_key_sees_its_role(plant: Plant) -> None:
    environment = plant.work(lambda tx: create_environment(tx, plant.environment_id))
    found = plant.work(lambda tx: me(tx, Actor(environment.id, "user", "user", Role.MEMBER), {}, None))
    assert (found["type"], found["permissions"]) == ("user", {"role": "member"})
    assert "api-key" not in found
