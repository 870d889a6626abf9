"""Handing a mail to a mail server: RFC 5321, with TLS as the address says (`smtps`) or as the server offers (STARTTLS).

Comes in: the setting `smtp`, a message. Goes out: nothing, or an exception of smtplib or the socket. A password is never sent
without TLS, and certificates must be valid.
"""

import re
import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses, localtime, parseaddr
from urllib.parse import unquote, urlsplit

from planwerk.settings import Settings

SECONDS = 10  # for each step of the conversation
PORTS = {"smtp": 25, "smtps": 465}
SUBMISSION = 587  # where one logs in (RFC 6409)


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server; `user` is empty where one need not log in."""

    is_tls: bool
    host: str
    port: int
    user: str
    password: str


def read_server(url: str) -> Server:
    """The server of a setting; raises ValueError with a sentence that does not repeat the password.

    >>> read_server("smtp://eva:p%40ss@mail.example")
    Server(is_tls=False, host='mail.example', port=587, user='eva', password='p@ss')
    >>> read_server("smtps://mail.example").port, read_server("smtp://localhost:2525").port
    (465, 2525)
    >>> read_server("mail.example:25")
    Traceback (most recent call last):
    ValueError: setting smtp: must be smtp://user:password@host:port or smtps://…
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError("setting smtp: must be smtp://user:password@host:port or smtps://…")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    usual = SUBMISSION if user and parts.scheme == "smtp" else PORTS[parts.scheme]
    return Server(parts.scheme == "smtps", parts.hostname, port or usual, user, password)


def mail_faults(settings: Settings) -> Iterator[str]:
    """What is wrong with the settings of mails, in sentences."""
    try:
        if settings.smtp:
            read_server(settings.smtp)
    except ValueError as error:
        yield str(error)
    if not is_sender(settings.mail_from):
        yield f"setting mail_from: {settings.mail_from!r} is not one address such as Planwerk <plan@mill.example>"


def is_sender(text: str) -> bool:
    """Whether a text is one line with one address, with or without a name before it.

    >>> is_sender("Planwerk <plan@mill.example>"), is_sender("planwerk@localhost"), is_sender("Planwerk"), is_sender("a@mill, b@mill")
    (True, True, False, False)
    """
    addresses = [address for _, address in getaddresses([text])]
    return text.isprintable() and len(addresses) == 1 and re.fullmatch(r"[^@\s]+@[^@\s]+", addresses[0]) is not None


class Postbox:
    """The mail server of the settings. Raises ValueError with a sentence for a setting that names none."""

    def __init__(self, settings: Settings) -> None:
        self.server = read_server(settings.smtp)
        self.sender = settings.mail_from
        self.name = domain_of(settings.mail_from)

    def send(self, message: EmailMessage) -> None:
        """Hand over a message; when this returns the server has taken responsibility for it."""
        with self.open() as connection:
            connection.send_message(message)

    def answer(self) -> str:
        """What is wrong with the mail server; empty if mails would be taken."""
        try:
            self.open().quit()
        except (OSError, smtplib.SMTPException) as error:
            return reason_of(error)
        return ""

    def open(self) -> smtplib.SMTP:
        """A connection that is encrypted and logged in as far as the settings say."""
        server, context = self.server, ssl.create_default_context()
        if server.is_tls:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, self.name, timeout=SECONDS, context=context)
        else:
            connection = smtplib.SMTP(server.host, server.port, self.name, timeout=SECONDS)
        try:
            self.prepare(connection, context)
        except BaseException:
            connection.close()
            raise
        return connection

    def prepare(self, connection: smtplib.SMTP, context: ssl.SSLContext) -> None:
        connection.ehlo_or_helo_if_needed()
        if not self.server.is_tls and connection.has_extn("starttls"):
            connection.starttls(context=context)
        elif not self.server.is_tls and self.server.user:
            raise smtplib.SMTPNotSupportedError("the mail server offers no STARTTLS, and a password is not sent without it")
        if self.server.user:
            connection.login(self.server.user, self.server.password)

    def letter(self, id: str, recipient: str, subject: str, text: str) -> EmailMessage:
        """A mail in plain text. Its Message-ID follows from `id`, so that a receiver can tell a mail that comes twice.

        Raises an exception for an address or subject that would reach into another header.
        """
        message = EmailMessage()
        message["From"] = self.sender
        message["To"] = Address(addr_spec=recipient)
        message["Subject"] = subject
        message["Date"] = format_datetime(localtime())
        message["Message-ID"] = f"<{id}@{self.name}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notes, please
        message.set_content(text)  # takes away every header that begins with Content-
        message["Content-Language"] = "en"
        return message


def is_final(error: Exception) -> bool:
    """Whether another attempt would fail the same way: the recipient is refused for good, or the mail cannot be written."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return not isinstance(error, OSError)  # smtplib's exceptions are OSErrors, too


def reason_of(error: Exception) -> str:
    """An error in words, without a password."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"the mail server does not accept the user and password (code {error.smtp_code})"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(f"{code} {text.decode('utf-8', 'replace')}" for code, text in error.recipients.values())
    return f"{type(error).__name__}: {error}"


def domain_of(address: str) -> str:
    """
    >>> domain_of("Planwerk <plan@mill.example>"), domain_of("nobody")
    ('mill.example', 'localhost')
    """
    _, at, domain = parseaddr(address)[1].rpartition("@")
    return domain if at and domain else "localhost"
