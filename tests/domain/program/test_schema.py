"""The schema that editors use knows what the parser knows, and refuses nothing that is right."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty_service.domain.program import parsing
from loyalty_service.domain.program.places import Section
from tests.domain.program.documents import EVERYTHING, SMALL, changed

PROGRAMS = Path(__file__).parents[3] / "programs"
SCHEMA = json.loads((PROGRAMS / "program.schema.json").read_text(encoding="utf-8"))
CHECK = jsonschema.Draft202012Validator(SCHEMA)
HEADER = "# yaml-language-server: $schema=program.schema.json\n"
FREE = {"events", "events.*", "campaigns[].multiplier", "rewards[].eligible.birthday"}
"""Mappings whose keys are the shop's own names."""

OTHER_FORMS = [
    SMALL,
    changed(("after: {months: 12}", "after: {days: 90}"), document=SMALL),
    changed(
        ("{after: {months: 24}, until_end_of: month}", "{after_inactivity: {days: 50}}"),
        document=EVERYTHING,
    ),
    changed(("{fiscal_year_from: march}", "calendar_year"), document=EVERYTHING),
    changed(
        ("{fiscal_year_from: march}", "{rolling_months: 12}"),
        ("{windows: 1, plus_months: 1}", "{months: 12, until_end_of: year}"),
        document=EVERYTHING,
    ),
]


class Core(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML as editors read it (1.2): `on` is a word, and a date is text."""


Core.yaml_implicit_resolvers = {
    letter: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag.rsplit(":", 1)[1] in ("int", "float", "null")
    ]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Core.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), list("tf"))


def read(text: str) -> Any:
    return yaml.load(text, Core)


def parses(text: str) -> bool:
    try:
        parsing.parse(text)
    except parsing.InvalidProgram:
        return False
    return True


@pytest.mark.parametrize("file", sorted(PROGRAMS.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_shipped_program_names_the_schema_and_passes(file: Path) -> None:
    text = file.read_text(encoding="utf-8")

    assert text.startswith(HEADER)
    CHECK.validate(read(text))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("text", [EVERYTHING, *OTHER_FORMS])
def test_every_form_of_the_language_passes(text: str) -> None:
    assert parses(text)
    CHECK.validate(read(text))


def test_an_unknown_key_is_refused_in_every_section() -> None:
    document = read(EVERYTHING)
    passed = []
    for path, section in sections(document):
        section["q0q"] = "x"
        if CHECK.is_valid(document):
            passed.append(path)
        del section["q0q"]

    assert passed == []
    CHECK.validate(document)


WORDS = [
    ("earn_when: paid", "earn_when: payed"),
    ("earn_when: paid", "earn_wen: paid"),
    ("stacking: multiply", "stacking: add"),
    ("weekdays: [sat, sun]", "weekdays: [sunday]"),
    ("birthday: month", "birthday: week"),
    ("metric: spend", "metric: money"),
    ("{fiscal_year_from: march}", "{fiscal_year_from: 3}"),
    ("{windows: 1, plus_months: 1}", "{windows: 1, months: 1}"),
    ("downgrade: one_step", "downgrade: two_steps"),
    ("activity: [order, event, redemption, gift]", "activity: [visit]"),
    ("type: free_product", "type: free_thing"),
    ("{count: 1, per: year}", "{count: 1, per: week}"),
    ('comment?": string', 'comment?": text'),
    ("multiplier: 2\n", "multiplier: -2\n"),
    ("multiplier: 2\n", "multiplier: 2\n    bonus_points: 5\n"),
    ("  - {id: brush, on: order, ", "  - {id: brush, "),
    ("carry: true", "carry: maybe"),
    ("after_inactivity: {months: 18}", "after_inactivity: {months: 18, days: 2}"),
    ("balance_cap: 20000", "balance_cap: 0"),
    (
        "from: 2026-01-01\n    until: 2026-12-31\n    weekdays: [sat",
        "from: 1 May\n    weekdays: [sat",
    ),
]


@pytest.mark.parametrize(("old", "new"), WORDS, ids=[new for _, new in WORDS])
def test_a_wrong_word_is_refused(old: str, new: str) -> None:
    text = changed((old, new), document=EVERYTHING)

    assert not parses(text)
    assert not CHECK.is_valid(read(text))


NUMBERS = (0, 1, 7, 1.5, 12.25, "1/2", "0")
TEXTS = "x order item never same forever gold floor month lifetime 2026-06-01 true member.tier"
OTHERS = ([], {}, None, {"months": 3}, {"windows": 2}, ["order"], ["gold"])


@settings(max_examples=min(60, settings().max_examples), deadline=None)
@given(st.data())
def test_what_the_parser_takes_the_schema_takes(data: st.DataObject) -> None:
    document = read(EVERYTHING)
    for _ in range(data.draw(st.integers(1, 3))):
        places = [(section, key) for _, section in sections(document) for key in section]
        section, key = data.draw(st.sampled_from(places))
        if data.draw(st.booleans()):
            del section[key]
        else:
            section[key] = data.draw(st.sampled_from([*NUMBERS, *TEXTS.split(), *OTHERS]))
    text = yaml.safe_dump(document, sort_keys=False)

    if parses(text):
        CHECK.validate(read(text))


def test_the_schema_has_the_keys_that_the_parser_asks_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, set[str]] = {}
    refuse_others = Section.refuse_others

    def remember(section: Section) -> None:
        path = re.sub(r"\[\d+\]", "[]", section.place.path)
        asked.setdefault(path, set()).update(section._asked)
        refuse_others(section)

    monkeypatch.setattr(Section, "refuse_others", remember)
    for text in (EVERYTHING, *OTHER_FORMS):
        parsing.parse(text)

    known = {path: keys for path, keys in described(SCHEMA, "") if path not in FREE}
    assert known == asked


def test_every_key_is_described() -> None:
    silent = [
        path
        for path, schema in properties(SCHEMA, "")
        if "description" not in (schema if "description" in schema else resolved(schema))
    ]

    assert silent == []


def sections(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping of a document, with its path."""
    if isinstance(node, dict):
        yield path, node
        for key, value in list(node.items()):
            yield from sections(value, f"{path}.{key}")
    elif isinstance(node, list):
        for value in node:
            yield from sections(value, f"{path}[]")


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without its reference to a named one."""
    return SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def described(schema: dict[str, Any], path: str) -> Iterator[tuple[str, set[str]]]:
    """Each mapping that the schema knows: its path and its keys."""
    schema = resolved(schema)
    for other in schema.get("anyOf", []):
        yield from described(other, path)
    if "properties" in schema:
        yield path, set(schema["properties"])
        for key, inner in schema["properties"].items():
            yield from described(inner, f"{path}.{key}" if path else key)
    if isinstance(schema.get("items"), dict):
        yield from described(schema["items"], f"{path}[]")


def properties(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each key that the schema knows: its path and what is said about it."""
    schema = resolved(schema)
    below = [schema["items"]] if isinstance(schema.get("items"), dict) else []
    for other in [*schema.get("anyOf", []), *below]:
        yield from properties(other, path)
    for key, inner in schema.get("properties", {}).items():
        yield f"{path}.{key}", inner
        yield from properties(inner, f"{path}.{key}")
