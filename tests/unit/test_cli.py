"""The commands: their names and options are promised to scripts, their results are JSON, their refusals sentences."""

import json
import re
import stat
from pathlib import Path

import apsw
import pytest
from tests.commanding import Command, rows

from planwerk.commands.lock import hold_lock
from planwerk.commands.opened import opened
from planwerk.housekeeping import TASKS
from planwerk.identity.passwords import Passwords
from planwerk.rules.keys import key_hash
from planwerk.settings import Settings
from planwerk.start import ADMIN
from planwerk.store.jobs import postpone

PROMISED = {
    "serve": {"host", "port", "database", "workers"},
    "init": {"database", "environment", "admin-email", "json"},
    "key create": {"database", "environment", "description", "expires", "read-only", "json"},
    "key list": {"database", "environment", "json"},
    "key revoke": {"database", "environment", "json"},
    "user create": {"database", "email", "role", "password-stdin", "json"},
    "user invite": {"database", "environment", "email", "role", "json"},
    "user reset": {"database", "environment", "email", "json"},
    "user list": {"database", "environment", "json"},
    "user archive": {"database", "environment", "email", "json"},
    "app create": {"database", "environment", "name", "redirect-uri", "public", "no-pkce", "json"},
    "app list": {"database", "environment", "json"},
    "app rotate": {"database", "environment", "json"},
    "app delete": {"database", "environment", "json"},
    "keys rotate": {"database", "json"},
    "keys list": {"database", "json"},
    "seed demo": {"database"},
    "seed bench": {"database", "orders"},
    "seed jobshop": {"database", "url", "plan"},
    "openapi": set(),
    "migrate": {"database"},
    "backup": {"database"},
    "restore": {"database"},
    "doctor": {"database"},
    "maintenance": {"database"},
    "worker": {"database"},
    "jobs": {"database"},
    "listen": {"url", "api-key", "api-env", "events", "forward", "secret", "since", "json"},
}


# ── names ──


@pytest.mark.parametrize("words", PROMISED)
def test_a_promised_command_takes_its_promised_options(command: Command, words: str) -> None:
    shown = command(*words.split(), "--help")
    assert shown.exit_code == 0
    assert {f"--{name}" for name in PROMISED[words]} <= set(shown.stdout.replace(",", " ").split())


def test_openapi_prints_the_document(command: Command) -> None:
    assert json.loads(command("openapi").stdout)["openapi"].startswith("3.1")


def test_listen_says_what_it_needs_where_no_server_was_started(command: Command) -> None:
    result = command("listen")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: --api-key and --api-env are needed (or PLANWERK_API_KEY and PLANWERK_API_ENV)\n"


# ── init ──


def test_init_prints_what_opens_the_environment(made: dict[str, str]) -> None:
    assert list(made) == ["environment", "api_env", "api_key", "admin_email", "admin_password"]
    assert made["environment"] == "Workshop"


def test_init_keeps_the_access_in_a_file_of_its_owner(made: dict[str, str], folder: Path) -> None:
    path = folder / "var" / "first-run.json"
    assert json.loads(path.read_text()) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_only_hashes_of_the_key_and_the_password_are_stored(made: dict[str, str]) -> None:
    assert rows("SELECT key_hash FROM api_key") == [(key_hash(made["api_key"].encode()),)]
    ((email, role, password_hash),) = rows('SELECT email, role, password_hash FROM "user"')
    assert (email, role) == (made["admin_email"], "admin")
    assert Passwords().fits(password_hash, made["admin_password"])


def test_init_refuses_a_database_that_has_an_environment(made: dict[str, str], command: Command) -> None:
    again = command("init")
    assert (again.exit_code, again.stderr) == (1, "Error: the database has an environment already; --environment NAME makes another one\n")


def test_init_makes_another_environment_by_name_and_leaves_the_first_access_alone(
    made: dict[str, str], command: Command, folder: Path
) -> None:
    other = json.loads(command("init", "--environment", "Second", "--admin-email", "jo@example.com", "--json").stdout)
    assert (other["environment"], other["admin_email"]) == ("Second", "jo@example.com")
    assert json.loads((folder / "var" / "first-run.json").read_text()) == made


def test_an_environment_is_made_once(made: dict[str, str], command: Command) -> None:
    assert command("init", "--environment", made["environment"]).stderr == "Error: there is an environment Workshop already\n"


def test_an_address_that_is_none_makes_no_environment(command: Command) -> None:
    assert command("init", "--admin-email", "nobody").exit_code == 1
    assert rows("SELECT name FROM environment") == []


@pytest.mark.parametrize("name", ["", " ", "two\nlines", "x" * 101])
@pytest.mark.parametrize("words", [("init", "--environment"), ("environment", "create")])
def test_a_name_that_no_environment_can_have_is_refused(made: dict[str, str], command: Command, words: tuple[str, ...], name: str) -> None:
    refused = command(*words, name)
    assert refused.stderr == "Error: the name of an environment has 1 to 100 characters, all of them printable\n"
    assert rows("SELECT name FROM environment") == [(made["environment"],)]


@pytest.mark.parametrize("words", ["init", "environment create"])
def test_the_help_says_who_the_admin_is_without_an_address(command: Command, words: str) -> None:
    assert ADMIN in command(*words.split(), "--help").stdout


# ── users ──


def test_a_user_gets_the_password_that_was_typed(made: dict[str, str], command: Command) -> None:
    result = command(
        "user", "create", "--email", "jo@example.com", "--role", "member", "--password-stdin", "--json", given="hunter2hunter2\n"
    )
    user = json.loads(result.stdout)
    ((password_hash,),) = rows(f"SELECT password_hash FROM \"user\" WHERE id = '{user['id']}'")
    assert Passwords().fits(password_hash, "hunter2hunter2")
    assert "hunter2" not in result.output


def test_a_user_without_a_password_gets_one(made: dict[str, str], command: Command) -> None:
    user = json.loads(command("user", "create", "--email", "jo@example.com", "--role", "guest", "--json").stdout)
    ((password_hash,),) = rows(f"SELECT password_hash FROM \"user\" WHERE id = '{user['id']}'")
    assert Passwords().fits(password_hash, user["password"])


@pytest.mark.parametrize(
    ("email", "given", "sentence"),
    [
        ("admin@example.com", "long enough\n", "Duplicate entry: another user has this email"),
        ("jo@example.com", "short\n", "the password must have 8 to 1024 characters"),
        ("jo@example.com", "\n", "the password must have 8 to 1024 characters"),
        ("jo@example.com", "", "the password must have 8 to 1024 characters"),
        ("jo@example.com", "password\n", "this password is one of the first that somebody would try"),
        ("jo@example.com", "Jo@Example.com\n", "the password must not be your email address or your name"),
        ("jo", "long enough\n", "jo must be an e-mail address"),
    ],
)
def test_a_user_who_cannot_be_is_refused(made: dict[str, str], command: Command, email: str, given: str, sentence: str) -> None:
    refused = command("user", "create", "--email", email, "--role", "member", "--password-stdin", given=given)
    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"Error: {sentence}")
    assert len(rows('SELECT id FROM "user"')) == 1


# ── upkeep ──


def test_a_restored_backup_brings_the_data_back_and_keeps_the_other(made: dict[str, str], command: Command, folder: Path) -> None:
    command("backup", "copy.db")
    command("key", "create")
    assert "the data of before is in var/planwerk.db.before-" in command("restore", "copy.db").stdout
    assert len(rows("SELECT id FROM api_key")) == 1
    (aside,) = (folder / "var").glob("planwerk.db.before-*")
    assert apsw.Connection(str(aside)).execute("SELECT count(*) FROM api_key").fetchall() == [(2,)]


def test_a_backup_overwrites_nothing_and_is_for_its_owner(made: dict[str, str], command: Command, folder: Path) -> None:
    assert command("backup", "copy.db").exit_code == 0
    assert stat.S_IMODE((folder / "copy.db").stat().st_mode) == 0o600
    assert command("backup", "copy.db").stderr == "Error: copy.db exists already\n"


def test_nothing_is_restored_while_a_server_runs(made: dict[str, str], command: Command) -> None:
    command("backup", "copy.db")
    with hold_lock(Settings()):
        assert command("restore", "copy.db").stderr == "Error: another server is running on var/planwerk.db; stop it first\n"


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_what_is_no_backup_is_not_restored(made: dict[str, str], command: Command, folder: Path, content: bytes) -> None:
    (folder / "copy.db").write_bytes(content)
    assert command("restore", "copy.db").exit_code == 1
    assert len(rows("SELECT id FROM api_key")) == 1


def test_a_damaged_backup_is_not_restored(made: dict[str, str], command: Command, folder: Path) -> None:
    command("backup", "copy.db")
    content = bytearray((folder / "copy.db").read_bytes())
    content[4096 * 10 : 4096 * 60] = b"\x07" * 4096 * 50
    (folder / "copy.db").write_bytes(content)
    assert command("restore", "copy.db").exit_code == 1
    assert len(rows("SELECT id FROM api_key")) == 1


def test_maintenance_is_a_state_of_the_database(made: dict[str, str], command: Command) -> None:
    command("maintenance", "on")
    assert rows("SELECT value FROM state WHERE name = 'maintenance'") == [("on",)]


def test_migrate_has_nothing_to_do_twice(command: Command) -> None:
    assert (command("migrate").stdout, command("migrate").stdout) == ("schema\n", "nothing to do\n")


def test_where_nothing_was_done_in_the_background_jobs_says_so(made: dict[str, str], command: Command) -> None:
    first, *rest = command("jobs").stdout.splitlines()
    assert first == "no job waits"
    assert [line.split()[-1] for line in rest] == ["never"] * len(TASKS)


def test_jobs_shows_what_waits_and_what_failed(made: dict[str, str], command: Command) -> None:
    with opened(Settings()) as database:
        database.write_now("one", lambda tx: tx.enqueue("order.collection", key="a"))
        database.write_now("two", lambda tx: postpone(tx, tx.enqueue("collection.plan"), "ValueError: no\nluck"))
    first, *lines = command("jobs").stdout.splitlines()
    assert first == "2 jobs wait"
    assert re.sub("due [-0-9:TZ]+", "due then", "\n".join(lines[:2])).splitlines() == [
        "order.collection         due then  attempts 0  key a",
        "collection.plan          due then  attempts 1  key -  ValueError: no luck",
    ]


def test_of_many_jobs_the_first_hundred_are_shown(made: dict[str, str], command: Command) -> None:
    with opened(Settings()) as database:
        database.write_now("one", lambda tx: [tx.enqueue("collection.plan") for _ in range(103)])
    lines = command("jobs").stdout.splitlines()
    assert (lines[0], lines[101], len(lines)) == ("103 jobs wait", "and 3 more", 102 + len(TASKS))


# ── doctor ──


def test_the_doctor_finds_a_new_database_healthy(made: dict[str, str], command: Command) -> None:
    result = command("doctor")
    assert result.exit_code == 0
    assert "problem" not in result.stdout


def test_the_doctor_says_what_is_wrong(made: dict[str, str], command: Command, folder: Path) -> None:
    (folder / "var" / "secret").write_text("00")
    (folder / "var" / "secret").chmod(0o644)
    result = command("doctor")
    assert result.exit_code == 1
    assert "problem  others may read the secret file var/secret; run chmod 600 var/secret" in result.stdout.splitlines()
    assert "problem  the secret file var/secret must hold 64 hex digits" in result.stdout


def test_the_doctor_reads_the_settings(command: Command, folder: Path) -> None:
    (folder / "planwerk.toml").write_text('workers = 2\nport = 99999\nrate_limit = "often"\n')
    assert command("doctor").stdout.count("problem ") == 3


def test_the_doctor_says_everything_that_stops_the_start(command: Command, folder: Path) -> None:
    (folder / "planwerk.toml").write_text('rate_limit = "lots"\nsession_hours = 0\npublic_url = "plan.example"\nmail_from = "Planwerk"\n')
    found = [line for line in command("doctor").stdout.splitlines() if line.startswith("problem")]
    assert [line.split()[2] for line in found] == ["rate_limit:", "session_hours:", "public_url:", "mail_from:"]


def test_the_doctor_looks_for_the_environment_of_the_provider(made: dict[str, str], command: Command, folder: Path) -> None:
    (folder / "planwerk.toml").write_text('oidc_environment = "nope"\n')
    result = command("doctor")
    assert result.exit_code == 1
    assert "problem  setting oidc_environment: there is no environment nope" in result.stdout.splitlines()
    (folder / "planwerk.toml").write_text(f'oidc_environment = "{made["environment"]}"\n')
    assert command("doctor").exit_code == 0
    command("environment", "suspend", made["environment"])
    assert "the environment of the provider's users, Workshop, is not active" in command("doctor").stdout


def test_the_doctor_misses_an_environment_for_a_provider(made: dict[str, str], command: Command, folder: Path) -> None:
    (folder / "planwerk.toml").write_text('oidc_issuer = "https://id.example"\noidc_client_id = "planwerk"\n')
    assert command("doctor").exit_code == 0
    command("environment", "delete", made["environment"], "--yes")
    assert "problem  there is no environment for the provider's users" in command("doctor").stdout.splitlines()


def test_the_doctor_notices_a_database_of_a_newer_release(made: dict[str, str], command: Command) -> None:
    with opened(Settings()) as database:
        database.run_script(["UPDATE state SET value = '9999' WHERE name = 'schema'"])
    result = command("doctor")
    assert result.exit_code == 1
    assert "9999" in result.stdout


def test_the_doctor_makes_no_database(command: Command, folder: Path) -> None:
    assert command("doctor").exit_code == 0
    assert list(folder.iterdir()) == []


# ── settings ──


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('colour = "blue"', "planwerk.toml: unknown setting colour"),
        ('port = "8081"', 'setting port: "8081" is a text, not a whole number'),
        ("port = = 1", "planwerk.toml: "),
    ],
)
def test_a_wrong_settings_file_is_told_in_a_sentence(command: Command, folder: Path, content: str, sentence: str) -> None:
    (folder / "planwerk.toml").write_text(content)
    refused = command("migrate")
    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"Error: {sentence}")


def test_a_database_of_an_unknown_kind_is_told_in_a_sentence(command: Command) -> None:
    assert command("migrate", "--database", "mysql://db").stderr == (
        "Error: database mysql://db: must be sqlite:///path/file.db or postgresql://user@host:port/name\n"
    )
