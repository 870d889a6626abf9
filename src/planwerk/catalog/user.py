"""A user: a person who can log in, with a role, and the settings kept for that person."""

from planwerk.actor import Role
from planwerk.catalog.links import CARD_FOLLOWER, COLLECTION_FOLLOWER
from planwerk.describe import Allow, Link, Many, Object, One, Place, identity, timestamps
from planwerk.fields import Anything, Boolean, Choice, Date, Email, Integer, LongText, Ref, Text, Url
from planwerk.rules.people import names_of_user

USER = Object(
    name="user",
    section="configuration",
    purpose="A person with a login: a role, a language, and perhaps the resource that this person is.",
    fields=(
        identity(),
        Text("idp_id", read_only=True, note="Who this is at the identity provider."),
        Choice("status", words=("invited", "active"), default="invited", read_only=True),
        Text("invite_id", read_only=True),
        Ref("resource_id", to="resource", read_only=True, note='Set by sending "resource": {"id": …}.'),
        Text("infix"),
        Email("email", required=True),
        Url("avatar", note="Written as a data URI, shown as the address of the picture."),
        Text("avatar_checksum", read_only=True),
        Text("avatar_signature", read_only=True),
        Choice("role", words=("admin", "manager", "organiser", "member", "guest"), required=True),
        Choice("card_visibility", words=("all", "linked"), default="all", note="linked: only the cards of the user's resource."),
        Choice("language", words=("nl", "de", "es", "fr", "it", "pl", "pt", "en"), default="nl"),
        Boolean("notify_own_changes", default=False),
        Boolean("mfa_enabled", default=False, read_only=True),
        Integer("nps_counter", default=0, read_only=True),
        Text("external_ref"),
        Text("timezone"),
        Date("date_of_birth"),
        LongText("about"),
        Text("mobile"),
        Text("gender"),
        Text("fullname"),
        Text("lastname"),
        Text("firstname"),
        Email("username"),
        Text("display_name"),
        Boolean("is_sso", default=False, read_only=True),
        Text("password_hash", nullable=True, hidden=True),
        *timestamps(archived=True, deleted=True),
    ),
    relations=(
        One("resource", to="resource", by="resource_id"),
        Many("time_tracking", to="time_tracking", by="user_id", order=("start",), is_writable=False),
        Many("settings", to="user_setting", by="user_id", order=("name",), is_owned=True, keeps_missing=True),
        Many("board_views", to="board_view", by="user_id", order=("position",), is_writable=False),
        Link("followed_cards", to="card", table=CARD_FOLLOWER, by="user_id", is_writable=False),
        Link("followed_collections", to="collection", table=COLLECTION_FOLLOWER, by="user_id", is_writable=False),
    ),
    places=(Place("/user"),),
    unique=(("email",), ("external_ref",)),
    index=(("resource_id",),),
    allow=Allow(create=Role.ADMIN, update=Role.ADMIN, delete=Role.ADMIN),
    pictures=("avatar",),
    derives=(names_of_user,),
)

USER_SETTING = Object(
    name="user_setting",
    section="configuration",
    purpose="A preference kept for a user; it is read and written through the user.",
    fields=(
        identity(),
        Ref("user_id", to="user", required=True),
        Text("name", required=True),
        Anything("value", nullable=True),
        *timestamps(),
    ),
    relations=(One("user", to="user", by="user_id", is_writable=False),),
    unique=(("user_id", "name"),),
    allow=Allow(create=Role.ADMIN, update=Role.ADMIN, delete=Role.ADMIN),
)
