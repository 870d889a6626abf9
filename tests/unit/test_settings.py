"""Settings: who wins, what is refused, and that the page for operators lists every one."""

import re
from pathlib import Path

import pytest

from planwerk.settings import Settings, beside_database, load, settings_table

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def written(folder: Path, text: str) -> Path:
    (folder / "planwerk.toml").write_text(text, encoding="utf-8")
    return folder


def test_without_anything_the_defaults_are_in_force(tmp_path: Path) -> None:
    assert load(environ={}, folder=tmp_path) == Settings()


def test_the_file_wins_over_the_default(tmp_path: Path) -> None:
    assert load(environ={}, folder=written(tmp_path, 'host = "::1"\nport = 9000')).port == 9000


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    assert load(environ={"PLANWERK_PORT": "9001"}, folder=written(tmp_path, "port = 9000")).port == 9001


def test_the_command_line_wins_over_the_environment(tmp_path: Path) -> None:
    assert load({"port": 9002}, {"PLANWERK_PORT": "9001"}, tmp_path).port == 9002


def test_an_option_that_was_not_given_changes_nothing(tmp_path: Path) -> None:
    assert load({"port": None}, {"PLANWERK_PORT": "9001"}, tmp_path).port == 9001


def test_the_file_is_looked_for_in_the_folder_of_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(written(tmp_path, "port = 9000"))
    assert load(environ={}).port == 9000


def test_variables_of_other_programs_are_none_of_ours(tmp_path: Path) -> None:
    assert load(environ={"PLANWERK_TEST_POSTGRESQL": "x", "PORT": "1"}, folder=tmp_path) == Settings()


def test_an_unknown_key_in_the_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"planwerk\.toml: unknown setting colour, size"):
        load(environ={}, folder=written(tmp_path, "size = 1\ncolour = 2"))


@pytest.mark.parametrize("text", ["1", "true", "YES", "On"])
def test_words_of_truth(tmp_path: Path, text: str) -> None:
    assert load(environ={"PLANWERK_ALLOW_AFFECTED_SQLITE": text}, folder=tmp_path).allow_affected_sqlite is True


@pytest.mark.parametrize("text", ["0", "false", "no", "OFF"])
def test_words_of_untruth(tmp_path: Path, text: str) -> None:
    folder = written(tmp_path, "allow_affected_sqlite = true")
    assert load(environ={"PLANWERK_ALLOW_AFFECTED_SQLITE": text}, folder=folder).allow_affected_sqlite is False


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('port = "18421"', 'setting port: "18421" is a text, not a whole number'),
        ("port = 80.5", "setting port: 80.5 is not a whole number"),
        ("port = true", "setting port: True is not a whole number"),
        ("port = [80]", "setting port: [80] is not a whole number"),
        ("host = 5", "setting host: 5 is not a text"),
        ('session_hours = "12"', 'setting session_hours: "12" is a text, not a whole number'),
        ('statement_seconds = "1.5"', 'setting statement_seconds: "1.5" is a text, not a number'),
        ('registration = "yes"', 'setting registration: "yes" is a text, not true or false'),
        ("allow_affected_sqlite = 1", "setting allow_affected_sqlite: 1 is not true or false"),
    ],
)
def test_a_value_of_the_wrong_type_in_the_file_is_refused_with_a_sentence(tmp_path: Path, line: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        load(environ={}, folder=written(tmp_path, line))


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("port", "many", "setting port: many is not a whole number"),
        ("port", "80.5", "setting port: 80.5 is not a whole number"),
        ("statement_seconds", "soon", "setting statement_seconds: soon is not a number"),
        ("registration", "maybe", "setting registration: maybe is not true or false"),
    ],
)
def test_a_variable_that_cannot_be_read_is_refused_with_a_sentence(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        load(environ={f"PLANWERK_{name.upper()}": text}, folder=tmp_path)


def test_the_command_line_wins_over_a_variable_that_cannot_be_read(tmp_path: Path) -> None:
    assert load({"port": 9002}, {"PLANWERK_PORT": "many"}, tmp_path).port == 9002


def test_whole_seconds_are_seconds(tmp_path: Path) -> None:
    assert load(environ={}, folder=written(tmp_path, "statement_seconds = 3")).statement_seconds == 3.0


def test_files_without_a_setting_lie_beside_the_database() -> None:
    assert beside_database(Settings(database="sqlite:///data/plan.db"), "secret") == Path("data/secret")
    assert beside_database(Settings(database="postgresql://db/plan"), "secret") == Path("var/secret")


def test_the_page_lists_every_setting_as_it_is() -> None:
    table = settings_table()
    assert table in PAGE.read_text(encoding="utf-8"), f"docs/settings.md is out of date; its table must be\n\n{table}"


def test_the_table_shows_how_a_setting_is_written() -> None:
    lines = settings_table().splitlines()
    assert "| `port` | `PLANWERK_PORT` | `8080` | The port the server listens on. |" in lines
    assert any("| `false` |" in line for line in lines)
    assert any("| – |" in line for line in lines)
