"""A large order book for benchmarks: relations, orders and three rows an order, written fast and always the same.

Only ids and timestamps differ between runs. Rows are inserted without the rules that follow a write, so the orders have no
collections: this is a table to be read, not a workshop.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from planwerk.describe import Object
from planwerk.seeds import CannotSeed, silent
from planwerk.seeds.order_book import Maker, OrderWish, Values
from planwerk.store.database import Database
from planwerk.store.statements import Statement
from planwerk.store.transaction import Transaction

BATCH = 1000  # orders, or relations, of one transaction
ORDERS_PER_RELATION = 20
SAMPLE = 5000  # ids written to the file

# Deleted ones count, too: each number is used once.
ORDERS = Statement("SELECT count(*) FROM \"order\" WHERE environment_id = {environment} AND substr(external_ref, 1, 6) = 'ext-o-'", {})
RELATIONS = Statement("SELECT count(*) FROM relation WHERE environment_id = {environment} AND substr(external_ref, 1, 6) = 'ext-r-'", {})

Wish = TypeVar("Wish")


def seed_bench(
    database: Database,
    objects: Mapping[str, Object],
    environment_id: str,
    orders: int,
    ids_file: Path | None = None,
    progress: Callable[[int], None] = silent,
    *,
    more: bool = False,
) -> None:
    """Insert so many orders with their rows and relations, calling `progress` with how many orders each step made.

    `ids_file` gets up to 5,000 of their ids, shuffled, one a line. Raises `CannotSeed` if it was done before, unless `more`.
    """
    first_order, first_relation = database.write_now(environment_id, count_made)
    if first_order and not more:
        raise CannotSeed(f"this environment holds {first_order} benchmark orders already; use --more to add to them")
    filling, maker = Filling(database, objects, environment_id), Maker()
    numbers = range(first_relation, first_relation + max(1, orders // ORDERS_PER_RELATION))
    relations = filling.insert(map(maker.relation, numbers), insert_relation)
    wishes = (maker.order(number, relations) for number in range(first_order, first_order + orders))
    ids = filling.insert(wishes, insert_order, progress)
    database.take_stock()
    if ids_file is not None:
        ids_file.write_text("".join(f"{id}\n" for id in maker.random.sample(ids, min(SAMPLE, len(ids)))))


def count_made(tx: Transaction) -> tuple[int, int]:
    """How many orders and relations earlier runs have made."""
    return tx.run_named(ORDERS)[0][0], tx.run_named(RELATIONS)[0][0]


@dataclass(frozen=True)
class Filling:
    """Inserts in batches, one transaction each."""

    database: Database
    objects: Mapping[str, Object]
    environment_id: str

    def insert(
        self,
        wishes: Iterable[Wish],
        one: Callable[[Transaction, Mapping[str, Object], Wish], str],
        progress: Callable[[int], None] = silent,
    ) -> list[str]:
        """The ids of what `one` inserts for each wish."""
        ids: list[str] = []
        for batch in batches(wishes):
            ids += self.database.write_now(self.environment_id, lambda tx: [one(tx, self.objects, wish) for wish in batch])  # noqa: B023 (runs at once)
            progress(len(batch))
        return ids


def batches(wishes: Iterable[Wish]) -> Iterator[list[Wish]]:
    remaining = iter(wishes)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def insert_relation(tx: Transaction, objects: Mapping[str, Object], values: Values) -> str:
    return str(tx.insert(objects["relation"], values)["id"])


def insert_order(tx: Transaction, objects: Mapping[str, Object], wish: OrderWish) -> str:
    id = str(tx.insert(objects["order"], wish.values)["id"])
    for row in wish.rows:
        tx.insert(objects["order_row"], {**row, "order_id": id})
    return id
