"""A card relation: a typed link from one card to another, such as a dependency."""

from planwerk.actor import Role
from planwerk.describe import CREATE, DELETE, LIST, ONE, Allow, Object, One, Place, Sight, Upkeep, identity, timestamps
from planwerk.fields import Choice, Ref
from planwerk.rules.dependencies import joins_two_cards, keep_relations

CARD_RELATION = Object(
    name="card_relation",
    section="base",
    purpose="A link between two cards: `blocks` says that the card ends before the related card starts, `depends` the reverse.",
    fields=(
        identity(),
        Choice("type", words=("blocks", "depends", "related", "cloned"), default="related"),
        Choice("status", words=("valid", "invalid"), default="valid", read_only=True, note="invalid: the cards' dates break it."),
        Ref("related_card_id", to="card", required=True, note="Another card; dependencies may not go round in a circle."),
        Ref("card_id", to="card", required=True),
        *timestamps(),
    ),
    relations=(
        One("card", to="card", by="card_id", is_writable=False),
        One("related_card", to="card", by="related_card_id", is_writable=False),
    ),
    places=(Place("/card_relation", operations=(LIST, CREATE, ONE, DELETE)),),
    index=(("card_id",), ("related_card_id",)),
    checks=(joins_two_cards,),
    upkeep=(Upkeep(("card_relation", "card"), keep_relations),),
    allow=Allow(create=Role.ORGANISER, update=Role.ORGANISER, delete=Role.ORGANISER),
    sight=Sight(through=("card", "related_card")),
)
