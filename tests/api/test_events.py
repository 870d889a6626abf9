"""What a request about cards tells: the request → exactly these events with these data.

To see it fail: leave `SILENT` empty, give `coalesce` every change as it comes, note nothing in `Transaction.detach`, count
read-only properties as `things`, or write the events before `settle`.
"""

from collections.abc import Callable
from typing import Any

import pytest
from tests.api.eventful import Floor, Heard, created, deleted, item, linked, merged, part, updated, with_pivot

Request = Callable[[Floor], Any]

HOUR = {"position": None, "time": 60, "time_remaining": 60, "time_original": 60}
FREE = {"time": None, "time_remaining": None}  # of a resource on a card without an estimate
STARTS = ("start_date", "start", "date")
ON_MONDAY = dict.fromkeys((*STARTS, "end_date", "end"), (None, "2026-03-02"))
FORTY = dict.fromkeys(("time", "time_remaining"), (60, 40))
DONE = {"status_id": ("$todo", "$done"), "completed_at": (None, "…")}
RUSH_ON, LATE_ON, RUSH_OFF = (linked("card", "label", verb) for verb in ("attached", "attached", "detached"))
SAW_ON = with_pivot("card", "activity", "attached", shown=HOUR, new=HOUR)
SAW_CHANGED = with_pivot(
    "card",
    "activity",
    "updated",
    shown={**HOUR, "time": 90, "time_remaining": 90},
    new={"time": 90, "time_remaining": 90},
    old={"time": 60, "time_remaining": 60},
)


def put(body: dict[str, Any], **query: Any) -> Request:
    """A PUT of the card; names in lists stand for the ids of what they name."""

    def request(floor: Floor) -> None:
        named = {key: [{"id": floor.ids[item]} for item in value] if isinstance(value, list) else value for key, value in body.items()}
        floor.api.put(floor.card, named, **query)

    return request


def link(kind: str, name: str, body: Any = b"") -> Request:
    return lambda floor: floor.api.put(f"{floor.card}/{kind}/{floor.ids[name]}", body, expect=204)


def unlink(kind: str, name: str) -> Request:
    return lambda floor: floor.api.delete(f"{floor.card}/{kind}/{floor.ids[name]}")


def post(body: dict[str, Any]) -> Request:
    return lambda floor: floor.api.post(f"{floor.collection}/card", body)


def remove(floor: Floor) -> None:
    floor.api.delete(floor.card)


def make_whole(floor: Floor) -> None:
    links = {"labels": [floor.ids["rush"]], "activities": [{"id": floor.ids["saw"], "time": 60}]}
    floor.api.post(f"{floor.collection}/card", {**links, "checklists": [{"name": "in", "items": [{"description": "sand"}]}]})


def finish(floor: Floor) -> None:
    floor.api.put(floor.card, {"status_id": floor.ids["done"]})


def split(floor: Floor) -> None:
    parts = [{"date": "2026-03-02", "time": 40}, {"date": "2026-03-03", "time": 20}]
    floor.api.post(f"{floor.card}/split", {"date_parts": parts}, expect=200)


# what was done before, what is asked, what is told
SCENARIOS: dict[str, tuple[list[Request], Request, list[Heard]]] = {
    "a card is made": (
        [remove],
        post({"name": "rails"}),
        [created("card"), updated("collection", position=(0, None), status=("not_planned", "planned"))],
    ),
    "a card with what is nested in it": (
        [],
        make_whole,
        [created("card"), part("created", created("checklist")), item("attached", "sand"), RUSH_ON, SAW_ON],
    ),
    "a property": ([], put({"name": "treads"}), [updated("card", name=("steps", "treads"))]),
    "a property that others follow": ([], put({"time": 60}), [updated("card", time=(None, 60), time_remaining=(None, 60))]),
    "the first day alone, which has three names": (
        [put({"start_date": "2026-03-02", "end_date": "2026-03-04"})],
        put({"start": "2026-03-03"}),
        [
            updated("card", days_diff=(2, 1), days_active=(3, 2), **dict.fromkeys(STARTS, ("2026-03-02", "2026-03-03"))),
            updated("collection", start=("2026-03-02", "2026-03-03")),
        ],
    ),
    "two properties": (
        [],
        put({"name": "treads", "description": "of oak"}),
        [
            updated("card", name=("steps", "treads"), description=(None, "of oak")),
            merged(name=("steps", "treads"), description=(None, "of oak")),
        ],
    ),
    "nothing": ([], put({"name": "steps"}), []),
    "the last status, which completes it": (
        [],
        finish,
        [updated("card", **DONE), updated("collection", progress=("open", "done")), merged(**DONE)],
    ),
    "a lock": ([], lambda floor: floor.api.post(f"{floor.card}/lock", expect=200), [updated("card", locked=(False, True))]),
    "a rank": (
        [lambda floor: floor.keep("rails", floor.api.post(f"{floor.collection}/card", {"name": "rails"}))],
        lambda floor: floor.api.put(f"{floor.card}/rank", {"after": floor.ids["rails"]}),
        [updated("card", rank=("m", "s"))],
    ),
    "the only card goes": (
        [],
        remove,
        [deleted("card"), updated("collection", position=(None, 0), status=("planned", "not_planned"))],
    ),
    "labels that are sent": ([], put({"labels": ["rush"]}), [RUSH_ON]),
    "a label by its path": ([], link("label", "rush"), [RUSH_ON]),
    "a label that is there already": ([link("label", "rush")], link("label", "rush"), []),
    "a label taken off by its path": ([link("label", "rush")], unlink("label", "rush"), [RUSH_OFF]),
    "labels that are left out": ([link("label", "rush")], put({"labels": ["late"]}), [LATE_ON, RUSH_OFF, merged(LATE_ON, RUSH_OFF)]),
    "labels that stay": ([link("label", "rush")], put({"labels": ["late"]}, update_without_delete_nested="true"), [LATE_ON]),
    "a property and a label": (
        [],
        put({"name": "treads", "labels": ["rush"]}),
        [updated("card", name=("steps", "treads")), RUSH_ON, merged(RUSH_ON, name=("steps", "treads"))],
    ),
    "a resource": ([], link("resource", "Jan"), [with_pivot("card", "resource", "attached", shown=FREE, new=FREE)]),
    "a resource taken off": (
        [link("resource", "Jan")],
        put({"resources": []}),
        [with_pivot("card", "resource", "detached", shown=FREE, old=FREE)],
    ),
    "an activity, whose minutes become those of the card": (
        [],
        link("activity", "saw", {"time": 60}),
        [SAW_ON, updated("card", time=(None, 60), time_remaining=(None, 60)), merged(SAW_ON, time=(None, 60), time_remaining=(None, 60))],
    ),
    "other minutes of an activity": (
        [link("activity", "saw", {"time": 60})],
        link("activity", "saw", {"time": 90}),
        [SAW_CHANGED, updated("card", time=(60, 90), time_remaining=(60, 90)), merged(SAW_CHANGED, time=(60, 90), time_remaining=(60, 90))],
    ),
    "an activity taken off": (
        [link("activity", "saw", {"time": 60})],
        unlink("activity", "saw"),
        [with_pivot("card", "activity", "detached", shown=HOUR, old=HOUR)],
    ),
    "a card is split": (
        [put({"time": 60})],
        split,
        [
            created("card"),
            updated("card", **ON_MONDAY, **FORTY, days_diff=(None, 0), days_active=(None, 1)),
            updated("collection", start=(None, "2026-03-02"), end=(None, "2026-03-03")),
            merged(**ON_MONDAY, **FORTY, days_diff=(None, 0), days_active=(None, 1)),
        ],
    ),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_request_about_cards_tells_exactly_what_it_has_changed(scenario: str, floor: Floor) -> None:
    before, request, expected = SCENARIOS[scenario]
    for step in before:
        step(floor)
    assert floor.hears(request) == expected
