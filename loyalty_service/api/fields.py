"""Fields that say which rule was broken: a stable code and a sentence with the fix."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, validate

from loyalty_service import clock
from loyalty_service.domain.limits import INTEGER_MAX

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_CONTROL_BESIDE_LINES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_HALF_A_PAIR = re.compile("[\ud800-\udfff]")
_YEARS = range(1900, 2201)
# Where a day begins fourteen hours before it does in Greenwich.
_FARTHEST_EAST = timedelta(hours=14)
# What is counted: one of it, and many.
CHARACTERS, ENTRIES, FIELDS = (
    ("character", "characters"),
    ("entry", "entries"),
    ("field", "fields"),
)


class Fault(str):
    """A message with the code of the rule that was broken."""

    code: str

    def __new__(cls, code: str, detail: str) -> "Fault":
        """Make a message that carries its code."""
        made = super().__new__(cls, detail)
        made.code = code
        return made


def fault(code: str, detail: str) -> ValidationError:
    """A field's error with its code."""
    return ValidationError(Fault(code, detail))


class Coded(ma.fields.Field[Any]):
    """Gives marshmallow's own errors a code."""

    def make_error(self, key: str, **kwargs: Any) -> ValidationError:
        """One of marshmallow's errors, in our words."""
        words = {
            "required": ("required", "is missing"),
            "null": ("wrong_type", "must not be null; leave it out instead"),
        }
        code, detail = words.get(key, ("wrong_type", f"is not {self._kind()}"))
        return fault(code, detail)

    def _kind(self) -> str:
        return "of the right type"


def too_long(at_most: int, of: tuple[str, str]) -> ValidationError:
    """A field's error where it has more of something than it may; one and many of it by name."""
    return fault("too_long", f"may have at most {_counted(at_most, of)}")


def _counted(number: int, of: tuple[str, str]) -> str:
    return f"{number} {of[number != 1]}"


class LengthBetween(validate.Length):
    """A size, counted in what `of` names, with codes."""

    def __init__(self, min: int, max: int, of: tuple[str, str]) -> None:
        super().__init__(min=min, max=max)
        self.least, self.most, self.of = min, max, of

    def __call__(self, value: Any) -> Any:
        """Raise a coded error outside the bounds."""
        if len(value) < self.least:
            raise fault("too_short", f"needs at least {_counted(self.least, self.of)}")
        if len(value) > self.most:
            raise too_long(self.most, self.of)
        return value


class Between(validate.Range):
    """A number's range, with codes."""

    def __call__(self, value: Any) -> Any:
        """Raise a coded error outside the bounds."""
        if self.min is not None and value < self.min:
            raise fault("below_minimum", f"must be at least {self.min}")
        if self.max is not None and value > self.max:
            raise fault("above_maximum", f"must be at most {self.max}")
        return value


class Text(Coded, ma.fields.String):
    """A text of `min` to `max` characters without control characters (lines may be allowed).

    `pattern` tells the same to whoever reads the contract; a test compares the two.
    """

    pattern = r"^[^\x00-\x1f\x7f]*$"

    def __init__(
        self,
        *,
        min: int = 1,
        max: int = 200,
        lines: bool = False,
        **kwargs: Any,
    ) -> None:
        pattern = self.pattern
        if lines:
            pattern = pattern.replace(r"\x00-\x1f", r"\x00-\x08\x0b\x0c\x0e-\x1f")
        kwargs["metadata"] = {"pattern": pattern, **kwargs.get("metadata", {})}
        super().__init__(validate=LengthBetween(min, max, CHARACTERS), **kwargs)
        self.lines = lines

    def _kind(self) -> str:
        return "a text"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise fault("wrong_type", "must be a text")
        if (_CONTROL_BESIDE_LINES if self.lines else _CONTROL).search(value):
            raise fault("wrong_format", "must not hold control characters")
        if _HALF_A_PAIR.search(value):
            raise fault("wrong_format", "must be valid Unicode")
        return value


class Id(Text):
    """The shop's own id of something, as it can stand in an address."""

    pattern = r"^[^\x00-\x1f\x7f/]*[^\x00-\x1f\x7f/.][^\x00-\x1f\x7f/]*$"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if "/" in text:
            hint = "must not hold a slash, which divides addresses; use another sign, such as -"
            raise fault("wrong_format", hint)
        if text and not text.strip("."):
            hint = "must not be dots alone, which addresses lose; add a letter or a figure"
            raise fault("wrong_format", hint)
        return text


class Email(Text):
    """An e-mail address, checked for its form only."""

    pattern = r"^[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,255}$"

    def __init__(self, **kwargs: Any) -> None:
        kwargs["metadata"] = {"format": "email", **kwargs.get("metadata", {})}
        super().__init__(min=3, max=320, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not _EMAIL.fullmatch(text):
            raise fault("wrong_format", "is not an e-mail address such as ana@example.com")
        return text


class Whole(Coded, ma.fields.Integer):
    """A whole number between `min` and `max`; never a text, a truth value or a fraction."""

    def __init__(self, *, min: int, max: int = INTEGER_MAX, **kwargs: Any) -> None:
        super().__init__(validate=Between(min=min, max=max), **kwargs)
        self.least, self.most = min, max

    def _kind(self) -> str:
        return "a whole number"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise fault("wrong_type", "must be a whole number, not a text or a fraction")
        # Bounds first: turning 1e999999 into an integer would take the memory it pretends to.
        if value > self.most:
            raise fault("above_maximum", f"must be at most {self.most}")
        if value < self.least:
            raise fault("below_minimum", f"must be at least {self.least}")
        if value != int(value):
            raise fault("wrong_type", "must be a whole number, not a fraction")
        return int(value)


class QueryWhole(Whole):
    """A whole number in a query string, where everything arrives as text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not re.fullmatch(r"-?[0-9]{1,18}", str(value), re.ASCII):
            raise fault("wrong_type", "must be a whole number")
        return super()._deserialize(int(value), attr, data, **kwargs)


class Moment(Coded, ma.fields.AwareDateTime):
    """An RFC 3339 moment with its zone; written in UTC as `…Z`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        hint = "must be a moment with its zone, such as 2026-03-01T09:30:00Z"
        if not isinstance(value, str):
            raise fault("wrong_type", hint)
        try:
            if not _MOMENT.fullmatch(value):
                raise ValueError(value)
            moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise fault("wrong_format", hint) from error
        if moment.year not in _YEARS:
            raise fault("above_maximum" if moment.year > 2200 else "below_minimum", hint)
        return moment

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if value is None:
            return None
        return str(value.astimezone(UTC).isoformat().replace("+00:00", "Z"))


class Birthday(Coded, ma.fields.Date):
    """A calendar date that has come, somewhere on earth."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        hint = "must be a date such as 1990-03-01"
        if not isinstance(value, str):
            raise fault("wrong_type", hint)
        try:
            if not _DAY.fullmatch(value):
                raise ValueError(value)
            day = date.fromisoformat(value)
        except ValueError as error:
            raise fault("wrong_format", hint) from error
        if day.year not in _YEARS:
            raise fault("wrong_format", hint)
        if day > (clock.now() + _FARTHEST_EAST).date():
            raise fault("above_maximum", "must not be a day that is still to come")
        return day


class Choice(Coded, ma.fields.String):
    """One of a few words, in a request or in an answer."""

    def __init__(self, choices: Iterable[str], **kwargs: Any) -> None:
        self.choices = tuple(choices)
        super().__init__(validate=validate.OneOf(self.choices), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or value not in self.choices:
            raise fault("not_a_choice", f"must be one of {', '.join(self.choices)}")
        return value


class Entries(Coded, ma.fields.List[Any]):
    """A list with a bound."""

    def __init__(self, inner: Any, *, min: int = 1, max: int = 500, **kwargs: Any) -> None:
        super().__init__(inner, validate=LengthBetween(min, max, ENTRIES), **kwargs)
        self.most = max

    def _kind(self) -> str:
        return "a list"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        # The bound first: looking into each of a million entries takes seconds.
        if isinstance(value, list) and len(value) > self.most:
            raise too_long(self.most, ENTRIES)
        entries: list[Any] = super()._deserialize(value, attr, data, **kwargs)
        return entries


class Object(ma.fields.Constant[str]):
    """The word in `object`, by which a resource says what it is."""

    def __init__(self, word: str) -> None:
        super().__init__(word, required=True, metadata={"type": "string", "enum": [word]})
        # The contract would name it as a default; it is the only value.
        self.load_default = ma.missing


class Part(Coded, ma.fields.Nested):
    """An object inside another."""

    def _kind(self) -> str:
        return "an object"


class Body(ma.Schema):
    """A request's fields: unknown ones are refused by name."""

    class Meta:
        """Refuse what we don't know, so that a typo is not silently ignored."""

        unknown = ma.RAISE

    error_messages = {
        "unknown": Fault("unknown_field", "is not a field of this call; check its spelling"),
        "type": Fault("wrong_type", "must be an object"),
    }


class Nothing(Body):
    """A call without fields."""
