"""Log lines: one JSON object each, ours and the libraries' alike."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from planwerk import log


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """What a test configures is undone after it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_our_lines_are_json_with_a_moment_and_a_level(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    structlog.get_logger("planwerk").info("serving", url="http://127.0.0.1")
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["url"]) == ("serving", "info", "http://127.0.0.1")
    assert line["timestamp"].endswith("Z")


def test_a_fault_is_logged_with_its_trace_in_the_same_line(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    try:
        raise KeyError("lost")
    except KeyError as error:
        structlog.get_logger("planwerk").error("unforeseen", exc_info=error)
    (text,) = capsys.readouterr().err.splitlines()
    assert "KeyError: 'lost'" in json.loads(text)["exception"]


def test_lines_of_libraries_have_the_same_shape(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    logging.getLogger("_granian").error("Unexpected exit from %s", "worker-1")
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"]) == ("Unexpected exit from worker-1", "error")


@pytest.mark.parametrize("secret", ["k" * 64, "a-_1" * 21 + "zz"], ids=["a key", "the token of a link"])
def test_what_is_as_long_as_a_secret_is_left_out_of_every_line(capsys: pytest.CaptureFixture[str], secret: str) -> None:
    """To see it fail: leave `hide_secrets` out of `endings`."""
    log.configure()
    logging.getLogger("granian.access").warning('"GET /invite/%s HTTP/1.1" 200', secret)
    structlog.get_logger("planwerk").error("unforeseen", request=f"GET /invite/{secret}", exc_info=ValueError(secret))
    access, ours = capsys.readouterr().err.splitlines()
    assert secret not in access + ours
    assert json.loads(access)["event"] == '"GET /invite/… HTTP/1.1" 200'
    assert "ValueError: …" in json.loads(ours)["exception"]
