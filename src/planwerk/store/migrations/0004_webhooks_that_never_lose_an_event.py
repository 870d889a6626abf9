"""Webhooks that never lose an event."""

import sqlalchemy as sa
from alembic import op

from planwerk.store.tables import plain_text


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("environment_id", plain_text(36), nullable=False),
        sa.Column("id", plain_text(36), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("name", plain_text(), nullable=False),
        sa.Column("object", plain_text(), nullable=False),
        sa.Column("object_id", plain_text(36), nullable=False),
        sa.Column("body", plain_text(), nullable=False),
        sa.Column("created_at", plain_text(20), nullable=False),
        sa.PrimaryKeyConstraint("environment_id", "id"),
    )
    op.create_index("key_event_position", "event", ["environment_id", "position"], unique=True)
    op.create_table(
        "webhook_delivery",
        sa.Column("environment_id", plain_text(36), nullable=False),
        sa.Column("id", plain_text(36), nullable=False),
        sa.Column("webhook_id", plain_text(36), nullable=True),
        sa.Column("event_id", plain_text(36), nullable=True),
        sa.Column("event", plain_text(), nullable=True),
        sa.Column("object_id", plain_text(36), nullable=True),
        sa.Column("status", plain_text(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=True),
        sa.Column("due_at", plain_text(20), nullable=True),
        sa.Column("attempted_at", plain_text(20), nullable=True),
        sa.Column("duration", sa.BigInteger(), nullable=True),
        sa.Column("status_code", sa.BigInteger(), nullable=True),
        sa.Column("error", plain_text(), nullable=True),
        sa.Column("answer_headers", plain_text(), nullable=True),
        sa.Column("answer", plain_text(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", plain_text(20), nullable=True),
        sa.Column("created_at", plain_text(20), nullable=True),
        sa.Column("updated_at", plain_text(20), nullable=True),
        sa.Column("deleted_at", plain_text(20), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", plain_text(), nullable=False),
        sa.PrimaryKeyConstraint("environment_id", "id"),
    )
    op.create_index(
        "index_webhook_delivery_webhook_id_due_at_position",
        "webhook_delivery",
        ["environment_id", "webhook_id", "due_at", "position", "id", "deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "index_webhook_delivery_webhook_id_object_id_due_at",
        "webhook_delivery",
        ["environment_id", "webhook_id", "object_id", "due_at", "id", "deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.add_column("webhook", sa.Column("old_secret", plain_text(), nullable=True))
    op.add_column("webhook", sa.Column("old_secret_until", plain_text(20), nullable=True))
    if op.get_context().dialect.name == "postgresql":
        op.execute("CREATE SEQUENCE event_position")
