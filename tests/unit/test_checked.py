"""Values that no part of the server can use: each is one sentence that names the setting, before anything is served.

To see them fail: leave a function out of `value_faults`.
"""

from typing import Any

import pytest

from planwerk.commands import Impossible
from planwerk.commands.checked import value_faults
from planwerk.commands.serve import run_server
from planwerk.commands.upkeep import work
from planwerk.settings import Settings

LIMIT = "is not one limit such as 600/minute, and not 0"
STORAGE = "cannot be used; memory:// can, and redis://… where planwerk[redis] is installed"
PUBLIC = "is not http(s)://host or http(s)://host:port, in small letters"
CORS = "is not *, http(s)://host or http(s)://host:port, in small letters"
SENDER = "is not one address such as Planwerk <plan@mill.example>"

WRONG: list[tuple[str, Any, str]] = [
    ("rate_limit", "lots", f"lots {LIMIT}"),
    ("rate_limit", "600", f"600 {LIMIT}"),
    ("rate_limit", "0/minute", f"0/minute {LIMIT}"),
    ("rate_limit", "9/second, 90/minute", f"9/second, 90/minute {LIMIT}"),
    ("rate_limit", "600/fortnight", f"600/fortnight {LIMIT}"),
    ("rate_limit_storage", "nonsense://me:secret@host", f"nonsense:// {STORAGE}"),
    ("rate_limit_storage", "async+memory://", f"async+memory:// {STORAGE}"),
    ("rate_limit_storage", "", f" {STORAGE}"),
    ("session_hours", 0, "0 is not between 1 and 100000"),
    ("session_hours", -1, "-1 is not between 1 and 100000"),
    ("session_hours", 99_999_999, "99999999 is not between 1 and 100000"),
    ("access_token_seconds", 0, "0 is not between 1 and 86400"),
    ("access_token_seconds", -1, "-1 is not between 1 and 86400"),
    ("access_token_seconds", 86_401, "86401 is not between 1 and 86400"),
    ("statement_seconds", 0.0, "0.0 is not more than 0"),
    ("statement_seconds", float("nan"), "nan is not more than 0"),
    ("public_url", "plan.example", f"plan.example {PUBLIC}"),
    ("public_url", "ftp://plan.example", f"ftp://plan.example {PUBLIC}"),
    ("public_url", "https://", f"https:// {PUBLIC}"),
    ("public_url", "https://plan.example/sub", f"https://plan.example/sub {PUBLIC}"),
    ("public_url", "https://plan.example?", f"https://plan.example? {PUBLIC}"),
    ("public_url", "https://plan.example#x", f"https://plan.example#x {PUBLIC}"),
    ("public_url", "https://me@plan.example", f"https://me@plan.example {PUBLIC}"),
    ("public_url", "https://plan.example:99999", f"https://plan.example:99999 {PUBLIC}"),
    ("public_url", "https://plan example", f"https://plan example {PUBLIC}"),
    ("public_url", "HTTPS://plan.example", f"HTTPS://plan.example {PUBLIC}"),
    ("cors_origins", "nonsense", f"nonsense {CORS}"),
    ("cors_origins", "https://board.example/", f"https://board.example/ {CORS}"),
    ("cors_origins", "*, null", f"null {CORS}"),
    ("mail_from", "", f"'' {SENDER}"),
    ("mail_from", "Planwerk", f"'Planwerk' {SENDER}"),
    ("mail_from", "plan@mill.nl\nBcc: eva@mill.nl", f"'plan@mill.nl\\nBcc: eva@mill.nl' {SENDER}"),
    ("mail_from", "plan@mill.nl, eva@mill.nl", f"'plan@mill.nl, eva@mill.nl' {SENDER}"),
]

RIGHT: list[tuple[str, Any]] = [
    ("rate_limit", "0"),
    ("rate_limit", " 10000 per day "),
    ("rate_limit_storage", "memory://"),
    ("session_hours", 1),
    ("session_hours", 100_000),
    ("access_token_seconds", 1),
    ("access_token_seconds", 86_400),
    ("statement_seconds", 0.5),
    ("public_url", "https://plan.example"),
    ("public_url", "https://plan.example:8443/"),
    ("public_url", "http://[::1]:8080"),
    ("cors_origins", "*"),
    ("cors_origins", "https://board.example, http://localhost:5173,"),
    ("mail_from", "Planwerk <plan@mill.nl>"),
    ("mail_from", '"Mühle, Werk" <plan@mill.nl>'),
]


def test_the_defaults_are_right() -> None:
    assert list(value_faults(Settings())) == []


@pytest.mark.parametrize(("name", "value", "sentence"), WRONG)
def test_a_value_that_cannot_be_used_is_one_sentence(name: str, value: Any, sentence: str) -> None:
    assert list(value_faults(Settings(**{name: value}))) == [f"setting {name}: {sentence}"]


@pytest.mark.parametrize(("name", "value"), RIGHT)
def test_a_value_that_can_be_used_is_none(name: str, value: Any) -> None:
    assert list(value_faults(Settings(**{name: value}))) == []


@pytest.mark.parametrize("start", [lambda settings: run_server(settings, has_access_log=False), work], ids=["serve", "worker"])
def test_nothing_starts_with_one(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planwerk.log.configure", lambda: None)
    with pytest.raises(Impossible, match=r"^setting session_hours: 0 is not between 1 and 100000$"):
        start(Settings(session_hours=0))
