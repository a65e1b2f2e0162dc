"""Valid documents that tests change in one place: a small one, and one that uses every key."""

from functools import cache
from pathlib import Path

from loyalty_service.domain.program import parsing
from loyalty_service.domain.program.document import Program

SMALL = """\
id: shop
name: Shop
timezone: Europe/Berlin
currency: eur
earning:
  - id: purchase
    on: order
    points: 1
    per: 1.00
    counts: [merchandise]
    rounding: floor
    pending_days: 14
expiry:
  after: {months: 12}
rewards:
  - id: money_off
    name: Money off
    type: amount_off
    slabs:
      - {points: 100, amount_off: 3.00}
      - {points: 250, amount_off: 8.00}
goodwill:
  reasons: [correction]
  limits:
    agent: {per_grant: 500, per_month: 5000}
"""


EVERYTHING = (Path(__file__).parent / "everything.yaml").read_text(encoding="utf-8")


def changed(*changes: tuple[str, str], document: str = SMALL) -> str:
    """The document with each (old, new) put in; every old text must stand there once."""
    for old, new in changes:
        assert document.count(old) == 1, f"{old!r} does not stand once in the document"
        document = document.replace(old, new)
    return document


def a_program(*changes: tuple[str, str], document: str = SMALL) -> Program:
    """The program of the small document, or of another, with changes."""
    return _parsed(changed(*changes, document=document))


@cache
def _parsed(text: str) -> Program:
    # A program never changes, and properties ask for the same one a thousand times.
    return parsing.parse(text)


def everything(*changes: tuple[str, str]) -> Program:
    """The program that uses every key, with changes."""
    return a_program(*changes, document=EVERYTHING)
