"""Data to start with: a demo workshop, a large order book for benchmarks, and published job-shop instances.

`demo.seed_database` and `bench.seed_bench` write to the database directly, by the engine's own functions.
`jobshop.load_instance` and `jobshop_plan.plan_instance` know nothing but the HTTP API, as any integration. None of them is
needed to run the server.
"""


class CannotSeed(Exception):
    """The data cannot be loaded; the text says why and what to do, in one sentence."""


def silent(_: int) -> None:
    """The progress of a run that nobody watches."""
