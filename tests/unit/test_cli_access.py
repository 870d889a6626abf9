"""The commands for what opens doors: API keys, apps, signing keys. Secrets are shown once, and only their hashes are stored.

To see it fail: print the row of a new key, leave `revoke_all` out of `delete_app`, or let `rotate_secret` keep the old hash.
"""

import json
from typing import Any

import pytest
from tests.commanding import Command, rows

from planwerk.catalog.oauth_grant import OAUTH_GRANT
from planwerk.commands.opened import opened
from planwerk.identity.opaque import token_hash
from planwerk.rules.keys import key_hash
from planwerk.settings import Settings
from planwerk.store.transaction import Transaction

ADDRESS = "https://sync.example/back"


def result(command: Command, *words: str) -> Any:
    """What a command prints for programs."""
    done = command(*words, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def refusal(command: Command, *words: str) -> str:
    done = command(*words)
    assert done.exit_code == 1, done.stdout
    assert done.stdout == ""
    return str(done.stderr)


# ── API keys ──


def test_a_key_is_made_for_the_oldest_environment(made: dict[str, str], command: Command) -> None:
    command("init", "--environment", "Second")
    key = result(command, "key", "create")
    assert list(key) == ["api_env", "api_key", "id"]
    assert key["api_env"] == made["api_env"]


def test_a_key_has_what_was_asked_for(made: dict[str, str], command: Command) -> None:
    key = result(command, "key", "create", "--description", "ERP", "--expires", "2999-01-31", "--read-only")
    text = f"SELECT description, expires_at, is_read_only, key_hash FROM api_key WHERE id = '{key['id']}'"
    assert rows(text) == [("ERP", "2999-01-31T00:00:00Z", 1, key_hash(key["api_key"].encode()))]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--environment", "Elsewhere"], "there is no environment Elsewhere"),
        (["--expires", "2020-01-31"], "expires_at must lie in the future"),
        (["--expires", "soon"], "--expires must be a moment of RFC 3339, such as 2024-04-11T10:22:15Z, or a date"),
        (["--description", "x" * 256], "--description must have at most 255 characters, has 256"),
    ],
)
def test_a_key_that_cannot_be_is_refused(made: dict[str, str], command: Command, words: list[str], sentence: str) -> None:
    assert refusal(command, "key", "create", *words) == f"Error: {sentence}\n"
    assert len(rows("SELECT id FROM api_key")) == 1


def test_a_key_needs_a_database(command: Command) -> None:
    refused = refusal(command, "key", "create", "--database", "sqlite:///nowhere/planwerk.db")
    assert refused == "Error: there is no database nowhere/planwerk.db; `planwerk init` makes one\n"


def test_keys_are_listed_without_what_opens(made: dict[str, str], command: Command) -> None:
    key = result(command, "key", "create", "--description", "ERP")
    listed = result(command, "key", "list")
    assert [item["description"] for item in listed] == ["made on the first run", "ERP"]
    assert not {"key", "key_hash"} & {name for item in listed for name in item}
    assert key["api_key"] not in str(listed)


def test_a_revoked_key_says_since_when(made: dict[str, str], command: Command) -> None:
    key = result(command, "key", "create")
    revoked = result(command, "key", "revoke", key["id"])
    assert rows(f"SELECT revoked_at FROM api_key WHERE id = '{key['id']}'") == [(revoked["revoked_at"],)]
    assert result(command, "key", "revoke", key["id"]) == revoked


def test_a_key_of_another_environment_is_not_revoked(made: dict[str, str], command: Command) -> None:
    [(id,)] = rows("SELECT id FROM api_key")
    command("init", "--environment", "Second")
    assert refusal(command, "key", "revoke", id, "--environment", "Second") == "Error: api_key not found\n"
    assert rows(f"SELECT revoked_at FROM api_key WHERE id = '{id}'") == [(None,)]


# ── apps ──


def new_app(command: Command, *words: str) -> Any:
    return result(command, "app", "create", "--name", "Sync", "--redirect-uri", ADDRESS, *words)


def test_an_app_gets_a_secret_of_which_only_the_hash_is_stored(made: dict[str, str], command: Command) -> None:
    app = new_app(command)
    stored = rows("SELECT id, secret_hash, redirect_uris, require_pkce FROM oauth_client")
    assert stored == [(app["client_id"], token_hash(app["client_secret"]), f'["{ADDRESS}"]', 1)]


def test_a_public_app_has_no_secret(made: dict[str, str], command: Command) -> None:
    assert new_app(command, "--public")["client_secret"] is None
    assert rows("SELECT secret_hash, require_pkce FROM oauth_client") == [(None, 1)]


def test_an_app_that_keeps_a_secret_may_do_without_pkce(made: dict[str, str], command: Command) -> None:
    new_app(command, "--no-pkce")
    assert rows("SELECT require_pkce FROM oauth_client") == [(0,)]
    assert "exclude each other" in refusal(command, "app", "create", "--name", "A", "--redirect-uri", ADDRESS, "--public", "--no-pkce")


@pytest.mark.parametrize("address", ["http://sync.example/back", "https://sync.example/#x", "back", "javascript:alert(1)", "https://"])
def test_an_app_may_not_send_users_to_an_unsafe_address(made: dict[str, str], command: Command, address: str) -> None:
    refusal(command, "app", "create", "--name", "Sync", "--redirect-uri", address)
    assert rows("SELECT id FROM oauth_client") == []


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\x1bb", "x" * 256])
def test_an_app_needs_a_name_that_people_can_read(made: dict[str, str], command: Command, name: str) -> None:
    said = refusal(command, "app", "create", "--name", name, "--redirect-uri", ADDRESS)
    assert said == "Error: an app needs a name of at most 255 characters\n"


def test_apps_are_listed_without_their_secrets(made: dict[str, str], command: Command) -> None:
    app = new_app(command)
    [listed] = result(command, "app", "list")
    assert (listed["client_id"], listed["name"], listed["redirect_uris"]) == (app["client_id"], "Sync", [ADDRESS])
    assert (listed["is_public"], listed["require_pkce"]) == (False, True)
    assert not {"client_secret", "secret_hash"} & listed.keys()


def test_a_new_secret_replaces_the_old_one(made: dict[str, str], command: Command) -> None:
    app = new_app(command)
    renewed = result(command, "app", "rotate", app["client_id"])
    assert renewed["client_secret"] != app["client_secret"]
    assert rows("SELECT secret_hash FROM oauth_client") == [(token_hash(renewed["client_secret"]),)]


def test_a_public_app_has_no_secret_to_replace(made: dict[str, str], command: Command) -> None:
    assert refusal(command, "app", "rotate", new_app(command, "--public")["client_id"]) == "Error: a public app has no secret\n"


@pytest.mark.parametrize("verb", ["rotate", "delete"])
def test_an_app_that_is_none_is_told(made: dict[str, str], command: Command, verb: str) -> None:
    assert refusal(command, "app", verb, "nobody") == "Error: this environment has no app nobody\n"


def connect(environment: str, values: dict[str, str], *client_ids: str) -> None:
    """Somebody of the environment connects apps."""

    def work(tx: Transaction) -> None:
        for client_id in client_ids:
            tx.insert(OAUTH_GRANT, {**values, "client_id": client_id})

    with opened(Settings()) as database:
        database.write_now(environment, work)


def test_a_deleted_app_is_disconnected_in_every_environment(made: dict[str, str], command: Command) -> None:
    command("init", "--environment", "Second")
    app, other = new_app(command), new_app(command)
    [(owner,)] = rows("SELECT id FROM environment WHERE name = 'Workshop'")
    for (environment,) in rows("SELECT id FROM environment"):
        connect(environment, {"client_environment_id": owner}, app["client_id"], other["client_id"])
    assert result(command, "app", "delete", app["client_id"])["connections"] == 2
    assert [item["client_id"] for item in result(command, "app", "list")] == [other["client_id"]]
    living = rows("SELECT client_id, count(DISTINCT environment_id) FROM oauth_grant WHERE revoked_at IS NULL GROUP BY 1")
    assert living == [(other["client_id"], 2)]


# ── signing keys ──


def test_a_new_signing_key_retires_the_one_before(made: dict[str, str], command: Command) -> None:
    first, second = (result(command, "keys", "rotate")["id"] for _ in range(2))
    listed = result(command, "keys", "list")
    assert [(key["id"], key["retired_at"] is None) for key in listed] == [(first, False), (second, True)]
    assert [set(key) for key in listed] == [{"id", "created_at", "retired_at"}] * 2
