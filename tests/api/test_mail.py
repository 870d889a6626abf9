"""Mails: left in the transaction of what they tell, sent once while nothing fails, and never lost.

To see it fail: leave the look at `due_at` out of `claim_mail`, mark a mail before it is sent, or let `NEXT` take every environment.
"""

import asyncio
import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import structlog
from tests.client import Loop
from tests.connections import connected
from tests.inviting import accept, change, invited, links_in, mailing_server, path_of, send_due
from tests.people import person
from tests.postmaster import HOST, free_port, hanging_up, receiving
from tests.server import OBJECTS, Server
from tests.visiting import Browser
from tests.world import World

from planwerk import mail
from planwerk.errors import SERVICE_UNAVAILABLE, refuse
from planwerk.postbox import Postbox
from planwerk.rules.mails import LINKS_PER_HOUR, send_mail
from planwerk.store.statements import Statement

EVA = "eva@mill.nl"
SUSPEND = Statement("UPDATE environment SET status = {status} WHERE id = {environment}", {})


@pytest.fixture(scope="module")
def mailing(backend: str, tmp_path_factory: pytest.TempPathFactory, loop: Loop) -> Iterator[Server]:
    with mailing_server(backend, tmp_path_factory.mktemp("mailing"), loop) as server:
        yield server


@pytest.fixture
def world(mailing: Server) -> World:
    """A tenant of that server; the mails of the tests before are done with."""
    mailing.database.write_now("", lambda tx: tx.run_named(Statement("UPDATE mail SET due_at = NULL", {})))
    tenant = mailing.tenant()
    return World(mailing, mailing.client(tenant), tenant.environment.id)


def mails(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.server.database.write_now(world.environment_id, lambda tx: tx.find(OBJECTS["mail"]))
    return found


def let_it_be_due(world: World) -> None:
    for row in mails(world):
        change(world.server, world.environment_id, "mail", row["id"], due_at=world.server.database.identifiers.now())


# ── what is sent ──


def test_an_invitation_is_mailed_with_its_link_which_is_stored_nowhere(world: World) -> None:
    user = invited(world.client, EVA, "organiser")
    assert "invite_link" not in user
    with receiving() as receiver:
        assert send_due(world.server, receiver.port) == 1
    (message,) = receiver.messages
    (link,) = links_in(message.get_content())
    assert message["To"] == EVA
    assert message["Subject"].startswith("Your invitation to tenant")
    assert "https://plan.mill.nl/invite/" in message.get_content()
    assert "organiser" in message.get_content()
    assert link.rpartition("/")[2] not in repr(world.server.rows(world.environment_id))
    accept(Browser(world.client, "plan.mill.nl"), link)
    assert world.client.get(f"/v1/user/{user['id']}")["status"] == "active"


def test_a_sent_mail_is_not_sent_again(world: World) -> None:
    invited(world.client, EVA)
    with receiving() as receiver:
        assert [send_due(world.server, receiver.port) for _ in range(2)] == [1, 0]
    (row,) = mails(world)
    assert (row["due_at"], row["error"], row["attempts"]) == (None, None, 1)
    assert row["sent_at"] is not None


def test_what_is_undone_is_not_mailed(world: World) -> None:
    def work(tx: Any) -> None:
        assert send_mail(tx, EVA, "invite", {})
        raise refuse(SERVICE_UNAVAILABLE, "the disk is full")

    with suppress(Exception):
        world.server.database.write_now(world.environment_id, work)
    assert mails(world) == []


def test_a_name_with_a_line_break_stays_in_its_line(world: World) -> None:
    rename = Statement("UPDATE environment SET name = {name} WHERE id = {environment}", {})
    name = f"Mill\r\nBcc: all@mill.nl\n\n{world.environment_id[9:18]}"
    world.server.database.write_now(world.environment_id, lambda tx: tx.run_named(rename, name=name))
    invited(world.client, EVA)
    with receiving() as receiver:
        send_due(world.server, receiver.port)
    (message,) = receiver.messages
    assert message["Subject"] == f"Your invitation to Mill Bcc: all@mill.nl {world.environment_id[9:18]}"
    assert message["Bcc"] is None


def test_a_link_that_opens_no_more_is_not_mailed(world: World) -> None:
    user = invited(world.client, EVA)
    world.client.post(f"/v1/user/{user['id']}/invite", expect=200)
    with receiving() as receiver:
        assert send_due(world.server, receiver.port) == 1
    assert len(receiver.messages) == 1
    assert sorted(row["error"] or "" for row in mails(world)) == ["", "its link opens no more"]


def test_an_address_nobody_can_have_gets_its_link_in_the_answer(world: World) -> None:
    for email in ("eva@example.com", "eva@mill.example", "eva@shop.test"):
        assert path_of(invited(world.client, email)["invite_link"]).startswith("/invite/")
    assert mails(world) == []


def test_a_reset_of_an_admin_is_mailed(world: World) -> None:
    user = invited(world.client, EVA)
    change(world.server, world.environment_id, "user", user["id"], status="active")
    assert "reset_link" not in world.client.post(f"/v1/user/{user['id']}/reset", expect=200)
    with receiving() as receiver:
        send_due(world.server, receiver.port)
    assert receiver.messages[-1]["Subject"].startswith("A new password for tenant")
    assert "/reset/" in links_in(receiver.messages[-1].get_content())[0]


def test_what_an_app_invites_is_mailed_and_not_shown(world: World) -> None:
    user = invited(connected(world.server, world, "admin").client, EVA)
    with receiving() as receiver:
        send_due(world.server, receiver.port)
    assert "/invite/" in links_in(receiver.messages[-1].get_content())[0]
    assert "invite_link" not in user


@pytest.mark.parametrize("is_in_person", [True, False])
def test_whose_second_factor_an_admin_turns_off_is_told(is_in_person: bool, world: World) -> None:
    user, admin = invited(world.client, EVA), person(world.server, world, "admin")
    change(world.server, world.environment_id, "user", user["id"], status="active", mfa_enabled=True)
    (admin.client if is_in_person else world.client).post(f"/v1/user/{user['id']}/factor/off", expect=200)
    with receiving() as receiver:
        send_due(world.server, receiver.port)
    letter = receiver.messages[-1]
    assert (letter["To"], letter["Subject"].startswith("Your second factor in tenant")) == (EVA, True)
    assert f"{admin.email if is_in_person else 'an admin'} has turned off the second factor of {EVA}" in letter.get_content().lower()


def test_one_recipient_gets_a_few_links_an_hour(world: World) -> None:
    user = invited(world.client, EVA)
    for _ in range(LINKS_PER_HOUR - 1):
        world.client.post(f"/v1/user/{user['id']}/invite", expect=200)
    before = world.server.rows(world.environment_id)
    answer = world.client.ask("POST", f"/v1/user/{user['id']}/invite")
    assert (answer.status, answer.codes, answer.headers["retry-after"]) == (429, [10009], "3600")
    assert world.server.rows(world.environment_id) == before
    for row in mails(world):
        change(world.server, world.environment_id, "mail", row["id"], created_at="2026-01-01T00:00:00Z")
    world.client.post(f"/v1/user/{user['id']}/invite", expect=200)


# ── what fails ──


def test_a_mail_that_fails_is_tried_again_at_growing_distances_and_then_given_up(world: World) -> None:
    invited(world.client, EVA)
    port = free_port()
    with structlog.testing.capture_logs() as lines:
        for minutes in (*mail.PAUSE_MINUTES, 0):
            earliest = dt.datetime.fromisoformat(world.server.database.identifiers.now()) + dt.timedelta(minutes=minutes)
            assert send_due(world.server, port) == 1
            (row,) = mails(world)
            assert "ConnectionRefusedError" in row["error"]
            if minutes:
                latest = dt.datetime.fromisoformat(world.server.database.identifiers.now()) + dt.timedelta(minutes=minutes)
                assert earliest <= dt.datetime.fromisoformat(row["due_at"]) <= latest
                assert send_due(world.server, port) == 0
                let_it_be_due(world)
    assert (row["due_at"], row["sent_at"], row["attempts"]) == (None, None, 6)
    assert [line["event"] for line in lines if "mail" in line["event"]] == ["mail failed"] * 5 + ["mail given up"]
    assert EVA not in repr(lines)


def test_a_mail_that_failed_is_sent_when_the_server_is_back(world: World) -> None:
    invited(world.client, EVA)
    with hanging_up() as port:
        send_due(world.server, port)
    assert "SMTPServerDisconnected" in mails(world)[0]["error"]
    let_it_be_due(world)
    with receiving() as receiver:
        send_due(world.server, receiver.port)
    assert len(receiver.messages) == 1
    assert (mails(world)[0]["due_at"], mails(world)[0]["error"]) == (None, None)


@pytest.mark.parametrize(("refuses", "is_over"), [("550 no such user", True), ("452 mailbox full", False)])
def test_a_recipient_who_is_refused_for_good_is_not_tried_again(world: World, refuses: str, is_over: bool) -> None:
    invited(world.client, EVA)
    with receiving(refuses) as receiver:
        send_due(world.server, receiver.port)
    (row,) = mails(world)
    assert (row["error"], row["due_at"] is None, row["sent_at"]) == (refuses, is_over, None)


def test_a_mail_that_cannot_be_written_keeps_no_other_waiting(world: World) -> None:
    def work(tx: Any) -> None:
        send_mail(tx, EVA, "reset", {"environment": "what else it shows is missing"})
        send_mail(tx, "eva@mill.nl,all@mill.nl", "reset", {"environment": "x", "link": "x", "expires": "x"})

    world.server.database.write_now(world.environment_id, work)
    invited(world.client, "ole@mill.nl")
    with receiving() as receiver:
        assert send_due(world.server, receiver.port) == 3
    assert [message["To"] for message in receiver.messages] == ["ole@mill.nl"]
    assert [row["due_at"] for row in mails(world)] == [None] * 3


def test_a_process_that_dies_before_it_marks_a_mail_loses_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: Any) -> None:
        raise refuse(SERVICE_UNAVAILABLE, "the process has ended")

    invited(world.client, EVA)
    with receiving() as receiver:
        with monkeypatch.context() as patched:
            patched.setattr(mail, "note", die)
            with pytest.raises(Exception, match="the process has ended"):
                send_due(world.server, receiver.port)
        assert send_due(world.server, receiver.port) == 0  # the claim holds
        let_it_be_due(world)
        assert send_due(world.server, receiver.port) == 1
    assert len({message["Message-ID"] for message in receiver.messages}) == 1
    assert len(receiver.messages) == 2
    assert mails(world)[0]["due_at"] is None


def test_an_old_claim_does_not_change_what_a_newer_one_did(world: World) -> None:
    invited(world.client, EVA)
    (row,) = mails(world)
    claim = world.server.database.write_now(world.environment_id, lambda tx: mail.claim_mail(tx, row["id"]))
    assert claim is not None
    let_it_be_due(world)
    with receiving() as receiver:
        send_due(world.server, receiver.port)
    world.server.database.write_now(world.environment_id, lambda tx: mail.note(tx, claim, {"error": "late"}))
    assert mails(world)[0]["error"] is None


def test_several_workers_send_each_mail_once(world: World) -> None:
    emails = {f"eva.{number}@mill.nl" for number in range(12)}
    for email in emails:
        invited(world.client, email)
    with receiving() as receiver:
        postbox = Postbox(replace(world.server.settings, smtp=f"smtp://{HOST}:{receiver.port}"))

        async def work() -> list[int]:
            return await asyncio.gather(*(mail.send_due(world.server.database, postbox) for _ in range(4)))

        assert sum(world.server.loop.run(work())) == len(emails)
    assert sorted(message["To"] for message in receiver.messages) == sorted(emails)


def test_a_template_that_only_a_newer_release_has_is_tried_again(world: World) -> None:
    world.server.database.write_now(world.environment_id, lambda tx: send_mail(tx, EVA, "of_tomorrow", {}))
    with receiving() as receiver:
        send_due(world.server, receiver.port)
    assert mails(world)[0]["due_at"] is not None


# ── whose mails are sent ──


@pytest.mark.parametrize(("status", "sent"), [("active", 1), ("sign_up", 1), ("suspended", 0)])
def test_the_mails_of_a_suspended_environment_wait(world: World, status: str, sent: int) -> None:
    invited(world.client, EVA)
    world.server.database.write_now(world.environment_id, lambda tx: tx.run_named(SUSPEND, status=status))
    with receiving() as receiver:
        assert send_due(world.server, receiver.port) == sent
    assert (mails(world)[0]["due_at"] is None) is bool(sent)


def test_the_loop_sends_what_is_left_until_it_is_cancelled(world: World) -> None:
    invited(world.client, EVA)
    with receiving() as receiver:
        settings = replace(world.server.settings, smtp=f"smtp://{HOST}:{receiver.port}")

        async def work() -> None:
            task = asyncio.ensure_future(mail.run(world.server.database, settings))
            while not receiver.messages:
                await asyncio.sleep(0.01)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

        world.server.loop.run(work())
    assert [message["To"] for message in receiver.messages] == [EVA]
