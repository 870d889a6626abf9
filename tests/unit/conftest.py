"""A working folder, the commands in it, and a database that `planwerk init` has made there."""

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.commanding import Command

from planwerk.cli import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with nothing in it, and no settings from outside."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("PLANWERK_"):
            monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def command(folder: Path) -> Command:
    def run(*arguments: str, given: str | None = None) -> Result:
        result = CliRunner().invoke(main, arguments, input=given)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """(folder, output) of one `planwerk init`; tests get copies of the folder."""
    folder = tmp_path_factory.mktemp("prepared")
    return folder, CliRunner().invoke(main, ["init", "--json", "--database", f"sqlite:///{folder}/planwerk.db"]).stdout


@pytest.fixture
def made(prepared: tuple[Path, str], folder: Path) -> dict[str, str]:
    """What `planwerk init` said that made the database in the working folder."""
    shutil.copytree(prepared[0], folder / "var")
    found: dict[str, str] = json.loads(prepared[1])
    return found
