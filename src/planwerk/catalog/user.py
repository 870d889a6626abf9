"""A user: a person who can log in, with a role, and the settings kept for that person."""

from planwerk.actor import Role
from planwerk.catalog.links import CARD_FOLLOWER, COLLECTION_FOLLOWER
from planwerk.describe import Action, Allow, Link, Many, Object, One, Place, Sight, Upkeep, identity, timestamps
from planwerk.fields import Anything, Boolean, Choice, Date, DateTime, Email, Integer, LoginEmail, LongText, Ref, Text, TimeZone, Url, Words
from planwerk.rules.invitations import invite, invite_again, name_invitation, reset_password
from planwerk.rules.people import follow_people, follow_resources, names_of_user
from planwerk.rules.second_factor import turn_off_factor

INVITE_LINK = Text("invite_link", max=2048, note="The link of the invitation, where no mail is sent: shown this once.")
RESET_LINK = Text("reset_link", max=2048, note="The link that sets a password, where no mail is sent: shown this once.")

USER = Object(
    name="user",
    section="configuration",
    purpose="A person with a login: a role, a language, and perhaps the resource that this person is.",
    fields=(
        identity(),
        Text("idp_id", read_only=True, note="Who this is at the identity provider."),
        Choice("status", words=("invited", "active"), default="invited", read_only=True),
        Text("invite_id", read_only=True),
        Ref("resource_id", to="resource", read_only=True, note='Set by sending "resource": {"id": …}; null once that is deleted.'),
        Text("infix"),
        LoginEmail("email", required=True, note="Kept in small letters; capitals do not count when a person logs in."),
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
        TimeZone("timezone", note="A name of the IANA time zone database, such as Europe/Amsterdam."),
        Date("date_of_birth"),
        LongText("about"),
        Text("mobile"),
        Text("gender"),
        Text("fullname"),
        Text("lastname"),
        Text("firstname"),
        Email("username", note="The email address, and changed with it, unless it is given."),
        Text("display_name"),
        Boolean("is_sso", default=False, read_only=True),
        Text("idp_issuer", nullable=True, hidden=True),  # the provider that `idp_id` is a name at
        Text("password_hash", nullable=True, hidden=True),
        Text("totp_secret", nullable=True, hidden=True),  # sealed; waits to be confirmed while mfa_enabled is false
        Integer("totp_step", nullable=True, hidden=True),  # the last time step whose code was taken, so that no code works twice
        Words("recovery_hashes", default=(), hidden=True),  # SHA-256 of the codes that replace a lost second factor
        DateTime("last_login_at", nullable=True, hidden=True),
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
    actions=(
        Action(
            "POST",
            "/user/{user_id}/invite",
            "invite a user again",
            invite_again,
            answer="user",
            reveals=(INVITE_LINK,),
            role=Role.ADMIN,
            note="An extension of Planwerk. Invitations before this one open nothing any more. 409 for a user who has accepted one."
            " An app sees no link, and is refused with 403 where the user is an admin.",
        ),
        Action(
            "POST",
            "/user/{user_id}/reset",
            "let a user set a new password",
            reset_password,
            answer="user",
            reveals=(RESET_LINK,),
            role=Role.ADMIN,
            note="An extension of Planwerk. The link opens for an hour, once. 409 for a user who has not accepted the invitation. An app"
            " is refused with 403.",
        ),
        Action(
            "POST",
            "/user/{user_id}/factor/off",
            "turn off a lost second factor",
            turn_off_factor,
            answer="user",
            role=Role.ADMIN,
            note="An extension of Planwerk. The user is logged out everywhere. 409 for a user without a second factor. An app is refused"
            " with 403.",
        ),
    ),
    unique=(("email",), ("external_ref",)),
    index=(("resource_id",), ("idp_id",)),
    allow=Allow(create=Role.ADMIN, update=Role.ADMIN, delete=Role.ADMIN),
    pictures=("avatar",),
    reveals=(INVITE_LINK,),
    defaults=(name_invitation,),
    derives=(names_of_user,),
    after=(invite,),
    upkeep=(Upkeep(("user",), follow_people), Upkeep(("resource",), follow_resources)),
    note="A user who is created is invited, by mail if the server sends any; `status` is invited until a password is set. An environment"
    " keeps at least one active admin: 409. A resource may be that of several users; the resource shows the first. An app makes no admins"
    " and changes no email or username: 403.",
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
    sight=Sight(own="user_id", others=Role.ADMIN),
)
