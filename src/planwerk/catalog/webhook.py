"""A webhook: an address that is called when chosen events happen."""

from planwerk.actor import Role
from planwerk.catalog.attachment import ATTACHMENT
from planwerk.catalog.card import CARD
from planwerk.catalog.collection import COLLECTION
from planwerk.catalog.comment import COMMENT
from planwerk.catalog.time_tracking import TIME_TRACKING
from planwerk.describe import Action, Allow, Job, Many, Object, Place, identity, timestamps
from planwerk.fields import Boolean, DateTime, Integer, Ref, Text, Url, Words
from planwerk.rules.apps import made_by, own_webhook
from planwerk.rules.outbox import write_events
from planwerk.rules.outcomes import FOLLOW, follow_webhook
from planwerk.rules.people import can_send
from planwerk.rules.webhooks import (
    FORGET,
    MOST,
    allowed_url,
    first_secret,
    forget_log,
    remove_webhook,
    resend_failed,
    rotate_secret,
    send_test,
)

EVENTFUL = (CARD, COLLECTION, ATTACHMENT, COMMENT, TIME_TRACKING)
EVENT_TYPES = tuple(f"{described.name}.{event}" for described in EVENTFUL for event in described.events)

ONE_WEBHOOK = "/webhook/{webhook_id}"
EXTENSION = "Extension: the documentation shows it in the application only."
SECRET = (Text("secret", note="Signs every message (Standard Webhooks); shown now and never again."),)

WEBHOOK = Object(
    name="webhook",
    section="system",
    purpose="A subscription: the server calls an address when chosen events happen.",
    fields=(
        identity(),
        Url("url", max=512, required=True),
        Text("description", max=150),
        Boolean("active", default=True),
        Words("event_types", words=EVENT_TYPES, default=(), note="The events that are sent."),
        Ref("api_key_id", to="api_key", nullable=True, read_only=True, note="The API key that made it."),
        Ref("developer_client_id", to="oauth_client", nullable=True, read_only=True, note="The OAuth app that made it."),
        Boolean("third_party", default=False, read_only=True, note="An integration made it, not a user."),
        Integer("fail_streak", default=0, read_only=True, note="Failed messages in a row."),
        DateTime("fail_streak_started_at", nullable=True, read_only=True),
        DateTime("last_failed_at", nullable=True, read_only=True),
        DateTime("mailed_warning_at", nullable=True, read_only=True),
        DateTime("mailed_disabled_at", nullable=True, read_only=True),
        DateTime("disabled_until", nullable=True, read_only=True, note="It is suspended until then."),
        Boolean("can_send", default=True, read_only=True, note="It is active and not suspended."),
        Text("secret", hidden=True),  # sealed, as the one before
        Text("old_secret", nullable=True, hidden=True),
        DateTime("old_secret_until", nullable=True, hidden=True),
        *timestamps(),
    ),
    defaults=(made_by, first_secret),
    derives=(can_send,),
    checks=(own_webhook, allowed_url),
    removal=remove_webhook,
    reveals=SECRET,
    relations=(Many("deliveries", to="webhook_delivery", by="webhook_id", is_owned=True, is_writable=False),),
    actions=(
        Action(
            "POST",
            f"{ONE_WEBHOOK}/secret",
            "replace the secret of a webhook",
            rotate_secret,
            answer="webhook",
            reveals=SECRET,
            note=EXTENSION,
        ),
        Action("POST", f"{ONE_WEBHOOK}/test", "send a test event", send_test, answer="webhook_delivery", note=EXTENSION),
        Action(
            "POST",
            f"{ONE_WEBHOOK}/resend",
            "send what has failed again",
            resend_failed,
            body=(DateTime("since"),),
            shows=(Integer("count"),),
            note=f"{EXTENSION} At most {MOST:,} by one request, the oldest first.",
        ),
    ),
    jobs=(
        Job(FOLLOW, follow_webhook, note="What waits follows the suspension of a webhook, and its end."),
        Job(FORGET, forget_log, note="What is left of the log of a deleted webhook goes."),
    ),
    closing=write_events,
    places=(Place("/webhook"),),
    allow=Allow(read=Role.ADMIN, create=Role.ADMIN, update=Role.ADMIN, delete=Role.ADMIN),
)
