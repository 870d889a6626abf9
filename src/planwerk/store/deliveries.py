"""Deliveries as the sender sees them: which webhooks have any that are due, taking some, giving back what was not sent.

A delivery that is taken belongs to its sender until its lease ends; if the sender's process dies, another one sends it again. Of
the deliveries of one webhook about one object those taken are always the first: none is left out that nobody has tried yet, and
none is under way elsewhere. Two senders that would take from one webhook at once come one after the other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from planwerk.store.statements import Statement
from planwerk.store.transaction import Row, Transaction

LOCK = 7073112  # of taking from one webhook; the second half of the key is the webhook
LAST = 2**62  # behind every position

MINE = "d.environment_id = {environment} AND d.webhook_id = {webhook_id} AND d.deleted_at IS NULL"
FREE = "d.due_at <= {now} AND (d.lease_until IS NULL OR d.lease_until <= {now})"
WAITING = (  # of a webhook that is off or suspended only a test is sent: what it happened to is the webhook
    "SELECT 1 FROM webhook_delivery d WHERE d.environment_id = w.environment_id AND d.webhook_id = w.id AND d.deleted_at IS NULL"
    f" AND {FREE}"
)
OWNER_WAITS = (  # those of an app whose own environment is closed wait with it
    "SELECT 1 FROM environment o JOIN oauth_client c ON c.environment_id = o.id AND c.id = w.developer_client_id"
    " WHERE o.status IN ('suspended', 'deleting')"
)
JOINED = {"sqlite": "group_concat", "postgresql": "string_agg"}
DUE = {
    name: Statement(  # one row, so that it can be fetched without a transaction; a suspension that is over is an occasion, too
        f"SELECT {join}(w.environment_id || ' ' || w.id, ',') FROM webhook w JOIN environment e ON e.id = w.environment_id"
        " AND e.status = 'active' WHERE w.deleted_at IS NULL AND (w.disabled_until <= {now} OR"
        f" w.active AND w.disabled_until IS NULL AND EXISTS ({WAITING}) OR EXISTS ({WAITING} AND d.object_id = w.id))"
        f" AND (w.developer_client_id IS NULL OR NOT EXISTS ({OWNER_WAITS}))",
        {},
    )
    for name, join in JOINED.items()
}
STANDS = Statement(  # (where it sends, whether it sends more than tests now) of a webhook that is there and whose environments are open
    "SELECT w.url, w.active AND (w.disabled_until IS NULL OR w.disabled_until <= {now}) FROM webhook w JOIN environment e"
    " ON e.id = w.environment_id AND e.status = 'active' WHERE w.environment_id = {owner} AND w.id = {webhook_id}"
    f" AND w.deleted_at IS NULL AND (w.developer_client_id IS NULL OR NOT EXISTS ({OWNER_WAITS}))",
    {},
)
HELD_UP = (  # those of an object that must come, or end, before what stands behind them
    f"d.object_id = asked.value AND {MINE} AND d.due_at IS NOT NULL AND d.position < {{last}} AND (d.lease_until > {{now}}"
    " OR d.attempts = 0 AND (d.due_at > {cut_due} OR d.due_at = {cut_due} AND d.position > {cut_position}))"
)
UPDATE = "UPDATE webhook_delivery SET lease_until = {until} WHERE"
UNSETTLED = {  # of a suspended webhook: what would be sent before that ends; of another one: what waits as if it were suspended
    is_suspended: Statement(
        f"SELECT d.id FROM webhook_delivery d WHERE {MINE} AND {condition} AND (d.lease_until IS NULL OR d.lease_until <= {{now}})"
        " AND d.object_id <> d.webhook_id ORDER BY d.due_at LIMIT {limit}",
        {},
    )
    for is_suspended, condition in ((True, "d.due_at < {until}"), (False, "d.due_at > {until} AND d.status = 'suspended'"))
}


@dataclass(frozen=True)
class Taking:
    """The statements that take deliveries, for one kind of database."""

    ahead: Statement
    lease: Statement
    give_back: Statement
    bodies: Statement


# A queue changes faster than the statistics of its table. On PostgreSQL a sub-select that is no part of the query around it
# (LATERAL with OFFSET, ORDER BY or FOR UPDATE) is planned by itself, and so looks up one row after the other by its index.
EACH = "jsonb_array_elements_text({ids}::jsonb) AS asked (value) CROSS JOIN LATERAL"
ROW = f"ARRAY(SELECT d.ctid FROM {EACH} (SELECT ctid FROM webhook_delivery WHERE environment_id = {{environment}} AND id = asked.value"
THESE = {
    "sqlite": "environment_id = {environment} AND id IN (SELECT value FROM json_each({ids}))",
    "postgresql": f"ctid = ANY({ROW} FOR UPDATE) AS d))",
}
LISTED = {
    "sqlite": "json_each({ids}) AS asked CROSS JOIN (SELECT * FROM event WHERE environment_id = {environment}) AS e ON e.id = asked.value",
    "postgresql": f"{EACH} (SELECT id, body FROM event WHERE environment_id = {{environment}} AND id = asked.value OFFSET 0) AS e",
}
AHEAD = {
    "sqlite": f"SELECT d.object_id, d.position FROM json_each({{ids}}) AS asked CROSS JOIN webhook_delivery d ON {HELD_UP}",
    "postgresql": f"SELECT asked.value, d.position FROM {EACH}"
    f" (SELECT position FROM webhook_delivery d WHERE {HELD_UP} ORDER BY d.due_at) AS d",
}
TAKING = {
    name: Taking(
        Statement(AHEAD[name], {}),
        Statement(f"{UPDATE} {these} RETURNING id", {}),
        Statement(f"{UPDATE} {these} AND lease_until = {{held_until}}", {}),
        Statement(f"SELECT e.id, e.body FROM {LISTED[name]}", {}),
    )
    for name, these in THESE.items()
}
# Whoever takes from a webhook does it alone. What comes after is not sorted but read in the order of an index.
ALONE = Statement(
    "SELECT pg_try_advisory_xact_lock({lock}, hashtext({webhook_id})), set_config('enable_sort', 'off', true)", {"lock": LOCK}
)
FREE_ONES = f"FROM webhook_delivery d WHERE {MINE} AND {FREE} AND ({{only}} = '' OR d.object_id = {{only}})"
FIRST = f"{FREE_ONES} ORDER BY d.due_at, d.position LIMIT {{limit}}"
HELD = {  # as these deliveries are now, and stay until the transaction ends
    name: Statement(f"SELECT d.id, d.version, d.lease_until FROM {these}", {})
    for name, these in {
        "sqlite": "json_each({ids}) AS asked CROSS JOIN webhook_delivery d ON d.environment_id = {environment} AND d.id = asked.value",
        "postgresql": f"{EACH} (SELECT id, version, lease_until FROM webhook_delivery WHERE environment_id = {{environment}}"
        " AND id = asked.value FOR UPDATE) AS d",
    }.items()
}


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery that this sender sends now: its row, and what is sent, which is None if the event is no longer kept."""

    row: Row
    body: str | None


def due_webhooks(found: Sequence[Any] | None) -> list[tuple[str, str]]:
    """(environment, webhook) of those that have something to send now, in all environments, from the row of `DUE`."""
    text = found[0] if found else None
    return [(environment_id, id) for environment_id, _, id in (pair.partition(" ") for pair in text.split(","))] if text else []


def take_deliveries(tx: Transaction, webhook_id: str, limit: int, until: str, only: str = "") -> tuple[list[Taken], bool]:
    """Up to `limit` deliveries of a webhook in their order, for this sender alone until that moment, and whether more may wait.

    `only` those about one object, if that is said.
    """
    dialect = tx.statements.dialect.name
    taking = TAKING[dialect]
    if dialect == "postgresql" and not tx.run_named(ALONE, webhook_id=webhook_id, lock=LOCK)[0][0]:
        return [], True
    found = first_rows(tx, webhook_id, limit, only)
    if not found:
        return [], False
    ahead = held_up(tx, taking, found, is_cut=len(found) == limit)
    chosen = [row for row in found if row["position"] < ahead[row["object_id"]]]
    has_more = len(found) == limit or len(chosen) < len(found)
    if not chosen:
        return [], has_more
    leased = {row[0] for row in tx.run_named(taking.lease, ids=listed(row["id"] for row in chosen), until=until)}
    bodies = {row[0]: row[1] for row in tx.run_named(taking.bodies, ids=listed({row["event_id"] for row in chosen}))}
    ordered = sorted((row for row in chosen if row["id"] in leased), key=lambda row: row["position"])
    return [Taken({**row, "lease_until": until}, bodies.get(row["event_id"])) for row in ordered], has_more


def first_rows(tx: Transaction, webhook_id: str, limit: int, only: str) -> list[Row]:
    """The deliveries that are due and nobody has, those first that have been due for longest."""
    columns = tx.statements.columns("webhook_delivery")
    found = tx.run_named(first_of(columns), webhook_id=webhook_id, limit=limit, now=tx.now, only=only)
    return [dict(zip(columns, row, strict=True)) for row in found]


@lru_cache
def first_of(columns: tuple[str, ...]) -> Statement:
    return Statement(f"SELECT {', '.join(f'd.{name}' for name in columns)} {FIRST}", {})


def held_up(tx: Transaction, taking: Taking, found: Sequence[Row], *, is_cut: bool) -> dict[str, int]:
    """For each object of the rows the position of the first delivery that is no part of them and must come before those behind it."""
    cut_due, cut_position = (found[-1]["due_at"], found[-1]["position"]) if is_cut else (tx.now, LAST)
    asked = {"webhook_id": found[0]["webhook_id"], "ids": listed({row["object_id"] for row in found}), "now": tx.now}
    last, places = max(row["position"] for row in found), dict.fromkeys((row["object_id"] for row in found), LAST)
    for object_id, position in tx.run_named(taking.ahead, **asked, last=last, cut_due=cut_due, cut_position=cut_position):
        places[object_id] = min(position, places[object_id])
    return places


def keep_deliveries(tx: Transaction, changed: Iterable[tuple[Row, Mapping[str, Any]]]) -> set[str]:
    """Write down what became of deliveries that were taken, all with values for the same properties; the ids of those it wrote.

    One that is gone, or that somebody else has taken, reset or written meanwhile, is passed over.
    """
    described, taken = tx.object("webhook_delivery"), {row["id"]: (row, values) for row, values in changed}
    if not taken:
        return set()
    found = tx.run_named(HELD[tx.statements.dialect.name], ids=listed(taken))
    held = [taken[id] for id, *state in found if state == [taken[id][0]["version"], taken[id][0]["lease_until"]]]
    pairs = [(row, tx.changed_row(described, row, tx.moved(row, values))) for row, values in held]
    if pairs:
        columns = (*held[0][1], "updated_at", "version", "document")
        bound = [{f"new_{name}": new[name] for name in columns} | {"which": row["id"]} for row, new in pairs]
        tx.run_many(described, tx.statements.update(described.name, columns), bound)
    return {row["id"] for row, _ in pairs}


def give_back(tx: Transaction, ids: Iterable[str], held_until: str) -> None:
    """Deliveries that were taken and not sent are free again, unless somebody else has them by now."""
    tx.run_named(TAKING[tx.statements.dialect.name].give_back, ids=listed(ids), held_until=held_until, until=None)


def unsettled(tx: Transaction, webhook_id: str, until: str | None, limit: int) -> list[str]:
    """Deliveries that do not say yet what a suspension until that moment (None: its end) means for them."""
    found = tx.run_named(UNSETTLED[until is not None], webhook_id=webhook_id, until=until or tx.now, limit=limit, now=tx.now)
    return [row[0] for row in found]


def listed(ids: Iterable[str]) -> str:
    return orjson.dumps(sorted(ids)).decode()
