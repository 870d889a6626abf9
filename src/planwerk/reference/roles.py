"""The catalog → the tables of `docs/roles.md`: who may do what, and who sees what. Markdown, made from the descriptions alone."""

from collections.abc import Iterable, Iterator

from planwerk.actor import Role
from planwerk.describe import Link, Object
from planwerk.permissions import least_role
from planwerk.reference.operations import operations
from planwerk.reference.words import spaced

ROLES = [role.name.lower() for role in Role]


def roles_tables(objects: Iterable[Object]) -> str:
    """The tables of operations, of properties, of what is a user's own and of what is hidden, each under a heading."""
    known = list(objects)
    sections = {
        "Operations": table(["operation", *ROLES], operation_rows(known)),
        "Properties": table(["object", "who", "changes"], property_rows(known)),
        "Rows": table(["object", "who does not see all of it", "sees"], sight_rows(known)),
    }
    return "\n\n".join(f"## {name}\n\n{text}" for name, text in sections.items()) + "\n"


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def operation_rows(objects: list[Object]) -> Iterator[list[str]]:
    for operation in operations(objects):
        least = least_role(operation.object, operation.kind, operation.relation, operation.action)
        yield [f"`{operation.method} {operation.path}`", *("yes" if role >= least else "" for role in Role)]


def property_rows(objects: list[Object]) -> Iterator[list[str]]:
    for described in objects:
        allow, name = described.allow, spaced(described.name)
        if allow.part is not None and allow.part < allow.update:
            parts = ", ".join(f"`{part}`" for part in allow.parts) or "nothing of its own, but what is nested in it and theirs"
            yield [name, from_role(allow.part), parts]
        if allow.own:
            yield [name, f"its `{allow.own}`, {from_role(allow.create)}", f"everything but `{allow.own}`, and deletes it"]
        for link in described.relations:
            if isinstance(link, Link) and link.own_role is not None:
                yield [name, from_role(link.own_role), f"whether they are among its `{link.name}` themselves"]
        if allow.part is not None or allow.own or any(link.own_role for link in described.link.values()):
            yield [name, from_role(allow.update), "everything"]


def from_role(role: Role) -> str:
    """
    >>> from_role(Role.MEMBER), from_role(Role.ADMIN)
    ('from member', 'admin')
    """
    return role.name.lower() if role is Role.ADMIN else f"from {role.name.lower()}"


def sight_rows(objects: list[Object]) -> Iterator[list[str]]:
    for described in objects:
        sight, name = described.sight, spaced(described.name)
        if sight.linked:
            yield [name, "`card_visibility` is `linked`", f"those with their resource among the `{sight.linked}`"]
        if sight.through:
            ways = " and ".join(f"`{way}`" for way in sight.through)
            yield [name, "`card_visibility` is `linked`", f"those that lead to something they see by {ways}"]
        if sight.own:
            yield [name, f"below {sight.others.name.lower()}", f"those whose `{sight.own}` they are"]
