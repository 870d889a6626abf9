"""The query language means the same in SQLite, in PostgreSQL and in a naive evaluation in Python: same rows, same order.

To see it fail: use LIKE for contains, leave out `nulls_last`, or let PostgreSQL sort by the locale. PLANWERK_LONG=1 tries
ten times as many queries.
"""

import os
from functools import cache
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from tests.client import Client
from tests.naive import naive_count, naive_list
from tests.population import Population, populate
from tests.server import OBJECTS, Server
from tests.strategies import filters, sorts

from planwerk.plan import plan_read
from planwerk.query.parameters import parse_parameters

IS_LONG = os.environ.get("PLANWERK_LONG") == "1"
EXAMPLES = 700 if IS_LONG else 70  # of each object, on each database
PHASES = [Phase.generate, *([Phase.shrink] if IS_LONG else [])]  # shrinking takes minutes; the first find says enough
SEEDS = range(4)
PATHS = {"order": "/v1/order", "card": "/v1/card", "collection": "/v1/collection"}


class Populations:
    """The populations of one database, made when they are first needed."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.made: dict[tuple[str, int], tuple[Client, Population]] = {}

    def get(self, name: str, seed: int) -> tuple[Client, Population]:
        if (name, seed) not in self.made:
            tenant = self.server.tenant("parity")
            population = populate(self.server, tenant.environment.id, OBJECTS[name], seed)
            self.made[name, seed] = (self.server.client(tenant), population)
        return self.made[name, seed]


@pytest.fixture(scope="session")
def populations(server: Server) -> Populations:
    return Populations(server)


@cache
def queries(name: str) -> st.SearchStrategy[dict[str, Any]]:
    described = OBJECTS[name]
    return st.fixed_dictionaries(
        {
            "filter": st.one_of(st.just(""), filters(described, OBJECTS), filters(described, OBJECTS)),
            "sort": sorts(described),
            "limit": st.sampled_from(("", "1", "3", "5", "0")),
            "offset": st.sampled_from(("", "0", "1", "4", "20")),
            "archived": st.sampled_from(("", "true", "only")),
        }
    )


@pytest.mark.parametrize("name", PATHS)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not IS_LONG,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=PHASES,
)
@given(data=st.data())
def test_a_query_answers_what_a_naive_evaluation_finds(name: str, data: st.DataObject, populations: Populations) -> None:
    client, population = populations.get(name, data.draw(st.sampled_from(SEEDS)))
    query = data.draw(queries(name))
    read = plan_read(OBJECTS[name], parse_parameters(urlencode(query)), OBJECTS)
    rows = population.rows()
    page = client.get(PATHS[name], **query, show="id")
    assert [row["id"] for row in page["data"]] == naive_list(rows, read), query
    assert page["count"] == naive_count(rows, read), query
