"""An attachment: an uploaded file, or a link to one elsewhere, on a collection."""

from planwerk.actor import Role
from planwerk.describe import Allow, Object, One, Place, Sight, identity, timestamps
from planwerk.fields import Choice, Integer, Ref, Text, Url
from planwerk.rules.belonging import card_of_collection, collection_of_card

SHA256 = r"^[a-fA-F0-9]{64}$"
STORED = "fs.mostwanted.io"  # the API's word for a file in the server's own store

ATTACHMENT = Object(
    name="attachment",
    section="base",
    purpose="A file, or a link to a file elsewhere, on a collection or on one of its cards.",
    fields=(
        identity(),
        Text("filename", note="Absent on create: the last part of the file's address."),
        Url("file", required=True, note="The address of the file; an upload gets one from the server."),
        Choice("type", words=(STORED, "other", "external"), default="other", note=f"{STORED}: kept by the server."),
        Text("checksum", max=64, pattern=SHA256, like="64 hexadecimal digits", note="The SHA-256."),
        Text("signature"),
        Integer("bytes", min=0),
        Url("thumbnail"),
        Choice("thumbnail_type", words=(STORED,)),
        Text("thumbnail_checksum", max=64, pattern=SHA256, like="64 hexadecimal digits"),
        Text("thumbnail_signature"),
        Integer("thumbnail_bytes", min=0),
        Ref("collection_id", to="collection"),
        Ref("user_id", to="user", read_only=True, note="Who added it; null if an API key did."),
        Text("external_ref", nullable=True),
        Ref("card_id", to="card", nullable=True),
        *timestamps(deleted=True),
    ),
    relations=(
        One("collection", to="collection", by="collection_id", is_writable=False),
        One("card", to="card", by="card_id", is_writable=False),
        One("user", to="user", by="user_id", is_writable=False),
    ),
    places=(Place("/collection/{collection_id}/attachment"),),
    unique=(("external_ref",),),
    index=(("collection_id",), ("card_id",)),
    allow=Allow(create=Role.MEMBER, update=Role.ORGANISER, delete=Role.ORGANISER, own="user_id"),
    sight=Sight(through=("card", "collection")),
    defaults=(collection_of_card,),
    checks=(card_of_collection,),
    has_uploads=True,
    events=("created", "updated", "deleted"),
)
