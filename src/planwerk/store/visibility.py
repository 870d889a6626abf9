"""What lets PostgreSQL count from an index alone.

An index does not say whether a row is there for everybody. VACUUM notes that, page by page (postgresql.org/docs/current/storage-vm.html);
where it has not been yet, each row that is counted must be looked up, which is four times the work. Comes in: a transaction. Goes
out: how soon autovacuum comes to a table, and which tables it may visit at once. SQLite counts from an index anyway.
"""

from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

# Which part of a table may be new or changed before autovacuum comes; by default a fifth. To count 18,000 of 100,000 orders
# took 4 ms just after VACUUM, 5 ms after 2,000 changes, 14 ms after 20,000 (docs/decisions/0018).
PART = 0.02
OPTIONS = ("autovacuum_vacuum_scale_factor", "autovacuum_vacuum_insert_scale_factor")

TENDED = Statement(
    "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()"
    f" WHERE array_to_string(c.reloptions, ' ') ~ '{'|'.join(OPTIONS)}'",
    {},
)
TABLES = "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables WHERE schemaname = current_schema()"


def tend_tables(tx: Transaction) -> None:
    """Have autovacuum come to every table while little of it is new; one that somebody has set otherwise is left alone."""
    if tx.statements.dialect.name != "postgresql":
        return
    tended = {row[0] for row in tx.run_named(TENDED)}
    for table in tx.statements.tables.metadata.sorted_tables:
        if table.name not in tended:
            tx.connection.execute(f'ALTER TABLE "{table.name}" SET ({", ".join(f"{option} = {PART}" for option in OPTIONS)})', {})
