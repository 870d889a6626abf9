"""The secret of a webhook: shown once, stored sealed, replaced with a day's overlap, and what is sent is signed with it.

To see it fail: keep the secret in the stored answer of an Idempotency-Key; store it unsealed; show the property `secret`; compare
`old_secret_until` with `>=`; let `valid_secrets` raise for one that cannot be read (all webhooks of the environment wait).
"""

import base64
import datetime as dt
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook
from tests.client import Client
from tests.hooking import URL, deliveries, hook
from tests.sending import HERE, Receiver, sending, tried
from tests.server import OBJECTS, Server
from tests.world import LONG_AGO, World

from planwerk.rules.webhooks import valid_secrets
from planwerk.store.transaction import Row, Transaction


def places_of(made: Any) -> list[str]:
    one, log = f"/v1/webhook/{made['id']}", f"/v1/webhook/{made['id']}/delivery"
    return ["/v1/webhook", one, f"{one}?show=id,secret", f"{one}?with=deliveries", log, "/v1/event", "/v1/api_message"]


def test_the_secret_is_shown_once_and_stored_nowhere(api: Client, world: World, server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    made = hook(api)
    secret = made["secret"]
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    api.post(f"/v1/webhook/{made['id']}/test", expect=200)
    api.post("/v1/board", {"name": "hall", "collections": [{"name": "stairs", "cards": [{"name": "steps"}]}]})
    answers = [api.ask("GET", place) for place in places_of(made)]
    answers += [api.ask("PUT", f"/v1/webhook/{made['id']}", {"description": "new", "secret": secret})]
    answers += [api.ask("GET", f"/v1/webhook/{made['id']}/delivery/{row['id']}/request") for row in deliveries(api, made)]
    assert {answer.status for answer in answers} == {200}
    for text in (*(answer.body.decode() for answer in answers), repr(server.rows(world.environment_id)), *capfd.readouterr()):
        assert secret not in text
        assert secret.removeprefix("whsec_") not in text
    for answer in answers:
        assert '"secret"' not in answer.body.decode()


@pytest.mark.parametrize("query", ["filter=secret:contains:a", "sort=secret", "filter=old_secret:not:eq:null"])
def test_nobody_finds_a_secret_by_asking_for_it(query: str, api: Client) -> None:
    hook(api)
    assert api.refused("GET", f"/v1/webhook?{query}")[0] == 400


def test_a_repeated_idempotency_key_gets_the_answer_without_the_secret(api: Client, world: World) -> None:
    body = {"url": URL}
    first, second = (api.ask("POST", "/v1/webhook", body, {"Idempotency-Key": "once"}) for _ in range(2))
    assert second.json == {name: value for name, value in first.json.items() if name != "secret"}
    rotated, again = (api.ask("POST", f"/v1/webhook/{first.json['id']}/secret", headers={"Idempotency-Key": "new"}) for _ in range(2))
    assert "secret" in rotated.json
    assert "secret" not in again.json


def test_a_body_chooses_no_secret(api: Client, world: World) -> None:
    chosen = "whsec_" + base64.b64encode(bytes(32)).decode()
    made = hook(api, secret=chosen)
    api.put(f"/v1/webhook/{made['id']}", {"secret": chosen})
    assert signing(world, made) == [made["secret"]]
    assert made["secret"] != chosen


def signing(world: World, made: Any, at: str = "") -> list[str]:
    """The secrets that sign a message of a webhook, now or at another moment."""

    def work(tx: Transaction) -> list[str]:
        tx.now = at or tx.now
        row = tx.get(OBJECTS["webhook"], made["id"])
        assert row is not None
        return valid_secrets(tx, row)

    return world.server.database.write_now(world.environment_id, work)


def test_the_old_secret_signs_along_for_a_day_and_then_no_more(api: Client, world: World) -> None:
    made = hook(api)
    old, new = made["secret"], api.post(f"/v1/webhook/{made['id']}/secret", expect=200)["secret"]
    rotated = dt.datetime.fromisoformat(row_of(world, made)["updated_at"])
    moments = [(rotated + dt.timedelta(hours=24, seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ") for seconds in (-1, 0, 1)]
    assert [signing(world, made, at=moment) for moment in moments] == [[new, old], [new], [new]]
    newest = api.post(f"/v1/webhook/{made['id']}/secret", expect=200)["secret"]
    assert signing(world, made) == [newest, new]


def row_of(world: World, made: Any) -> Row:
    found: Row | None = world.server.database.write_now(world.environment_id, lambda tx: tx.get(OBJECTS["webhook"], made["id"]))
    assert found is not None
    return found


def test_messages_carry_signatures_of_both_secrets(api: Client, world: World) -> None:
    with Receiver().listening() as receiver, sending(world, allowed=HERE):
        made = hook(api)
        world.write("webhook", made["id"], url=receiver.url)
        new = api.post(f"/v1/webhook/{made['id']}/secret", expect=200)["secret"]
        api.post(f"/v1/webhook/{made['id']}/test", expect=200)
        tried(api, made["id"])
    (call,) = receiver.calls
    for secret in (made["secret"], new):
        assert Webhook(secret).verify(call.body, dict(call.headers))["event"] == "webhook.test"


def test_a_webhook_from_before_there_were_secrets_gets_one_that_is_kept(api: Client, world: World) -> None:
    made = hook(api)
    world.write("webhook", made["id"], secret=None, updated_at=LONG_AGO)
    first = signing(world, made)
    assert len(first) == 1
    assert first != [made["secret"]]
    assert signing(world, made) == first
    assert api.get(f"/v1/webhook/{made['id']}")["updated_at"] == LONG_AGO


def test_a_secret_that_cannot_be_read_stops_its_webhook_alone_and_says_so(api: Client, world: World, server: Server) -> None:
    with Receiver().listening() as receiver, sending(world, allowed=HERE):
        broken, sound = hook(api), hook(api)
        world.write("webhook", broken["id"], url=receiver.url, secret="sealed by another server")
        world.write("webhook", sound["id"], url=receiver.url)
        for made in (broken, sound):
            api.post(f"/v1/webhook/{made['id']}/test", expect=200)
        (failed,), (sent,) = tried(api, broken["id"]), tried(api, sound["id"])
        assert (failed["status"], failed["error"]) == ("failed", "the secret of the webhook cannot be read; replace it")
        assert sent["status"] == "successful"
        secret = api.post(f"/v1/webhook/{broken['id']}/secret", expect=200)["secret"]
        api.post(f"/v1/webhook/{broken['id']}/test", expect=200)
        assert [row["status"] for row in tried(api, broken["id"])] == ["failed", "successful"]
    assert Webhook(secret).verify(receiver.calls[-1].body, dict(receiver.calls[-1].headers))
