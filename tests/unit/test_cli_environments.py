"""The commands for environments: their names and options are promised to scripts, their results are JSON."""

import json

import pytest
from tests.commanding import Command, rows

from planwerk.commands.opened import opened
from planwerk.settings import Settings
from planwerk.store.environments import SIGN_UP, create_environment

PROMISED = {
    "create": {"admin-email", "database", "json"},
    "list": {"database", "json"},
    "suspend": {"database", "json"},
    "resume": {"database", "json"},
    "delete": {"yes", "database", "json"},
}


@pytest.mark.parametrize("word", PROMISED)
def test_a_promised_command_takes_its_promised_options(command: Command, word: str) -> None:
    shown = command("environment", word, "--help")
    assert shown.exit_code == 0
    assert {f"--{name}" for name in PROMISED[word]} <= set(shown.stdout.replace(",", " ").split())


def test_an_environment_goes_its_way_from_making_to_deletion(made: dict[str, str], command: Command) -> None:
    created = json.loads(command("environment", "create", "Second", "--admin-email", "boss@example.com", "--json").stdout)
    assert (created["environment"], created["admin_email"], len(created["api_key"])) == ("Second", "boss@example.com", 64)
    assert json.loads(command("environment", "suspend", "Second", "--json").stdout)["status"] == "suspended"
    listed = json.loads(command("environment", "list", "--json").stdout)
    assert [(item["environment"], item["status"]) for item in listed] == [("Second", "suspended"), (made["environment"], "active")]
    assert json.loads(command("environment", "resume", "Second", "--json").stdout)["status"] == "active"
    assert json.loads(command("environment", "delete", "Second", "--yes", "--json").stdout) == {"environment": "Second", "rows": 2}
    assert rows("SELECT name FROM environment") == [(made["environment"],)]


def test_a_new_environment_is_shown_with_a_word_about_keeping_it(made: dict[str, str], command: Command) -> None:
    assert command("environment", "create", "Second").stderr == "Shown once: keep it safe.\n"
    assert command("environment", "create", "Third", "--json").stderr == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("delete", "Workshop"), "this deletes environment Workshop with all it holds, for good; add --yes to do it"),
        (("delete", "Nowhere", "--yes"), "there is no environment Nowhere"),
        (("suspend", "Nowhere"), "there is no environment Nowhere"),
        (("resume", "Nowhere"), "there is no environment Nowhere"),
        (("create", "Workshop"), "there is an environment Workshop already"),
        (("suspend", ""), "there is no environment ''"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(made: dict[str, str], command: Command, words: tuple[str, ...], sentence: str) -> None:
    refused = command("environment", *words)
    assert (refused.exit_code, refused.stdout, refused.stderr) == (1, "", f"Error: {sentence}\n")


@pytest.mark.parametrize("word", ["suspend", "resume"])
def test_an_environment_that_nobody_has_confirmed_is_not_opened_by_the_way(made: dict[str, str], command: Command, word: str) -> None:
    """To see it fail: leave SIGN_UP out of `in_use`; suspended and resumed, it would be active."""
    with opened(Settings()) as database:
        database.write_now("", lambda tx: create_environment(tx, "Waiting", status=SIGN_UP))
    assert command("environment", word, "Waiting").stderr == "Error: environment Waiting waits for the person who signed up for it\n"
    assert rows("SELECT status FROM environment WHERE name = 'Waiting'") == [(SIGN_UP,)]


def test_spaces_around_a_name_are_no_part_of_it(made: dict[str, str], command: Command) -> None:
    assert json.loads(command("environment", "create", "  Second hall ", "--json").stdout)["environment"] == "Second hall"
    assert command("init", "--environment", " Second hall").stderr == "Error: there is an environment Second hall already\n"


def test_without_a_database_there_is_nothing_to_list(command: Command) -> None:
    assert "planwerk init" in command("environment", "list").stderr
