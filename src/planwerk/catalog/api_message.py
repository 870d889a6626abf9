"""An API message: what the server tells an integrator besides the answer. Only the server writes it."""

from planwerk.actor import Role
from planwerk.describe import READ_ONLY, Allow, Object, Place, identity, timestamps
from planwerk.fields import Choice, LongText, Map, Text

API_MESSAGE = Object(
    name="api_message",
    section="system",
    purpose="A note about a request that used something deprecated, unknown or beyond a limit.",
    fields=(
        identity(),
        Choice("log_level", words=("info", "warning", "error"), default="info", read_only=True),
        Text("method", read_only=True, note="The HTTP method of the request."),
        LongText("endpoint", read_only=True, note="Its path with the version, without the first slash."),
        Map("query_params", read_only=True),
        Text("message_code", read_only=True, note="What the note is about, such as RESULT_GT_100."),
        LongText("message", read_only=True),
        *timestamps(),
    ),
    places=(Place("/api_message", operations=READ_ONLY),),
    index=(("message_code", "created_at"),),
    allow=Allow(read=Role.MANAGER, create=Role.ADMIN, update=Role.ADMIN, delete=Role.ADMIN),
)
