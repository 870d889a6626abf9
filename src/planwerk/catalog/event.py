"""The feed of events: what webhooks send, to be read and followed without a public address. A worked-out answer, no record."""

from planwerk.actor import Role
from planwerk.describe import Action, Allow, Object
from planwerk.fields import Choice, DateTime, Integer, Items, Map, Text, Uuid
from planwerk.rules.feed import LIMIT, MOST, read_feed

EXTENSION = (
    "Extension. `after` is the `next` of the page before; without it the feed begins with the oldest event that is kept, which is 30 days. "
    "One beyond the newest position is refused with 400, as after a backup was put back. "
    "Nothing is lost and nothing comes twice. A caller is told of what it could read. "
    "With `Accept: text/event-stream` the answer stays open and tells what happens as Server-Sent Events; `Last-Event-ID` counts as "
    "`after`, and without either it begins now."
)
SHOWN = (
    Integer("position", note="Where it stands in the feed: `after` of the next request."),
    Uuid("id", note="The same as the webhook-id of a webhook's message."),
    DateTime("created_at"),
    Uuid("environment"),
    Choice("trigger", words=("api-key", "oauth", "user", "system"), note="Who did it; system is the server's own work."),
    Text("event", note="The name of the event."),
    Map("data", note="new, old, current, attached, detached, as in a webhook's message."),
)

EVENT = Object(
    name="event",
    section="system",
    purpose="Something that happened, as webhooks tell it.",
    is_stored=False,
    fields=(Integer("next"), Items("data", fields=SHOWN)),
    actions=(
        Action(
            "GET",
            "/event",
            "follow events",
            read_feed,
            body=(
                Integer("after", min=0, note="The position behind which the answer begins."),
                Integer("limit", min=0, note=f"How many to look at: {LIMIT} without it; more than {MOST}, or 0, means {MOST}."),
                Text("types", max=2000, note="Names of events, separated by commas; one that does not exist is refused."),
            ),
            answer="event",
            role=Role.GUEST,
            is_feed=True,
            note=EXTENSION,
        ),
    ),
    allow=Allow(read=Role.GUEST),
)
