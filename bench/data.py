"""The data of every peer: relations, orders and order rows, the same bytes for the same numbers.

Comes out as CSV files with a header line, an SQLite file, and `ids.txt` with a shuffled sample of order ids for the
load generator. It never talks to a server.
"""

import csv
import datetime
import random
import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROWS_PER_ORDER = 3
ORDERS_PER_RELATION = 20
SAMPLE = 5_000
STATUSES = ("new", "planned", "in_prog", "on_hold", "done")  # an order's status has at most 10 characters in the API
TYPES = ("Production", "Project", "Purchase", "Quotation", "Sales")
CITIES = ("Utrecht", "Delft", "Breda", "Zwolle", "Arnhem", "Tilburg", "Assen", "Leiden")
TEXT = (
    "frame weld paint saw bend mill drill coat pack ship install check plan cut press door "
    "window panel beam rail bracket cover shaft valve pump motor cabinet table rack"
)
WORDS = tuple(TEXT.split())
FIRST_DAY = datetime.date(2026, 1, 1)
DAYS = 700

COLUMNS = {
    "relation": "id code name email phone city country external_ref note created_at updated_at",
    "orders": (
        "id code type sub_type status description date due_date quantity priority color external_ref relation_id note created_at updated_at"
    ),
    "order_row": "id order_id code description quantity unit price status position created_at updated_at",
}
SCHEMA = """
PRAGMA journal_mode=WAL;
CREATE TABLE relation(id TEXT PRIMARY KEY NOT NULL, code TEXT, name TEXT, email TEXT, phone TEXT, city TEXT, country TEXT,
 external_ref TEXT, note TEXT, created_at TEXT, updated_at TEXT);
CREATE TABLE orders(id TEXT PRIMARY KEY NOT NULL, code TEXT, type TEXT, sub_type TEXT, status TEXT, description TEXT, date TEXT,
 due_date TEXT, quantity INTEGER, priority INTEGER, color TEXT, external_ref TEXT,
 relation_id TEXT REFERENCES relation(id), note TEXT, created_at TEXT, updated_at TEXT);
CREATE TABLE order_row(id TEXT PRIMARY KEY NOT NULL, order_id TEXT REFERENCES orders(id) ON DELETE CASCADE, code TEXT, description TEXT,
 quantity INTEGER, unit TEXT, price REAL, status TEXT, position INTEGER, created_at TEXT, updated_at TEXT);
"""
INDEXES = """
CREATE INDEX orders_status_due ON orders(status, due_date);
CREATE INDEX orders_relation ON orders(relation_id);
CREATE INDEX order_row_order ON order_row(order_id, position);
ANALYZE;
"""
Row = list[object]


@dataclass(frozen=True)
class Data:
    """A folder of generated data: `relation.csv`, `orders.csv`, `order_row.csv`, `ids.txt` and `peers.db`."""

    folder: Path

    @property
    def ids(self) -> Path:
        return self.folder / "ids.txt"

    @property
    def sqlite(self) -> Path:
        return self.folder / "peers.db"

    def csv(self, table: str) -> Path:
        return self.folder / f"{table}.csv"

    @property
    def first_relation(self) -> str:
        with self.csv("relation").open(newline="") as file:
            return next(csv.DictReader(file))["id"]

    @property
    def first_order(self) -> str:
        with self.ids.open() as file:
            return file.readline().strip()


class Maker:
    """Makes values in a fixed pseudo-random sequence."""

    def __init__(self) -> None:
        self.random = random.Random(20261123)

    def identifier(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def moment(self) -> str:
        return str(datetime.datetime(2026, 1, 1) + datetime.timedelta(seconds=self.random.randrange(0, 27_000_000)))

    def words(self, count: int) -> str:
        return " ".join(self.random.choice(WORDS) for _ in range(count))

    def relation(self, number: int) -> Row:
        key, now = self.identifier(), self.moment()
        contact = [f"info{number}@example.com", f"+31 30 {number:07d}", self.random.choice(CITIES), "NL"]
        return [key, f"R{number:05d}", self.words(2).title() + " Ltd", *contact, f"ext-r-{number}", self.words(8), now, now]

    def order(self, number: int, relations: list[str]) -> Row:
        key, now, choice = self.identifier(), self.moment(), self.random.choice
        due = FIRST_DAY + datetime.timedelta(days=self.random.randrange(0, DAYS))
        kind = [choice(TYPES), choice(("std", "rush")), choice(STATUSES), self.words(6), due - datetime.timedelta(days=30), due]
        size = [self.random.randrange(1, 500), self.random.randrange(0, 100), f"#{self.random.randrange(1 << 24):06x}"]
        return [key, f"SO{number:07d}", *kind, *size, f"ext-o-{number}", choice(relations), self.words(10), now, now]

    def order_row(self, order: Row, position: int) -> Row:
        amount = [self.random.randrange(1, 50), self.random.choice(("pcs", "m", "kg")), self.random.randrange(100, 99_999) / 100]
        text = [f"{order[1]}-{position + 1}", self.words(5)]
        return [self.identifier(), order[0], *text, *amount, self.random.choice(STATUSES), position, order[-1], order[-1]]


def make_data(folder: Path, orders: int) -> Data:
    """The data of `orders` orders in `folder`; made once, then reused."""
    data = Data(folder)
    if not data.ids.exists():
        folder.mkdir(parents=True, exist_ok=True)
        identifiers = write_csv(data, orders)
        write_sqlite(data)
        data.ids.write_text("\n".join(identifiers) + "\n")
    return data


def write_csv(data: Data, orders: int) -> list[str]:
    maker = Maker()
    relations = [maker.relation(number) for number in range(max(1, orders // ORDERS_PER_RELATION))]
    keys = [str(row[0]) for row in relations]
    made = [maker.order(number, keys) for number in range(orders)]
    write_table(data, "relation", iter(relations))
    write_table(data, "orders", iter(made))
    write_table(data, "order_row", (maker.order_row(order, position) for order in made for position in range(ROWS_PER_ORDER)))
    return [str(row[0]) for row in maker.random.sample(made, min(SAMPLE, orders))]


def write_table(data: Data, table: str, rows: Iterator[Row]) -> None:
    with data.csv(table).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS[table].split())
        writer.writerows(rows)


def write_sqlite(data: Data) -> None:
    data.sqlite.unlink(missing_ok=True)
    connection = sqlite3.connect(data.sqlite)
    connection.executescript(SCHEMA)
    for table, columns in COLUMNS.items():
        with data.csv(table).open(newline="") as file, connection:
            rows = csv.reader(file)
            next(rows)
            connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' for _ in columns.split())})", rows)
    connection.executescript(INDEXES)
    connection.close()
