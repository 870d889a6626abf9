"""What Accept prefers, stream or JSON: both by their names, in any case, and by their weights."""

import pytest

from planwerk.edge.accept import prefers_stream


@pytest.mark.parametrize(
    "header",
    [
        "text/event-stream",
        "Text/Event-Stream",
        "text/event-stream; charset=utf-8",
        "text/event-stream ; Q=0.001",
        "application/json, text/event-stream",
        "text/event-stream;q=0.5, application/json;q=0.5",
        "application/json;q=0, text/event-stream;q=0.1",
        "text/event-stream, */*",
        "text/html,,text/event-stream",
        "text/event-stream;q=0, text/event-stream",
    ],
)
def test_the_stream_is_for_those_who_name_it(header: str) -> None:
    assert prefers_stream(header.encode())


@pytest.mark.parametrize(
    "header",
    [
        "",
        ",",
        ";q=1",
        "*/*",
        "text/*",
        "application/json",
        "text/event-stream;q=0",
        "text/event-stream;q=0.000",
        "application/json, text/event-stream;q=0",
        "application/json, text/event-stream;q=0.1",
        "application/json;q=0.8, text/event-stream;q=0.799",
        "text/event-stream;q=-1",
        "text/event-stream;q=nan",
        "text/event-stream;q=inf",
        "text/event-stream;q=2",
        "text/event-stream;q",
        "text/event-streams",
        "x-text/event-stream",
        "\u00ff",
    ],
)
def test_everybody_else_gets_json(header: str) -> None:
    assert not prefers_stream(header.encode("latin-1"))
