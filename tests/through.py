"""What the seeds' client is given instead of a socket, and a published job shop to load with it."""

import httpx2
from tests.client import Client

from planwerk.seeds.instances import Instance, Operation

FT06 = Instance(
    "ft06",
    tuple(
        tuple(Operation(int(step[0]), int(step[1:])) for step in job.split())
        for job in (
            "21 03 16 37 53 46",
            "18 25 410 510 010 34",
            "25 34 58 09 11 47",
            "15 05 25 33 48 59",
            "29 13 45 54 03 31",
            "13 33 59 010 44 21",
        )
    ),
    55,
    55,
)


class Through(httpx2.BaseTransport):
    """Hands requests to the server under test and keeps a list of the writes; `patience` is how many it lets pass."""

    def __init__(self, caller: Client) -> None:
        self.caller = caller
        self.writes: list[str] = []
        self.patience = 10_000

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method != "GET":
            if len(self.writes) == self.patience:
                raise KeyboardInterrupt
            self.writes.append(f"{request.method} {request.url.path}")
        names = ("content-type", "idempotency-key")
        headers = {name: request.headers[name] for name in names if name in request.headers}
        answer = self.caller.ask(request.method, request.url.raw_path.decode(), request.read(), headers)
        return httpx2.Response(answer.status, headers=dict(answer.headers), content=answer.body)
