"""A delivery: one event on its way to one webhook, with what came of the last attempt. Read below its webhook."""

from planwerk.actor import Role
from planwerk.describe import READ_ONLY, Action, Allow, Object, One, Place, identity, timestamps
from planwerk.fields import Choice, DateTime, Integer, LongText, Map, Ref, Text, Uuid
from planwerk.rules.webhooks import resend, shown_request

EXTENSION = "Extension: the documentation shows the log in the application only."
ONE_DELIVERY = "/webhook/{webhook_id}/delivery/{id}"

WEBHOOK_DELIVERY = Object(
    name="webhook_delivery",
    section="system",
    purpose="One event on its way to one webhook, with what came of the last attempt.",
    fields=(
        identity(),
        Ref("webhook_id", to="webhook", required=True),
        Uuid("event_id", note="The webhook-id header: the same on every attempt, and to every webhook."),
        Text("event", note="The name of the event."),
        Uuid("object_id", note="What it happened to."),
        Choice("status", words=("started", "failed", "successful", "suspended"), default="started"),
        Integer("attempts", default=0),
        DateTime("due_at", nullable=True, note="When it is sent, or tried again; null: there is no further attempt."),
        DateTime("attempted_at", nullable=True, note="When the last attempt began."),
        Integer("duration", nullable=True, note="Milliseconds of the last attempt."),
        Integer("status_code", nullable=True, note="What the receiver answered; null: nothing."),
        Text("error", nullable=True, note="Why the last attempt failed."),
        Map("answer_headers", nullable=True),
        LongText("answer", nullable=True, note="The body of the answer, its first 20,000 bytes."),
        Integer("position", hidden=True),
        DateTime("lease_until", nullable=True, hidden=True),  # a sender works on it until then
        *timestamps(),
    ),
    relations=(One("webhook", to="webhook", by="webhook_id", is_writable=False),),
    places=(Place("/webhook/{webhook_id}/delivery", READ_ONLY, sort="id:desc"),),
    actions=(
        Action(
            "GET", f"{ONE_DELIVERY}/request", "the request of a delivery", shown_request, shows=(Text("url"), Map("body")), note=EXTENSION
        ),
        Action("POST", f"{ONE_DELIVERY}/resend", "send a delivery again", resend, answer="webhook_delivery", note=EXTENSION),
    ),
    index=(("webhook_id", "due_at", "position"), ("webhook_id", "object_id", "due_at")),
    allow=Allow(read=Role.ADMIN, create=Role.ADMIN, update=Role.ADMIN, delete=Role.ADMIN),
)
