"""The values of the benchmark's order book.

To see it fail: seed the source from the clock.
"""

from planwerk.seeds.order_book import DAYS, FIRST_DAY, ROWS_PER_ORDER, STATUSES, TYPES, UNITS, Maker


def test_the_same_numbers_have_the_same_values() -> None:
    first, second = Maker(), Maker()
    assert [first.relation(number) for number in range(3)] == [second.relation(number) for number in range(3)]
    assert [first.order(number, ["a", "b"]) for number in range(3)] == [second.order(number, ["a", "b"]) for number in range(3)]


def test_orders_are_spread_over_every_word_and_the_whole_period() -> None:
    maker = Maker()
    orders = [maker.order(number, ["a", "b"]) for number in range(2000)]
    assert {order.values["type"] for order in orders} == set(TYPES)
    assert {order.values["status"] for order in orders} == set(STATUSES)
    assert {order.values["relation_id"] for order in orders} == {"a", "b"}
    days = {order.values["promised_date"] for order in orders}
    assert len(days) > DAYS * 0.9
    assert min(days) >= FIRST_DAY.isoformat()


def test_an_order_has_rows_in_their_order() -> None:
    order = Maker().order(7, ["a"])
    assert order.values["external_ref"] == "ext-o-7"
    assert [(row["position"], row["code"]) for row in order.rows] == [(place, f"SO0000007-{place + 1}") for place in range(ROWS_PER_ORDER)]
    assert {row["unit"] for row in order.rows} <= set(UNITS)
    assert len(order.values["description"].split()) == 6
    assert len(order.values["note"].split()) == 10
