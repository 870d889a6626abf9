"""A receiver in another language, written with the library of Standard Webhooks, takes what the server sends and nothing else.

The server and the receiver are processes of their own. To see it fail: sign the body alone, or send it in another spelling than the
one that was signed. The library comes from the npm registry; where that cannot be reached the test is left out.
"""

import http.client
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.process.running import Process, serving, wait_until
from tests.server import scratch_database

LIBRARY = "standardwebhooks@1.1.1"
INSTALL_SECONDS = 120
RECEIVER = Path(__file__).with_name("receiver.mjs")
BOARD = {"name": "hall", "collections": [{"name": "stairs", "cards": [{"name": "Tür ✓"}]}]}


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the library."""
    folder = tmp_path_factory.mktemp("node")
    reason = "there is no npm"
    if shutil.which("npm") and shutil.which("node"):
        command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", LIBRARY]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            reason = "npm does not answer"
        else:
            if done.returncode == 0:
                return folder
            reason = f"npm cannot fetch {LIBRARY}: {done.stderr[-200:]}"
    assert os.environ.get("PLANWERK_REQUIRE_NODE") != "1", reason
    pytest.skip(reason)


@dataclass
class Receiver:
    """The process, its port, and the file with the secret that it goes by."""

    popen: "subprocess.Popen[str]"
    port: int
    secret_file: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def trusts(self, secret: str) -> None:
        self.secret_file.write_text(secret)

    def next(self) -> dict[str, Any]:
        """The next request that it got, with its verdict."""
        assert self.popen.stdout is not None
        line: dict[str, Any] = json.loads(self.popen.stdout.readline())
        return line

    def ask(self, headers: Mapping[str, str], body: str) -> dict[str, Any]:
        """What it says of a message that somebody else sends."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", "/hook", body.encode(), dict(headers))
        connection.getresponse().read()
        connection.close()
        return self.next()


@pytest.fixture
def receiver(modules: Path, tmp_path: Path) -> Iterator[Receiver]:
    secret_file = tmp_path / "receiver-secret"
    with subprocess.Popen(["node", str(RECEIVER), str(modules), str(secret_file)], stdout=subprocess.PIPE, text=True) as popen:
        assert popen.stdout is not None
        try:
            yield Receiver(popen, int(popen.stdout.readline()), secret_file)
        finally:
            popen.kill()


@pytest.fixture
def server(backend: str, tmp_path: Path) -> Iterator[Process]:
    (tmp_path / "var").mkdir()
    with scratch_database(backend, tmp_path / "var") as url:
        settings = {"PLANWERK_DATABASE": url, "PLANWERK_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1"}
        with serving(tmp_path, settings=settings) as process:
            yield process


def signed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in ("content-type", "webhook-id", "webhook-timestamp", "webhook-signature")}


def status(server: Process, webhook: str, number: int) -> list[Any]:
    """The codes that were answered to the first so many deliveries, oldest first, once they are known."""
    path = f"/v1/webhook/{webhook}/delivery?sort=id:asc"

    def codes() -> list[Any]:
        return [row["status_code"] for row in server.ask("GET", path)[1]["data"]]

    wait_until(lambda: len(codes()) == number and None not in codes(), f"{number} deliveries were answered")
    return codes()


def test_a_receiver_in_another_language_takes_what_the_server_sends_and_nothing_else(server: Process, receiver: Receiver) -> None:
    _, made = server.ask("POST", "/v1/webhook", {"url": receiver.url, "event_types": ["card.created"]})
    one, old = f"/v1/webhook/{made['id']}", made["secret"]
    receiver.trusts(old)
    server.ask("POST", "/v1/board", BOARD)
    message = receiver.next()
    assert (message["status"], message["event"]) == (204, "card.created")
    assert json.loads(message["body"])["data"]["new"]["name"] == "Tür ✓"

    headers, body = signed(message["headers"]), message["body"]
    late = {**headers, "webhook-timestamp": str(int(time.time()) - 301)}
    forged = (headers, body.replace("✓", "✗")), ({**headers, "webhook-id": "another"}, body), (late, body)
    assert [receiver.ask(*message)["status"] for message in ((headers, body), *forged)] == [204, 401, 401, 401]

    receiver.trusts("whsec_" + "A" * 43 + "=")
    server.ask("POST", f"{one}/test")
    assert receiver.next()["status"] == 401

    _, rotated = server.ask("POST", f"{one}/secret")
    for secret in (old, rotated["secret"]):  # for a day both are good
        receiver.trusts(secret)
        server.ask("POST", f"{one}/test")
        assert receiver.next()["status"] == 204
    assert status(server, made["id"], 4) == [204, 401, 204, 204]
