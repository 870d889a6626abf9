"""One transaction: rows stay whole, documents stay right, and nothing crosses from one environment to another."""

from collections.abc import Callable
from typing import Any, TypeVar

import orjson
import pytest
from tests.unit.store.shop import LABEL, OBJECTS, PART, PERSON, REMARK, SCREW, TASK, Clock

from planwerk.errors import DUPLICATE_ENTRY, Refusal
from planwerk.store.sqlite import SQLite
from planwerk.store.transaction import Row, Transaction, document_of

Result = TypeVar("Result")

HERE, THERE = "environment-a", "environment-b"
LABELS, FOLLOWERS = TASK.link["labels"], TASK.link["followers"]


def work(database: SQLite, function: Callable[[Transaction], Result], environment: str = HERE) -> Result:
    return database.write_now(environment, function)


def touched(database: SQLite, function: Callable[[Transaction], Any]) -> set[str]:
    def run(tx: Transaction) -> set[str]:
        function(tx)
        return tx.touched

    return work(database, run)


def new_task(database: SQLite, environment: str = HERE, **values: Any) -> Row:
    return work(database, lambda tx: tx.insert(TASK, values), environment)


def read_back(database: SQLite, name: str, id: str) -> Row:
    """The row as it lies in the table, deleted or not."""
    columns = database.statements.columns(name)
    [row] = database.query(f'SELECT * FROM "{name}" WHERE id = :id', {"id": id})
    return dict(zip(columns, row, strict=True))


def assert_whole(database: SQLite) -> None:
    """Every document of every row is what its columns say."""
    for described in OBJECTS.values():
        columns = database.statements.columns(described.name)
        for values in database.query(f'SELECT * FROM "{described.name}"'):
            row = dict(zip(columns, values, strict=True))
            assert row["document"] == document_of(described.shown, row)


def duplicate(caught: pytest.ExceptionInfo[Refusal]) -> tuple[str | None, str]:
    [fault] = caught.value.faults
    assert fault.kind is DUPLICATE_ENTRY
    return fault.property, fault.description


# ── insert ──


def test_a_new_row_has_its_values_its_defaults_and_what_the_server_adds(database: SQLite) -> None:
    row = new_task(database, name="cut", meta='{"a":1}', secret="s")
    assert {name: row[name] for name in ("name", "kind", "is_urgent", "external_ref", "version", "environment_id")} == {
        "name": "cut",
        "kind": "saw",
        "is_urgent": False,
        "external_ref": None,
        "version": 1,
        "environment_id": HERE,
    }
    assert row["created_at"] == row["updated_at"] == "2023-11-14T22:13:20Z"
    assert read_back(database, "task", row["id"]) == row


def test_the_document_holds_the_shown_properties_in_their_order_and_stays_open(database: SQLite) -> None:
    row = new_task(database, name="cut", meta='{"a":1}', secret="s")
    shown = orjson.loads(row["document"] + "}")
    assert list(shown) == [field.name for field in TASK.shown]
    assert (shown["meta"], shown["is_urgent"]) == ({"a": 1}, False)
    assert "secret" not in shown


def test_an_id_may_be_given(database: SQLite) -> None:
    assert new_task(database, id="chosen")["id"] == "chosen"


def test_ids_are_made_in_order(database: SQLite) -> None:
    made = [new_task(database)["id"] for _ in range(5)]
    assert made == sorted(made)


# ── update ──


def test_a_change_moves_version_and_moment_and_rebuilds_the_document(database: SQLite, clock: Clock) -> None:
    row = new_task(database, name="cut")
    clock.now += 60
    new = work(database, lambda tx: tx.update(TASK, row, {"name": "drill", "is_urgent": True}))
    assert (new["version"], new["updated_at"], new["created_at"]) == (2, "2023-11-14T22:14:20Z", row["created_at"])
    assert orjson.loads(new["document"] + "}")["name"] == "drill"
    assert read_back(database, "task", row["id"]) == new
    assert_whole(database)


def test_equal_values_change_nothing_and_touch_nothing(database: SQLite) -> None:
    row = new_task(database, name="cut", is_urgent=True)
    assert work(database, lambda tx: tx.update(TASK, row, {"name": "cut", "is_urgent": True})) is row
    assert touched(database, lambda tx: tx.update(TASK, row, {"name": "cut"})) == set()


def test_a_clock_that_goes_back_does_not_take_the_moment_with_it(database: SQLite, clock: Clock) -> None:
    row = new_task(database)
    clock.now -= 3600
    assert work(database, lambda tx: tx.update(TASK, row, {"name": "cut"}))["updated_at"] == row["updated_at"]


def test_a_touch_moves_the_version_alone(database: SQLite, clock: Clock) -> None:
    row = new_task(database)
    clock.now += 60
    new = work(database, lambda tx: tx.touch(TASK, row))
    assert {name for name in new if new[name] != row[name]} == {"version"}


def test_a_change_here_leaves_the_row_of_the_same_id_there_alone(database: SQLite) -> None:
    here, there = new_task(database, id="same", name="here"), new_task(database, THERE, id="same", name="there")
    work(database, lambda tx: tx.update(TASK, here, {"name": "changed"}))
    found = work(database, lambda tx: tx.get(TASK, "same"), THERE)
    assert found == there


# ── unique keys ──


def test_a_second_row_with_the_key_is_refused_by_its_property(database: SQLite) -> None:
    new_task(database, external_ref="A1")
    with pytest.raises(Refusal) as caught:
        new_task(database, external_ref="A1")
    assert duplicate(caught) == ("external_ref", "Duplicate entry: another task has this external_ref")


def test_a_key_of_several_properties_is_named_whole(database: SQLite) -> None:
    new_task(database, name="cut")
    with pytest.raises(Refusal) as caught:
        new_task(database, name="cut")
    assert duplicate(caught) == ("name", "Duplicate entry: another task has this name with kind")


def test_a_change_that_takes_a_key_is_refused_and_undone(database: SQLite) -> None:
    new_task(database, external_ref="A1")
    other = new_task(database, external_ref="A2")
    with pytest.raises(Refusal):
        work(database, lambda tx: tx.update(TASK, other, {"external_ref": "A1"}))
    assert read_back(database, "task", other["id"]) == other


def test_an_id_that_is_taken_is_refused(database: SQLite) -> None:
    new_task(database, id="same")
    with pytest.raises(Refusal) as caught:
        new_task(database, id="same")
    assert duplicate(caught) == ("id", "Duplicate entry: another task has this id")


def test_null_never_clashes(database: SQLite) -> None:
    assert new_task(database)["id"] != new_task(database)["id"]


def test_a_key_of_another_environment_is_free(database: SQLite) -> None:
    new_task(database, external_ref="A1")
    assert new_task(database, THERE, external_ref="A1")["external_ref"] == "A1"


def test_a_deleted_row_frees_its_key(database: SQLite) -> None:
    row = new_task(database, external_ref="A1")
    work(database, lambda tx: tx.delete(TASK, row))
    assert new_task(database, external_ref="A1")["id"] != row["id"]


# ── reading ──


def test_a_row_is_got_by_its_id_in_its_environment(database: SQLite) -> None:
    row = new_task(database)
    assert work(database, lambda tx: tx.get(TASK, row["id"])) == row
    assert work(database, lambda tx: tx.get(TASK, row["id"]), THERE) is None


def test_rows_are_found_by_values_and_null_and_in_order(database: SQLite) -> None:
    ids = [new_task(database, name=name, external_ref=ref)["id"] for name, ref in [("b", None), ("a", None), ("c", "x")]]
    new_task(database, THERE, name="d")

    def found(tx: Transaction) -> list[list[str]]:
        return [
            [row["id"] for row in rows]
            for rows in (tx.find(TASK), tx.find(TASK, order=("name",), external_ref=None), tx.find(TASK, name="c", external_ref="x"))
        ]

    assert work(database, found) == [ids, [ids[1], ids[0]], [ids[2]]]


def test_the_first_of_none_is_none(database: SQLite) -> None:
    row = new_task(database, name="cut")
    assert work(database, lambda tx: (tx.first(TASK, name="cut"), tx.first(TASK, name="none"))) == (row, None)


def test_living_are_those_that_are_here_and_not_deleted(database: SQLite) -> None:
    here, there, gone = new_task(database)["id"], new_task(database, THERE)["id"], new_task(database)
    work(database, lambda tx: tx.delete(TASK, gone))
    assert work(database, lambda tx: tx.living("task", [here, there, gone["id"], "no id", ""])) == {here}


def test_an_object_is_shown_with_what_was_asked_for(database: SQLite) -> None:
    def make(tx: Transaction) -> tuple[int, str] | None:
        person = tx.insert(PERSON, {"name": "Ada"})
        task = tx.insert(TASK, {"name": "cut", "owner_id": person["id"]})
        for position in (2, 1):
            tx.insert(PART, {"task_id": task["id"], "position": position})
        label = tx.insert(LABEL, {"name": "red"})
        tx.attach(LABELS, task["id"], label["id"], {"is_main": True})
        relations = tuple((TASK.relation[name], ()) for name in ("owner", "parts", "labels", "remarks"))
        return tx.shown(TASK, task["id"], relations)

    found = work(database, make)
    assert found is not None
    shown = orjson.loads(found[1])
    assert found[0] == 1
    assert shown["owner"]["name"] == "Ada"
    assert [part["position"] for part in shown["parts"]] == [1, 2]
    assert [(label["name"], label["priority"], label["is_main"]) for label in shown["labels"]] == [("red", 1, True)]
    assert shown["remarks"] == []


def test_what_is_not_there_is_not_shown(database: SQLite) -> None:
    assert work(database, lambda tx: tx.shown(TASK, "nothing", ())) is None


def test_a_statement_of_the_server_names_its_parameters_in_braces(database: SQLite) -> None:
    from planwerk.store.statements import Statement

    statement = Statement("SELECT {environment}, {name}", {})
    assert work(database, lambda tx: tx.run_named(statement, name="x"))[0] == (HERE, "x")


def test_so_many_hours_ago_is_a_moment(database: SQLite) -> None:
    assert work(database, lambda tx: tx.ago(hours=24)) == "2023-11-13T22:13:20Z"


def test_rules_find_descriptions_by_name(database: SQLite) -> None:
    assert work(database, lambda tx: tx.object("task")) is TASK


# ── delete ──


def test_deletion_is_soft_and_takes_what_is_owned_with_it(database: SQLite) -> None:
    def make(tx: Transaction) -> tuple[Row, list[tuple[str, str]]]:
        task, other = tx.insert(TASK, {}), tx.insert(TASK, {})
        part, kept = tx.insert(PART, {"task_id": task["id"]}), tx.insert(PART, {"task_id": other["id"]})
        screw, remark = tx.insert(SCREW, {"part_id": part["id"]}), tx.insert(REMARK, {"task_id": task["id"]})
        names = [("task", task), ("part", part), ("screw", screw), ("task", other), ("part", kept), ("remark", remark)]
        return task, [(name, row["id"]) for name, row in names]

    task, rows = work(database, make)
    assert touched(database, lambda tx: tx.delete(TASK, task)) == {"task", "part", "screw"}
    deleted = [read_back(database, name, id)["deleted_at"] is not None for name, id in rows]
    assert deleted == [True, True, True, False, False, False]
    assert_whole(database)


def test_a_deleted_row_is_found_by_nobody(database: SQLite) -> None:
    row = new_task(database, name="cut")
    work(database, lambda tx: tx.delete(TASK, row))
    assert work(database, lambda tx: (tx.get(TASK, row["id"]), tx.find(TASK), tx.shown(TASK, row["id"], ()))) == (None, [], None)


# ── links ──


def linked(database: SQLite) -> tuple[str, str]:
    def make(tx: Transaction) -> tuple[str, str]:
        task, label = tx.insert(TASK, {})["id"], tx.insert(LABEL, {})["id"]
        tx.attach(LABELS, task, label, {})
        return task, label

    return work(database, make)


def links(database: SQLite, task: str) -> dict[str, Row]:
    return work(database, lambda tx: tx.links(LABELS, task))


def test_a_link_takes_its_defaults_and_carries_its_properties_as_text(database: SQLite) -> None:
    task, label = linked(database)
    row = links(database, task)[label]
    assert (row["priority"], row["is_main"], row["document"]) == (1, 0, ',"priority":1,"is_main":false')


def test_a_link_without_properties_adds_no_text(database: SQLite) -> None:
    def make(tx: Transaction) -> dict[str, Row]:
        task, person = tx.insert(TASK, {})["id"], tx.insert(PERSON, {})["id"]
        tx.attach(FOLLOWERS, task, person, {})
        return tx.links(FOLLOWERS, task)

    [row] = work(database, make).values()
    assert row["document"] == ""


def test_a_link_is_seen_from_both_ends(database: SQLite) -> None:
    task, label = linked(database)
    assert list(work(database, lambda tx: tx.links(LABEL.link["tasks"], label))) == [task]


def test_the_same_link_again_is_no_change(database: SQLite) -> None:
    task, label = linked(database)
    old = links(database, task)[label]
    assert work(database, lambda tx: tx.attach(LABELS, task, label, {"priority": 1}, old)) is False
    assert touched(database, lambda tx: tx.attach(LABELS, task, label, {}, old)) == set()


def test_a_link_with_other_properties_keeps_those_that_were_not_given(database: SQLite) -> None:
    task, label = linked(database)
    for pivot in ({"priority": 7}, {"is_main": True}):
        old = links(database, task)[label]
        assert work(database, lambda tx, pivot=pivot, old=old: tx.attach(LABELS, task, label, pivot, old))  # type: ignore[misc]
    row = links(database, task)[label]
    assert (row["priority"], row["is_main"]) == (7, 1)


def test_a_link_can_be_undone(database: SQLite) -> None:
    task, label = linked(database)
    assert touched(database, lambda tx: tx.detach(LABELS, task, label)) == {"task_label"}
    assert links(database, task) == {}


def test_a_link_that_somebody_else_made_meanwhile_is_refused_and_not_unforeseen(database: SQLite) -> None:
    task, label = linked(database)
    with pytest.raises(Refusal) as caught:
        work(database, lambda tx: tx.attach(LABELS, task, label, {}))
    assert caught.value.status == 409


def test_links_of_another_environment_are_not_seen(database: SQLite) -> None:
    task, _ = linked(database)
    assert work(database, lambda tx: tx.links(LABELS, task), THERE) == {}


def test_what_was_written_is_noted_by_table(database: SQLite) -> None:
    def write(tx: Transaction) -> None:
        task, label = tx.insert(TASK, {}), tx.insert(LABEL, {})
        tx.attach(LABELS, task["id"], label["id"], {})

    assert touched(database, write) == {"task", "label", "task_label"}
    assert touched(database, lambda tx: tx.find(TASK)) == set()
