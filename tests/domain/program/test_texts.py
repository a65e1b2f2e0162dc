"""Texts that are no document at all, and texts made to hurt the reader."""

import itertools

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from loyalty_service.domain.program import parsing
from tests.domain.program.documents import SMALL, changed

UNREADABLE = {
    "nothing": ("", 1, "is empty"),
    "only a comment": ("# rules\n", 1, "is empty"),
    "a list": ("- id: shop\n", 1, "is not a set of keys"),
    "a word": ("shop\n", 1, "is not a set of keys"),
    "a tab": ("id: shop\n\tname: x\n", 2, "is not YAML here"),
    "an open bracket": ("id: shop\nname: [a\n", 3, "is not YAML here"),
    "two documents": (SMALL + "---\nid: other\n", 26, "holds a second document"),
    "a control character": ("id: shop\nname: a\x00b\n", 2, "a character that YAML does not allow"),
    "an impossible escape": ('id: "\\UFFFFFFFF"\n', 1, "an escape that is no character"),
    "too long": (SMALL + "#" * (256 * 1024), 1, "keep it within 256 KiB"),
    "too deep": ("a: " + "[" * 5000 + "]" * 5000, 1, "nested too deep"),
    "deep by lines": ("".join(" " * n + "a:\n" for n in range(400)), 16, "nested too deep"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_text_that_is_no_document_is_refused_at_its_line(kind: str) -> None:
    text, line, words = UNREADABLE[kind]

    with pytest.raises(parsing.InvalidProgram) as refused:
        parsing.parse(text)

    (fault, *_) = refused.value.faults
    assert fault.line == line
    assert words in str(fault)


def test_a_text_of_the_longest_length_is_read() -> None:
    padding = "#" * (256 * 1024 - len(SMALL))

    assert parsing.parse(SMALL + padding).id == "shop"


def test_aliases_that_would_multiply_are_refused_without_being_followed() -> None:
    names = "abcdefghij"
    bomb = "a: &a [x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
        for before, name in itertools.pairwise(names)
    )

    with pytest.raises(parsing.InvalidProgram):
        parsing.parse(SMALL + bomb)


def test_more_rewards_than_allowed_are_refused() -> None:
    reward = "  - {{id: r{}, name: R, type: percent_off, points: 5, percent_off: 5}}\n"
    many = "".join(reward.format(number) for number in range(100, 300))

    with pytest.raises(parsing.InvalidProgram, match="has 201 entries; give at most 200"):
        parsing.parse(changed(("goodwill:\n", many + "goodwill:\n")))


def test_more_slabs_than_allowed_are_refused() -> None:
    slab = "      - {{points: {0}, amount_off: {0}}}\n"
    many = "".join(slab.format(points) for points in range(1000, 1099))

    with pytest.raises(parsing.InvalidProgram, match="has 101 entries; give at most 100"):
        parsing.parse(changed(("goodwill:\n", many + "goodwill:\n")))


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.dates()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
LINES = SMALL.splitlines()


@given(st.text(max_size=400))
def test_any_text_is_read_or_refused_by_name(text: str) -> None:
    with pytest.raises(parsing.InvalidProgram) as refused:
        parsing.parse(text)

    assert str(refused.value)


@given(value=VALUES, key=st.sampled_from(list(yaml.safe_load(SMALL))))
def test_any_value_under_any_key_is_read_or_refused_by_name(value: object, key: str) -> None:
    document = yaml.safe_load(SMALL) | {key: value}

    try:
        parsing.parse(yaml.safe_dump(document))
    except parsing.InvalidProgram as refused:
        assert all(fault.line >= 1 and fault.path for fault in refused.faults)


@given(st.sampled_from(range(len(LINES))), st.text(max_size=20))
def test_any_damaged_line_is_read_or_refused_by_name(index: int, text: str) -> None:
    damaged = [*LINES[:index], LINES[index][: len(text)] + text, *LINES[index + 1 :]]

    try:
        parsing.parse("\n".join(damaged))
    except parsing.InvalidProgram as refused:
        assert refused.faults
