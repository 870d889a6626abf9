"""`planwerk seed jobshop --plan` with a database: the server runs inside the command, and does its background work there.

To see it fail: compose the application without the work beside it.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from planwerk.cli import main
from planwerk.seeds import instances

TINY: dict[str, Any] = {
    "tiny": {
        "machines_matrix": [[1, 0], [0, 1], [0, 1]],
        "duration_matrix": [[3, 4], [5, 6], [2, 1]],
        "metadata": {"lower_bound": 11, "upper_bound": 12},
    }
}


def run(*arguments: str) -> list[str]:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_a_plan_is_made_and_a_second_run_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PLANWERK_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(instances, "published", lambda: TINY)
    run("init")
    lines = run("seed", "jobshop", "tiny", "--plan")
    assert lines[:2] == ["tiny: 3 jobs, 6 operations, 2 machines, 21 minutes", "shortest schedule known: 12 minutes"]
    assert lines[2:5] == [
        "created: 2 activity, 2 resource, 1 board, 3 item, 3 order",
        "changed: 6 card",
        "as they were: nothing",
    ]
    assert lines[6:] == [
        "makespan: 12 days; 0.0 % above the best known, 12 (no plan can be shorter than 11)",
        "machine 0: busy on 11 days, 91.7 % of the makespan",
        "machine 1: busy on 10 days, 83.3 % of the makespan",
        "warnings: none",
        "each job planned as if it were alone: 11 days, but 5 machine days would have more than one operation",
    ]
    again = run("seed", "jobshop", "tiny", "--plan")
    assert again[2:5] == ["created: nothing", "changed: nothing", "as they were: 2 activity, 2 resource, 1 board, 3 item, 3 order, 6 card"]
    assert again[5:] == lines[5:]


def test_without_the_option_nothing_is_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(instances, "published", lambda: TINY)
    url = f"sqlite:///{tmp_path}/planwerk.db"
    run("init", "--database", url)
    lines = run("seed", "jobshop", "tiny", "--database", url)
    assert lines[2:] == ["created: 2 activity, 2 resource, 3 item, 3 order", "changed: nothing", "as they were: nothing"]
