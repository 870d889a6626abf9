"""A key and an environment become a caller, or a refusal that never tells what was wrong."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from planwerk.actor import Actor, Role
from planwerk.catalog.api_key import API_KEY
from planwerk.catalog.user import USER
from planwerk.errors import UNAUTHORIZED, Refusal
from planwerk.identity import api_keys
from planwerk.identity.api_keys import ApiKeys, create_key
from planwerk.rules.keys import key_hash, new_key
from planwerk.settings import Settings
from planwerk.store.database import open_database, schema_script
from planwerk.store.environments import Environment, create_environment
from planwerk.store.sqlite import SQLite
from planwerk.store.statements import Statement
from planwerk.store.transaction import Row

OBJECTS = {"api_key": API_KEY, "user": USER}


class World:
    """A started database with one environment and one key, and what knows its keys."""

    def __init__(self, folder: Path) -> None:
        database = open_database(Settings(database=f"sqlite:///{folder / 'keys.db'}"), OBJECTS)
        assert isinstance(database, SQLite)
        database.run_script(schema_script(database.tables, database.statements.dialect))
        self.database = database
        self.environment: Environment = database.write_now("", lambda tx: create_environment(tx, "Workshop"))
        self.key, self.row = self.new_key()
        self.now = 1_700_000_000.0  # 2023-11-14T22:13:20Z
        self.keys = ApiKeys(database, lambda: self.now)

    def new_key(self, *, is_read_only: bool = False) -> tuple[str, Row]:
        return self.database.write_now(self.environment.id, lambda tx: create_key(tx, API_KEY, "a key", is_read_only=is_read_only))

    async def change(self, **values: Any) -> None:
        def work(tx: Any) -> None:
            row = tx.get(API_KEY, self.row["id"])
            tx.write(API_KEY, row, values)

        await self.database.write(self.environment.id, work)

    async def ask(self, key: str | None = None, environment: str | None = None) -> Actor:
        key, environment = self.key if key is None else key, self.environment.hash if environment is None else environment
        return await self.actor({b"x-api-key": key.encode("latin-1"), b"x-api-env": environment.encode("latin-1")})

    async def actor(self, headers: Mapping[bytes, bytes]) -> Actor:
        self.database.refresh()
        return await self.keys.actor(headers)

    async def refusal(self, key: str | None = None, environment: str | None = None) -> str:
        with pytest.raises(Refusal) as caught:
            await self.ask(key, environment)
        assert [fault.kind for fault in caught.value.faults] == [UNAUTHORIZED]
        return str(caught.value)

    def run(self, use: Any) -> Any:
        async def started() -> Any:
            await self.database.start()
            try:
                return await use(self)
            finally:
                await self.database.stop()

        return asyncio.run(started())


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_key_speaks_for_its_environment_with_the_rights_of_an_admin(world: World) -> None:
    actor = world.run(World.ask)
    assert actor == Actor(world.environment.id, "api-key", world.row["id"], Role.ADMIN, is_read_only=False, quota=world.row["id"])


def test_a_key_that_may_only_read_says_so(world: World) -> None:
    key, _ = world.new_key(is_read_only=True)
    assert world.run(lambda world: world.ask(key)).is_read_only is True


def test_every_way_to_be_unknown_is_answered_in_the_same_words(world: World) -> None:
    other = world.database.write_now("", lambda tx: create_environment(tx, "Other"))

    async def use(world: World) -> set[str]:
        words = {
            await world.refusal(key=new_key()),
            await world.refusal(key="short"),
            await world.refusal(key="\xff" * 64),
            await world.refusal(environment=other.hash),
            await world.refusal(environment="0" * 40),
            await world.refusal(environment="\x00\xff"),
            await world.refusal(environment=world.environment.hash.upper() + " "),
        }
        await world.change(expires_at="2023-11-14T22:13:20Z")
        words.add(await world.refusal())
        await world.change(expires_at=None, revoked_at="2023-01-01T00:00:00Z")
        words.add(await world.refusal())
        await world.change(revoked_at=None, deleted_at="2023-01-01T00:00:00Z")
        words.add(await world.refusal())
        await world.database.write("", lambda tx: tx.run_named(Statement("UPDATE environment SET status = 'closed'", {})))
        return {*words, await world.refusal()}

    assert world.run(use) == {"the API key is not known in this environment"}


@pytest.mark.parametrize("missing", [b"x-api-key", b"x-api-env"])
def test_half_of_the_pair_is_told_to_send_both(world: World, missing: bytes) -> None:
    async def use(world: World) -> Actor:
        headers = {b"x-api-key": world.key.encode(), b"x-api-env": world.environment.hash.encode()}
        return await world.actor({name: value for name, value in headers.items() if name != missing})

    with pytest.raises(Refusal, match="X-Api-Key and X-Api-Env are needed together"):
        world.run(use)


def test_a_key_expires_at_its_moment_though_it_is_remembered(world: World) -> None:
    async def use(world: World) -> str:
        await world.change(expires_at="2023-11-14T22:14:20Z")
        await world.ask()
        world.now += 59
        await world.ask()
        world.now += 1
        return await world.refusal()

    assert world.run(use) == "the API key is not known in this environment"


def test_a_revoked_key_is_refused_at_once_though_it_is_remembered(world: World) -> None:
    async def use(world: World) -> None:
        await world.ask()
        await world.change(revoked_at="2023-01-01T00:00:00Z")
        await world.refusal()
        await world.change(revoked_at=None)
        await world.ask()

    world.run(use)


def test_a_key_is_looked_up_once_while_no_key_changes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(world: World) -> Actor:
        first = await world.ask()
        await world.database.write(world.environment.id, lambda tx: tx.insert(USER, {"email": "a@b"}))
        monkeypatch.setattr(SQLite, "fetch", None)
        assert await world.ask() is first
        return await world.ask()

    assert world.run(use).credential_id == world.row["id"]


def test_what_is_committed_while_a_key_is_looked_up_is_not_overlooked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is revoked, and another request sees that, between the look-up and what is made of it."""
    fetch = SQLite.fetch

    async def slow(self: SQLite, *given: Any) -> Any:
        found = await fetch(self, *given)
        monkeypatch.setattr(SQLite, "fetch", fetch)
        await world.change(revoked_at="2023-01-01T00:00:00Z")
        self.refresh()
        return found

    async def use(world: World) -> str:
        monkeypatch.setattr(SQLite, "fetch", slow)
        await world.ask()
        return await world.refusal()

    assert world.run(use) == "the API key is not known in this environment"


def test_no_more_keys_are_remembered_than_the_bound(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "REMEMBERED", 2)
    made = [world.new_key()[0] for _ in range(5)]

    async def use(world: World) -> None:
        for key in made:
            await world.ask(key)
            assert len(world.keys.known) <= 2

    world.run(use)


def test_a_key_is_64_random_letters_and_digits() -> None:
    assert len(new_key()) == 64
    assert new_key().isalnum()
    assert new_key().isascii()
    assert new_key() != new_key()


def test_the_key_itself_is_nowhere_in_the_database(world: World) -> None:
    world.run(World.ask)
    content = b"".join(path.read_bytes() for path in world.database.path.parent.iterdir())
    assert world.key.encode() not in content
    assert key_hash(world.key.encode()).encode() in content


def test_the_hash_of_a_key_is_shown_to_nobody(world: World) -> None:
    assert key_hash(world.key.encode()) not in world.row["document"]
