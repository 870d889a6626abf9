"""Planning."""

import sqlalchemy as sa
from alembic import op

from planwerk.store.tables import plain_text


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("environment_id", plain_text(36), nullable=False),
        sa.Column("id", plain_text(36), nullable=False),
        sa.Column("name", plain_text(), nullable=False),
        sa.Column("key", plain_text(), nullable=False),
        sa.Column("arguments", plain_text(), nullable=False),
        sa.Column("due_at", plain_text(20), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("error", plain_text(), nullable=True),
        sa.Column("created_at", plain_text(20), nullable=False),
        sa.PrimaryKeyConstraint("environment_id", "id"),
    )
    op.create_index("index_job_due_at", "job", ["due_at", "id"], unique=False)
    op.create_index("index_job_name_key", "job", ["environment_id", "name", "key"], unique=False)
    op.add_column("board", sa.Column("auto_plan", plain_text(), nullable=True))
    op.add_column("card", sa.Column("time_remaining", sa.BigInteger(), nullable=True))
    op.create_index(
        "index_card_board_id_rank",
        "card",
        ["environment_id", "board_id", "rank", "id", "deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.add_column("card_resource", sa.Column("time", sa.BigInteger(), nullable=True))
    op.add_column("card_resource", sa.Column("time_remaining", sa.BigInteger(), nullable=True))
    op.add_column("collection", sa.Column("order_activities", plain_text(), nullable=True))
    op.add_column("collection", sa.Column("planned_promised_date", plain_text(10), nullable=True))
    op.add_column("collection", sa.Column("planned_desired_date", plain_text(10), nullable=True))
    op.add_column("collection", sa.Column("planning", plain_text(), nullable=True))
    op.execute("UPDATE collection SET order_activities = '[]'")
    op.execute(  # what follows from the cards that are there is made by a job of each environment
        "INSERT INTO job (environment_id, id, name, key, arguments, due_at, attempts, created_at)"
        " SELECT id, id, 'collection.recount', '', '{}', created_at, 0, created_at FROM environment"
    )
