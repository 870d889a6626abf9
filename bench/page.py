"""docs/benchmarks.md: text by people, tables by machines, which stand between two marks."""

from pathlib import Path

PAGE = Path("docs/benchmarks.md")


def replace_section(text: str, name: str, section: str) -> str:
    """The text with the named section in place of the old one.

    >>> page = "a\\n<!-- speed: begin -->\\nold\\n<!-- speed: end -->\\nb"
    >>> print(replace_section(page, "speed", "new"))
    a
    <!-- speed: begin -->
    new
    <!-- speed: end -->
    b
    """
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, rest = text.split(begin, 1)
    return before + begin + section.rstrip() + "\n" + end + rest.split(end, 1)[1]


def write_section(name: str, section: str) -> None:
    PAGE.write_text(replace_section(PAGE.read_text(), name, section))
    print(f"{PAGE}: the section “{name}” is written")


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; all columns but the first stand right.

    >>> print(table(["server", "speed"], [["one", "1,000"]]))
    | server | speed |
    |---|---:|
    | one | 1,000 |
    """
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows)]
    return "\n".join([lines[0], "|---|" + "---:|" * (len(head) - 1), *lines[1:]])
