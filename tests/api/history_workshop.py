"""The workshop in which random histories are played: a new tenant on a server in memory, how it is asked, and how it is judged.

A request may be refused, and then changes nothing; it never fails. After every step what the API shows is counted anew by
`recount`, and what the rows will not tell later is remembered.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson
from holidays import country_holidays
from hypothesis import note, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.api.history_bodies import FIRST, LAST, ODD, TODAY, Pick, day
from tests.api.recount import Facts, Json, Memory, always, order_of, read_facts, stays
from tests.api.recount_later import settled
from tests.api.test_documents import differences
from tests.client import ABSENT
from tests.server import Server, quoted

UNKNOWN = "00000000-0000-4000-8000-000000000000"
COUNTRY = "NL"
ACTS = (
    {"description": "saw", "resource_type": "machine", "day_max_duration": 480, "default_duration": 60},
    {"description": "glue"},
    {"description": "pack", "default_duration": 30},
)
BOARDS: tuple[Json, ...] = (
    {"name": "weekdays", "dependency_behavior": "push"},
    {
        "name": "odd days",
        "dependency_behavior": "maintain",
        "split_cards_by_activity": True,
        "capacity_method": "remaining_time",
        "workdays": {"2": False, "4": False, "6": True},
        "auto_plan": {"order_types": ["Sales"]},
    },
)
STATUSES = ({"name": "to do", "entry": True}, {"name": "doing"}, {"name": "done", "exit": True})


class Workshop(RuleBasedStateMachine):
    """One tenant with two boards, whose every step is judged."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        tenant = server.tenant("history")
        self.server, self.environment_id = server, tenant.environment.id
        self.api = server.client(tenant)
        self.memory, self.gone = Memory(), set[tuple[str, str]]()
        self.holidays = {found.isoformat() for found in country_holidays(COUNTRY, years=range(TODAY.year - 1, TODAY.year + 2))}
        self.rows: dict[str, list[Any]] | None = None  # those of the tables, as long as nothing has changed them
        self.furnish()
        self.facts: Facts = read_facts(self.api, server, self.environment_id)
        self.is_fresh, self.is_calm = False, True

    def furnish(self) -> None:
        """Two boards, what is done on them, who does it, an order, and a planned collection on each, so that resources are nearly full."""
        saw, glue, pack = (self.api.post("/v1/activity", given)["id"] for given in ACTS)
        for place, board in enumerate(BOARDS):
            steps = ((saw,), (glue, saw), (pack,), (pack,))[: 4 - place]
            stages: list[Json] = [
                {"name": f"stage {number}", "priority": number, "delay_day": number % 2, "activities": [{"id": id} for id in ids]}
                for number, ids in enumerate(steps)
            ]
            stages[2]["independent"] = not place
            statuses = [{**status, "priority": number} for number, status in enumerate(STATUSES[place:])]
            self.api.post("/v1/board", {**board, "stages": stages, "statuses": statuses, "labels": [{"name": "red"}]})
        for name, kind in (("mill", "machine"), ("ann", "employee")):
            path = f"/v1/resource/{self.api.post('/v1/resource', {'name': name, 'type': kind})['id']}"
            days = {"period_start": day(FIRST), "period_end": day(LAST), "schedules": [{"hours_work": 0}]}
            self.api.put(f"{path}/schedule", days, expect=204)
            self.api.put(path, {"workdays": {"6": 4}})
        rows = [{"activity_id": saw, "quantity": 10, "unit": "hours"}, {"activity_id": pack, "quantity": 30, "unit": "minutes"}]
        self.api.post("/v1/order", {"code": "V0", "promised_date": day(9), "order_rows": rows})
        works = [{"id": saw, "time": 600}, {"id": glue, "time": 90}]
        for board_id in self.api.ids("/v1/board"):
            made = self.api.post("/v1/collection", {"name": "shelf", "activities": works, "board_id": board_id})
            wish = {"start": day(1), "resources": self.api.ids("/v1/resource")}
            self.api.post(f"/v1/collection/{made['id']}/board/{board_id}", wish, expect=200)
            self.memory.dates[made["id"]] = (None, None)
        self.server.work()
        cards = self.api.ids("/v1/card")
        self.api.post("/v1/card_relation", {"card_id": cards[0], "related_card_id": cards[-1], "type": "blocks"})

    # ── asking ──

    def write(self, method: str, path: str, given: Any = ABSENT) -> Any:
        """The answer to a request; None if it was refused, and then nothing may have changed."""
        sent = given if given is ABSENT else self.resolved(given)
        if self.rows is None:
            self.rows = self.server.rows(self.environment_id)
        answer = self.api.ask(method, path, sent)
        what = f"{method} {path} {'' if sent is ABSENT else sent} → {answer.status}"
        note(what + (f" {answer.faults}" if answer.status >= 400 else ""))
        assert answer.status < 500, f"{what} {answer.body!r}"
        if answer.status >= 400:
            assert self.server.rows(self.environment_id) == self.rows, f"{what} changed something"
            return None
        self.rows, self.is_fresh, self.is_calm = None, False, False
        return answer.json if answer.body else {}

    def resolved(self, given: Any) -> Any:
        if isinstance(given, Pick):
            return self.chosen(given)
        if isinstance(given, Mapping):
            return {name: self.resolved(value) for name, value in given.items()}
        return [self.resolved(value) for value in given] if isinstance(given, list) else given

    def chosen(self, wanted: Pick, board_id: str | None = None) -> str:
        """The id that a pick means: mostly of something that is there, and on the board if one is given."""
        living = [id for id, item in sorted(self.facts[wanted.kind].items()) if board_id is None or item["board_id"] == board_id]
        gone = sorted(id for kind, id in self.gone if kind == wanted.kind)
        if wanted.number < ODD and living:
            return living[wanted.number % len(living)]
        return gone[wanted.number % len(gone)] if gone and wanted.number > ODD else UNKNOWN

    def on_board(self, given: Any, board_id: str | None) -> Any:
        """A body whose stages, statuses and cards are those of a board, but for the odd one."""
        if isinstance(given, Pick):
            is_bound = given.kind in ("stage", "status", "card") and given.number % 8
            return self.chosen(given, board_id) if is_bound else given
        if isinstance(given, Mapping):
            return {name: self.on_board(value, board_id) for name, value in given.items()}
        return [self.on_board(value, board_id) for value in given] if isinstance(given, list) else given

    def card(self, wanted: Pick) -> tuple[Json, str]:
        """A card, or what little is known of one that is not there, and its path."""
        id = self.chosen(wanted)
        card = self.facts["card"].get(id, {"id": id, "collection_id": UNKNOWN, "board_id": None})
        return card, f"/v1/collection/{card['collection_id']}/card/{id}"

    def path(self, wanted: Pick) -> str:
        return self.card(wanted)[1] if wanted.kind == "card" else f"/v1/{wanted.kind}/{self.chosen(wanted)}"

    # ── judging ──

    @rule(is_repeated=st.booleans())
    def work(self, is_repeated: bool) -> None:
        """The background does all that waits; whatever it does again, as after the death of its process, changes nothing.

        Of two orders that share a collection the one that speaks last is right, so there a second time would be a change.
        """
        asked = f"SELECT name, arguments FROM job WHERE environment_id = {quoted(self.environment_id)} ORDER BY due_at, id"
        waiting = [(name, orjson.loads(arguments)) for name, arguments in self.server.database.query(asked)]
        self.server.work()
        self.rows, self.is_fresh, self.is_calm = None, False, True
        if is_repeated and waiting and not self.memory.shared:
            self.rows = self.server.rows(self.environment_id)
            self.server.database.write_now(self.environment_id, lambda tx: [tx.enqueue(name, **given) for name, given in waiting])
            self.server.work()
            assert self.server.rows(self.environment_id) == self.rows, f"done again, one of {waiting} changed something"

    @invariant()
    def is_right(self) -> None:
        """Whatever was written: what follows from other rows does."""
        if not self.is_fresh:
            self.judge()

    def judge(self) -> None:
        old, self.facts = self.facts, read_facts(self.api, self.server, self.environment_id)
        self.remember(old)
        faults = [*stays(old, self.facts), *always(self.facts, self.memory)]
        if self.is_calm:
            faults += settled(self.facts, self.memory, self.holidays)
            failed = f"SELECT name, error FROM job WHERE environment_id = {quoted(self.environment_id)}"
            faults += [f"job left: {job}" for job in self.server.database.query(failed)]
        assert faults == [], "\n".join(faults)
        self.is_fresh = True

    def remember(self, old: Facts) -> None:
        """What this step tells about the history, and the rows will not tell later."""
        memory, new = self.memory, self.facts
        self.gone |= {(kind, id) for kind, items in old.items() for id in items.keys() - new[kind].keys()}
        for id, collection in new["collection"].items():
            before = old["collection"].get(id)
            if collection["status"] != "not_planned":
                memory.activities.add(id)
            if before and before["board_id"] != collection["board_id"]:
                memory.moved.add(id)
            if collection["status"] == "planned" and (not before or place(before) != place(collection)):
                order = order_of(new, id)
                memory.dates[id] = (order and order["promised_date"], order and order["desired_date"])
        for id, order in old["order"].items():
            if order["collection_id"] and order["collection_id"] != new["order"].get(id, order)["collection_id"]:
                memory.left.add(order["collection_id"])
        followers = Counter(order["collection_id"] for order in new["order"].values())
        memory.shared |= {id for id, count in followers.items() if id and count > 1}
        turned = {id for id, status in old["status"].items() if new["status"].get(id, {"exit": None})["exit"] != status["exit"]}
        memory.completed |= {id for facts in (old, new) for id, card in facts["card"].items() if card["status_id"] in turned}
        doubtful = {stamp(new["card"][id]) for id in memory.completed & new["card"].keys()}
        parts = (new["card"][id] for id in new["card"].keys() - old["card"].keys())  # of a card that was split, perhaps
        memory.completed |= {card["id"] for card in parts if stamp(card) in doubtful}

    def teardown(self) -> None:
        self.work(is_repeated=True)
        self.judge()
        assert self.server.database.write_now(self.environment_id, differences) == []


def place(collection: Json) -> tuple[str, str]:
    return collection["status"], collection["board_id"]


def stamp(card: Json) -> tuple[str, str | None]:
    return card["collection_id"], card["completed_at"]
