"""From descriptions to tables: every table leads with its environment, every index holds living rows only."""

import pytest
from sqlalchemy import Table
from tests.unit.store.shop import OBJECTS

from planwerk.catalog import ALL
from planwerk.describe import Object
from planwerk.fields import Text
from planwerk.store.database import schema_script
from planwerk.store.statements import POSTGRESQL, SQLITE
from planwerk.store.tables import Tables

SHOP = Tables(OBJECTS.values())


def columns(table: Table) -> list[str]:
    return [column.name for column in table.c]


def test_a_table_has_a_column_for_each_property_and_the_two_of_the_server() -> None:
    described = OBJECTS["task"]
    assert columns(SHOP.of["task"]) == ["environment_id", *(field.name for field in described.fields), "version", "document"]


def test_a_link_table_has_both_ids_its_properties_and_their_text() -> None:
    assert columns(SHOP.links["task_label"]) == ["environment_id", "task_id", "label_id", "priority", "is_main", "document"]


def test_a_link_table_of_two_relations_is_made_once() -> None:
    assert sorted(SHOP.links) == ["task_follower", "task_label"]


def test_what_is_worked_out_has_no_table() -> None:
    weather = Object(name="weather", section="system", purpose="Worked out.", fields=(Text("sky"),), is_stored=False)
    assert Tables([weather]).of == {}


@pytest.mark.parametrize("table", [*Tables(ALL).of.values(), *Tables(ALL).links.values()], ids=lambda table: str(table.name))
def test_environment_leads_every_key_and_index(table: Table) -> None:
    leading = [next(iter(index.columns)).name for index in table.indexes] + [next(iter(table.primary_key.columns)).name]
    assert set(leading) == {"environment_id"}


def test_indexes_of_objects_hold_living_rows_only() -> None:
    for table in SHOP.of.values():
        for index in table.indexes:
            assert (
                str(index.dialect_options["sqlite"]["where"]) == str(index.dialect_options["postgresql"]["where"]) == "deleted_at IS NULL"
            )


def test_a_unique_key_is_known_by_the_name_that_the_database_tells() -> None:
    assert SHOP.unique["key_task_external_ref"] == ("task", ("external_ref",))
    assert SHOP.unique["key_task_name_kind"] == ("task", ("name", "kind"))


def test_texts_are_ordered_by_code_point_in_both_databases() -> None:
    assert 'name VARCHAR COLLATE "C"' in "".join(schema_script(SHOP, POSTGRESQL))
    assert "COLLATE" not in "".join(schema_script(SHOP, SQLITE))


def test_the_script_makes_every_table_once() -> None:
    made = [text.split()[2] for text in schema_script(SHOP, SQLITE) if "CREATE TABLE" in text]
    assert sorted(made) == sorted(
        [*OBJECTS, "task_label", "task_follower", "environment", "idempotency", "change", "job", "signing_key", "event", "state"]
    )
