"""A description checks itself: every contradiction is refused with a sentence that names the object."""

from typing import Any

import pytest

from planwerk.catalog import ALL
from planwerk.describe import Link, LinkTable, Many, Object, One, Place, identity, timestamps
from planwerk.fields import Integer, Ref, Text

TASK_LABEL = LinkTable("task_label", "task_id", "label_id", (Integer("priority"),))


def task(**options: Any) -> Object:
    return Object(name="task", section="base", purpose="A piece of work.", **{"fields": (identity(), Text("name")), **options})


CONTRADICTIONS = [
    ({"fields": (identity(), Text("name"), Integer("name"))}, "a property is described twice"),
    ({"fields": (Text("name"),)}, "an object needs an id"),
    ({"relations": (Many("name", to="label", by="task_id"),)}, "name is a property and a relation"),
    (
        {"relations": (Many("rows", to="row", by="task_id"), One("rows", to="row", by="id"))},
        "relation rows is described twice",
    ),
    ({"relations": (One("owner", to="person", by="owner_id"),)}, "relation owner goes by owner_id, which is no property"),
    (
        {"relations": (Link("labels", to="label", table=TASK_LABEL, by="card_id"),)},
        "relation labels goes by card_id, which is no column of task_label",
    ),
    ({"unique": (("name", "kind"),)}, r"key \('name', 'kind'\) names what is no property"),
    ({"index": (("kind",),)}, r"key \('kind',\) names what is no property"),
    ({"places": (Place("/board/{board_id}/task"),)}, r"path /board/\{board_id\}/task has a parameter that is no property"),
    ({"places": (Place("/task", fixed={"board_id": None}),)}, "path /task fixes board_id, which is no property"),
    ({"always_with": ("labels",)}, "always_with names labels, which is no relation"),
    ({"places": (Place("/task", with_=("labels",)),)}, "path /task comes with labels, which is no relation"),
    ({"pictures": ("avatar",)}, "picture avatar is no property"),
]


@pytest.mark.parametrize(("options", "sentence"), CONTRADICTIONS, ids=[sentence for _, sentence in CONTRADICTIONS])
def test_a_contradiction_is_refused_with_its_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^task: {sentence}$"):
        task(**options)


def test_an_answer_that_is_worked_out_needs_no_id() -> None:
    assert task(fields=(Text("name"),), is_stored=False).shown == (Text("name"),)


def test_a_description_is_compared_by_identity() -> None:
    assert task() != task()


def test_hidden_and_write_only_properties_are_not_shown() -> None:
    described = task(fields=(identity(), Text("name"), Text("secret", write_only=True), Text("internal", hidden=True)))
    assert [field.name for field in described.shown] == ["id", "name"]


def test_a_body_may_set_what_is_neither_read_only_nor_hidden() -> None:
    described = task(fields=(identity(), Text("name"), Text("secret", write_only=True), Text("internal", hidden=True)))
    assert [field.name for field in described.writable] == ["name", "secret"]


def test_a_reference_without_a_target_is_a_plain_id() -> None:
    described = task(fields=(identity(), Ref("owner_id", to="person"), Ref("foreign_id")))
    assert [ref.name for ref in described.refs] == ["owner_id"]


def test_links_are_the_relations_with_a_table() -> None:
    described = task(relations=(Many("rows", to="row", by="task_id"), Link("labels", to="label", table=TASK_LABEL, by="task_id")))
    assert list(described.link) == ["labels"]
    assert list(described.relation) == ["rows", "labels"]


def test_what_has_an_archived_at_can_be_archived() -> None:
    assert task(fields=(identity(), *timestamps(archived=True))).is_archivable
    assert not task(fields=(identity(), *timestamps())).is_archivable


def test_the_moment_of_deletion_is_a_column_even_where_it_is_not_shown() -> None:
    assert [field.name for field in timestamps()] == ["created_at", "updated_at", "deleted_at"]
    assert [field.hidden for field in timestamps()] == [False, False, True]
    assert [field.hidden for field in timestamps(deleted=True)] == [False, False, False]


def test_a_link_table_knows_its_other_end() -> None:
    assert (TASK_LABEL.other("task_id"), TASK_LABEL.other("label_id")) == ("label_id", "task_id")


def test_a_place_names_its_parameters_in_order() -> None:
    assert Place("/a/{a_id}/b/{b_id}/c").parameters == ("a_id", "b_id")


def test_every_relation_of_the_catalog_leads_to_an_object_of_it() -> None:
    names = {described.name for described in ALL}
    assert [(described.name, relation.name) for described in ALL for relation in described.relations if relation.to not in names] == []


def test_the_other_end_of_every_relation_has_the_column_it_goes_by() -> None:
    objects = {described.name: described for described in ALL}
    lost = [
        f"{described.name}.{relation.name}"
        for described in ALL
        for relation in described.relations
        if (isinstance(relation, Many) and relation.by not in objects[relation.to].field)
        or (isinstance(relation, One) and relation.key not in objects[relation.to].field)
    ]
    assert lost == []


def test_every_reference_of_the_catalog_names_an_object_of_it() -> None:
    names = {described.name for described in ALL}
    assert [(described.name, ref.name) for described in ALL for ref in described.refs if ref.to not in names] == []
