"""The tables that join two objects, and the properties that a link itself has."""

from planwerk.describe import LinkTable
from planwerk.fields import Boolean, Integer, Items, Uuid

BOARD_STAGE = (
    Uuid("id", required=True, note="The stage."),
    Integer("percentage", min=0, note="The share of the resource's time that counts for the stage."),
    Boolean("active", default=True),
)

CARD_LABEL = LinkTable("card_label", "card_id", "label_id")
CARD_RESOURCE = LinkTable(
    "card_resource",
    "card_id",
    "resource_id",
    (
        Integer("time", read_only=True, note="The minutes of the card's work that fall to the resource."),
        Integer("time_remaining", read_only=True, note="Those of them that are still needed."),
    ),
)
CARD_ACTIVITY = LinkTable(
    "card_activity",
    "card_id",
    "activity_id",
    (
        Integer("position", nullable=True),
        Integer("time", nullable=True, min=0, note="Estimated minutes; absent: the activity's default_duration."),
        Integer("time_remaining", nullable=True, read_only=True, note="Minutes still needed: the estimate without what was tracked."),
        Integer("time_original", nullable=True, read_only=True, note="Minutes of the first estimate."),
    ),
)
CARD_FOLLOWER = LinkTable("card_follower", "card_id", "user_id")
COLLECTION_LABEL = LinkTable("collection_label", "collection_id", "label_id")
COLLECTION_FOLLOWER = LinkTable("collection_follower", "collection_id", "user_id")
COLLECTION_ACTIVITY = LinkTable(
    "collection_activity",
    "collection_id",
    "activity_id",
    (
        Integer("position", nullable=True),
        Integer("time", nullable=True, min=0, note="Estimated minutes; absent: the activity's default_duration."),
        Integer("time_remaining", nullable=True, read_only=True, note="Minutes still needed: the estimate without what was tracked."),
        Integer("time_original", nullable=True, read_only=True, note="Minutes of the first estimate."),
        Integer("time_budget", nullable=True, min=0, note="Minutes that may be spent."),
    ),
)
STAGE_ACTIVITY = LinkTable("stage_activity", "stage_id", "activity_id", (Integer("priority", nullable=True),))
STAGE_RESOURCE = LinkTable(
    "stage_resource",
    "stage_id",
    "resource_id",
    (
        Integer("percentage", default=100, min=0, note="The share of the resource's time that counts for the stage."),
        Boolean("active", default=True),
    ),
)
BOARD_RESOURCE = LinkTable(
    "board_resource", "board_id", "resource_id", (Boolean("active", default=True), Items("stages", fields=BOARD_STAGE))
)
GROUP_RESOURCE = LinkTable("group_resource", "group_id", "resource_id")
SPACE_BOARD = LinkTable("space_board", "space_id", "board_id")
RESOURCE_RESOURCE = LinkTable("resource_resource", "resource_id", "member_resource_id")
RESOURCE_ACTIVITY = LinkTable("resource_activity", "resource_id", "activity_id")
ORDER_SUPPLY = LinkTable("order_supply", "order_id", "order_row_id")
ORDER_ROW_SUPPLY = LinkTable("order_row_supply", "supplier_order_row_id", "receiver_order_row_id")
