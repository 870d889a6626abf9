"""From a catalog to its routes, and from a path to one of them."""

import pytest
from hypothesis import given, settings, strategies

from planwerk.catalog import ALL
from planwerk.describe import CREATE, LIST, ONE, UPDATE, Action, Link, LinkTable, Object, Place, identity, timestamps
from planwerk.fields import Ref
from planwerk.routes import Route, Router, routes_of, values_of

TASK_LABEL = LinkTable("task_label", "task_id", "label_id")

TASK = Object(
    name="task",
    section="base",
    purpose="A piece of work.",
    fields=(identity(), Ref("board_id", to="board"), *timestamps(archived=True)),
    relations=(Link("labels", to="label", table=TASK_LABEL, by="task_id", is_open=True),),
    places=(Place("/task"), Place("/task/detail", operations=(LIST,)), Place("/board/{board_id}/task", operations=(LIST, CREATE))),
    actions=(Action("GET", "/task/{task_id}/forecast/{year}", "forecast", lambda: None),),
)

NOTE = Object(
    name="note",
    section="base",
    purpose="A note.",
    fields=(identity(),),
    relations=(Link("labels", to="label", table=LinkTable("note_label", "note_id", "label_id"), by="note_id"),),
    places=(Place("/note", operations=(ONE, UPDATE)),),
)


def written(described: Object) -> list[tuple[str, str, str]]:
    return [(route.method, route.path, route.kind) for route in routes_of([described])]


def found(path: str, method: str = "GET") -> tuple[Route, dict[str, str]]:
    node = Router(routes_of([TASK, NOTE])).find(path)
    assert node is not None
    return node[0].routes[method], values_of(node[0], method, node[1])


def test_an_object_has_the_routes_that_its_description_names() -> None:
    assert written(TASK) == [
        ("GET", "/task", "list"),
        ("POST", "/task", "create"),
        ("GET", "/task/{id}", "one"),
        ("PUT", "/task/{id}", "update"),
        ("DELETE", "/task/{id}", "delete"),
        ("POST", "/task/{id}/archive", "archive"),
        ("POST", "/task/{id}/restore", "restore"),
        ("PUT", "/task/{id}/label/{other_id}", "attach"),
        ("DELETE", "/task/{id}/label/{other_id}", "detach"),
        ("GET", "/task/detail", "list"),
        ("GET", "/board/{board_id}/task", "list"),
        ("POST", "/board/{board_id}/task", "create"),
        ("GET", "/task/{task_id}/forecast/{year}", "action"),
    ]


def test_what_is_neither_archivable_nor_open_has_no_routes_for_it() -> None:
    assert written(NOTE) == [("GET", "/note/{id}", "one"), ("PUT", "/note/{id}", "update")]


def test_a_path_gives_its_parameters_their_names() -> None:
    route, values = found("/board/5/task")
    assert (route.kind, values) == ("list", {"board_id": "5"})


def test_a_word_wins_over_a_parameter() -> None:
    assert found("/task/detail")[0].place.operations == (LIST,)
    assert found("/task/details")[1] == {"id": "details"}


def test_two_methods_of_one_path_may_name_its_parameters_differently() -> None:
    assert found("/task/7/forecast/2024")[1] == {"task_id": "7", "year": "2024"}
    assert found("/task/7")[1] == {"id": "7"}


@pytest.mark.parametrize("path", ["/task/", "task", "/task"])
def test_slashes_at_the_ends_do_not_matter(path: str) -> None:
    assert found(path)[0].kind == "list"


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/task/1/nothing", "/task/1/archive/2", "/board", "/board/1", "/Task"])
def test_a_path_that_nobody_serves_is_not_found(path: str) -> None:
    assert Router(routes_of([TASK, NOTE])).find(path) is None


def test_a_node_knows_all_its_methods() -> None:
    node = Router(routes_of([TASK])).find("/task/1")
    assert node is not None
    assert sorted(node[0].routes) == ["DELETE", "GET", "PUT"]


def test_routes_are_compared_by_identity() -> None:
    one, other = next(routes_of([NOTE])), next(routes_of([NOTE]))
    assert one != other
    assert len({one, other}) == 2


def test_no_two_routes_of_the_catalog_share_method_and_path() -> None:
    places = [(route.method, route.path) for route in routes_of(ALL)]
    assert len(places) == len(set(places))


def test_every_route_of_the_catalog_is_found_at_its_path() -> None:
    routes = list(routes_of(ALL))
    router = Router(routes)
    for route in routes:
        node = router.find(route.path)
        assert node is not None
        assert node[0].routes[route.method] is route
        assert "{" not in "".join(values_of(node[0], route.method, ["x"] * len(node[1])).values())


@settings(deadline=None)
@given(strategies.text(alphabet="/{}ab %\x00é", max_size=30))
def test_no_path_breaks_the_router(path: str) -> None:
    node = Router(routes_of([TASK, NOTE])).find(path)
    assert node is None or node[0].routes
