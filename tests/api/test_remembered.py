"""What is remembered of reads takes no more memory than is said, whatever callers ask for.

To see it fail: drop `is_kept` from `remember` or `fetch_page` in handlers.py or from a method of `Service`; count only the body.
"""

from typing import Any

import pytest
from tests.client import Client
from tests.people import bearer
from tests.server import Server
from tests.world import World

from planwerk.service import LONGEST, Service
from planwerk.store.memory import ENTRY_BYTES, Memory

CACHES = ("plan", "page", "one", "narrowed")


@pytest.fixture
def service(server: Server) -> Service:
    """One that remembers nothing of other tests, so that what is full cannot hide what grows."""
    found: Service = server.app.api.service
    for name in CACHES:
        getattr(found, f"kept_{name}").cache_clear()
    found.answers, found.totals = Memory(found.answers.limit), Memory(found.totals.limit)
    found.pages.clear()
    return found


def places(service: Service) -> dict[str, int]:
    """How much each part remembers."""
    kept: dict[str, Any] = {name: getattr(service, f"kept_{name}") for name in CACHES}
    counts = {name: cache.cache_info().currsize for name, cache in kept.items()}
    return {**counts, "answers": len(service.answers.entries), "totals": len(service.totals.entries), "shapes": len(service.pages)}


def length_of(service: Service, api: Client, text: str) -> int:
    """How long the query string of a filter for a code is, beside what is added to the text."""
    api.get("/v1/item", filter=f"code:eq:'{text}'")
    return next(len(key[2]) for key in reversed(service.answers.entries) if text in key[2])  # type: ignore[index]


@pytest.mark.parametrize("more", [0, 1])
def test_a_list_is_remembered_unless_its_query_is_long(more: int, service: Service, world: World, api: Client) -> None:
    text = f"{more}-{world.environment_id}"
    pad = "x" * (LONGEST - length_of(service, api, text) + more)
    before = places(service)
    for _ in range(2):
        assert api.get("/v1/item", filter=f"code:eq:'{text}{pad}'")["count"] == 0
    grown = {name for name, count in places(service).items() if count > before[name]}
    assert ("plan" in grown, "page" in grown, "answers" in grown, "totals" in grown) == (not more,) * 4
    assert any(pad in str(key) for key in (*service.answers.entries, *service.totals.entries)) is not more


def test_one_object_is_read_by_a_long_query_as_by_a_short_one(service: Service, world: World, api: Client) -> None:
    path, before = f"/v1/item/{world.id('item')}", places(service)
    assert api.get(path, show="code," + "x" * LONGEST).keys() == {"code"}
    assert api.put(path, {"code": "new"}, show="code," + "y" * LONGEST) == {"code": "new"}
    assert places(service) == before


def test_a_caller_who_sees_less_leaves_nothing_of_a_long_query(service: Service, server: Server, world: World) -> None:
    member, before = bearer(server, world, "member"), places(service)
    for _ in range(2):
        member.get("/v1/card", filter=f"name:eq:'{'x' * LONGEST}'")
    assert places(service) == before


def test_an_answer_is_counted_with_its_path_and_query(service: Service, world: World, api: Client) -> None:
    text = f"counted-{world.environment_id}"
    api.get("/v1/item", filter=f"code:eq:'{text}'")
    [(key, answer, size)] = [(key, kept[1], kept[2]) for key, kept in service.answers.entries.items() if text in key[2]]  # type: ignore[index]
    assert size == len(answer.body) + len(key[1]) + len(key[2]) + ENTRY_BYTES  # type: ignore[index]


def test_the_total_of_a_long_query_counts_for_several(service: Service, world: World, api: Client) -> None:
    for length, size in ((10, 1), (500, 6)):
        text = f"{world.environment_id}{'x' * length}"
        api.get("/v1/item", filter=f"code:eq:'{text}'")
        assert [entry[2] for key, entry in service.totals.entries.items() if text in key] == [size]  # type: ignore[operator]
