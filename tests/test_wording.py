"""Every language says everything, and writes figures as its readers do."""

import ast
from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from babel import Locale

import loyalty_service
from loyalty_service import wording
from loyalty_service.wording import FALLBACK, OF, Figure, Money, catalogue, voice

PACKAGE = Path(loyalty_service.__file__).parent
ENGLISH = catalogue(FALLBACK)


@pytest.fixture(params=wording.languages())
def language(request: pytest.FixtureRequest) -> str:
    """Each file that there is: a new one is held to the same."""
    return str(request.param)


def test_english_and_german_are_spoken() -> None:
    assert set(wording.languages()) >= {"de", "en"}


def test_a_language_has_the_keys_of_every_other(language: str) -> None:
    own = catalogue(language)
    assert list(own) == list(ENGLISH)
    for section in ("reasons", "events", "sentences"):
        assert set(own[section]) == set(ENGLISH[section]), section


def test_a_language_fills_in_what_every_other_does(language: str) -> None:
    for key, entry in catalogue(language)["sentences"].items():
        assert named(entry) == named(ENGLISH["sentences"][key]), key


def test_plural_forms_are_complete(language: str) -> None:
    forms = {*Locale.parse(language, sep="-").plural_form.tags, "other"}
    for key, entry in catalogue(language)["sentences"].items():
        if not isinstance(entry, str):
            assert set(entry) - {OF} == forms, key
            # A form may say no number at all: "it is owed".
            english = ENGLISH["sentences"][key]
            decided_by = {english.get(OF)} if isinstance(english, Mapping) else set()
            assert entry[OF] in named(entry) | decided_by, key


def test_what_says_a_figure_is_an_entry_for_one(language: str) -> None:
    sentences = catalogue(language)["sentences"]
    for key, entry in sentences.items():
        for text in texts(entry):
            for _, _, said_by, _ in Formatter().parse(text):
                if said_by and said_by != wording.BARE:
                    assert named(sentences[said_by]) == {"n"}, key


def test_no_text_is_left_empty(language: str) -> None:
    own = catalogue(language)
    said = [*own["reasons"].values(), *own["events"].values()]
    said += [text for entry in own["sentences"].values() for text in texts(entry)]
    assert all(isinstance(text, str) and text for text in said)


def test_every_key_that_is_said_is_there_and_every_other_is_gone() -> None:
    said = {key for file in sorted(PACKAGE.rglob("*.py")) for key in keys_said(file)}
    nested = {
        spec
        for entry in ENGLISH["sentences"].values()
        for text in texts(entry)
        for _, _, spec, _ in Formatter().parse(text)
        if spec and spec != wording.BARE
    }
    assert said | nested == set(ENGLISH["sentences"])


@pytest.mark.parametrize(
    ("source", "keys"),
    [
        ("voice.say('a', n=1)", {"a"}),
        ("voice.say('a' if b else 'c')", {"a", "c"}),
        ("_KEYS = {1: 'a', 2: 'b'}\nvoice.say(_KEYS[x])", {"a", "b"}),
        ("_KEYS = {1: 'a'}\nkey = _KEYS.get(x, 'b')\nvoice.say(key)", {"a", "b"}),
        ("def f():\n    return 'a'\nvoice.say(f(x))", {"a"}),
    ],
)
def test_the_search_for_keys_finds_them(tmp_path: Path, source: str, keys: set[str]) -> None:
    file = tmp_path / "planted.py"
    file.write_text(source)
    assert set(keys_said(file)) == keys


@pytest.mark.parametrize(
    ("tag", "figure", "written"),
    [
        ("en", 1234567, "1,234,567"),
        ("de", 1234567, "1.234.567"),
        ("de-CH", 1234567, "1\u2019234\u2019567"),
        ("en-IN", 1234567, "12,34,567"),
        ("en", Fraction(5, 4), "1.25"),
        ("de", Fraction(5, 4), "1,25"),
        ("de", Fraction(4, 3), "4/3"),
        ("en", Money(123456, "eur"), "1,234.56 EUR"),
        ("de", Money(123456, "eur"), "1.234,56 EUR"),
        ("de", Money(5, "eur"), "0,05 EUR"),
        ("en", Money(1500, "jpy"), "1,500 JPY"),
        ("de", Money(1500, "kwd"), "1,500 KWD"),
        # Unicode has no decimals for the dinar of Iraq; ISO and the ledger have three.
        ("en", Money(1500, "iqd"), "1.500 IQD"),
        ("en", Money(2**53 - 1, "eur"), "90,071,992,547,409.91 EUR"),
        ("en", date(2030, 1, 24), "24 January 2030"),
        ("de", date(2030, 1, 24), "24. Januar 2030"),
        ("de-AT", date(2030, 1, 24), "24. Jänner 2030"),
        ("de", "a name {in} braces", "a name {in} braces"),
    ],
)
def test_a_figure_is_written_as_its_readers_do(tag: str, figure: Figure, written: str) -> None:
    assert voice(tag).written(figure) == written


@pytest.mark.parametrize(
    ("tag", "spoken", "country"),
    [
        ("de", "de", "de"),
        ("de-AT", "de", "de_AT"),
        ("de_at", "de", "de_AT"),
        ("DE-at", "de", "de_AT"),
        ("de-XX", "de", "de"),
        ("de-DE-u-co-phonebk", "de", "de_DE"),
        ("en-US", "en", "en_US"),
        ("xx", "en", "en"),
        ("", "en", "en"),
        ("../en", "en", "en"),
        ("*", "en", "en"),
        ("d" * 35, "en", "en"),
        (None, "en", "en"),
    ],
)
def test_a_tag_leads_to_its_language_and_else_to_english(
    tag: str | None, spoken: str, country: str
) -> None:
    found = voice(tag)
    assert (found.language, str(found.locale)) == (spoken, country)


def test_nobody_speaks_a_language_without_a_file() -> None:
    assert wording.find("fr") is None
    assert wording.find("deu") is None


def test_a_number_decides_the_form() -> None:
    assert [voice("en").say("points", n=n) for n in (0, 1, 2)] == [
        "0 points",
        "1 point",
        "2 points",
    ]
    assert voice("de").say("points", n=Fraction(3, 2)) == "1,5 Punkte"


def test_what_a_program_named_itself_is_said_as_it_is_written() -> None:
    for name in ("en", "de"):
        assert voice(name).reason("moving_house") == "moving house"
        assert voice(name).event("card_reload") == "Card reload"
    assert voice("de").event("sign_up") == "Anmeldung"


def texts(entry: Any) -> list[str]:
    """All forms of an entry."""
    if not isinstance(entry, Mapping):
        return [entry]
    return [text for form, text in entry.items() if form != OF]


def named(entry: Any) -> set[str]:
    """The figures that an entry fills in, and the one that decides its form."""
    parsed = (Formatter().parse(text) for text in texts(entry))
    return {name for parts in parsed for _, name, _, _ in parts if name}


def keys_said(file: Path) -> Iterator[str]:
    """The keys of every `say(...)` of a file; a test fails on one that can't be read."""
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "say" and node.args:
            yield from _keys(node.args[0], tree)


def _keys(node: ast.expr, tree: ast.Module) -> Iterator[str]:
    match node:
        case ast.Constant(value=str() as key):
            yield key
        case ast.IfExp(body=first, orelse=second):
            yield from _keys(first, tree)
            yield from _keys(second, tree)
        case ast.Dict(values=values):
            for value in values:
                yield from _keys(value, tree)
        case ast.Subscript(value=ast.Name(id=name)) | ast.Name(id=name):
            for found in _assigned(name, tree):
                yield from _keys(found, tree)
        case ast.Call():
            for found in _called(node, tree):
                yield from _keys(found, tree)
        case _:
            raise AssertionError(f"say() with {ast.dump(node)}: write the key where it can be read")


def _called(node: ast.Call, tree: ast.Module) -> list[ast.expr]:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get"), args=[_, default]):
            return [*_assigned(name, tree), default]
        case ast.Call(func=ast.Name(id=name)):
            return _returned(name, tree)
    raise AssertionError(f"say() with {ast.dump(node)}: write the key where it can be read")


def _assigned(name: str, tree: ast.Module) -> list[ast.expr]:
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id == name
    ]


def _returned(name: str, tree: ast.Module) -> list[ast.expr]:
    return [
        inner.value
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == name
        for inner in ast.walk(node)
        if isinstance(inner, ast.Return) and inner.value
    ]
