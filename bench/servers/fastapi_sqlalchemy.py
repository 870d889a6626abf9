"""A peer: the usual hand-written way with FastAPI, pydantic models, SQLAlchemy 2 async ORM and selectinload.

DATABASE_URL names the database: postgresql+asyncpg://… or sqlite+aiosqlite:///…; SQLite syncs at each commit.
"""

import datetime
import os
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, Select, String, Uuid, event, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

URL = os.environ["DATABASE_URL"]
IS_POSTGRESQL = URL.startswith("postgresql")
IdColumn: Any = Uuid if IS_POSTGRESQL else String
Day: Any = datetime.date if IS_POSTGRESQL else str
Moment: Any = datetime.datetime if IS_POSTGRESQL else str
Id: Any = uuid.UUID if IS_POSTGRESQL else str
engine = create_async_engine(URL, pool_size=int(os.environ.get("POOL", "10")), max_overflow=0)
if not IS_POSTGRESQL:

    @event.listens_for(engine.sync_engine, "connect")
    def set_pragmas(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=20000", "foreign_keys=ON"):
            cursor.execute("PRAGMA " + pragma)
        cursor.close()


Session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Relation(Base):
    __tablename__ = "relation"
    id: Mapped[Id] = mapped_column(IdColumn, primary_key=True)
    code: Mapped[str | None]
    name: Mapped[str | None]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    city: Mapped[str | None]
    country: Mapped[str | None]
    external_ref: Mapped[str | None]
    note: Mapped[str | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[Id] = mapped_column(IdColumn, primary_key=True)
    code: Mapped[str | None]
    type: Mapped[str | None]
    sub_type: Mapped[str | None]
    status: Mapped[str | None]
    description: Mapped[str | None]
    date: Mapped[Day]
    due_date: Mapped[Day]
    quantity: Mapped[int | None]
    priority: Mapped[int | None]
    color: Mapped[str | None]
    external_ref: Mapped[str | None]
    relation_id: Mapped[Id] = mapped_column(IdColumn, ForeignKey("relation.id"))
    note: Mapped[str | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    relation: Mapped[Relation] = relationship(lazy="raise")
    rows: Mapped[list["Row"]] = relationship(lazy="raise", order_by="Row.position")


class Row(Base):
    __tablename__ = "order_row"
    id: Mapped[Id] = mapped_column(IdColumn, primary_key=True)
    order_id: Mapped[Id] = mapped_column(IdColumn, ForeignKey("orders.id"))
    code: Mapped[str | None]
    description: Mapped[str | None]
    quantity: Mapped[int | None]
    unit: Mapped[str | None]
    price: Mapped[float | None]
    status: Mapped[str | None]
    position: Mapped[int | None]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]


class Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class RelationOut(Out):
    id: Id
    code: str | None
    name: str | None
    email: str | None
    phone: str | None
    city: str | None
    country: str | None
    external_ref: str | None
    note: str | None
    created_at: Moment
    updated_at: Moment


class RowIn(Out):
    code: str | None = None
    description: str | None = None
    quantity: int | None = None
    unit: str | None = None
    price: float | None = None
    status: str | None = None
    position: int | None = None
    created_at: Moment
    updated_at: Moment


class RowOut(RowIn):
    id: Id
    order_id: Id


class OrderBase(Out):
    code: str | None = None
    type: str | None = None
    sub_type: str | None = None
    status: str | None = None
    description: str | None = None
    date: Day
    due_date: Day
    quantity: int | None = None
    priority: int | None = None
    color: str | None = None
    external_ref: str | None = None
    relation_id: Id
    note: str | None = None
    created_at: Moment
    updated_at: Moment


class OrderIn(OrderBase):
    rows: list[RowIn] = []


class OrderOut(OrderBase):
    id: Id


class OrderFull(OrderOut):
    relation: RelationOut
    rows: list[RowOut]


class OrderRows(OrderOut):
    rows: list[RowOut]


class Page(BaseModel):
    count: int
    limit: int
    offset: int = 0
    data: list[OrderOut]


app = FastAPI()


async def open_session() -> AsyncIterator[AsyncSession]:
    async with Session() as session:
        yield session


Database = Annotated[AsyncSession, Depends(open_session)]


def page_of(status: str, due_from: Day, limit: int) -> Select[tuple[Order]]:
    return select(Order).where(Order.status == status, Order.due_date >= due_from).order_by(Order.due_date.desc()).limit(limit)


@app.get("/orders/{id}", response_model=OrderOut)
async def get_order(id: Id, session: Database) -> Order:
    order = await session.get(Order, id)
    if order is None:
        raise HTTPException(404)
    return order


@app.get("/orders", response_model=list[OrderOut])
async def list_orders(session: Database, status: str, due_from: Day, limit: int = 100) -> Any:
    return (await session.scalars(page_of(status, due_from, limit))).all()


@app.get("/orders_count")
async def list_and_count(session: Database, status: str, due_from: Day, limit: int = 100) -> Page:
    count = select(func.count()).select_from(Order).where(Order.status == status, Order.due_date >= due_from)
    total = await session.scalar(count) or 0
    orders = (await session.scalars(page_of(status, due_from, limit))).all()
    return Page(count=total, limit=limit, data=[OrderOut.model_validate(order) for order in orders])


@app.get("/orders_full", response_model=list[OrderFull])
async def list_with_rows(session: Database, status: str, due_from: Day, limit: int = 100) -> Any:
    query = page_of(status, due_from, limit).options(selectinload(Order.rows), selectinload(Order.relation))
    return (await session.scalars(query)).all()


@app.post("/orders", status_code=201, response_model=OrderRows)
async def create_order(body: OrderIn, session: Database) -> Order:
    values = body.model_dump()
    rows = values.pop("rows")
    order = Order(id=new_id(), **values)
    order.rows = [Row(id=new_id(), order_id=order.id, **row) for row in rows]
    session.add(order)
    await session.commit()
    return order


def new_id() -> Any:
    return uuid.uuid4() if IS_POSTGRESQL else str(uuid.uuid4())
