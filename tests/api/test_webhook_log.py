"""The log of a webhook: reading it, sending again what is in it, and a test event.

To see it fail: choose another id when something is sent again; leave `status` or `since` out of `FAILED`; let the sender pass over
the tests of a webhook that is off, or take everything of one; count a test that fails.
"""

from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook
from tests.client import Client
from tests.hooking import URL, deliveries, hook, logged
from tests.sending import HERE, Receiver, sending, tried, wait_until
from tests.world import World

from planwerk.rules.webhooks import MOST

LATER = "2999-01-01T00:00:00Z"


def test_the_log_is_read_newest_first_and_can_be_filtered_sorted_and_shortened(api: Client, world: World) -> None:
    made = hook(api)
    failed, done, waiting = logged(
        world, made, {"status": "failed", "status_code": 500, "attempts": 1}, {"status": "successful", "status_code": 204}, {}
    )
    assert [row["id"] for row in deliveries(api, made)] == [waiting, done, failed]
    assert [row["id"] for row in deliveries(api, made, sort="created_at:asc,id:asc")] == [failed, done, waiting]
    assert [row["id"] for row in deliveries(api, made, filter="status:eq:failed,or,status_code:lt:300")] == [done, failed]
    assert deliveries(api, made, show="id,status", filter="attempts:gt:0") == [{"id": failed, "status": "failed"}]
    page = api.get(f"/v1/webhook/{made['id']}/delivery", limit=1, offset=1)
    assert (page["count"], [row["id"] for row in page["data"]]) == (3, [done])
    assert api.get(f"/v1/webhook/{made['id']}/delivery/{done}")["status_code"] == 204
    assert [row["id"] for row in api.get(f"/v1/webhook/{made['id']}", with_="deliveries")["deliveries"]] == [failed, done, waiting]


def test_nobody_writes_into_the_log(api: Client, world: World) -> None:
    made = hook(api)
    (id,) = logged(world, made, {})
    log = f"/v1/webhook/{made['id']}/delivery"
    for method, path in (("POST", log), ("PUT", f"{log}/{id}"), ("DELETE", f"{log}/{id}")):
        assert api.refused(method, path, {"status": "successful"}) == (405, [10006])
    api.put(f"/v1/webhook/{made['id']}", {"deliveries": [{"id": id, "status": "successful"}, {"status": "failed"}]})
    assert [row["status"] for row in deliveries(api, made)] == ["started"]


def test_the_request_of_a_delivery_is_what_was_sent(api: Client, world: World) -> None:
    with Receiver().listening() as receiver, sending(world, allowed=HERE):
        made = hook(api)
        world.write("webhook", made["id"], url=receiver.url)
        api.post("/v1/board", {"name": "hall", "collections": [{"name": "stairs", "cards": [{"name": "steps"}]}]})
        (row,) = tried(api, made["id"])
    shown = api.get(f"/v1/webhook/{made['id']}/delivery/{row['id']}/request")
    (call,) = receiver.calls
    assert shown == {"url": receiver.url, "body": Webhook(made["secret"]).verify(call.body, dict(call.headers))}
    assert (call.headers["webhook-id"], call.headers["content-type"]) == (row["event_id"], "application/json")
    assert (row["status"], row["status_code"], row["attempts"], row["error"]) == ("successful", 204, 1, None)


@pytest.mark.parametrize(
    ("given", "called"),
    [
        ("/a%2Fb/%7Ec?sp=%2Frun&sv=1.0&sig=aB%2Bc%3D%20d&e=%E2%82%AC&k=a+b", None),
        ("/a//b/../c/./d?q=a;b&&c", None),
        ("/%zz?%zz=1&x=%41%2f", None),
        ("/a:b@c,d?x=[1]&y='1'", None),
        ("?only=query", "/?only=query"),
        ("/x#frag", "/x"),
        ('/é|"?ü={ö}', "/%C3%A9%7C%22?%C3%BC=%7B%C3%B6%7D"),
    ],
)
def test_an_address_is_called_as_it_was_given(given: str, called: str | None, api: Client, world: World) -> None:
    """A signature over the address would else be wrong. To see it fail: give the HTTP client the text instead of `as_given`."""
    with Receiver().listening() as receiver, sending(world, allowed=HERE):
        made = hook(api, f"https://example.com{given}")
        world.write("webhook", made["id"], url=f"http://127.0.0.1:{receiver.port}{given}")
        assert made["url"] == f"https://example.com{given}"
        api.post(f"/v1/webhook/{made['id']}/test", expect=200)
        tried(api, made["id"])
    assert [call.path for call in receiver.calls] == [called or given]


def test_the_request_of_an_event_that_is_no_longer_kept_has_no_body(api: Client, world: World) -> None:
    made = hook(api)
    (id,) = logged(world, made, {})
    assert api.get(f"/v1/webhook/{made['id']}/delivery/{id}/request") == {"url": URL, "body": None}


# ── sending again ──


def test_a_delivery_is_sent_again_with_the_same_id_and_body(api: Client, world: World) -> None:
    with Receiver(status=500).listening() as receiver, sending(world, allowed=HERE):
        made = hook(api)
        world.write("webhook", made["id"], url=receiver.url)
        api.post("/v1/board", {"name": "hall", "collections": [{"name": "stairs", "cards": [{"name": "steps"}]}]})
        (failed,) = tried(api, made["id"])
        assert (failed["status"], failed["status_code"]) == ("failed", 500)
        receiver.status = 200
        again = api.post(f"/v1/webhook/{made['id']}/delivery/{failed['id']}/resend", expect=200)
        assert (again["id"], again["status"], again["attempts"]) == (failed["id"], "started", 0)
        (done,) = tried(api, made["id"])
    assert (done["id"], done["status"]) == (failed["id"], "successful")
    first, second = receiver.calls
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)


def test_what_has_failed_since_a_moment_is_sent_again(api: Client, world: World) -> None:
    made, other = hook(api), hook(api)
    failed, _, given_up, _ = logged(
        world, made, {"status": "failed", "attempts": 3}, {"status": "successful"}, {"status": "failed", "due_at": None}, {}
    )
    logged(world, other, {"status": "failed"})
    path = f"/v1/webhook/{made['id']}/resend"
    assert api.post(path, {"since": LATER}, expect=200) == {"count": 0}
    assert api.post(path, {"since": "2020-01-01T00:00:00+02:00"}, expect=200) == {"count": 2}
    rows = {row["id"]: row for row in deliveries(api, made)}
    assert {(rows[id]["status"], rows[id]["attempts"], rows[id]["due_at"] is None) for id in (failed, given_up)} == {("started", 0, False)}
    assert api.post(path, expect=200) == {"count": 0}
    assert [row["status"] for row in deliveries(api, other)] == ["failed"]


def test_what_is_sent_again_waits_for_the_end_of_a_suspension(api: Client, world: World) -> None:
    made = hook(api)
    world.write("webhook", made["id"], disabled_until=LATER, can_send=False)
    one, two = logged(world, made, {"status": "failed"}, {"status": "failed"})
    again = api.post(f"/v1/webhook/{made['id']}/delivery/{one}/resend", expect=200)
    assert (again["status"], again["due_at"]) == ("suspended", LATER)
    assert api.post(f"/v1/webhook/{made['id']}/resend", expect=200) == {"count": 1}
    assert {row["id"]: row["due_at"] for row in deliveries(api, made)} == {one: LATER, two: LATER}


def test_so_many_are_sent_again_by_one_request(api: Client, world: World) -> None:
    made = hook(api)
    logged(world, made, *({"status": "failed", "position": number} for number in range(MOST + 2)))
    path = f"/v1/webhook/{made['id']}/resend"
    assert [api.post(path, expect=200)["count"] for _ in range(3)] == [MOST, 2, 0]


def test_a_moment_that_is_none_is_refused(api: Client) -> None:
    answer = api.ask("POST", f"/v1/webhook/{hook(api)['id']}/resend", {"since": "yesterday"})
    assert (answer.status, [name for name, _ in answer.faults]) == (422, ["since"])


# ── a test ──


@pytest.mark.parametrize(
    "state",
    [{}, {"active": False, "can_send": False}, {"disabled_until": LATER, "can_send": False}],
    ids=["on", "off", "suspended"],
)
@pytest.mark.parametrize(("status", "result"), [(200, "successful"), (500, "failed"), (410, "failed")])
def test_a_test_is_sent_once_whatever_the_state_of_the_webhook(
    state: dict[str, Any], status: int, result: str, api: Client, world: World
) -> None:
    with Receiver(status=status).listening() as receiver:
        made = hook(api)
        world.write("webhook", made["id"], url=receiver.url, **state)
        before = api.get(f"/v1/webhook/{made['id']}")
        started = api.post(f"/v1/webhook/{made['id']}/test", expect=200)
        assert (started["status"], started["event"], started["object_id"]) == ("started", "webhook.test", made["id"])
        with sending(world, allowed=HERE):
            (done,) = tried(api, made["id"])
    after = api.get(f"/v1/webhook/{made['id']}")
    assert (done["status"], done["due_at"], len(receiver.calls)) == (result, None, 1)
    forgiven = {"disabled_until": None, "can_send": before["active"], "updated_at": after["updated_at"]} if status == 200 else {}
    assert after == before | forgiven, "a test that fails is no failure of the webhook's"
    message = Webhook(made["secret"]).verify(receiver.calls[0].body, dict(receiver.calls[0].headers))
    assert message == {
        "environment": world.environment_id,
        "trigger": "api-key",
        "event": "webhook.test",
        "data": {"webhook_id": made["id"]},
    }


def test_only_tests_are_sent_for_a_webhook_that_is_off(api: Client, world: World) -> None:
    with Receiver().listening() as receiver:
        made = hook(api)
        logged(world, made, {"due_at": "2020-01-01T00:00:00Z"})
        world.write("webhook", made["id"], url=receiver.url, active=False)
        test = api.post(f"/v1/webhook/{made['id']}/test", expect=200)
        other = hook(api)
        world.write("webhook", other["id"], url=receiver.url)
        with sending(world, allowed=HERE):
            wait_until(lambda: api.get(f"/v1/webhook/{made['id']}/delivery/{test['id']}")["attempts"] == 1, "the test was sent")
            api.post(f"/v1/webhook/{other['id']}/test", expect=200)
            tried(api, other["id"])  # by now the sender has looked once more
    assert [row["attempts"] for row in deliveries(api, made)] == [1, 0]
    assert len(receiver.calls) == 2


def test_a_test_goes_to_its_webhook_alone(api: Client) -> None:
    made, other = hook(api), hook(api)
    api.post(f"/v1/webhook/{made['id']}/test", expect=200)
    assert deliveries(api, other) == []
