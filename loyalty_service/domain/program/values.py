"""Readers of single values: whole numbers, exact ratios, money, words, dates.

Each notes a fault that says what would be right and then returns a stand-in.
"""

import difflib
import functools
import re
import unicodedata
import zoneinfo
from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

import yaml

from loyalty_service.domain import money
from loyalty_service.domain.limits import POINTS_MAX
from loyalty_service.domain.program.places import Place, suggestion, text_of

E = TypeVar("E", bound=StrEnum)

MAX_DAYS = 36500
UNKNOWN_CURRENCY = "bhd"
"""Stands in for a wrong currency: with three decimals it finds no further fault in amounts."""

_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}")
_RATIO = re.compile(r"([0-9]{1,13})(?:\.([0-9]{1,6})|/([0-9]{1,13}))?")
_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MAX_NAME_CHARACTERS = 200
_LONGEST_GUESSED = 80


def whole(low: int, high: int) -> Callable[[Place], int]:
    """Make a reader of whole numbers from `low` to `high`."""

    def read(place: Place) -> int:
        text = text_of(place)
        if text is None:
            return low
        if not _WHOLE.fullmatch(text):
            place.fault(f"is not a whole number; write digits only, from {low} to {high}")
            return low
        if not low <= int(text) <= high:
            place.fault(f"is out of range; give {low} to {high}")
            return low
        return int(text)

    return read


points = whole(1, POINTS_MAX)
days = whole(0, MAX_DAYS)


def ratio(place: Place) -> Fraction:
    """Read "2", "1/2" or "0.5" exactly, above 0 and with both parts within the points' bound."""
    text = text_of(place)
    if text is None:
        return Fraction(1)
    match = _RATIO.fullmatch(text)
    if text.startswith("-") and _RATIO.fullmatch(text[1:]):
        place.fault("is below zero; give more than 0")
        return Fraction(1)
    if match is None or (match[3] and int(match[3]) == 0):
        place.fault("is not an exact number; write 2, 1/2 or 0.5")
        return Fraction(1)
    value = Fraction(text)
    if value == 0 or max(value.numerator, value.denominator) > POINTS_MAX:
        place.fault(f"is out of range; give more than 0 and at most {POINTS_MAX}")
        return Fraction(1)
    return value


def ratio_or_zero(place: Place) -> Fraction:
    """Read an exact ratio that may be 0."""
    is_zero = isinstance(place.node, yaml.ScalarNode) and place.node.value == "0"
    return Fraction(0) if is_zero and not place.refused() else ratio(place)


def share(place: Place) -> Fraction:
    """Read a share of the order: above 0, at most 1."""
    text = text_of(place)
    if text is None:
        return Fraction(1)
    match = _RATIO.fullmatch(text)
    value = Fraction(text) if match and (not match[3] or int(match[3])) else Fraction(0)
    if not 0 < value <= 1 or value.denominator > POINTS_MAX:
        place.fault("is not a usable share; give more than 0 and at most 1, such as 1/2")
        return Fraction(1)
    return value


def percent(place: Place) -> Fraction:
    """Read a percentage above 0, at most 100, with at most two decimals."""
    text = text_of(place)
    if text is None:
        return Fraction(100)
    value = Fraction(text) if _PERCENT.fullmatch(text) else Fraction(0)
    if not 0 < value <= 100:
        place.fault("is not a percentage; give more than 0 and at most 100, such as 10 or 12.5")
        return Fraction(100)
    return value


def amount(currency: str) -> Callable[[Place], int]:
    """Make a reader of money above zero, from major units to minor units."""

    def read(place: Place) -> int:
        text = text_of(place)
        if text is None:
            return 1
        try:
            amount_minor = money.parse_major(text, currency)
        except ValueError as error:
            place.fault(str(error))
            return 1
        if amount_minor == 0:
            place.fault("is nothing; give an amount above zero")
        return max(amount_minor, 1)

    return read


def amount_or_nothing(currency: str) -> Callable[[Place], int]:
    """Make a reader of money that may be 0, from major units to minor units."""

    def read(place: Place) -> int:
        text = text_of(place)
        try:
            return money.parse_major(text, currency) if text is not None else 0
        except ValueError as error:
            place.fault(str(error))
            return 0

    return read


def flag(place: Place) -> bool:
    """Read true or false."""
    text = text_of(place)
    if text is not None and text not in ("true", "false"):
        place.fault("is not known here; write true or false")
    return text == "true"


def choice(kind: type[E]) -> Callable[[Place], E]:
    """Make a reader of one of an enumeration's words."""

    def read(place: Place) -> E:
        options = list(kind)
        text = text_of(place)
        if text is None or text in options:
            return kind(text) if text else options[0]
        place.fault(f"is not known here; {suggestion(text, options)}")
        return options[0]

    return read


def one_of(options: Sequence[str]) -> Callable[[Place], str]:
    """Make a reader of one of some words."""

    def read(place: Place) -> str:
        text = text_of(place)
        if text is not None and text not in options:
            place.fault(f"is not known here; {suggestion(text, options)}")
        return text or ""

    return read


def identifier(pattern: str, example: str, words: str = "") -> Callable[[Place], str]:
    """Make a reader of ids of one shape; `words` say it where the pattern is hard to read."""
    shape = re.compile(pattern)

    def read(place: Place) -> str:
        text = text_of(place)
        if text is not None and not shape.fullmatch(text):
            place.fault(f"is not an id; write it like {example}: {words or pattern}")
        return text or ""

    return read


entry_id = identifier("[a-z][a-z0-9_]{1,39}", "money_off")


def name(place: Place) -> str:
    """Read a name of 1 to 200 characters on one line."""
    text = text_of(place)
    if text is None:
        return ""
    if not text.strip() or len(text) > _MAX_NAME_CHARACTERS:
        place.fault(f"is no name; write 1 to {_MAX_NAME_CHARACTERS} characters")
    elif any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text):
        place.fault("holds a control character or a line break; write the name on one line")
    return text.strip()


def day(place: Place) -> date:
    """Read a date such as 2026-12-31."""
    text = text_of(place)
    if text is None:
        return date.min
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    place.fault("is not a date of the calendar; write it like 2026-12-31")
    return date.min


def currency(place: Place) -> str:
    """Read a lower-case ISO 4217 code."""
    text = text_of(place)
    if text is not None and money.is_currency(text):
        return text
    if text is not None:
        hint = f"did you mean {text.lower()}?" if money.is_currency(text.lower()) else "such as eur"
        place.fault(f"is not a currency; write its lower-case ISO 4217 code, {hint}")
    return UNKNOWN_CURRENCY


def timezone(place: Place) -> str:
    """Read the name of a time zone."""
    text = text_of(place)
    if text is not None and text not in _zones():
        names = {zone.lower(): zone for zone in _zones()}
        close = difflib.get_close_matches(text.lower()[:_LONGEST_GUESSED], names, n=1)
        hint = f"did you mean {names[close[0]]}?" if close else "write one such as Europe/Berlin"
        place.fault(f"is not a time zone; {hint}")
    return text or "UTC"


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
