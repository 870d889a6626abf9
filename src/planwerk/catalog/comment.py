"""A comment: plain text that a user leaves on a collection."""

from planwerk.actor import Role
from planwerk.describe import Allow, Many, Object, One, Place, Sight, identity, timestamps
from planwerk.fields import Anything, DateTime, Field, Items, LongText, Ref, Text, Uuid
from planwerk.rules.belonging import card_of_collection, collection_of_card

USER_MENTION: tuple[Field, ...] = (
    identity(),
    Uuid("user_id", required=True),
    Text("name", required=True),
    Text("tag", required=True),
    Anything("indices", required=True, note="Where the mention stands in the text: positions of its first and last character."),
    DateTime("created_at", read_only=True),
    DateTime("updated_at", read_only=True),
)

COMMENT = Object(
    name="comment",
    section="base",
    purpose="A message on a collection; it may mention users and answer another comment.",
    fields=(
        identity(),
        LongText("text", required=True),
        Items("user_mentions", fields=USER_MENTION),
        Ref("collection_id", to="collection"),
        Ref("user_id", to="user", note="The author; absent on create: the user who is logged in."),
        Ref("card_id", to="card", nullable=True),
        Ref("parent_id", to="comment", nullable=True, note="The comment that this one answers."),
        *timestamps(deleted=True),
    ),
    relations=(
        One("user", to="user", by="user_id", is_writable=False),
        One("collection", to="collection", by="collection_id", is_writable=False),
        One("card", to="card", by="card_id", is_writable=False),
        One("parent", to="comment", by="parent_id", is_writable=False),
        Many("replies", to="comment", by="parent_id", is_writable=False),
    ),
    places=(Place("/collection/{collection_id}/comment"),),
    index=(("collection_id",), ("card_id",), ("parent_id",)),
    always_with=("user",),
    allow=Allow(create=Role.GUEST, update=Role.MANAGER, delete=Role.MANAGER, own="user_id"),
    sight=Sight(through=("card", "collection")),
    defaults=(collection_of_card,),
    checks=(card_of_collection,),
    events=("created", "updated", "deleted"),
)
