"""A backup made while clients write is sound and holds what was acknowledged before it began; it can be served and restored."""

import json
import shutil
from pathlib import Path

import apsw
from tests.process.running import wait_until
from tests.process.serving import IS_LONG, Place
from tests.process.writing import Ledger, cards_path, check, stored, writers

CLIENTS = 4
AT_LEAST = 200 if not IS_LONG else 5_000  # writes before the backup begins
LARGE_PAGES = 20_000  # of 4 KiB; more than a copy takes in one step


def test_a_backup_under_load_holds_what_was_acknowledged_and_can_be_restored(place: Place) -> None:
    """To see it fail: let the copy end after a hundred pages (`running.step(100)` in `SQLite.backup`)."""
    ledger, copy = Ledger(), place.folder / "copy"
    with place.serving() as server, writers(server, ledger, cards_path(server), CLIENTS):
        wait_until(lambda: len(ledger.acknowledged) > AT_LEAST, "there is something to lose")
        before = Ledger(sent=ledger.sent, acknowledged=set(ledger.acknowledged))
        backed_up = place.command("backup", str(copy))
    assert backed_up.returncode == 0, backed_up.stderr
    check(place, ledger)
    later = ledger.acknowledged - before.acknowledged
    assert later, "nothing was written during the backup"
    restored = place.command("restore", str(copy))
    assert restored.returncode == 0, restored.stderr
    check(place, before)
    with place.serving() as server, server.client() as asker:
        orders = sum(reference.startswith("order") for reference in stored(place))
        assert asker.value("GET", "/v1/order?limit=1")["count"] == orders
        assert asker.ask("POST", "/v1/order", {"external_ref": "after"}).status == 201


def test_a_backup_is_a_database_of_its_own_that_can_be_served(sqlite_place: Place, tmp_path: Path) -> None:
    """To see it fail: copy the file itself (`shutil.copy`) in `SQLite.backup`; what is still in the log is then missing."""
    ledger, folder = Ledger(), tmp_path / "elsewhere"
    with sqlite_place.serving() as server, server.client() as asker:
        cards = cards_path(server)
        for _ in range(10):
            ledger.write(asker, cards)
        assert sqlite_place.command("backup", str(tmp_path / "copy")).returncode == 0
    folder.mkdir()
    shutil.move(tmp_path / "copy", folder / "planwerk.db")
    copy = Place(f"sqlite:///{folder / 'planwerk.db'}", folder, sqlite_place.access, {})
    check(copy, ledger)
    with copy.serving() as server, server.client() as asker:
        ledger.write(asker, cards)
    check(copy, ledger)


def test_a_backup_of_a_large_database_ends_although_clients_never_stop_writing(sqlite_place: Place) -> None:
    """To see it fail: copy in steps and let go of the database between them; every foreign write then begins the copy anew."""
    ledger, copy = Ledger(), sqlite_place.folder / "copy"
    enlarge(sqlite_place)
    with sqlite_place.serving() as server, writers(server, ledger, cards_path(server), CLIENTS):
        wait_until(lambda: len(ledger.acknowledged) > AT_LEAST, "the load is under way")
        before = len(ledger.acknowledged)
        assert sqlite_place.command("backup", str(copy)).returncode == 0
        assert len(ledger.acknowledged) > before
    assert copy.stat().st_size > LARGE_PAGES * 4096


def test_a_file_that_is_no_backup_is_refused_and_the_data_stay(sqlite_place: Place) -> None:
    """To see it fail: leave `check_backup` out of `restore`."""
    ledger, copy = Ledger(), sqlite_place.folder / "copy"
    with sqlite_place.serving() as server, server.client() as asker:
        ledger.write(asker, cards_path(server))
        assert sqlite_place.command("backup", str(copy)).returncode == 0
        in_use = sqlite_place.command("restore", str(copy))
        assert (in_use.returncode, "stop it first" in in_use.stderr) == (1, True)
    with copy.open("r+b") as file:
        file.truncate(copy.stat().st_size // 2)
    damaged = sqlite_place.command("restore", str(copy))
    assert damaged.returncode == 1
    assert damaged.stderr.startswith("Error: ")
    check(sqlite_place, ledger)


def test_a_restored_database_has_all_environments_and_keeps_them_apart(place: Place) -> None:
    """To see it fail: leave the options out of `PostgreSQL.backup`; then pg_dump sees no row, or refuses."""
    made, copy = place.command("environment", "create", "Second", "--json"), place.folder / "copy"
    headers = {"x-api-key": json.loads(made.stdout)["api_key"], "x-api-env": json.loads(made.stdout)["api_env"]}
    assert place.command("backup", str(copy)).returncode == 0
    assert place.command("environment", "delete", "Second", "--yes").returncode == 0
    assert place.command("restore", str(copy)).returncode == 0
    examined = place.command("doctor").stdout
    assert "problem" not in examined
    assert "row-level security on every table" in examined or place.database.startswith("sqlite")
    with place.serving() as server, server.client() as first, server.client(**headers) as second:
        counts = [asker.ask("GET", "/v1/user").json["count"] for asker in (first, second)]
    assert counts == [1, 1]


def enlarge(place: Place) -> None:
    """Put weight into the database that no request will ever see."""
    connection = apsw.Connection(place.database.removeprefix("sqlite:///"))
    connection.execute("CREATE TABLE weight (content BLOB)")
    connection.execute("INSERT INTO weight VALUES (zeroblob(?))", (LARGE_PAGES * 4096,))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()
