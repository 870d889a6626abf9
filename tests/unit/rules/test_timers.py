"""Who may track, change, approve and delete time: what a key, which is an admin, cannot show.

To see it fail: let `permit` in `rules/timers.py` look at the state alone, or `allowed_status` at the move alone.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from tests.unit.rules.plant import OBJECTS, Plant

from planwerk.actor import Actor, Role
from planwerk.errors import Refusal
from planwerk.rules.timers import export, stop
from planwerk.run import run_delete
from planwerk.seeds.writing import Writer
from planwerk.store.transaction import Row, Transaction

ORGANISERS = (Role.ORGANISER, Role.MANAGER, Role.ADMIN)
STATES = ("draft", "pending", "approved", "rejected")
ENTRY = OBJECTS["time_tracking"]


class Workshop:
    """A card on which Ann and Bob track time."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.card = plant.add("card", name="a table")["id"]
        self.users = {name: plant.add("user", email=f"{name}@example.com")["id"] for name in ("ann", "bob")}

    def actor(self, role: Role, user: str = "ann") -> Actor:
        return Actor(self.plant.environment_id, "user", self.users[user], role, user_id=self.users[user])

    def work(self, actor: Actor | None, function: Callable[[Transaction], Any]) -> Any:
        def acting(tx: Transaction) -> Any:
            tx.actor = actor
            return function(tx)

        return self.plant.work(acting)

    def entry(self, status: str, user: str = "ann", **values: Any) -> str:
        values = {"card_id": self.card, "user_id": self.users[user], "status": status, "duration": 60, **values}
        return str(self.plant.add("time_tracking", **values)["id"])

    def create(self, actor: Actor | None, **body: Any) -> Row:
        id = self.work(actor, lambda tx: Writer(tx, OBJECTS).create("time_tracking", {"card_id": self.card, **body}))
        return self.plant.get("time_tracking", id)

    def change(self, actor: Actor | None, id: str, **body: Any) -> Row:
        self.work(actor, lambda tx: Writer(tx, OBJECTS).change("time_tracking", id, body))
        return self.plant.get("time_tracking", id)

    def delete(self, actor: Actor | None, id: str) -> None:
        def work(tx: Transaction) -> None:
            row = tx.get(ENTRY, id)
            assert row is not None
            run_delete(tx, ENTRY, row)

        self.work(actor, work)


@pytest.fixture
def shop(plant: Plant) -> Workshop:
    return Workshop(plant)


def refused(call: Callable[[], Any]) -> tuple[int, str | None]:
    """(status, property) of what must be refused."""
    with pytest.raises(Refusal) as caught:
        call()
    return caught.value.status, caught.value.faults[0].property


# ── new entries ──


def test_time_belongs_to_who_tracks_it(shop: Workshop) -> None:
    assert shop.create(shop.actor(Role.MEMBER))["user_id"] == shop.users["ann"]
    assert shop.create(shop.actor(Role.MEMBER), user_id=shop.users["ann"])["user_id"] == shop.users["ann"]
    assert shop.create(shop.actor(Role.ORGANISER), user_id=shop.users["bob"])["user_id"] == shop.users["bob"]
    assert shop.create(None)["user_id"] is None


def test_a_member_tracks_no_time_of_another(shop: Workshop) -> None:
    assert refused(lambda: shop.create(shop.actor(Role.MEMBER), user_id=shop.users["bob"])) == (403, None)


@pytest.mark.parametrize("status", STATES)
@pytest.mark.parametrize("role", [Role.MEMBER, *ORGANISERS])
def test_a_member_begins_with_a_draft_or_submits_at_once(role: Role, status: str, shop: Workshop) -> None:
    if role is Role.MEMBER and status in ("approved", "rejected"):
        assert refused(lambda: shop.create(shop.actor(role), status=status)) == (422, "status")
    else:
        assert shop.create(shop.actor(role), status=status)["status"] == status


# ── changes ──


@pytest.mark.parametrize(
    ("status", "body", "then"),
    [
        ("draft", {"duration": 5}, 200),
        ("rejected", {"duration": 5}, 200),
        ("pending", {"duration": 5}, 403),
        ("approved", {"duration": 5}, 403),
        ("draft", {"status": "pending"}, 200),
        ("pending", {"status": "draft"}, 200),
        ("pending", {"status": "draft", "duration": 5}, 200),
        ("pending", {"status": "pending"}, 403),
        ("pending", {"status": "approved"}, 403),
        ("pending", {"status": "rejected"}, 403),
        ("approved", {"status": "rejected"}, 403),
        ("approved", {"status": "draft"}, 403),
        ("rejected", {"status": "pending"}, 200),
        ("rejected", {"status": "draft"}, 200),
        ("rejected", {"status": "approved"}, 422),
        ("draft", {"status": "approved"}, 422),
        ("draft", {"status": "rejected"}, 422),
    ],
    ids=str,
)
def test_what_a_member_may_do_with_time_of_their_own(status: str, body: dict[str, Any], then: int, shop: Workshop) -> None:
    id, member = shop.entry(status), shop.actor(Role.MEMBER)
    if then == 200:
        assert {name: shop.change(member, id, **body)[name] for name in body} == body
    else:
        before = shop.plant.get("time_tracking", id)
        assert refused(lambda: shop.change(member, id, **body)) == (then, "status" if then == 422 else None)
        assert shop.plant.get("time_tracking", id) == before


@pytest.mark.parametrize("status", STATES)
def test_a_member_changes_no_time_of_another(status: str, shop: Workshop) -> None:
    id, member = shop.entry(status, "bob"), shop.actor(Role.MEMBER)
    for body in ({"duration": 5}, {"status": "draft"}, {"user_id": shop.users["ann"]}):
        assert refused(partial(shop.change, member, id, **body)) == (403, None)


@pytest.mark.parametrize("user", ["bob", None])
def test_a_member_gives_no_time_away(user: str | None, shop: Workshop) -> None:
    id = shop.entry("draft")
    assert refused(lambda: shop.change(shop.actor(Role.MEMBER), id, user_id=shop.users[user] if user else None)) == (403, None)


@pytest.mark.parametrize("role", ORGANISERS)
@pytest.mark.parametrize(
    ("old", "new"), [("pending", "approved"), ("pending", "rejected"), ("approved", "rejected"), ("rejected", "pending")]
)
def test_an_organiser_decides_on_everybodys_time(role: Role, old: str, new: str, shop: Workshop) -> None:
    assert shop.change(shop.actor(role), shop.entry(old, "bob"), status=new, duration=5)["status"] == new


@pytest.mark.parametrize(("old", "new"), [("draft", "approved"), ("approved", "draft"), ("approved", "pending"), ("rejected", "approved")])
def test_nobody_but_the_server_leaves_the_known_ways(old: str, new: str, shop: Workshop) -> None:
    id = shop.entry(old)
    assert refused(lambda: shop.change(shop.actor(Role.ADMIN), id, status=new)) == (422, "status")
    assert shop.change(None, id, status=new)["status"] == new


# ── deleting and stopping ──


@pytest.mark.parametrize(
    ("role", "user", "status", "is_allowed"),
    [
        *((Role.MEMBER, "ann", status, status in ("draft", "rejected")) for status in STATES),
        *((Role.MEMBER, "bob", status, False) for status in STATES),
        *((Role.ORGANISER, "bob", status, True) for status in STATES),
    ],
)
def test_who_may_change_time_may_delete_it(role: Role, user: str, status: str, is_allowed: bool, shop: Workshop) -> None:
    id = shop.entry(status, user)
    if is_allowed:
        shop.delete(shop.actor(role), id)
        assert shop.plant.work(lambda tx: tx.get(ENTRY, id)) is None
    else:
        assert refused(lambda: shop.delete(shop.actor(role), id)) == (403, None)
        assert shop.plant.get("time_tracking", id)["status"] == status


@pytest.mark.parametrize(
    ("role", "user", "status", "is_allowed"),
    [
        (Role.MEMBER, "ann", "draft", True),
        (Role.MEMBER, "ann", "pending", False),
        (Role.MEMBER, "bob", "draft", False),
        (Role.ORGANISER, "bob", "pending", True),
    ],
)
def test_who_may_change_a_timer_may_stop_it(role: Role, user: str, status: str, is_allowed: bool, shop: Workshop) -> None:
    id = shop.entry(status, user, start="2026-03-02T08:00:00Z", duration=None, running=True)
    actor = shop.actor(role)
    work: Callable[[Transaction], Any] = lambda tx: stop(tx, actor, {"time_tracking_id": id}, {})  # noqa: E731 (it is used twice)
    if is_allowed:
        assert not shop.work(actor, work)["running"]
    else:
        assert refused(lambda: shop.work(actor, work)) == (403, None)


# ── the export ──


@pytest.mark.parametrize(("role", "total"), [(Role.MEMBER, 60), (Role.ORGANISER, 90), (Role.ADMIN, 90)])
def test_a_member_exports_time_of_their_own(role: Role, total: int, shop: Workshop) -> None:
    shop.entry("draft")
    shop.entry("draft", "bob", duration=30)
    assert shop.plant.work(lambda tx: export(tx, shop.actor(role), {}, {}))["total"] == total


def test_a_member_who_is_no_user_exports_nothing(shop: Workshop) -> None:
    shop.entry("draft")
    nobody = Actor(shop.plant.environment_id, "oauth", "a client", Role.MEMBER)
    assert shop.plant.work(lambda tx: export(tx, nobody, {}, {}))["data"] == []
