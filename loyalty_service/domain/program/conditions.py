"""Conditions in words of their own: the only place that knows the expression language (CEL).

A program offers names and their types; a text over them is checked when the program is applied and
answers yes or no later. What is offered is a small part of the language: whole numbers, quoted
words, lists of them, comparisons, arithmetic and four functions. There are no loops, so the length
of a text bounds its cost.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from cel_expr_python import cel

from loyalty_service.domain.program.document import DataType, EventType
from loyalty_service.domain.program.places import suggestion

MAX_CHARACTERS = 1000
FUNCTIONS = ("contains", "endsWith", "size", "startsWith")
RESERVED = ("false", "in", "null", "true")
"""What no field of an event can be called: the language could not name it."""

Value = int | str | bool


class Kind(StrEnum):
    """What a condition is asked about, and so which names it may use."""

    ORDER = "order"
    ITEM = "item"
    EVENT = "event"
    MEMBER = "member"


class BadCondition(ValueError):
    """The text is no condition here; the message says what would be right."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A checked text: what it is asked about, the names it uses, and what stands in for those that
    may be missing."""

    names: tuple[str, ...]
    defaults: tuple[tuple[str, Value], ...]
    expression: cel.Expression


_INTEGER, _STRING, _BOOLEAN = DataType.INTEGER, DataType.STRING, DataType.BOOLEAN
_MEMBER = {
    "member.tier": _STRING,
    "member.enrolled_days": _INTEGER,
    "member.is_birthday": _BOOLEAN,
    "member.is_birthday_month": _BOOLEAN,
}
_ORDER = {
    "order.subtotal": _INTEGER,
    "order.total": _INTEGER,
    "order.discount": _INTEGER,
    "order.tax": _INTEGER,
    "order.shipping": _INTEGER,
    "order.item_count": _INTEGER,
    "order.line_count": _INTEGER,
}
_ITEM = {
    "item.sku": _STRING,
    "item.category": _STRING,
    "item.quantity": _INTEGER,
    "item.unit_amount": _INTEGER,
    "item.amount": _INTEGER,
}
NAMES = {
    Kind.ORDER: _ORDER | _MEMBER,
    Kind.ITEM: _ITEM,
    Kind.EVENT: _MEMBER,
    Kind.MEMBER: _MEMBER,
}
"""What a condition of each kind may name; an event adds `event.` and the fields of its data."""

_TYPES = {
    DataType.INTEGER: cel.Type.INT,
    DataType.MONEY: cel.Type.INT,
    DataType.STRING: cel.Type.STRING,
    DataType.MEMBER: cel.Type.STRING,
    DataType.BOOLEAN: cel.Type.BOOL,
}
_MISSING: dict[DataType, Value] = {
    DataType.INTEGER: 0,
    DataType.MONEY: 0,
    DataType.STRING: "",
    DataType.MEMBER: "",
    DataType.BOOLEAN: False,
}
_MEANT = {"and": "&&", "or": "||", "not": "!", "=": "==", "&": "&&", "|": "||"}
_WORDS = {"INT": "a number", "STRING": "a word"}

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<string> "[^"\\\n]*" | '[^'\\\n]*' )
    | (?P<decimal> \d*\.\d+ | \d+(\.|[eE]) )
    | (?P<number> \d+ (?!\w) )
    | (?P<name> [A-Za-z_]\w* (\.[A-Za-z_]\w*)* )
    | (?P<sign> && | \|\| | [=!<>]= | [!<>+\-*/%?:()\[\],.] )
    """,
    re.VERBOSE | re.ASCII,
)
_MISTAKE = re.compile(r"ERROR: <input>:\d+:\d+: (?:Syntax error: )?([^\n\[]*)")
_OVERLOAD = re.compile(r"found no matching overload for '(.*)' applied to '\((.*)\)'")


@functools.lru_cache(maxsize=4096)
def compile(kind: Kind, text: str, event: EventType | None = None) -> Condition:
    """Check a text against the names of its kind (and of an event's data); once in a process.

    Raises BadCondition with the author's mistake.
    """
    if len(text) > MAX_CHARACTERS:
        raise BadCondition(f"is too long; keep it within {MAX_CHARACTERS} characters")
    types = NAMES[kind] | _fields(event)
    used = _names_of(text, types)
    variables = {name: _TYPES[types[name]] for name in used}
    try:
        expression = cel.NewEnv(variables=variables).compile(text)
    except RuntimeError as error:
        raise BadCondition(_words(str(error))) from error
    given = expression.return_type()
    if given != cel.Type.BOOL:
        what = _WORDS.get(str(given), "no yes or no")
        raise BadCondition(f"gives {what}; compare it, such as order.subtotal >= 5000")
    return Condition(used, tuple(_defaults(event)), expression)


def evaluate(
    kind: Kind, text: str, values: Mapping[str, Value], event: EventType | None = None
) -> bool:
    """Say whether a condition holds for these values, by their whole names (`order.subtotal`).

    Whatever can't be worked out (a division by zero, a number beyond 64 bits) does not hold. An
    optional field of an event that is missing is 0, "" or false. Raises KeyError where the text
    uses another name that has no value, BadCondition for a text that `compile` would refuse.
    """
    condition = compile(kind, text, event)
    known = {**dict(condition.defaults), **values}
    try:
        answer = condition.expression.eval(data={name: known[name] for name in condition.names})
    except RuntimeError:
        # The library's own bound on work. Nothing that is offered can reach it today.
        return False
    return answer.type() == cel.Type.BOOL and bool(answer.value())


def _fields(event: EventType | None) -> dict[str, DataType]:
    return {f"event.{name}": kind for name, kind in event.fields} if event else {}


def _defaults(event: EventType | None) -> list[tuple[str, Value]]:
    fields = event.fields if event else ()
    optional = event.optional if event else ()
    return [(f"event.{name}", _MISSING[kind]) for name, kind in fields if name in optional]


def _names_of(text: str, types: Mapping[str, DataType]) -> tuple[str, ...]:
    """Read the text word by word: the variables it uses; raise BadCondition for what isn't offered.

    The library's own reader is wider (loops, raw strings, floats): nothing reaches it unread.
    """
    if '"""' in text or "'''" in text:
        raise BadCondition("has three quotes in a row; put each word in one pair of quotes")
    used, at, before = [], 0, ""
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            hint = f"did you mean {_MEANT[text[at]]}?" if text[at] in _MEANT else "remove it"
            raise BadCondition(f"holds {text[at]!r}, which has no meaning here; {hint}")
        at = token.end()
        if token.lastgroup == "decimal":
            raise BadCondition("holds a fraction; write whole minor units, such as 5000 for 50.00")
        if token["name"]:
            is_called = text[at:].lstrip().startswith("(")
            name = _variable(token["name"], is_called=is_called, is_method=before == ".")
            if name:
                used.append(_known(name, types))
        before = token[0] if token.lastgroup != "space" else before
    return tuple(dict.fromkeys(used))


def _variable(name: str, *, is_called: bool, is_method: bool) -> str:
    """The variable in a dotted name, without a function at its end; empty where there is none."""
    if is_called:
        name, _, function = name.rpartition(".")
        if function not in FUNCTIONS:
            raise BadCondition(f"calls {function}; {suggestion(function, FUNCTIONS)}")
        return name
    if is_method:
        raise BadCondition(f"asks for .{name}; name a variable in one word, such as order.total")
    return "" if name in ("true", "false", "in") else name


def _known(name: str, types: Mapping[str, DataType]) -> str:
    if name not in types:
        hint = f"did you mean {_MEANT[name]}?" if name in _MEANT else suggestion(name, types)
        raise BadCondition(f"names {name}, which is not known here; {hint}")
    return name


def _words(message: str) -> str:
    """The library's message in one line of our own words."""
    mixed = _OVERLOAD.search(message)
    if mixed:
        sign = mixed[1].strip("_").replace("@", "")
        return (
            f"puts ({mixed[2]}) around {sign}, which don't go together; compare numbers with "
            "numbers and quoted words with quoted words"
        )
    found = _MISTAKE.search(message)
    why = found[1].split(" expecting ")[0].strip() if found else "it is nested too deep"
    why = why.replace("mismatched input '<EOF>'", "it ends too early")
    return f"is not a condition: {why}; write it like order.subtotal >= 5000"
