"""The schema of a database and how it is brought up to date.

`NNNN_words.py` beside this file hold one step each, written by `make migration` and read by a person. A fresh database
gets the whole schema at once; a present one the steps it lacks, and every stored document that no longer is what the
catalog says, and the walls that are missing, in one transaction: a start that is killed in the middle begins again. Alembic
turns a step into SQL and is imported only then.
"""

import importlib
import re
from collections.abc import Sequence
from pathlib import Path

from planwerk.store.database import Database, Unusable, schema_script
from planwerk.store.migrations.documents import fingerprint, rebuild
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction
from planwerk.store.visibility import tend_tables
from planwerk.store.walls import raise_walls

FIND = Statement("SELECT value FROM state WHERE name = {name}", {})
KEEP = Statement("INSERT INTO state (name, value) VALUES ({name}, {value}) ON CONFLICT (name) DO UPDATE SET value = excluded.value", {})
NOTHING = "0000"
EXISTS = {
    "sqlite": "SELECT 1 FROM sqlite_schema WHERE name = 'state'",
    "postgresql": "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'state'",
}
UNLIMITED = ("SET LOCAL statement_timeout = 0", "SET LOCAL lock_timeout = 0", "SELECT pg_advisory_xact_lock(7073110)")


def steps() -> list[str]:
    """The names of all steps, oldest first."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if re.fullmatch(r"\d{4}_\w+", path.stem))


def newest() -> str:
    """The number of the last step: the schema that this release needs."""
    return number(steps()[-1]) if steps() else NOTHING


def number(step: str) -> str:
    return step[:4]


def schema_of(database: Database) -> str | None:
    """The number of the last step that the database has had; None for an empty database."""
    if not database.has_schema():
        return None
    found = database.query("SELECT value FROM state WHERE name = 'schema'")
    return str(found[0][0]) if found else NOTHING


def require_current(database: Database) -> None:
    """Raises `Unusable` with a sentence unless the database has exactly the schema of this release."""
    present = schema_of(database)
    if present is None:
        raise Unusable("the database is empty; `planwerk init` prepares it")
    refuse_newer(present)
    if present < newest():
        raise Unusable(f"the database has schema {present}, this release needs {newest()}; `planwerk migrate` brings it up to date")


def refuse_newer(present: str) -> None:
    if present > newest():
        raise Unusable(f"the database has schema {present}, this release knows {newest()} at most; use a newer release")


def upgrade(database: Database) -> list[str]:
    """Bring a database to the schema of this release; the names of the steps it took. Raises `Unusable` for a newer one."""

    def work(tx: Transaction) -> list[str]:
        if tx.statements.dialect.name == "postgresql":
            for text in UNLIMITED:
                tx.connection.execute(text, {})
        done = advance(tx) if is_made(tx) else make(tx)
        refresh_documents(tx)
        raise_walls(tx)
        tend_tables(tx)
        return done

    return database.write_now("", work)


def is_made(tx: Transaction) -> bool:
    return bool(tx.connection.execute(EXISTS[tx.statements.dialect.name], {}))


def make(tx: Transaction) -> list[str]:
    """The whole schema in an empty database."""
    run(tx, schema_script(tx.statements.tables, tx.statements.dialect))
    for described in tx.statements.objects.values():
        tx.run_named(KEEP, name=f"document {described.name}", value=fingerprint(described))
    tx.run_named(KEEP, name="probe", value="1")
    tx.run_named(KEEP, name="schema", value=newest())
    return ["schema"]


def advance(tx: Transaction) -> list[str]:
    """The steps that the database lacks."""
    found = tx.run_named(FIND, name="schema")
    present = found[0][0] if found else NOTHING
    refuse_newer(present)
    missing = [step for step in steps() if number(step) > present]
    for step in missing:
        run(tx, script(step, tx))
        tx.run_named(KEEP, name="schema", value=number(step))
    return missing


def run(tx: Transaction, texts: Sequence[str]) -> None:
    for text in texts:
        tx.connection.execute(text, {})


def script(step: str, tx: Transaction) -> list[str]:
    """The SQL of a step for the transaction's kind of database."""
    from planwerk.store.migrations.offline import statements_of

    return statements_of(importlib.import_module(f"{__name__}.{step}").upgrade, tx.statements.dialect)


def refresh_documents(tx: Transaction) -> None:
    """Make the stored documents of changed objects again."""
    for described in (found for found in tx.statements.objects.values() if found.is_stored):
        name, wanted = f"document {described.name}", fingerprint(described)
        found = tx.run_named(FIND, name=name)
        if not found or found[0][0] != wanted:
            rebuild(tx, described)
            tx.run_named(KEEP, name=name, value=wanted)
