"""The ceiling: constant answers from bare ASGI, as long as Planwerk's, to the very requests that Planwerk gets.

What is above it is the server under Planwerk and the load generator; no application on the same stack can be faster.
`SIZES` in the environment is JSON: bytes of the body for "get", "count" and "embed".
"""

import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

BODIES = {operation: b"[" + b"1" * (size - 2) + b"]" for operation, size in json.loads(os.environ["SIZES"]).items()}
HEADS = {
    operation: {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
    }
    for operation, body in BODIES.items()
}


async def app(scope: dict[str, Any], _receive: object, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
    query = scope["query_string"]
    operation = "embed" if b"with=" in query else "count" if query else "get"
    await send(HEADS[operation])
    await send({"type": "http.response.body", "body": BODIES[operation]})
