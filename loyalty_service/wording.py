"""Sentences in every language there is: one file in `words/` for each, and nothing else.

A `Voice` speaks one of them, and writes numbers, amounts and days as the reader's country does.
`words/en.yaml` says how such a file is written.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from string import Formatter
from typing import Any, NamedTuple

import yaml
from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import NumberPattern, parse_pattern

from loyalty_service.domain import money

FOLDER = Path(__file__).parent / "words"
FALLBACK = "en"
# In an entry with plural forms: which figure decides.
OF = "of"
# In place of an entry: money without its currency.
BARE = "amount"
_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8}){0,6}")


class Money(NamedTuple):
    """An amount to be said."""

    amount_minor: int
    currency: str


Figure = int | str | Fraction | date | Money
Entry = str | Mapping[str, str]


@dataclass(frozen=True)
class Voice:
    """One language, spoken for the readers of one country; `language` is the name of its file."""

    language: str
    locale: Locale

    def say(self, key: str, **figures: Figure) -> str:
        """An entry of the catalogue with its figures; an entry that is not there is our own bug."""
        entry: Entry = catalogue(self.language)["sentences"][key]
        text = entry if isinstance(entry, str) else entry[self._form(figures[entry[OF]])]
        return _Filling(self).vformat(text, (), figures)

    def joined(self, parts: list[str]) -> str:
        """Parts of one thought, one after the other."""
        return self.say("comma").join(parts)

    def in_turn(self, parts: list[str]) -> str:
        """Several thoughts of one sentence."""
        return self.say("semicolon").join(parts)

    def reason(self, slug: str) -> str:
        """A reason of the program, in the middle of a sentence."""
        return str(catalogue(self.language)["reasons"].get(slug) or words(slug))

    def event(self, slug: str) -> str:
        """A type of event, at the beginning of a sentence."""
        own = words(slug)
        return str(catalogue(self.language)["events"].get(slug) or own[:1].upper() + own[1:])

    def written(self, figure: Figure) -> str:
        """A figure as the country writes it."""
        if isinstance(figure, Money):
            code = figure.currency.upper()
            return self.say("money", amount=self.amount(figure), currency=code)
        if isinstance(figure, date):
            return str(format_date(figure, catalogue(self.language)["day"], locale=self.locale))
        return figure if isinstance(figure, str) else self._number(Fraction(figure))

    def amount(self, of: Money) -> str:
        """Money without its currency, with as many decimals as the currency has."""
        decimals = money.exponent(of.currency)
        value = Decimal(of.amount_minor).scaleb(-decimals)
        return str(_with_decimals(self.locale, decimals).apply(value, self.locale))

    def _number(self, figure: Fraction) -> str:
        value = Decimal(figure.numerator) / Decimal(figure.denominator)
        if Fraction(value) != figure:
            # Its decimals would not end.
            return str(figure)
        pattern: NumberPattern = self.locale.decimal_formats[None]
        return str(pattern.apply(value, self.locale, decimal_quantization=False))

    def _form(self, figure: Figure) -> str:
        assert isinstance(figure, int | Fraction), f"{figure!r} has no plural"
        number = Fraction(figure)
        value = Decimal(number.numerator) / Decimal(number.denominator)
        return str(self.locale.plural_form(value))


class _Filling(Formatter):
    """Fills in figures; what follows the colon names the entry that says one."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    def format_field(self, value: Any, format_spec: str) -> str:
        """One figure, in words where an entry is named."""
        if format_spec == BARE:
            return self._voice.amount(value)
        return self._voice.say(format_spec, n=value) if format_spec else self._voice.written(value)


def voice(tag: str | None) -> Voice:
    """The voice for a language tag such as "de-AT": of that language, else English."""
    return (find(tag) if tag else None) or _voice(FALLBACK, FALLBACK)


def find(tag: str) -> Voice | None:
    """The voice for a language tag; None where nobody here speaks it, or it is no tag."""
    if not _TAG.fullmatch(tag):
        return None
    parts = tag.replace("_", "-").split("-")
    spoken = {name.lower(): name for name in languages()}
    for length in range(len(parts), 0, -1):
        language = spoken.get("-".join(parts[:length]).lower())
        if language:
            return _voice(language, "-".join(parts).lower())
    return None


@cache
def languages() -> tuple[str, ...]:
    """The tags of all languages there are."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.yaml")))


@cache
def catalogue(language: str) -> Mapping[str, Any]:
    """All that is said in a language: `day`, `reasons`, `events` and `sentences`."""
    read: Mapping[str, Any] = yaml.safe_load((FOLDER / f"{language}.yaml").read_text("utf-8"))
    return read


def words(slug: str) -> str:
    """What a program named without our knowing it: "gift_card" is "gift card"."""
    return slug.replace("_", " ")


# Tags come from callers: only so many are kept.
@lru_cache(maxsize=256)
def _voice(language: str, tag: str) -> Voice:
    try:
        return Voice(language, Locale.parse(tag, sep="-"))
    except (UnknownLocaleError, ValueError):
        shorter, _, _ = tag.rpartition("-")
        return _voice(language, shorter or language)


@lru_cache(maxsize=256)
def _with_decimals(locale: Locale, decimals: int) -> NumberPattern:
    text = str(locale.decimal_formats[None].pattern)
    return parse_pattern(re.sub(r"\.#*", f".{'0' * decimals}" if decimals else "", text))
