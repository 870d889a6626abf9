"""Drafts → rows: the generic writes, whole or not at all.

Every draft is examined first (do the ids it names exist, do its checks hold), so that all faults come in one answer; then
it is applied, and each object in it judged by what the caller may do with it: what is refused is rolled back. Rules that an
object names in its description are called here; none is known by name.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from planwerk.describe import Link, Many, Object, One
from planwerk.errors import DUPLICATE_ENTRY, NOT_FOUND, PRECONDITION_FAILED, VALIDATION_FAILED, Fault, Refusal, refuse
from planwerk.fields import Field, Ids, Items, Ref, join, load
from planwerk.permissions import permit_change, permit_create, permit_delete, permit_links
from planwerk.query.body import Draft
from planwerk.store.transaction import Row, Transaction

Item = dict[str, Any]  # of a list that lives in its row


@dataclass(frozen=True)
class Manner:
    """How a PUT treats what is nested and left out."""

    keeps_nested: bool = False  # update_without_delete_nested
    removes_missing: bool = False  # remove_missing


def not_found(name: str) -> Refusal:
    return refuse(NOT_FOUND, f"{name} not found")


def run_create(tx: Transaction, draft: Draft, given: Mapping[str, Any]) -> Row:
    """A new object with everything nested in it. `given` are the values its place provides."""
    examine(tx, draft, None, given)
    return create(tx, draft, given)


def run_update(tx: Transaction, draft: Draft, row: Row, manner: Manner) -> Row:
    """The object changed as the draft says; what the draft does not name stays."""
    examine(tx, draft, row, {})
    return change(tx, draft, row, manner)


def run_delete(tx: Transaction, described: Object, row: Row) -> None:
    """The object is gone with all it owns, or whatever else its description says that a DELETE does."""
    permit_delete(tx.actor, described, row)
    if described.removal is None:
        tx.delete(described, row)
    else:
        described.removal(tx, row)


def match_version(row: Row, versions: tuple[int, ...] | None) -> None:
    """Refuse with 412 unless the row is at one of the versions that the caller has seen (None: any)."""
    if versions is not None and row["version"] not in versions:
        raise refuse(PRECONDITION_FAILED, "the object has changed since it was read")


# ── examine ──


def examine(tx: Transaction, draft: Draft, row: Row | None, given: Mapping[str, Any]) -> None:
    """Refuse with every fault that only the database can show."""
    wanted: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name, id, place in references(draft, row):
        wanted[name][id].append(place)
    faults = []
    for name, ids in wanted.items():
        seen = tx.hold(name, ids)
        faults += [unknown_id(name, place) for id, places in ids.items() if id not in seen for place in places]
    if faults and tx.viewer is not None:
        raise Refusal(*faults)  # the checks know rows that the caller does not see
    faults += check(tx, draft, row, given)
    if faults:
        raise Refusal(*faults)


def examine_given(tx: Transaction, fields: Iterable[Field], given: Mapping[str, Any]) -> None:
    """Refuse what an action is given if it names objects that do not exist."""
    faults = []
    for field in fields:
        value = given.get(field.name)
        if isinstance(field, Ref) and value is not None and not tx.hold(field.to, [value]):
            faults.append(unknown_id(field.to, field.name))
        elif isinstance(field, Ids) and value:
            seen = tx.hold(field.to, value)
            faults += [unknown_id(field.to, f"{field.name}[{place}]") for place, id in enumerate(value) if id not in seen]
    if faults:
        raise Refusal(*faults)


def unknown_id(name: str, place: str) -> Fault:
    return Fault(VALIDATION_FAILED, f"{place} names no {name}", place)


def references(draft: Draft, row: Row | None) -> Iterator[tuple[str, str, str]]:
    """Every (object, id, place in the body) that a draft refers to and that is not what the row has already."""
    for ref in draft.object.refs:
        id = draft.values.get(ref.name)
        if id is not None and (row is None or row[ref.name] != id):
            yield ref.to, id, join(draft.place, ref.name)
    for inner in draft.ones.values():
        if inner is not None and inner.id is not None:
            yield inner.object.name, inner.id, join(inner.place, "id")
        elif inner is not None:
            yield from references(inner, None)
    for items in draft.links.values():
        yield from ((inner.object.name, inner.id, join(inner.place, "id")) for inner in items if inner.id is not None)
    for items in draft.manys.values():
        for inner in items:
            yield from references(inner, None)


def check(tx: Transaction, draft: Draft, row: Row | None, given: Mapping[str, Any]) -> list[Fault]:
    values = {**draft.values, **given}
    return [fault for rule in draft.object.checks for fault in rule(tx, values, row)]


def verify(tx: Transaction, draft: Draft, row: Row | None, given: Mapping[str, Any]) -> None:
    """The checks of a nested object, judged when its parent is there; refuses with every fault, named by its place."""
    faults = check(tx, draft, row, given) if draft.place else []
    if faults:
        raise Refusal(
            *(Fault(fault.kind, f"{draft.place}: {fault.description}", join(draft.place, fault.property or "")) for fault in faults)
        )


# ── apply ──


def create(tx: Transaction, draft: Draft, given: Mapping[str, Any]) -> Row:
    verify(tx, draft, None, given)
    values = {"id": tx.new_id(), **draft.values, **given, **linked_ones(tx, draft, None)}
    name_owner(tx, draft.object, values)
    permit_create(tx.actor, draft.object, values, draft.place)
    for default in draft.object.defaults:
        default(tx, values)
    for derive in draft.object.derives:
        derive(tx, values, None)
    try:
        row = tx.insert(draft.object, stored(draft.object, values, tx, None, keeps=False))
    except Refusal as refusal:
        raise placed(refusal, draft) from None
    for name, items in draft.manys.items():
        relation = draft.object.relation[name]
        assert isinstance(relation, Many)
        for inner in items:
            if inner.id is not None:
                raise refuse(VALIDATION_FAILED, f"{join(inner.place, 'id')} may not be given for a new object", join(inner.place, "id"))
            create(tx, inner, {relation.by: row["id"]})
    for name in draft.links:
        write_links(tx, draft, name, row, keeps=True)
    for follow in draft.object.after:
        follow(tx, row, None)
    return row


def name_owner(tx: Transaction, described: Object, values: dict[str, Any]) -> None:
    """What belongs to a user belongs to who makes it, unless the body says whose it is."""
    own = described.allow.own
    if own and tx.actor is not None and values.get(own) is None and not (own in values and described.field[own].nullable):
        values[own] = tx.actor.user_id


def change(tx: Transaction, draft: Draft, row: Row, manner: Manner) -> Row:
    row = tx.latest(draft.object, row)  # what was written before in the same body may have moved it
    verify(tx, draft, row, {})
    values = {**draft.values, **linked_ones(tx, draft, row)}
    permit_change(tx.actor, draft.object, row, changed_parts(tx, draft.object, values, row, manner), draft.place)
    for derive in draft.object.derives:
        derive(tx, values, row)
    try:
        new = tx.update(draft.object, row, stored(draft.object, values, tx, row, keeps=manner.keeps_nested))
    except Refusal as refusal:
        raise placed(refusal, draft) from None
    is_touched = False
    for name, items in draft.manys.items():
        is_touched |= write_many(tx, draft.object.relation[name], draft.object, new, items, manner)
    for name in draft.links:
        is_touched |= write_links(tx, draft, name, new, keeps=manner.keeps_nested)
    if is_touched and new is row:
        new = tx.touch(draft.object, row)
    for follow in draft.object.after:
        follow(tx, new, row)
    return new


def changed_parts(tx: Transaction, described: Object, values: Mapping[str, Any], row: Row, manner: Manner) -> Iterator[str]:
    """The properties that a body would change; of a list whose items stay the same ones, what it would change in them."""
    for name, value in stored(described, values, tx, row, keeps=manner.keeps_nested).items():
        field = described.field[name]
        if value != row[name]:
            inside = changed_inside(field, load(row[name]), load(value)) if isinstance(field, Items) and field.is_identified else ()
            yield from inside or (name,)


def changed_inside(field: Items, old: list[Item] | None, new: list[Item] | None) -> list[str]:
    """`name.property` of what differs in the items of a list; nothing where items come, go or move."""
    if [item["id"] for item in old or ()] != [item["id"] for item in new or ()]:
        return []
    pairs = list(zip(old or (), new or (), strict=True))
    names = (inner.name for inner in field.fields if inner.name != "updated_at")
    return [f"{field.name}.{name}" for name in names if any(a.get(name) != b.get(name) for a, b in pairs)]


def placed(refusal: Refusal, draft: Draft) -> Refusal:
    """A duplicate inside a nested object is named by its place in the body."""
    if not draft.place or refusal.faults[0].kind is not DUPLICATE_ENTRY:
        return refusal
    fault = refusal.faults[0]
    return refuse(fault.kind, fault.description, join(draft.place, fault.property or ""))


def stored(described: Object, values: Mapping[str, Any], tx: Transaction, row: Row | None, *, keeps: bool) -> dict[str, Any]:
    """Values as the columns hold them."""
    ready = {}
    for name, value in values.items():
        field = described.field[name]
        if isinstance(field, Items) and field.is_identified:
            old, owner = load(row[name]) if row else None, {f"{described.name}_id": row["id"] if row else values["id"]}
            value = merge_items(field, value, old, owner, tx, keeps=keeps)
        ready[name] = field.store(value)
    return ready


def merge_items(field: Items, items: list[Item] | None, old: list[Item] | None, owner: Item, tx: Transaction, *, keeps: bool) -> Any:
    """The items of a list with their ids and timestamps. An item with the id of a stored one changes it; others are new;
    stored ones that are left out go, unless they are kept."""
    if items is None:
        return None
    known = {item["id"]: item for item in old or ()}
    merged = [merge_item(field, {**item, **owner}, known.get(item.get("id", "")), tx) for item in items]
    if keeps:
        sent = {item["id"] for item in merged}
        merged = [item for item in known.values() if item["id"] not in sent] + merged
    return merged


def merge_item(field: Items, item: dict[str, Any], old: dict[str, Any] | None, tx: Transaction) -> dict[str, Any]:
    base = old or {inner.name: plain_default(inner) for inner in field.fields}
    merged = {**base, **item, "id": old["id"] if old else item.get("id") or tx.new_id()}
    new = {inner.name: merged.get(inner.name) for inner in field.fields}
    if new == old:
        return new
    moments = {"updated_at": tx.now, "created_at": base.get("created_at") or tx.now}
    return new | {name: moment for name, moment in moments.items() if name in new}


def plain_default(field: Field) -> Any:
    return list(field.default) if isinstance(field.default, tuple) else field.default


def linked_ones(tx: Transaction, draft: Draft, row: Row | None) -> dict[str, Any]:
    """The columns that nested single objects set: linked by id, created without one, cleared by null.

    A body may hold the column and the nested object, as it was read; the one of the two that was changed counts.
    """
    columns = {}
    for name, inner in draft.ones.items():
        relation = draft.object.relation[name]
        assert isinstance(relation, One)
        if inner is None or inner.id is not None:
            id = None if inner is None else inner.id
            if relation.by not in draft.values or row is None or row[relation.by] != id:
                columns[relation.by] = id
        else:
            columns[relation.by] = create(tx, inner, {})["id"]
    return columns


def write_many(tx: Transaction, relation: Any, parent: Object, row: Row, items: list[Draft], manner: Manner) -> bool:
    """Owned objects: those with an id are changed, those without are created, those left out are deleted as the manner says.

    What the caller does not see is left alone.
    """
    target = tx.statements.objects[relation.to]
    known = seen_rows(tx, target.name, {child["id"]: child for child in tx.find(target, **{relation.by: row["id"]})})
    is_changed = False
    for inner in items:
        if inner.id is None:
            create(tx, inner, {relation.by: row["id"]})
            is_changed = True
        elif inner.id in known:
            old = known.pop(inner.id)
            inner.values.pop(relation.by, None)  # the place says whose it is; a body cannot give it away
            is_changed |= change(tx, inner, old, manner) is not old
        else:
            place = join(inner.place, "id")
            raise refuse(VALIDATION_FAILED, f"{place} names no {target.name} of this {parent.name}", place)
    keeps = manner.keeps_nested or (relation.keeps_missing and not manner.removes_missing)
    for child in () if keeps else known.values():
        run_delete(tx, target, child)
        is_changed = True
    return is_changed


def write_links(tx: Transaction, draft: Draft, name: str, row: Row, *, keeps: bool) -> bool:
    """Make the links of an object those that are given; tells whether anything changed."""
    relation = draft.object.relation[name]
    assert isinstance(relation, Link)
    known = seen_rows(tx, relation.to, tx.links(relation, row["id"]))
    sent = {inner.id: inner for inner in draft.links[name] if inner.id is not None}
    changed = {
        other
        for other, inner in sent.items()
        if tx.attach(relation, row["id"], other, pivot_values(relation, inner.values), known.get(other))
    }
    for other in () if keeps else set(known) - set(sent):
        tx.detach(relation, row["id"], other)
        changed.add(other)
    permit_links(tx.actor, draft.object, relation, changed, draft.place)
    return bool(changed)


def seen_rows(tx: Transaction, name: str, rows: dict[str, Row]) -> dict[str, Row]:
    """Those of the rows, given by the ids of an object, which the caller sees; all where no caller is limited."""
    viewer = tx.viewer
    if viewer is None or not rows or not tx.object(name).is_narrow(viewer.view):
        return rows
    seen = tx.seen(name, rows)
    return {id: row for id, row in rows.items() if id in seen}


def pivot_values(relation: Link, values: Mapping[str, Any]) -> dict[str, Any]:
    """The given pivot properties as the columns of the link table hold them."""
    return {field.name: field.store(values[field.name]) for field in relation.table.pivot if field.name in values}
