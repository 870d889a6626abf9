"""The second wall between environments, on PostgreSQL: row-level security behind the scope that each statement carries.

Comes in: the environment a connection works for. What the connection then sees and writes is of that environment, whatever a
statement forgets. A connection that has named none sees nothing; the server's own work names them all. SQLite has no such wall.
"""

from sqlalchemy import Dialect, MetaData

from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

SETTING = "planwerk.environment_id"
EVERYTHING = "*"  # the server's own work, across environments
CHOOSE = f"SELECT set_config('{SETTING}', %(scope)s, false)"  # outside a transaction: a rollback would undo it
POLICY = "own_environment"  # a new condition takes a new name, and `wall` drops the policy of the old one

# In sub-selects the setting is read once a statement, not once a row. CASE, for of an OR the planner believes that one row in
# as many as there are environments fits, and then reads and sorts a whole table for a page of ten.
CHOSEN = f"(SELECT current_setting('{SETTING}', true))"
CONDITION = f"CASE WHEN environment_id = {CHOSEN} THEN true ELSE {CHOSEN} = '{EVERYTHING}' END"

# Tables in the schema of the server that stand behind a wall: row-level security, for their owner too, and our policy.
STANDING = Statement(
    "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()"
    f" JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = '{POLICY}' WHERE c.relrowsecurity AND c.relforcerowsecurity",
    {},
)

FREE = Statement("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user", {})


def scope_of(environment_id: str) -> str:
    """What a connection names to work for an environment; the empty id is the server's own work.

    >>> scope_of("b7"), scope_of("")
    ('b7', '*')
    >>> scope_of("*")
    Traceback (most recent call last):
    ValueError: * is no environment
    """
    if environment_id == EVERYTHING:
        raise ValueError(f"{environment_id} is no environment")
    return environment_id or EVERYTHING


def walled(metadata: MetaData) -> list[str]:
    """The tables whose rows belong to environments, which all need a wall."""
    return [table.name for table in metadata.sorted_tables if "environment_id" in table.c]


def wall_script(metadata: MetaData, dialect: Dialect) -> list[str]:
    """The statements that raise the walls of all tables; none where the database knows no row-level security."""
    if dialect.name != "postgresql":
        return []
    return [text for name in walled(metadata) for text in wall(name)]


def wall(table: str) -> list[str]:
    return [
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
        f'DROP POLICY IF EXISTS {POLICY} ON "{table}"',
        f'CREATE POLICY {POLICY} ON "{table}" USING ({CONDITION})',
    ]


def missing_walls(tx: Transaction) -> list[str]:
    """The tables that need a wall and have none."""
    if tx.statements.dialect.name != "postgresql":
        return []
    standing = {row[0] for row in tx.run_named(STANDING)}
    return [name for name in walled(tx.statements.tables.metadata) if name not in standing]


def raise_walls(tx: Transaction) -> list[str]:
    """Raise the walls that are missing, such as those of new tables; the names of the tables. Others are not locked."""
    missing = missing_walls(tx)
    for text in (text for name in missing for text in wall(name)):
        tx.connection.execute(text, {})
    return missing


def is_free(tx: Transaction) -> bool:
    """Whether no wall holds the connection back: its role is a superuser, or has BYPASSRLS."""
    return bool(tx.run_named(FREE)[0][0])
