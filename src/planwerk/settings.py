"""Every setting of the server: its name, type, default and one sentence; read once, then frozen.

A value comes from the command line, else the environment (`PLANWERK_…`), else `planwerk.toml`, else the default.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field as attribute, fields
from pathlib import Path
from typing import Any

MEBIBYTE = 1024 * 1024
KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def setting(default: Any, sentence: str) -> Any:
    return attribute(default=default, metadata={"sentence": sentence})


@dataclass(frozen=True)
class Settings:
    """What an operator may choose. Sizes are bytes and times seconds, as the names say."""

    database: str = setting("sqlite:///var/planwerk.db", "Where the data lives: sqlite:///path or postgresql://user@host:port/name.")
    host: str = setting("127.0.0.1", "The address the server listens on.")
    port: int = setting(8080, "The port the server listens on.")
    workers: int = setting(1, "Server processes; more than one needs PostgreSQL.")
    public_url: str = setting(
        "",
        "How people and clients reach the server: the base of links in mails and answers, and the issuer and audience of access tokens,"
        " so that a change voids them; with https:// cookies are Secure. Empty: http://host:port.",
    )
    rate_limit: str = setting(
        "600/minute", "Requests per API key, and per app and environment, in the notation of the `limits` package; 0 is off."
    )
    rate_limit_storage: str = setting("memory://", "Where requests are counted: memory://, or redis://… for several processes.")
    unavailable_url: str = setting("", "During maintenance, answer 303 to this page instead of 503.")
    answer_limit_bytes: int = setting(64 * MEBIBYTE, "The largest answer of one request; a larger one is refused with code 10005.")
    body_limit_bytes: int = setting(10 * MEBIBYTE, "The largest JSON body.")
    upload_limit_bytes: int = setting(100 * MEBIBYTE, "The largest uploaded file.")
    response_cache_bytes: int = setting(16 * MEBIBYTE, "Memory for finished answers, valid until a table they read changes; 0 is off.")
    statement_seconds: float = setting(15.0, "The longest a single statement may take.")
    files: str = setting("", "Where uploads are kept: a folder, or s3://bucket/prefix; empty: a folder `files` beside the database file.")
    s3_endpoint: str = setting("", "The address of an S3-compatible store; empty: that of the AWS environment.")
    secret_file: str = setting("", "The file that holds the secret of the server's processes; empty: `secret` beside the database file.")
    trusted_proxies: str = setting("", "Comma-separated networks of proxies whose X-Forwarded-For counts.")
    session_hours: int = setting(336, "How long a login lasts in the browser unless it is used again.")
    registration: bool = setting(False, "Whether anybody may make an environment of their own on /register.")
    smtp: str = setting("", "The mail server: smtp://user:password@host:587 or smtps://host:465; empty: links are shown instead of mailed.")
    mail_from: str = setting("planwerk@localhost", "Who mails come from.")
    oidc_issuer: str = setting("", "The OpenID Connect provider at which users may log in, such as https://id.example; empty: none.")
    oidc_client_id: str = setting("", "What this server is called at the provider.")
    oidc_client_secret: str = setting("", "What this server proves itself with at the provider.")
    oidc_name: str = setting("single sign-on", "What the button of the login page calls the provider.")
    oidc_environment: str = setting("", "The environment of the provider's users, by its name; empty: the oldest.")
    oidc_scopes: str = setting("openid email profile", "What is asked of the provider; some tell roles only for one more, such as groups.")
    oidc_role_claim: str = setting("", "The claim that names a user's role or roles; empty: the role is what an admin has set.")
    oidc_default_role: str = setting("", "The role of a new user, and of one whose claim names none; empty: they are refused.")
    cors_origins: str = setting("", "Comma-separated origins of browsers that may call the API; empty: none.")
    order_day_minutes: int = setting(480, "The minutes of an order row's day.")
    schedule_years_back: int = setting(1, "For how many past years a resource has schedule rows.")
    schedule_years_ahead: int = setting(2, "For how many coming years a resource has schedule rows.")
    holidays: str = setting("", "The country whose public holidays are free: NL, or DE-BY for a part of one; empty: none.")
    background_work: bool = setting(True, "Do background jobs beside the requests; false: leave them to `planwerk worker`.")
    webhook_allowed_networks: str = setting("", "Comma-separated networks that webhooks may reach besides public addresses.")
    access_token_seconds: int = setting(3600, "How long an OAuth access token lives; a day at most.")
    allow_affected_sqlite: bool = setting(False, "Run on an SQLite engine that has the WAL-reset bug (below 3.51.3).")


def load(overrides: Mapping[str, Any] | None = None, environ: Mapping[str, str] = os.environ, folder: Path | None = None) -> Settings:
    """The settings in force. `overrides` (the command line) wins over the environment, which wins over planwerk.toml.

    Raises ValueError with a sentence for a value of the wrong type and for an unknown key in the file.
    """
    path = (folder or Path.cwd()) / "planwerk.toml"
    written = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    known = {item.name: item for item in fields(Settings)}
    if unknown := set(written) - set(known):
        raise ValueError(f"planwerk.toml: unknown setting {', '.join(sorted(unknown))}")
    named = {name: environ[f"PLANWERK_{name.upper()}"] for name in known if f"PLANWERK_{name.upper()}" in environ}
    given = {name: value for name, value in (overrides or {}).items() if value is not None}
    typed = {name: typed_value(name, value, type(known[name].default)) for name, value in {**written, **given}.items()}
    read = {name: read_value(name, text, type(known[name].default)) for name, text in named.items() if name not in given}
    return Settings(**{**typed, **read})


def typed_value(name: str, value: Any, kind: type) -> Any:
    """A value that has a type already, from the file or the command line.

    >>> typed_value("port", 8081, int), typed_value("statement_seconds", 3, float)
    (8081, 3.0)
    >>> typed_value("port", "8081", int)
    Traceback (most recent call last):
    ValueError: setting port: "8081" is a text, not a whole number
    """
    if type(value) is kind:
        return value
    if kind is float and type(value) is int:
        return float(value)
    shown = f'"{value}" is a text,' if isinstance(value, str) else f"{value} is"
    raise ValueError(f"setting {name}: {shown} not {KINDS[kind]}")


def read_value(name: str, text: str, kind: type) -> Any:
    """The value that the text of a variable stands for.

    >>> read_value("port", "8081", int), read_value("registration", "Yes", bool)
    (8081, True)
    >>> read_value("port", "many", int)
    Traceback (most recent call last):
    ValueError: setting port: many is not a whole number
    """
    try:
        return WORDS[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError):
        raise ValueError(f"setting {name}: {text} is not {KINDS[kind]}") from None


def public_url(settings: Settings) -> str:
    """How clients reach the server, without a slash at the end; the issuer of its tokens."""
    return settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"


def settings_table() -> str:
    """Every setting as a Markdown table, for docs/settings.md."""
    lines = ["| key in planwerk.toml | environment variable | default | meaning |", "|---|---|---|---|"]
    for item in fields(Settings):
        default = str(item.default).lower() if isinstance(item.default, bool) else str(item.default)
        shown = f"`{default}`" if default else "–"
        lines.append(f"| `{item.name}` | `PLANWERK_{item.name.upper()}` | {shown} | {item.metadata['sentence']} |")
    return "\n".join(lines) + "\n"


def beside_database(settings: Settings, name: str) -> Path:
    """Where a file or folder lies that has no setting of its own: beside the SQLite file, else in `var`.

    >>> beside_database(Settings(database="sqlite:////srv/planwerk.db"), "files").as_posix()
    '/srv/files'
    >>> beside_database(Settings(database="postgresql://planwerk@db/planwerk"), "files").as_posix()
    'var/files'
    """
    kind, _, path = settings.database.partition(":///")
    return Path(path).parent / name if kind == "sqlite" else Path("var") / name
