"""Where a fault is reported and which words it uses."""

import pytest

from loyalty_service.domain.program import parsing
from tests.domain.program import wrong_language
from tests.domain.program.documents import EVERYTHING, changed
from tests.domain.program.wrong import LAST, SLAB, WRONG


def faults_of(text: str) -> tuple[parsing.ProgramFault, ...]:
    with pytest.raises(parsing.InvalidProgram) as refused:
        parsing.parse(text)
    return refused.value.faults


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_place_is_named_with_its_line_and_what_would_be_right(kind: str) -> None:
    old, new, line, path, words = WRONG[kind]

    (fault,) = faults_of(changed((old, new)))

    assert (fault.line, fault.path) == (line, path)
    assert words in str(fault)


@pytest.mark.parametrize("kind", wrong_language.WRONG)
def test_a_wrong_place_in_any_section_is_named(kind: str) -> None:
    old, marked, path, words = wrong_language.WRONG[kind]
    text = changed((old, marked), document=EVERYTHING)
    line = text[: text.index("§")].count("\n") + 1

    (fault,) = faults_of(text.replace("§", ""))

    assert (fault.line, fault.path) == (line, path)
    assert words in str(fault)


def test_every_fault_is_named_from_top_to_bottom() -> None:
    text = changed(("floor", "flor"), ("name: Shop", "name:"), ("currency: eur", "currency: xyz"))

    assert [fault.line for fault in faults_of(text)] == [2, 4, 11]


def test_a_fault_reads_as_one_line() -> None:
    with pytest.raises(parsing.InvalidProgram) as refused:
        parsing.parse(changed((SLAB, "- {points: 100, amount_off: 8.00}"), ("floor", '"a\\nb"')))

    assert str(refused.value).splitlines() == [
        r"line 11, earning[0].rounding: 'a\nb' is not known here; "
        "use one of floor, nearest, ceiling",
        "line 21, rewards[0].slabs[1].points: '100' stands twice; "
        "give each slab its own number of points",
    ]


def test_a_long_value_is_cut_short_in_the_message() -> None:
    (fault,) = faults_of(changed(("name: Shop", f"name: {'x' * 5000}")))

    assert len(str(fault)) < 200


def test_a_key_written_into_the_document_is_refused_and_never_shown() -> None:
    (fault,) = faults_of(changed((LAST, LAST + "stripe: {api_key_env: sk_live_51Hsecret}\n")))

    assert "write the NAME of the variable" in fault.message
    assert "51Hsecret" not in str(fault) + fault.value
