"""The commands for environments: their names and options are promised to scripts, their results are JSON."""

import json

import pytest
from tests.commanding import Command, rows

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
        (("create", ""), "the name of an environment has 1 to 100 characters"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(made: dict[str, str], command: Command, words: tuple[str, ...], sentence: str) -> None:
    refused = command("environment", *words)
    assert (refused.exit_code, refused.stdout, refused.stderr) == (1, "", f"Error: {sentence}\n")


def test_without_a_database_there_is_nothing_to_list(command: Command) -> None:
    assert "planwerk init" in command("environment", "list").stderr
