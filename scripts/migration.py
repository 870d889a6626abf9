"""Writes the next step of the schema: what the catalog's tables have that the steps so far do not make.

Comes in: a few words that name the step. Goes out: `src/planwerk/store/migrations/NNNN_words.py`, to be read by a person.
The schema so far is made in memory, on SQLite, from the steps themselves; no server and no data are needed.
"""

import importlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.operations.ops import UpgradeOps
from sqlalchemy import Connection, create_engine
from sqlalchemy.types import String

from planwerk.catalog import ALL
from planwerk.store import migrations
from planwerk.store.tables import Tables

FOLDER = Path(migrations.__file__).parent
OPTIONS = {"compare_type": False, "compare_server_default": False, "render_item": None}
TEXT = '''"""{words}."""

{imports}


def upgrade() -> None:
{body}
'''


def main() -> None:
    words = " ".join(sys.argv[1:]).strip()
    if not words:
        sys.exit('migration: say what it does: make migration MESSAGE="card gets a colour"')
    with create_engine("sqlite://").connect() as connection:
        body, imports = difference(connection)
    if body is None:
        print("nothing to do: the steps make the catalog's tables already")
        return
    path = FOLDER / f"{int(migrations.newest()) + 1:04}_{re.sub(r'[^a-z0-9]+', '_', words.lower()).strip('_')}.py"
    path.write_text(TEXT.format(words=words[0].upper() + words[1:], imports=imports, body=body))
    subprocess.run([Path(sys.executable).parent / "ruff", "format", "--quiet", path], check=True)  # noqa: S603
    print(f"{path}: read it before you commit it")


def difference(connection: Connection) -> tuple[str | None, str]:
    """(body, imports) of the step that is missing; None if none is."""
    context = MigrationContext.configure(connection, opts={**OPTIONS, "render_item": render})
    with Operations.context(context):
        for step in migrations.steps():
            importlib.import_module(f"{migrations.__name__}.{step}").upgrade()
    operations = produce_migrations(context, Tables(ALL).metadata).upgrade_ops
    assert isinstance(operations, UpgradeOps)
    if operations.is_empty():
        return None, ""
    body = render_python_code(operations, migration_context=context, render_item=render)
    body = re.sub(r"^ *# ### .*\n?", "", body, flags=re.MULTILINE).strip("\n")
    return "\n".join(f"    {line}".rstrip() for line in body.splitlines()), imports_of(body)


def render(kind: str, item: Any, context: Any) -> str | Literal[False]:  # noqa: ARG001 (the signature Alembic asks for)
    """Texts by the function that gives them the same order in both databases; the rest as Alembic does."""
    if kind == "type" and isinstance(item, String):
        return f"plain_text({item.length or ''})"
    return False


def imports_of(body: str) -> str:
    lines = ["import sqlalchemy as sa\n"] if "sa." in body else []
    lines += ["from alembic import op\n"]
    lines += ["\nfrom planwerk.store.tables import plain_text\n"] if "plain_text(" in body else []
    return "".join(lines).strip("\n")


if __name__ == "__main__":
    main()
