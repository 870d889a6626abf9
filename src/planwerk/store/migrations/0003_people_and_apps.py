"""People and apps."""

import sqlalchemy as sa
from alembic import op

from planwerk.store.tables import plain_text


def upgrade() -> None:
    op.create_table(
        "invitation",
        sa.Column("environment_id", plain_text(36), nullable=False),
        sa.Column("id", plain_text(36), nullable=False),
        sa.Column("user_id", plain_text(36), nullable=True),
        sa.Column("purpose", plain_text(), nullable=True),
        sa.Column("inviter_id", plain_text(36), nullable=True),
        sa.Column("expires_at", plain_text(20), nullable=True),
        sa.Column("used_at", plain_text(20), nullable=True),
        sa.Column("created_at", plain_text(20), nullable=True),
        sa.Column("updated_at", plain_text(20), nullable=True),
        sa.Column("deleted_at", plain_text(20), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", plain_text(), nullable=False),
        sa.PrimaryKeyConstraint("environment_id", "id"),
    )
    op.create_index(
        "index_invitation_user_id",
        "invitation",
        ["environment_id", "user_id", "id", "deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "mail",
        sa.Column("environment_id", plain_text(36), nullable=False),
        sa.Column("id", plain_text(36), nullable=False),
        sa.Column("recipient", plain_text(), nullable=True),
        sa.Column("template", plain_text(), nullable=True),
        sa.Column("values", plain_text(), nullable=True),
        sa.Column("due_at", plain_text(20), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=True),
        sa.Column("error", plain_text(), nullable=True),
        sa.Column("sent_at", plain_text(20), nullable=True),
        sa.Column("created_at", plain_text(20), nullable=True),
        sa.Column("updated_at", plain_text(20), nullable=True),
        sa.Column("deleted_at", plain_text(20), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", plain_text(), nullable=False),
        sa.PrimaryKeyConstraint("environment_id", "id"),
    )
    op.create_index(
        "index_mail_due_at",
        "mail",
        ["environment_id", "due_at", "id", "deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "index_mail_recipient",
        "mail",
        ["environment_id", "recipient", "id", "deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "oauth_code",
        sa.Column("environment_id", plain_text(36), nullable=False),
        sa.Column("id", plain_text(36), nullable=False),
        sa.Column("code_hash", plain_text(), nullable=True),
        sa.Column("grant_id", plain_text(36), nullable=True),
        sa.Column("redirect_uri", plain_text(), nullable=True),
        sa.Column("code_challenge", plain_text(), nullable=True),
        sa.Column("expires_at", plain_text(20), nullable=True),
        sa.Column("used_at", plain_text(20), nullable=True),
        sa.Column("created_at", plain_text(20), nullable=True),
        sa.Column("updated_at", plain_text(20), nullable=True),
        sa.Column("deleted_at", plain_text(20), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", plain_text(), nullable=False),
        sa.PrimaryKeyConstraint("environment_id", "id"),
    )
    op.create_index(
        "key_oauth_code_code_hash",
        "oauth_code",
        ["environment_id", "code_hash"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "oauth_grant",
        sa.Column("environment_id", plain_text(36), nullable=False),
        sa.Column("id", plain_text(36), nullable=False),
        sa.Column("client_id", plain_text(36), nullable=True),
        sa.Column("client_environment_id", plain_text(36), nullable=True),
        sa.Column("user_id", plain_text(36), nullable=True),
        sa.Column("last_used_at", plain_text(20), nullable=True),
        sa.Column("expires_at", plain_text(20), nullable=True),
        sa.Column("revoked_at", plain_text(20), nullable=True),
        sa.Column("reason", plain_text(), nullable=True),
        sa.Column("created_at", plain_text(20), nullable=True),
        sa.Column("updated_at", plain_text(20), nullable=True),
        sa.Column("deleted_at", plain_text(20), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", plain_text(), nullable=False),
        sa.PrimaryKeyConstraint("environment_id", "id"),
    )
    op.create_index(
        "index_oauth_grant_client_id",
        "oauth_grant",
        ["environment_id", "client_id", "id", "deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "index_oauth_grant_user_id",
        "oauth_grant",
        ["environment_id", "user_id", "id", "deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "oauth_token",
        sa.Column("environment_id", plain_text(36), nullable=False),
        sa.Column("id", plain_text(36), nullable=False),
        sa.Column("token_hash", plain_text(), nullable=True),
        sa.Column("grant_id", plain_text(36), nullable=True),
        sa.Column("expires_at", plain_text(20), nullable=True),
        sa.Column("rotated_at", plain_text(20), nullable=True),
        sa.Column("created_at", plain_text(20), nullable=True),
        sa.Column("updated_at", plain_text(20), nullable=True),
        sa.Column("deleted_at", plain_text(20), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", plain_text(), nullable=False),
        sa.PrimaryKeyConstraint("environment_id", "id"),
    )
    op.create_index(
        "index_oauth_token_grant_id",
        "oauth_token",
        ["environment_id", "grant_id", "id", "deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "key_oauth_token_token_hash",
        "oauth_token",
        ["environment_id", "token_hash"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "session",
        sa.Column("environment_id", plain_text(36), nullable=False),
        sa.Column("id", plain_text(36), nullable=False),
        sa.Column("user_id", plain_text(36), nullable=True),
        sa.Column("token_hash", plain_text(), nullable=True),
        sa.Column("method", plain_text(), nullable=True),
        sa.Column("address", plain_text(), nullable=True),
        sa.Column("agent", plain_text(), nullable=True),
        sa.Column("others", plain_text(), nullable=True),
        sa.Column("last_used_at", plain_text(20), nullable=True),
        sa.Column("expires_at", plain_text(20), nullable=True),
        sa.Column("created_at", plain_text(20), nullable=True),
        sa.Column("updated_at", plain_text(20), nullable=True),
        sa.Column("deleted_at", plain_text(20), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("document", plain_text(), nullable=False),
        sa.PrimaryKeyConstraint("environment_id", "id"),
    )
    op.create_index(
        "index_session_user_id",
        "session",
        ["environment_id", "user_id", "id", "deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "key_session_token_hash",
        "session",
        ["environment_id", "token_hash"],
        unique=True,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "signing_key",
        sa.Column("id", plain_text(36), nullable=False),
        sa.Column("private", plain_text(), nullable=False),
        sa.Column("public", plain_text(), nullable=False),
        sa.Column("created_at", plain_text(20), nullable=False),
        sa.Column("retired_at", plain_text(20), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "index_api_key",
        "api_key",
        ["environment_id", "id", "deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.add_column("environment", sa.Column("last_request_user", plain_text(20), nullable=True))
    op.add_column("environment", sa.Column("last_request_third_party", plain_text(20), nullable=True))
    op.add_column("oauth_client", sa.Column("secret_created_at", plain_text(20), nullable=True))
    op.add_column("oauth_client", sa.Column("require_pkce", sa.Boolean(), nullable=True))
    op.add_column("user", sa.Column("idp_issuer", plain_text(), nullable=True))
    op.add_column("user", sa.Column("totp_secret", plain_text(), nullable=True))
    op.add_column("user", sa.Column("totp_step", sa.BigInteger(), nullable=True))
    op.add_column("user", sa.Column("recovery_hashes", plain_text(), nullable=True))
    op.add_column("user", sa.Column("last_login_at", plain_text(20), nullable=True))
    op.create_index(
        "index_user_idp_id",
        "user",
        ["environment_id", "idp_id", "id", "deleted_at"],
        unique=False,
        sqlite_where=sa.text("deleted_at IS NULL"),
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.execute("UPDATE oauth_client SET require_pkce = is_public")  # apps of before may not know PKCE
    op.execute("UPDATE \"user\" SET recovery_hashes = '[]'")
    # capitals do not count any more; two users who differ by nothing else keep theirs, and log in with exactly these
    op.execute(
        'UPDATE "user" SET email = lower(email) WHERE email <> lower(email) AND deleted_at IS NULL'
        ' AND NOT EXISTS (SELECT 1 FROM "user" other WHERE other.environment_id = "user".environment_id AND other.id <> "user".id'
        ' AND other.deleted_at IS NULL AND lower(other.email) = lower("user".email))'
    )
