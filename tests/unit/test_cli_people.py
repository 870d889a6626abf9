"""Users on the command line: invite, reset, list, archive.

To see it fail: return the row instead of the link, or write `archived_at` without a look at who the last admin is.
"""

import json
from typing import Any

import pytest
from tests.commanding import Command, rows
from tests.postmaster import HOST, free_port, receiving

ADMIN = "admin@example.com"
EVA = "eva@mill.nl"


def result(command: Command, *words: str) -> Any:
    """What a command prints for programs."""
    done = command(*words, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def refusal(command: Command, *words: str) -> str:
    done = command(*words)
    assert (done.exit_code, done.stdout) == (1, "")
    return str(done.stderr)


def test_who_is_invited_gets_a_link_that_is_printed_once(made: dict[str, str], command: Command) -> None:
    user = result(command, "user", "invite", "--email", EVA, "--role", "organiser")
    assert (user["email"], user["role"], user["environment"]) == (EVA, "organiser", "Workshop")
    token = user["invite_link"].rpartition("/invite/")[2]
    assert len(token) == 86
    assert token not in repr(rows("SELECT * FROM invitation"))
    assert rows(f"SELECT status, username FROM \"user\" WHERE id = '{user['id']}'") == [("invited", EVA)]


def test_who_is_invited_again_gets_another_link_and_stays_one_user(made: dict[str, str], command: Command) -> None:
    first, second = (result(command, "user", "invite", "--email", EVA, "--role", "member") for _ in range(2))
    assert first["id"] == second["id"]
    assert first["invite_link"] != second["invite_link"]
    assert rows("SELECT count(*) FROM invitation WHERE deleted_at IS NULL") == [(1,)]


def test_who_is_invited_again_gets_the_role_of_the_second_invitation(made: dict[str, str], command: Command) -> None:
    result(command, "user", "invite", "--email", EVA, "--role", "member")
    assert result(command, "user", "invite", "--email", EVA, "--role", "organiser")["role"] == "organiser"
    assert rows(f"SELECT role FROM \"user\" WHERE email = '{EVA}'") == [("organiser",)]


def test_capitals_in_an_email_do_not_count(made: dict[str, str], command: Command) -> None:
    first = result(command, "user", "invite", "--email", "Eva@Mill.NL", "--role", "member")
    assert first["email"] == EVA
    assert result(command, "user", "invite", "--email", "EVA@mill.nl", "--role", "member")["id"] == first["id"]
    assert result(command, "user", "archive", "--email", "Eva@Mill.NL")["id"] == first["id"]
    assert "/reset/" in result(command, "user", "reset", "--email", ADMIN.upper())["reset_link"]


def test_an_admin_who_lost_the_password_gets_a_link(made: dict[str, str], command: Command) -> None:
    assert "/reset/" in result(command, "user", "reset", "--email", ADMIN)["reset_link"]


def test_an_admin_who_lost_the_second_factor_logs_in_without(made: dict[str, str], command: Command) -> None:
    words = ("user", "factor-off", "--email", ADMIN)
    assert refusal(command, *words) == "Error: this user has no second factor\n"
    rows("UPDATE \"user\" SET mfa_enabled = 1, totp_secret = 'sealed' RETURNING id")
    assert result(command, *words)["email"] == ADMIN
    assert rows('SELECT mfa_enabled, totp_secret FROM "user"') == [(0, None)]


def test_where_mails_are_sent_the_link_is_mailed(made: dict[str, str], command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANWERK_SMTP", "smtp://mail.mill.nl")
    user = result(command, "user", "invite", "--email", EVA, "--role", "member")
    assert ("invite_link" in user, user["is_mailed"]) == (False, True)
    assert rows("SELECT recipient, template, sent_at FROM mail") == [(EVA, "invite", None)]


def test_users_are_listed_by_email(made: dict[str, str], command: Command) -> None:
    result(command, "user", "invite", "--email", EVA, "--role", "member")
    users = result(command, "user", "list")
    assert [(user["email"], user["role"], user["status"]) for user in users] == [(ADMIN, "admin", "active"), (EVA, "member", "invited")]
    assert not {name for user in users for name in user} & {"password_hash", "totp_secret"}


def test_an_archived_user_is_listed_as_such(made: dict[str, str], command: Command) -> None:
    result(command, "user", "invite", "--email", EVA, "--role", "member")
    result(command, "user", "archive", "--email", EVA)
    assert result(command, "user", "list")[1]["archived_at"] is not None
    assert refusal(command, "user", "invite", "--email", EVA, "--role", "member") == f"Error: {EVA} is archived\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("archive", "--email", ADMIN), "this is the last active admin: make another user admin first"),
        (("archive", "--email", EVA), f"there is no user {EVA}"),
        (("reset", "--email", EVA), f"there is no user {EVA}"),
        (("factor-off", "--email", EVA), f"there is no user {EVA}"),
        (
            ("invite", "--email", ADMIN, "--role", "member"),
            f"{ADMIN} is a user already; `planwerk user reset` makes a link for a lost password",
        ),
        (("invite", "--email", "eva", "--role", "member"), "eva must be an e-mail address"),
        (("invite", "--email", EVA, "--role", "member", "--environment", "Other"), "there is no environment Other"),
    ],
)
def test_what_cannot_be_done_is_said(made: dict[str, str], command: Command, words: tuple[str, ...], sentence: str) -> None:
    assert refusal(command, "user", *words) == f"Error: {sentence}\n"


def test_a_user_who_has_not_accepted_has_no_password_to_lose(made: dict[str, str], command: Command) -> None:
    result(command, "user", "invite", "--email", EVA, "--role", "member")
    assert "has not accepted the invitation" in refusal(command, "user", "reset", "--email", EVA)


def test_the_doctor_says_whether_the_mail_server_answers(made: dict[str, str], command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no mail server; links are shown instead of mailed" in command("doctor").stdout
    with receiving() as receiver:
        monkeypatch.setenv("PLANWERK_SMTP", f"smtp://eva:secret@{HOST}:{receiver.port}")
        assert "a password is not sent without it" in command("doctor").stdout
        monkeypatch.setenv("PLANWERK_SMTP", f"smtp://{HOST}:{receiver.port}")
        assert f"ok       mail server {HOST} port {receiver.port} answers" in command("doctor").stdout
    monkeypatch.setenv("PLANWERK_SMTP", f"smtp://{HOST}:{free_port()}")
    assert "problem  mail server" in command("doctor").stdout
    monkeypatch.setenv("PLANWERK_SMTP", "mail.mill.nl")
    assert "setting smtp: must be smtp://" in command("doctor").stdout
