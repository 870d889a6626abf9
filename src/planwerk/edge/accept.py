"""What the header Accept prefers (RFC 9110, section 12.5.1) where one address answers JSON and a stream of events."""

import re

JSON, STREAM = "application/json", "text/event-stream"
WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)


def prefers_stream(header: bytes) -> bool:
    """Whether the header asks for the stream by its name, and not rather for JSON by its name.

    >>> prefers_stream(b"Text/Event-Stream"), prefers_stream(b"application/json, text/event-stream;q=0.9"), prefers_stream(b"*/*")
    (True, False, False)
    """
    weights: dict[str, float] = {}
    for item in header.decode("latin-1").lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        weights[name] = max(weights.get(name, 0.0), weight_of(parameters))
    return weights.get(STREAM, 0.0) > 0 and weights[STREAM] >= weights.get(JSON, 0.0)


def weight_of(parameters: list[str]) -> float:
    """The weight `q` among the parameters of a media type: 1 where there is none, 0 where it is no weight."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            return float(value) if WEIGHT.fullmatch(value) else 0.0
    return 1.0
