"""How a contestant is run: a command, and how the load generator speaks to what it starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Server:
    """A command to start, where it answers when it is ready, and how the load generator speaks to it."""

    command: tuple[str, ...]
    port: int
    ready: str
    dialect: str
    ids: Path
    relation: str = ""  # empty: ask the server, as Planwerk makes its own ids
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    headers: tuple[tuple[str, str], ...] = ()
    others: tuple[int, ...] = ()
    set_up: tuple[str, ...] = ()  # a command to run once it answers

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"
