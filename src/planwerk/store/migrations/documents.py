"""Stored documents that are no longer what the catalog says: noticed by a fingerprint, made again from the columns.

A new property, or one that is shown another way, changes the text of every row; nobody but this file rewrites them.
"""

from collections.abc import Iterator
from typing import Any

import xxhash
from sqlalchemy import Table, bindparam, select, tuple_, update

from planwerk.describe import Link, LinkTable, Object
from planwerk.fields import Field
from planwerk.store.statements import compile_statement
from planwerk.store.transaction import Transaction, document_of, pivot_document

BATCH = 1000


def fingerprint(described: Object) -> str:
    """A short text that changes when the documents of an object or of its links would."""
    words = [*words_of(described.shown), *(word for link in links_of(described) for word in (link.name, *words_of(link.pivot)))]
    return xxhash.xxh3_64_hexdigest(",".join(words).encode())


def words_of(fields: tuple[Field, ...]) -> Iterator[str]:
    for field in fields:
        yield f"{field.name}:{type(field).__name__}"
        yield from words_of(getattr(field, "fields", ()))


def links_of(described: Object) -> list[LinkTable]:
    return [relation.table for relation in described.relations if isinstance(relation, Link)]


def rebuild(tx: Transaction, described: Object) -> None:
    """Make the documents of an object's rows and of its links again, in all environments, deleted rows included."""
    rewrite(tx, tx.statements.tables.of[described.name], ("id",), lambda row: document_of(described.shown, row))
    for link in links_of(described):
        rewrite(tx, tx.statements.tables.links[link.name], (link.left, link.right), lambda row, link=link: pivot_document(link, row))


def rewrite(tx: Transaction, table: Table, key: tuple[str, ...], document: Any) -> None:
    key = ("environment_id", *key)
    same = [table.c[name] == bindparam(f"old_{name}") for name in key]
    change = compile_statement(update(table).where(*same).values(document=bindparam("new")), tx.statements.dialect)
    for row in rows(tx, table, key):
        text = document(row)
        if text != row["document"]:
            tx.connection.execute(change.text, {"new": text, **{f"old_{name}": row[name] for name in key}})


def rows(tx: Transaction, table: Table, key: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """All rows, in batches by key, so that memory stays flat."""
    columns = [table.c[name] for name in key]
    page = select(table).order_by(*columns).limit(BATCH)
    rest = page.where(tuple_(*columns) > tuple_(*(bindparam(f"after_{name}") for name in key)))
    first, following = (compile_statement(statement, tx.statements.dialect) for statement in (page, rest))
    found = tx.connection.execute(first.text, first.fixed)
    while found:
        batch = [dict(zip(table.c.keys(), row, strict=True)) for row in found]
        yield from batch
        found = tx.connection.execute(following.text, {**following.fixed, **{f"after_{name}": batch[-1][name] for name in key}})
