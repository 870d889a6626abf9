"""Catalog → SQLAlchemy tables and indexes.

Every table leads with `environment_id`. An object's table has a column for each property, a `version` that counts its
changes and a `document`: the JSON text of its shown properties without the closing brace, so that the texts of related
rows can be appended to it in SQL. Indexes hold living rows only: a deleted row frees its unique keys.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import BigInteger, Column, Index, MetaData, PrimaryKeyConstraint, Sequence, Table, text
from sqlalchemy.types import String, TypeEngine

from planwerk.describe import LIST, Link, LinkTable, Object
from planwerk.fields import Field


def plain_text(length: int | None = None) -> TypeEngine[Any]:
    """Text that both databases order by code point."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def column_of(field: Field) -> Column[Any]:
    kind = field.column()
    return Column(field.name, plain_text(kind.length) if isinstance(kind, String) else kind)


EVENT_POSITION = "event_position"  # a sequence on PostgreSQL, a row of `state` on SQLite


class Tables:
    """The tables of a catalog: `of[object name]`, `links[link table name]`, and those the server keeps for itself."""

    def __init__(self, catalog: Iterable[Object]) -> None:
        objects = [described for described in catalog if described.is_stored]
        self.metadata = MetaData()
        self.of = {described.name: object_table(described, self.metadata) for described in objects}
        self.links: dict[str, Table] = {}
        self.unique: dict[str, tuple[str, tuple[str, ...]]] = {}
        for described in objects:
            for key in described.unique:
                self.unique[key_name(described.name, key)] = (described.name, key)
            for relation in described.relations:
                if isinstance(relation, Link) and relation.table.name not in self.links:
                    self.links[relation.table.name] = link_table(relation.table, self.metadata)
        make_server_tables(self.metadata)
        self.sequences = (Sequence(EVENT_POSITION, metadata=self.metadata),)


def make_server_tables(metadata: MetaData) -> None:
    """The tables that the server keeps for itself."""
    make_tenancy_tables(metadata)
    Table(
        "idempotency",
        metadata,
        Column("environment_id", plain_text(36), primary_key=True),
        Column("credential_id", plain_text(36), primary_key=True),
        Column("request", plain_text(), primary_key=True),  # method, path and key
        Column("body_hash", plain_text(32), nullable=False),
        Column("status", BigInteger, nullable=False),
        Column("answer", plain_text(), nullable=False),
        Column("created_at", plain_text(20), nullable=False),
    )
    Table(
        "change",
        metadata,
        Column("environment_id", plain_text(36), primary_key=True),
        Column("object", plain_text(), primary_key=True),
        Column("value", BigInteger, nullable=False, index=True),
    )
    Table(
        "job",
        metadata,
        Column("environment_id", plain_text(36), primary_key=True),
        Column("id", plain_text(36), primary_key=True),
        Column("name", plain_text(), nullable=False),
        Column("key", plain_text(), nullable=False),  # what it is about: of two that wait with the same, one is enough
        Column("arguments", plain_text(), nullable=False),
        Column("due_at", plain_text(20), nullable=False),
        Column("attempts", BigInteger, nullable=False),
        Column("error", plain_text()),
        Column("created_at", plain_text(20), nullable=False),
        Index("index_job_due_at", "due_at", "id"),
        Index("index_job_name_key", "environment_id", "name", "key"),
    )
    Table(
        "event",  # what has happened, in the order of `position`; the outbox of webhooks and the feed
        metadata,
        Column("environment_id", plain_text(36), primary_key=True),
        Column("id", plain_text(36), primary_key=True),
        Column("position", BigInteger, nullable=False),
        Column("name", plain_text(), nullable=False),
        Column("object", plain_text(), nullable=False),
        Column("object_id", plain_text(36), nullable=False),
        Column("body", plain_text(), nullable=False),  # JSON, as it is sent
        Column("created_at", plain_text(20), nullable=False),
        Index("key_event_position", "environment_id", "position", unique=True),
    )
    Table(
        "state",
        metadata,
        Column("name", plain_text(), primary_key=True),
        Column("value", plain_text(), nullable=False),
    )


def make_tenancy_tables(metadata: MetaData) -> None:
    """The environments, and the keys that sign access tokens in all of them."""
    Table(
        "environment",
        metadata,
        Column("id", plain_text(36), primary_key=True),
        Column("hash", plain_text(40), nullable=False, unique=True),
        Column("name", plain_text(), nullable=False, unique=True),
        Column("status", plain_text(), nullable=False),
        Column("last_request_user", plain_text(20)),
        Column("last_request_third_party", plain_text(20)),
        Column("created_at", plain_text(20), nullable=False),
        Column("updated_at", plain_text(20), nullable=False),
    )
    Table(
        "signing_key",
        metadata,
        Column("id", plain_text(36), primary_key=True),
        Column("private", plain_text(), nullable=False),  # JWK, sealed
        Column("public", plain_text(), nullable=False),  # JWK
        Column("created_at", plain_text(20), nullable=False),
        Column("retired_at", plain_text(20)),
    )


def key_name(table: str, columns: tuple[str, ...]) -> str:
    return f"key_{table}_{'_'.join(columns)}"


LIVING = text("deleted_at IS NULL")


def object_table(described: Object, metadata: MetaData) -> Table:
    table = Table(
        described.name,
        metadata,
        Column("environment_id", plain_text(36), nullable=False),
        *(column_of(field) for field in described.fields),
        Column("version", BigInteger, nullable=False),
        Column("document", plain_text(), nullable=False),
        PrimaryKeyConstraint("environment_id", "id"),
    )
    for key in described.unique:
        Index(key_name(described.name, key), table.c.environment_id, *(table.c[name] for name in key), unique=True, **living())
    for columns in ((), *described.index) if is_listed_whole(described) else described.index:
        # id for the last key of every sort; deleted_at, always null here, so that SQLite can count without the table
        named = (*columns, "id", "deleted_at")
        Index(f"index_{'_'.join((described.name, *columns))}", table.c.environment_id, *(table.c[name] for name in named), **living())
    return table


def is_listed_whole(described: Object) -> bool:
    """Whether some list is not that of a parent, whose index would serve it."""
    return any(LIST in place.operations and not place.parameters for place in described.places)


def living() -> dict[str, Any]:
    return {"sqlite_where": LIVING, "postgresql_where": LIVING}


def link_table(link: LinkTable, metadata: MetaData) -> Table:
    table = Table(
        link.name,
        metadata,
        Column("environment_id", plain_text(36), nullable=False),
        Column(link.left, plain_text(36), nullable=False),
        Column(link.right, plain_text(36), nullable=False),
        *(column_of(field) for field in link.pivot),
        Column("document", plain_text(), nullable=False),  # the pivot properties as JSON text with a leading comma
        PrimaryKeyConstraint("environment_id", link.left, link.right),
    )
    Index(f"index_{link.name}_{link.right}", table.c.environment_id, table.c[link.right], table.c[link.left])
    return table
