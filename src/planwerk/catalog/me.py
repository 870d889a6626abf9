"""The current credentials: a worked-out answer, no record.

A key shows itself, a session its user, an app its user and the connection by which it acts. The name of the app is not shown: it may
belong to another environment, and the app knows it.
"""

from planwerk.describe import Action, Object
from planwerk.fields import Anything, Boolean, Choice, Date, DateTime, Email, Map, Record, Text, Uuid, Words
from planwerk.rules.whoami import me

ENVIRONMENT = (
    Uuid("id"),
    Text("hash", max=40, note="What clients send as X-Api-Env."),
    Text("customer"),
    Text("status"),
    DateTime("last_request_user"),
    DateTime("last_request_third_party"),
    Text("state_user"),
    Text("state_third_party"),
    DateTime("created_at"),
    DateTime("updated_at"),
)

API_KEY_PART = (
    Uuid("id"),
    Text("description"),
    Boolean("is_read_only"),
    DateTime("expires_at"),
    DateTime("created_at"),
)

USER_PART = (
    Uuid("id"),
    Text("idp_id"),
    Text("invite_id"),
    Text("status"),
    Uuid("resource_id"),
    Text("external_ref"),
    Text("transaction"),
    Text("firstname"),
    Text("lastname"),
    Text("infix"),
    Text("fullname"),
    Text("gender"),
    Email("email"),
    Text("mobile"),
    Text("avatar", max=2048),
    Text("avatar_checksum"),
    Text("avatar_signature"),
    Text("about", max=65535),
    Date("date_of_birth"),
    Text("role"),
    Text("card_visibility"),
    Text("language"),
    Text("timezone"),
)

OAUTH_PART = (
    Uuid("id", note="The connection between the user and the app."),
    Uuid("client_id"),
    DateTime("created_at", note="When the user connected the app."),
)

ME = Object(
    name="me",
    section="system",
    purpose="What the current credentials are, and to which environment they belong.",
    is_stored=False,
    fields=(
        Choice("type", words=("api-key", "user", "oauth"), required=True, note="The kind of authentication."),
        Record("environment", fields=ENVIRONMENT, required=True),
        Record("host", fields=(Uuid("id"), Text("description")), required=True),
        Record("ai_settings", fields=(Boolean("general"), Boolean("formula")), required=True),
        Record("api-key", fields=API_KEY_PART, note="Present when the type is api-key."),
        Record("user", fields=USER_PART, note="Present when the type is user or oauth."),
        Record("oauth", fields=OAUTH_PART, note="Present when the type is oauth."),
        Words("features"),
        Anything("settings"),
        Map("board_permission_set"),
        Map("permissions"),
        Anything("organizations"),
        Boolean("next"),
        Boolean("show_nps"),
    ),
    actions=(Action("GET", "/me", "information about the current authentication", me, answer="me"),),
)
