"""The four ways of looking at the capacity of a board, as SQL over the tables that `capacity` defines.

Each says what a period lists, whose time that has, and which work of a card falls to it. Nothing here runs a statement.
"""

from dataclasses import dataclass

from planwerk.store.spread import Words, follow, meet

TYPES = ("employee", "machine", "cell")


@dataclass(frozen=True)
class View:
    """`element` gives number (the order), subject, and the texts around the figures; `share` (element, resource_id, percentage).

    `work` joins a card to elements: `worker` is the element's number, `minutes` what is planned there, estimated and remaining.
    """

    name: str  # of the list in the answer
    element: str
    share: str
    work: str
    worker: str
    minutes: tuple[str, str]
    shows_off: bool = False


def views(words: Words) -> dict[str, View]:
    return {
        "stage": View(
            name="stage",
            element=f"{numbered('id', 'priority IS NULL, priority, id')} FROM stage_here",
            share=f"{LINKED} WHERE linked.is_active > 0 AND element.subject = linked.stage_id",
            work="JOIN element ON element.subject = card.stage_id",
            worker="element.number",
            minutes=('card."time"', "card.time_remaining"),
        ),
        "resource_type": View(
            name="stage",
            element=TYPES_OF_STAGES,
            share=f"{LINKED} WHERE linked.is_active > 0 AND element.subject = linked.stage_id || ' ' || linked.type",
            work=work_by_type(words),
            worker="element.number",
            minutes=OF_LINK,
        ),
        "resource": View(
            name="resource",
            element=f"{numbered('resource_id', 'resource_id')} FROM resource_share",
            share=f"{SHARED} FROM resource_share JOIN element ON element.subject = resource_share.resource_id",
            work=work_by_resource(words),
            worker="share.element",
            minutes=OF_LINK,
            shows_off=True,
        ),
        "group": View(
            name="group",
            element=f"{numbered('id', 'id')} FROM ({groups(words)}) AS linked_team",
            share=f"""{SHARED} FROM element {follow(words, "group_resource", "link", "link.group_id = element.subject")}
                JOIN resource_share ON resource_share.resource_id = link.resource_id""",
            work=work_by_resource(words),
            worker="share.element",
            minutes=OF_LINK,
            shows_off=True,
        ),
    }


def opening(id: str) -> str:
    return f"""'{{"id":"' || {id} || '",'"""


def numbered(id: str, order: str) -> str:
    return f"""SELECT row_number() OVER (ORDER BY {order}) AS number, {id} AS subject, {opening(id)} AS opening, '}}' AS closing"""


# Each stage opens with its first type and closes with its last.
TYPES_OF_STAGES = f"""
    SELECT row_number() OVER (ORDER BY priority IS NULL, priority, id, type.place) AS number, id || ' ' || type.name AS subject,
        CASE type.place WHEN 0 THEN {opening("id")} || '"resource_type":[' ELSE '' END || '{{"type":"' || type.name || '",' AS opening,
        CASE type.place WHEN {len(TYPES) - 1} THEN '}}]}}' ELSE '}}' END AS closing
    FROM stage_here
    CROSS JOIN ({" UNION ALL ".join(f"SELECT {place} AS place, '{name}' AS name" for place, name in enumerate(TYPES))}) AS type"""
LINKED = "SELECT element.number AS element, linked.resource_id, linked.percentage FROM linked CROSS JOIN element"
SHARED = "SELECT element.number AS element, resource_share.resource_id, resource_share.percentage"
OF_LINK = ('link."time"', "link.time_remaining")


def groups(words: Words) -> str:
    """Those with a resource that is linked here."""
    return f"""
        SELECT DISTINCT team.id FROM resource_share
        {follow(words, "group_resource", "link", "link.resource_id = resource_share.resource_id")}
        {follow(words, '"group"', "team", "team.id = link.group_id AND team.deleted_at IS NULL")}"""


def work_by_type(words: Words) -> str:
    return f"""
        {meet(words, "card_activity", "link", "link.card_id = card.id")}
        {meet(words, "activity", "activity", "activity.id = link.activity_id AND activity.deleted_at IS NULL")}
        JOIN element ON element.subject = card.stage_id || ' ' || activity.resource_type"""


def work_by_resource(words: Words) -> str:
    return f"""
        {meet(words, "card_resource", "link", "link.card_id = card.id")}
        JOIN share ON share.resource_id = link.resource_id"""
