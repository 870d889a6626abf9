"""The page about roles says what the catalog says. `python -m tests.contract.test_roles_page` writes its tables anew."""

from pathlib import Path

from planwerk.catalog import ALL
from planwerk.reference.roles import roles_tables

PAGE = Path(__file__).parents[2] / "docs" / "roles.md"


def test_the_page_holds_the_tables_of_the_catalog() -> None:
    assert PAGE.read_text(encoding="utf-8").endswith("\n" + roles_tables(ALL)), "python -m tests.contract.test_roles_page"


def test_every_rule_of_a_description_is_in_the_tables() -> None:
    text = roles_tables(ALL)
    for described in ALL:
        for word in (*described.allow.parts, described.allow.own, described.sight.linked, *described.sight.through, described.sight.own):
            assert not word or f"`{word}`" in text, (described.name, word)


if __name__ == "__main__":
    before = PAGE.read_text(encoding="utf-8").partition("## Operations")[0]
    PAGE.write_text(before + roles_tables(ALL), encoding="utf-8")
