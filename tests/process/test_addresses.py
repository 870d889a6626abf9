"""The server calls no address that its operator has not allowed, however a webhook's URL is written and wherever its name leads.

The URLs are written into the rows behind the API's back. To see it fail: judge only one address of a name; leave out the judgement of
the address that is dialled (`Gate.open_socket`); allow redirects; trust the environment's proxies; open more than the setting names.
"""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.addresses import hostile
from tests.client import Client
from tests.hooking import hook
from tests.process.running import command, serving, wait_until
from tests.sending import HERE, Names, Receiver, sending, tried
from tests.server import scratch_database
from tests.world import World

from planwerk.hooks import calls
from planwerk.hooks.dialling import Gate

NOT_ALLOWED = "address not allowed"
WRONG_NETWORK = "webhook_allowed_networks: 10.0.0.1/8 is no network; the one around it is 10.0.0.0/8"


@dataclass
class Here:
    """A listener on each address of this machine, with the same port."""

    four: Receiver
    six: Receiver

    @property
    def connections(self) -> int:
        return self.four.connections + self.six.connections


@pytest.fixture
def here() -> Iterator[Here]:
    with Receiver().listening() as four, Receiver(host="::1").listening(four.port) as six:
        yield Here(four, six)


def errors(api: Client, webhooks: list[str]) -> dict[str, int]:
    """How often each error stands in the logs of these webhooks."""
    found: dict[str, int] = {}
    for id in webhooks:
        for row in tried(api, id):
            assert (row["status"], row["status_code"], row["answer"], row["answer_headers"]) == ("failed", None, None, None)
            found[row["error"]] = found.get(row["error"], 0) + 1
    return found


def hook_to(api: Client, world: World, url: str) -> str:
    """A webhook with this address, and a message that waits for it."""
    made = hook(api)
    world.write("webhook", made["id"], url=url)
    api.post(f"/v1/webhook/{made['id']}/test", expect=200)
    return str(made["id"])


# ── how a URL is written ──


def test_no_spelling_reaches_this_machine(api: Client, world: World, here: Here) -> None:
    webhooks = [hook_to(api, world, url) for url in hostile(str(here.four.port))]
    with sending(world) as names:
        found = errors(api, webhooks)
    assert here.connections == 0
    assert found.pop(NOT_ALLOWED) >= 60
    assert all(error.startswith("url must ") for error in found), f"nothing was found out: {found}"
    assert names.asked == []


def test_the_judgement_of_what_is_dialled_is_enough(api: Client, world: World, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "faults_of", lambda *_: iter(()))
    webhooks = [hook_to(api, world, url) for url in hostile(str(here.four.port))]
    numeric = Numeric({name: [("127.0.0.1", "::1")] for name in ("localhost", "localhost.", "hooks.localhost")})
    with sending(world, numeric):
        found = errors(api, webhooks)
    assert here.connections == 0
    assert found[NOT_ALLOWED] >= 40
    assert "localhost" in numeric.asked


class Numeric(Names):
    """Names, and every number that the system's resolver takes for an address."""

    def __call__(self, host: str, port: int, *more: Any) -> Any:
        if host in self.known:
            return super().__call__(host, port, *more)
        self.asked.append(host)
        return socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)


# ── where a name leads ──

PUBLIC, LOCAL = "8.8.8.8", "127.0.0.1"


class Grounded(Gate):
    """A gate behind which nobody is: it writes down what would have been dialled."""

    def __init__(self, names: Names) -> None:
        super().__init__((), names)
        self.dialled: list[str] = []

    def open_socket(self, info: Any) -> socket.socket:
        super().open_socket(info).close()
        self.dialled.append(info[4][0])
        raise ConnectionRefusedError


def test_a_name_that_leads_here_the_second_time_is_not_called(api: Client, world: World, here: Here) -> None:
    names = Names({"rebinding.example": [[PUBLIC], [LOCAL]]})
    webhook = hook_to(api, world, f"http://rebinding.example:{here.four.port}/")
    gates = [Grounded(names), Grounded(names)]
    with sending(world, gate=gates[0]):
        (first,) = tried(api, webhook)
    api.post(f"/v1/webhook/{webhook}/delivery/{first['id']}/resend", expect=200)
    with sending(world, gate=gates[1]):
        (second,) = tried(api, webhook)
    assert [first["error"], second["error"]] == ["no connection", NOT_ALLOWED]
    assert [gate.dialled for gate in gates] == [[PUBLIC], []]
    assert (names.asked, here.connections) == (["rebinding.example"] * 2, 0)


@pytest.mark.parametrize("addresses", [(PUBLIC, LOCAL), (LOCAL, PUBLIC), (PUBLIC, "::1"), ("10.0.0.1", LOCAL)])
def test_a_name_with_one_private_address_is_not_called_at_all(addresses: tuple[str, ...], api: Client, world: World, here: Here) -> None:
    gate = Grounded(Names({"mixed.example": [addresses]}))
    webhook = hook_to(api, world, f"https://mixed.example:{here.four.port}/")
    with sending(world, gate=gate):
        assert errors(api, [webhook]) == {NOT_ALLOWED: 1}
    assert (gate.dialled, here.connections) == ([], 0)


def test_an_unknown_name_is_told_as_such(api: Client, world: World) -> None:
    webhook = hook_to(api, world, "https://nowhere.example/")
    with sending(world):
        assert errors(api, [webhook]) == {"the name of the address is not known": 1}


# ── where an answer sends us ──


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(status: int, api: Client, world: World, here: Here) -> None:
    with Receiver(status=status, location=here.four.url).listening() as receiver, sending(world, allowed=HERE):
        webhook = hook_to(api, world, receiver.url)
        (row,) = tried(api, webhook)
    assert (row["status"], row["status_code"], row["answer_headers"]["location"]) == ("failed", status, here.four.url)
    assert (len(receiver.calls), here.connections) == (1, 0)


# ── what the operator opens ──


@pytest.mark.parametrize(
    ("allowed", "reached"),
    [("127.0.0.1", ["127.0.0.1"]), ("::1", ["::1"]), (HERE, ["127.0.0.1", "::1", "localhost"]), ("127.0.0.2, 10.0.0.0/8", []), ("", [])],
)
def test_the_setting_opens_exactly_what_it_names(allowed: str, reached: list[str], api: Client, world: World, here: Here) -> None:
    ends = {"127.0.0.1": here.four.url, "::1": here.six.url, "localhost": f"http://localhost:{here.four.port}/hook"}
    names = Names({"localhost": [("127.0.0.1", "::1")]})
    webhooks = {host: hook_to(api, world, url) for host, url in ends.items()}
    with sending(world, names, allowed=allowed):
        rows = {host: tried(api, id)[0] for host, id in webhooks.items()}
    assert {host: row["error"] for host, row in rows.items()} == {host: None if host in reached else NOT_ALLOWED for host in ends}
    assert len(here.four.calls) + len(here.six.calls) == len(reached)


def test_a_server_uses_no_proxy_of_its_environment(backend: str, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    with scratch_database(backend, tmp_path / "var") as url, Receiver().listening() as proxy, Receiver().listening() as receiver:
        address = f"http://127.0.0.1:{proxy.port}"
        proxies = {name: address for plain in ("http_proxy", "https_proxy", "all_proxy") for name in (plain, plain.upper())}
        settings = {"PLANWERK_DATABASE": url, "PLANWERK_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1", **proxies, "no_proxy": "", "NO_PROXY": ""}
        with serving(tmp_path, settings=settings) as process:
            _, made = process.ask("POST", "/v1/webhook", {"url": receiver.url})
            _, refused = process.ask("POST", "/v1/webhook", {"url": "http://127.0.0.2/"})
            process.ask("POST", f"/v1/webhook/{made['id']}/test")
            wait_until(lambda: receiver.calls, "the message has come")
    assert refused["errors"][0]["description"] == "url must not lead to a private address"
    assert (proxy.connections, [call.path for call in receiver.calls]) == (0, ["/hook"])


@pytest.mark.parametrize("name", ["serve", "worker", "doctor"])
def test_a_setting_that_names_no_network_is_told_at_the_start(name: str, tmp_path: Path) -> None:
    (tmp_path / "planwerk.toml").write_text('webhook_allowed_networks = "127.0.0.1, 10.0.0.1/8"')
    done = command(tmp_path, name)
    assert done.returncode != 0
    assert WRONG_NETWORK in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_the_doctor_says_what_is_open(tmp_path: Path) -> None:
    (tmp_path / "planwerk.toml").write_text('webhook_allowed_networks = "127.0.0.1, fd00::/8"')
    assert "webhooks may reach 127.0.0.1/32, fd00::/8 besides public addresses" in command(tmp_path, "doctor").stdout
