"""What opens a door is neither stored nor logged, and how long a refusal takes tells nothing about how close a guess was."""

import json
import math
import random
import secrets
import statistics
import string
import time

import pytest
from tests.process.asking import Asker
from tests.process.serving import IS_LONG, Place

REQUESTS = 20_000 if IS_LONG else 2_000  # of each class
ATTEMPTS = 3  # another process on the machine may disturb one measurement, hardly three
LEVEL = 4.5  # of Welch's t, as in the assessment of side channels
TRIMMED = 0.1  # of the measured times, at each end


@pytest.fixture
def guesses(sqlite_place: Place) -> dict[str, dict[str, str]]:
    """Headers that must fail, by how much of them is right."""
    key, environment = sqlite_place.access["api_key"], sqlite_place.access["api_env"]
    return {
        "right environment, any key": {"x-api-key": random_key(), "x-api-env": environment},
        "right environment, wrong end of the key": {"x-api-key": key[:-1] + other_than(key[-1]), "x-api-env": environment},
        "right key, unknown environment": {"x-api-key": key, "x-api-env": secrets.token_hex(20)},
        "nothing right": {"x-api-key": random_key(), "x-api-env": secrets.token_hex(20)},
    }


def test_refusals_take_as_long_whatever_is_wrong_and_say_the_same(sqlite_place: Place, guesses: dict[str, dict[str, str]]) -> None:
    """To see it fail: sleep a tenth of a millisecond in `ApiKeys.find` when the environment is known."""
    with sqlite_place.serving() as server:
        for attempt in range(ATTEMPTS):
            with server.anonymous() as asker:
                times = measured(asker, guesses, random.Random(attempt))
            worst = max(abs(welch(one, two)) for one in times.values() for two in times.values())
            if worst < LEVEL:
                return
    raise AssertionError(f"the times of refusals differ: t = {worst:.1f}")


def test_what_opens_a_door_is_in_no_log_and_in_no_file_but_the_one_that_hands_it_out(sqlite_place: Place) -> None:
    """To see it fail: store the key beside its hash, or log the headers of a refused request."""
    folder, access = sqlite_place.folder, sqlite_place.access
    made = json.loads(sqlite_place.command("key", "create", "--json").stdout)["api_key"]
    user = json.loads(sqlite_place.command("user", "create", "--email", "a@example.com", "--role", "guest", "--json").stdout)["password"]
    app = json.loads(sqlite_place.command("app", "create", "--name", "A", "--redirect-uri", "https://example.com/", "--json").stdout)
    secret = [access["api_key"], access["admin_password"], made, user, app["client_secret"]]
    with sqlite_place.serving("--access-log") as server:
        for key in (access["api_key"], made):
            with server.client(**{"x-api-key": key}) as asker:
                assert asker.ask("POST", "/v1/order", {"external_ref": key[:8]}).status == 201
                assert asker.ask("POST", "/v1/order", {"quantity": "many"}).status == 422
        with server.client(**{"x-api-env": "0" * 40}) as stranger:
            assert stranger.ask("GET", "/v1/order").status == 401
        assert server.stop() == 0
    assert sqlite_place.command("backup", str(folder / "copy")).returncode == 0
    read = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "first-run.json"}
    assert {"planwerk.db", "server.log", "copy"} <= set(read)
    assert b"GET /v1/order" in read["server.log"], "the access log is off"
    found = [name for name, content in read.items() for text in secret if text.encode() in content]
    assert found == []


# ── measuring ──


def random_key() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(64))


def other_than(character: str) -> str:
    return "a" if character != "a" else "b"


def measured(asker: Asker, guesses: dict[str, dict[str, str]], chance: random.Random) -> dict[str, list[float]]:
    """Seconds from asking to the refusal, by class; the classes alternate at random. All refusals are alike."""
    times: dict[str, list[float]] = {name: [] for name in guesses}
    order = [name for name in guesses for _ in range(REQUESTS)]
    chance.shuffle(order)
    answers = set()
    for name in order:
        asker.headers = guesses[name]
        begun = time.perf_counter()
        reply = asker.ask("GET", "/v1/order")
        times[name].append(time.perf_counter() - begun)
        answers.add((reply.status, reply.json["errors"][0]["description"]))
    assert answers == {(401, "the API key is not known in this environment")}
    return {name: trimmed(found) for name, found in times.items()}


def trimmed(times: list[float]) -> list[float]:
    cut = int(len(times) * TRIMMED)
    return sorted(times)[cut:-cut]


def welch(one: list[float], two: list[float]) -> float:
    """Welch's t of two samples; 0 of a sample and itself."""
    spread = statistics.variance(one) / len(one) + statistics.variance(two) / len(two)
    return (statistics.fmean(one) - statistics.fmean(two)) / math.sqrt(spread)
