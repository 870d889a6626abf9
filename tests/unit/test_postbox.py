"""Handing a mail over: TLS where it can be had, no password without it, and no way from a value into a header.

To see it fail: leave `starttls` out of `prepare`, or the refusal to log in without it; set the To header as plain text.
"""

import smtplib
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.postmaster import HOST, SECRET, USER, certificate, free_port, hanging_up, knows, receiving

from planwerk.postbox import Postbox, is_final, mail_faults, reason_of
from planwerk.settings import Settings

LOGIN = f"{quote(USER)}:{quote(SECRET, safe='')}@"


def postbox(url: str) -> Postbox:
    return Postbox(Settings(smtp=url, mail_from="Planwerk <plan@mill.nl>"))


def send(url: str, recipient: str = "eva@mill.nl", subject: str = "Hello", text: str = "Hello.\n") -> None:
    box = postbox(url)
    box.send(box.letter("00000000-0000-4000-8000-000000000001", recipient, subject, text))


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a server needs whose certificate we trust."""
    path, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return context


def test_a_letter_says_what_receivers_need_to_know() -> None:
    with receiving() as receiver:
        send(f"smtp://{HOST}:{receiver.port}", text="Grüße ✓\n")
    (message,) = receiver.messages
    shown = {name: message[name] for name in ("From", "To", "Subject", "Message-ID", "Auto-Submitted", "Content-Language")}
    assert shown == {
        "From": "Planwerk <plan@mill.nl>",
        "To": "eva@mill.nl",
        "Subject": "Hello",
        "Message-ID": "<00000000-0000-4000-8000-000000000001@mill.nl>",
        "Auto-Submitted": "auto-generated",
        "Content-Language": "en",
    }
    assert message.get_content().strip() == "Grüße ✓"
    assert message["Date"].datetime is not None


@pytest.mark.parametrize(
    ("recipient", "subject"),
    [
        ("eva@mill.nl", "Hello\nBcc: all@mill.nl"),
        ("eva@mill.nl", "Hello\r\n\r\nbody"),
        ("eva@mill.nl\nBcc: all@mill.nl", "Hello"),
        ("eva@mill.nl, all@mill.nl", "Hello"),
        ("eva@", "Hello"),
    ],
)
def test_no_value_reaches_into_another_header(recipient: str, subject: str) -> None:
    with receiving() as receiver:
        with pytest.raises(Exception) as caught:  # noqa: PT011 (the library's exceptions are of many kinds)
            send(f"smtp://{HOST}:{receiver.port}", recipient, subject)
        assert is_final(caught.value)
    assert receiver.messages == []


def test_what_is_offered_is_encrypted(trusted: Any) -> None:
    with receiving(tls_context=trusted) as receiver:
        send(f"smtp://{HOST}:{receiver.port}")
    assert receiver.is_encrypted == [True]


def test_smtps_is_encrypted_from_the_first_byte(trusted: Any) -> None:
    with receiving(ssl_context=trusted) as receiver:
        send(f"smtps://{HOST}:{receiver.port}")
    assert len(receiver.messages) == 1


def test_one_logs_in_with_the_password_of_the_setting(trusted: Any) -> None:
    with receiving(tls_context=trusted, authenticator=knows, auth_required=True) as receiver:
        send(f"smtp://{LOGIN}{HOST}:{receiver.port}")
        with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
            send(f"smtp://{quote(USER)}:other@{HOST}:{receiver.port}")
    assert receiver.is_encrypted == [True]
    assert reason_of(caught.value) == "the mail server does not accept the user and password (code 535)"
    assert not is_final(caught.value)


def test_a_password_is_not_sent_in_clear() -> None:
    with receiving(authenticator=knows, auth_require_tls=False) as receiver, pytest.raises(smtplib.SMTPNotSupportedError) as caught:
        send(f"smtp://{LOGIN}{HOST}:{receiver.port}")
    assert receiver.messages == []
    assert SECRET not in reason_of(caught.value)


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    _, context = certificate(tmp_path)
    with receiving(tls_context=context) as receiver, pytest.raises(OSError, match="certificate"):
        send(f"smtp://{HOST}:{receiver.port}")
    assert receiver.messages == []


@pytest.mark.parametrize(("answer", "is_over"), [("550 no such user", True), ("451 try later", False)])
def test_a_refused_recipient_is_over_when_it_is_for_good(answer: str, is_over: bool) -> None:
    with receiving(answer) as receiver, pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
        send(f"smtp://{HOST}:{receiver.port}")
    assert is_final(caught.value) is is_over
    assert reason_of(caught.value) == answer


def test_a_server_that_answers_is_well() -> None:
    with receiving() as receiver:
        assert postbox(f"smtp://{HOST}:{receiver.port}").answer() == ""


def test_a_server_that_is_away_or_hangs_up_is_not_well() -> None:
    assert "refused" in postbox(f"smtp://{HOST}:{free_port()}").answer()
    with hanging_up() as port:
        assert "SMTPServerDisconnected" in postbox(f"smtp://{HOST}:{port}").answer()


@pytest.mark.parametrize("url", ["mail.mill.nl", "http://mail.mill.nl", "smtp://", "smtp://host:port", "smtp://eva:secret@host:99999"])
def test_a_setting_that_names_no_server_is_a_fault_without_its_password(url: str) -> None:
    (fault,) = mail_faults(Settings(smtp=url))
    assert fault == "setting smtp: must be smtp://user:password@host:port or smtps://…"


def test_no_setting_is_no_fault() -> None:
    assert list(mail_faults(Settings())) == []
