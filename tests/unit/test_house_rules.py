"""The rules of the house that no linter knows. Each failing rule says what to do instead."""

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "planwerk"
THIS = Path(__file__)

STATEMENTS = {"select", "insert", "update", "delete"}
COMMITTERS = {"store/sqlite.py", "store/postgresql.py"}
VAGUE = {"utils", "util", "helpers", "helper", "common", "core", "base", "manager", "misc", "kit", "tools", "lib"}
FILE_LINES, FUNCTION_LINES = 400, 60
GENERATED = "store/migrations/0"  # migrations are written by a command and read by a person
VENDORED = "reference/static/"
TEXTS = {".py", ".md", ".toml", ".yaml", ".yml", ".html", ".css", ".js", ".sh", ".lua", ".json", ".txt", ""}
PLACES = (
    (re.compile(r"\.\./" + "shared"), "the project must work in a clone that has nothing beside it"),
    (re.compile(rf"{re.escape(str(ROOT))}(/|\b)"), "a path of the machine it was written on means nothing elsewhere"),
    (re.compile("/(home|Users|root)" + r"/\w"), "a path of somebody's home means nothing elsewhere"),
    (re.compile(r"(pypi|npmjs)\." + "org|pythonhosted|proxy" + r"\.golang"), "where packages come from is the reader's business"),
)


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix() if path.is_relative_to(SOURCE) else path.relative_to(ROOT).as_posix()


@lru_cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Everything in a module, itself first."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py") if GENERATED not in path.as_posix())


def texts() -> Iterator[Path]:
    """Every text of the project that a clone holds."""
    folders = ("src", "tests", "docs", "bench", "scripts", ".ci", ".github")
    beside = [path for path in ROOT.iterdir() if path.is_file()]
    for path in (*beside, *(path for folder in folders for path in (ROOT / folder).rglob("*"))):
        if path.is_file() and path.suffix in TEXTS and VENDORED not in path.as_posix() and "__pycache__" not in path.parts and path != THIS:
            yield path


# ── the database ──


def made_statements(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            yield from (f"{name_of(path)}:{node.lineno} {alias.name}" for alias in node.names if alias.name in STATEMENTS)
        if (
            isinstance(node, ast.Attribute)
            and node.attr in STATEMENTS
            and isinstance(node.value, ast.Name)
            and node.value.id == "sqlalchemy"
        ):
            yield f"{name_of(path)}:{node.lineno} {node.attr}"


def test_statements_are_made_in_the_store() -> None:
    found = [place for path in modules("src") if not name_of(path).startswith("store/") for place in made_statements(path)]
    assert found == [], "these make statements of their own; give Transaction or Builder a method for it:\n" + "\n".join(found)


def committing(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
            if called in ("commit", "rollback"):
                yield f"{name_of(path)}:{node.lineno}"
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.match(r"\s*(COMMIT|ROLLBACK|BEGIN)\b", node.value):
            yield f"{name_of(path)}:{node.lineno}"


def test_a_transaction_commits_in_one_place() -> None:
    found = [place for path in modules("src") if name_of(path) not in COMMITTERS for place in committing(path)]
    assert found == [], "these end a transaction; pass a function to Database.write, which commits once:\n" + "\n".join(found)


# ── errors ──


def error_bodies(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Dict):
            keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
            if {"reference", "errors"} <= keys:
                yield name_of(path)


def test_error_bodies_are_written_in_one_place() -> None:
    found = {name for path in modules("src") if not name_of(path).startswith("reference/") for name in error_bodies(path)}
    assert found == {"edge/problems.py"}, "raise planwerk.errors.refuse(…); edge/problems.py alone makes it a body"


# ── names and sizes ──


def test_a_module_is_named_after_what_it_holds() -> None:
    paths = modules("src", "tests", "bench", "scripts")
    found = [name_of(path) for path in paths if {path.stem.removeprefix("test_"), *path.relative_to(ROOT).parts[:-1]} & VAGUE]
    assert found == [], "a function without a home shows a missing concept; find its noun and name the module after it: " + ", ".join(found)


def test_a_file_fits_in_a_head() -> None:
    sizes = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules("src", "tests", "bench", "scripts")}
    found = {name: lines for name, lines in sizes.items() if lines > FILE_LINES}
    assert found == {}, f"above {FILE_LINES} lines two things live in a file: part them"


def test_a_function_fits_on_a_screen() -> None:
    found = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in modules("src", "tests", "bench", "scripts")
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES
    ]
    assert found == [], f"a function of more than {FUNCTION_LINES} lines hides a step; give the step a name:\n" + "\n".join(found)


def is_explained(module: ast.AST) -> bool:
    assert isinstance(module, ast.Module)
    return not module.body or ast.get_docstring(module) is not None


def test_a_module_says_what_it_is_for() -> None:
    found = [name_of(path) for path in modules("src") if not is_explained(nodes(path)[0])]
    assert found == [], "these open without a docstring; say what comes in and what goes out: " + ", ".join(found)


# ── a clone stands alone ──


@pytest.mark.parametrize(("pattern", "reason"), PLACES, ids=lambda part: part.pattern if isinstance(part, re.Pattern) else "")
def test_nothing_names_a_place_outside_the_project(pattern: re.Pattern[str], reason: str) -> None:
    found = [name_of(path) for path in texts() if pattern.search(path.read_text(encoding="utf-8", errors="replace"))]
    assert found == [], f"{', '.join(found)}: {reason}"


# ── the decisions ──


def decisions() -> list[Path]:
    return sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8").splitlines()
    lines = []
    for path in decisions():
        number, _, title = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ").partition(": ")
        lines.append(f"- [{number}]({path.name}) {title}")
    lost = [line for line in lines if line not in index]
    assert lost == [], "docs/decisions/README.md must list\n" + "\n".join(lost)


def test_a_decision_is_named_after_what_was_decided_and_fits_on_a_screen() -> None:
    for path in decisions():
        assert re.fullmatch(r"\d{4}-[a-z0-9-]+", path.stem), f"{path.name}: name it 0000-what-was-decided.md"
        assert path.read_text(encoding="utf-8").startswith(f"# {path.stem[:4]}: "), f"{path.name} must open with its number and its title"
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 60, f"{path.name} is longer than a screen"
