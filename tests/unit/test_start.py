"""What the first run keeps: where, for whom, and never half of it."""

import json
import stat
from pathlib import Path

import pytest

from planwerk.settings import Settings
from planwerk.start import Access, access_file, save_access

ACCESS = Access("Workshop", "a" * 40, "k" * 64, "admin@example.com", "one-two")


@pytest.mark.parametrize(
    ("database", "path"),
    [
        ("sqlite:///var/planwerk.db", "var/first-run.json"),
        ("sqlite:///var/plans.db", "var/first-run-plans.json"),
        ("sqlite:////srv/data/planwerk.db", "/srv/data/first-run.json"),
        ("postgresql://me@db:5432/planwerk", "var/first-run-planwerk.json"),
        ("postgresql://me@db:5432/plans?sslmode=require", "var/first-run-plans.json"),
    ],
)
def test_two_databases_never_share_the_file_of_their_access(database: str, path: str) -> None:
    assert access_file(Settings(database=database)).as_posix() == path


def test_the_access_replaces_an_older_one_and_is_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "var" / "first-run.json"
    path.parent.mkdir()
    path.write_text("older")
    path.chmod(0o644)
    save_access(path, ACCESS)
    assert json.loads(path.read_text())["api_key"] == "k" * 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["first-run.json"]
