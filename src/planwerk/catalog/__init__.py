"""The catalog: everything the API offers, as data. `ALL` holds the objects in the order of the documentation."""

from planwerk.catalog.activity import ACTIVITY
from planwerk.catalog.address import ADDRESS
from planwerk.catalog.api_key import API_KEY
from planwerk.catalog.api_message import API_MESSAGE
from planwerk.catalog.attachment import ATTACHMENT
from planwerk.catalog.board import BOARD
from planwerk.catalog.board_view import BOARD_VIEW
from planwerk.catalog.card import CARD
from planwerk.catalog.card_relation import CARD_RELATION
from planwerk.catalog.checklist import CHECKLIST
from planwerk.catalog.collection import COLLECTION
from planwerk.catalog.comment import COMMENT
from planwerk.catalog.event import EVENT
from planwerk.catalog.group import GROUP
from planwerk.catalog.invitation import INVITATION
from planwerk.catalog.item import ITEM
from planwerk.catalog.label import LABEL
from planwerk.catalog.mail import MAIL
from planwerk.catalog.me import ME
from planwerk.catalog.oauth_client import OAUTH_CLIENT
from planwerk.catalog.oauth_grant import OAUTH_CODE, OAUTH_GRANT, OAUTH_TOKEN
from planwerk.catalog.order import ORDER
from planwerk.catalog.order_row import ORDER_ROW
from planwerk.catalog.project import PROJECT
from planwerk.catalog.relation import RELATION
from planwerk.catalog.resource import RESOURCE
from planwerk.catalog.schedule import SCHEDULE
from planwerk.catalog.schedule_deviation import SCHEDULE_DEVIATION, SCHEDULE_DEVIATION_RECURRING
from planwerk.catalog.session import SESSION
from planwerk.catalog.space import SPACE
from planwerk.catalog.stage import STAGE
from planwerk.catalog.status import STATUS
from planwerk.catalog.time_tracking import TIME_TRACKING
from planwerk.catalog.user import USER, USER_SETTING
from planwerk.catalog.warehouse import WAREHOUSE
from planwerk.catalog.webhook import WEBHOOK
from planwerk.catalog.webhook_delivery import WEBHOOK_DELIVERY
from planwerk.describe import Object

ALL: tuple[Object, ...] = (
    # board
    BOARD,
    LABEL,
    STATUS,
    BOARD_VIEW,
    STAGE,
    ACTIVITY,
    SPACE,
    # resource
    RESOURCE,
    SCHEDULE,
    SCHEDULE_DEVIATION,
    SCHEDULE_DEVIATION_RECURRING,
    GROUP,
    USER,
    USER_SETTING,
    TIME_TRACKING,
    # collection
    COLLECTION,
    CARD,
    CARD_RELATION,
    CHECKLIST,
    COMMENT,
    ATTACHMENT,
    # order
    ORDER,
    ORDER_ROW,
    ITEM,
    PROJECT,
    RELATION,
    WAREHOUSE,
    ADDRESS,
    # system
    API_MESSAGE,
    ME,
    WEBHOOK,
    WEBHOOK_DELIVERY,
    EVENT,
    API_KEY,
    OAUTH_CLIENT,
    OAUTH_GRANT,
    OAUTH_CODE,
    OAUTH_TOKEN,
    SESSION,
    INVITATION,
    MAIL,
)
