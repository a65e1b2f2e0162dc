"""Eighteen months of a made-up shop: 240 members, their orders and gestures, from a fixed seed.

Each fact is recorded with business time stopped at its moment, so that histories, pending points
and expiries look as if the service had been there all along.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy.orm import Session

from loyalty_service import clock, db, shipped
from loyalty_service.domain import access, adjustments, members, orders, program
from loyalty_service.domain.access import Principal
from loyalty_service.domain.adjustments import Gesture
from loyalty_service.domain.earning import Line, OrderFacts
from loyalty_service.domain.orders import OrderToRecord

PROGRAM_ID = "default"
SEED = 20240229
MEMBERS = 240
DAYS = 548
BATCH = 200
KEYS = {
    "checkout": ("checkout", None, None),
    "staff": ("staff", "ana.agent@shop.example", "agent"),
    "manager": ("staff", "mia.manager@shop.example", "manager"),
    "admin": ("admin", None, None),
}
FIRST = (
    "Ada Ben Carla Deniz Elif Femi Greta Hana Ivo Jana Kofi Lena Mehmet "
    "Nora Omar Paula Quentin Rosa Sami Tomas Uma Vera Wei Xenia Yusuf Zoe"
).split()
LAST = (
    "Adler Bauer Costa Demir Eriksen Fischer Garcia Haas Ivanova Jensen Kaya Lindt Moreau "
    "Novak Okafor Petrov Quist Rossi Schmid Tanaka Ulrich Vogel Weber Yilmaz Ziegler"
).split()
GOODS = (
    ("face-cream", "skin care", 3490),
    ("serum", "skin care", 5900),
    ("lipstick", "make-up", 1850),
    ("mascara", "make-up", 1290),
    ("perfume", "fragrance", 7900),
    ("shampoo", "hair", 990),
    ("hair-mask", "hair", 1690),
    ("brush-set", "tools", 2450),
)
NOTES = {
    "late_delivery": "Sorry that your parcel was late.",
    "damaged_item": "Sorry about the broken bottle.",
    "appreciation": "Thank you for your kind review.",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened at a moment."""

    at: datetime
    record: Callable[[Session], object]


def demo_token(program_id: str, name: str) -> str:
    """The fixed key of a demo: production refuses to start while one is active."""
    return f"lk_{program_id}_demo-{name}"


def write(progress: Callable[[int, int], None]) -> str:
    """Fill an empty, migrated database; returns the program's id."""
    document = (shipped.folder("programs") / "default.yaml").read_text(encoding="utf-8")
    began = (clock.wall() - timedelta(days=DAYS)).replace(hour=8, minute=0, second=0, microsecond=0)
    with clock.stopped_at(began):
        program_id = db.transaction(lambda session: _found(session, document))
    facts = sorted(_facts(program_id, began), key=lambda fact: fact.at)
    for start in range(0, len(facts), BATCH):
        batch = facts[start : start + BATCH]
        db.transaction(partial(_record, batch=batch))
        progress(min(start + BATCH, len(facts)), len(facts))
    return program_id


def _found(session: Session, document: str) -> str:
    applied, _ = program.apply(session, document)
    program_id = applied.rules.id
    for name, (scope, person, role) in KEYS.items():
        access.create_client(
            session,
            program_id,
            name=f"demo {name}",
            scope=scope,
            person=person,
            role=role,
            demo_token=demo_token(program_id, name),
        )
    return program_id


def _record(session: Session, batch: list[Fact]) -> None:
    for fact in batch:
        with clock.stopped_at(fact.at):
            fact.record(session)


def _facts(program_id: str, began: datetime) -> Iterator[Fact]:
    chance = random.Random(SEED)  # nosec B311
    ended = clock.wall() - timedelta(hours=2)
    for number in range(1, MEMBERS + 1):
        external_id = f"customer-{number:03d}"
        joined = began + timedelta(minutes=chance.randrange(DAYS * 1440 * 9 // 10))
        yield Fact(joined, _enrolment(chance, program_id, external_id))
        # A few customers buy often, most now and then: as in any shop.
        every_days = chance.choice((9, 20, 35, 60, 60, 120))
        at = joined + timedelta(minutes=5)
        count = 0
        while at < ended:
            count += 1
            yield Fact(at, _order(chance, program_id, external_id, count, at))
            if chance.random() < 0.03:
                yield from _gesture(chance, program_id, external_id, at, ended)
            at += timedelta(minutes=1 + chance.randrange(every_days * 2 * 1440))


def _enrolment(
    chance: random.Random, program_id: str, external_id: str
) -> Callable[[Session], object]:
    first, last = chance.choice(FIRST), chance.choice(LAST)
    particulars = {
        "name": f"{first} {last}",
        "email": f"{first}.{last}.{external_id[-3:]}@example.com".lower(),
        "birthday": date(1950, 1, 1) + timedelta(days=chance.randrange(55 * 365)),
        "locale": chance.choice(("de-DE", "de-AT", "en-GB", "tr-TR")),
    }
    return lambda session: members.enrol(session, program_id, external_id, **particulars)


def _order(
    chance: random.Random, program_id: str, external_id: str, count: int, at: datetime
) -> Callable[[Session], object]:
    lines = tuple(
        Line(sku, category, chance.choice((1, 1, 1, 2)), price)
        for sku, category, price in chance.sample(GOODS, chance.choice((1, 1, 2, 3)))
    )
    facts = OrderFacts("eur", lines, chance.choice((0, 0, 0, 500)), 0, 490)
    order = OrderToRecord(f"demo-{external_id[-3:]}-{count:03d}", f"ext:{external_id}", at, facts)
    return lambda session: orders.record(session, program_id, order)


def _gesture(
    chance: random.Random, program_id: str, external_id: str, at: datetime, ended: datetime
) -> Iterator[Fact]:
    later = at + timedelta(days=chance.randrange(1, 6))
    if later >= ended:
        return
    reason = chance.choice(tuple(NOTES))
    points = chance.choice((20, 50, 100))
    gesture = Gesture(f"ext:{external_id}", points, reason, None, NOTES[reason])
    yield Fact(later, lambda session: adjustments.give(session, _staff(program_id), gesture))


def _staff(program_id: str) -> Principal:
    return access.authenticate(demo_token(program_id, "manager"))
