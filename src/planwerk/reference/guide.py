"""The text at the head of the reference: `guide.md`, with the table of refusals from `errors` in its place."""

from importlib.resources import files

from planwerk.errors import ALL as KINDS


def guide() -> str:
    """Markdown; every heading of the first level is a section that a link can name."""
    text = files("planwerk.reference").joinpath("guide.md").read_text(encoding="utf-8")
    return text.replace("<!-- errors -->", error_table())


def error_table() -> str:
    rows = [f"| {kind.code} | {kind.status} | {kind.message} |" for kind in KINDS]
    return "\n".join(["| Code | Status | Message |", "|---|---|---|", *rows])
