"""How log lines look: one JSON object a line, or coloured words on a terminal. Everything goes to standard error.

Our own lines are structlog events; those of the libraries come through `logging` and get the same shape. What looks like a
secret is left out of both: the path of an invitation, in a line of the access log, would open an account.
"""

import logging
import re
import sys
from typing import Any

import structlog

SECRET = re.compile(r"[A-Za-z0-9_-]{60,}")  # every token and key is at least as long, no other word of ours is
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(level: str = "info") -> None:
    """Set up logging for this process; done once at its start."""
    processors = shared()
    structlog.configure(
        processors=[*processors, *endings()],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=processors, processors=[strip, *endings()]))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def library_lines(level: str = "WARNING") -> dict[str, Any]:
    """The part of a logging configuration that leaves the server library's lines to the handlers above."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {},
        "handlers": {},
        "loggers": {
            "_granian": {"level": level, "handlers": [], "propagate": True},
            "granian.access": {"level": "INFO", "handlers": [], "propagate": True},
        },
    }


def shared() -> list[Any]:
    return [structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]


def endings() -> list[Any]:
    if sys.stderr.isatty():
        return [hide_secrets, structlog.dev.ConsoleRenderer()]
    return [structlog.processors.format_exc_info, hide_secrets, structlog.processors.JSONRenderer()]


def hide_secrets(logger: Any, name: str, event: Any) -> Any:  # noqa: ARG001 (the signature of a processor)
    """The event with every word that is as long as a secret replaced by an ellipsis."""
    return {key: SECRET.sub("…", value) if isinstance(value, str) else value for key, value in event.items()}


def strip(logger: Any, name: str, event: Any) -> Any:
    return structlog.stdlib.ProcessorFormatter.remove_processors_meta(logger, name, event)
