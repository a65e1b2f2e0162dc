"""Rules that give once for an order: only where a line that they name is there."""

from loyalty_service.domain import earning
from tests.domain.program.documents import a_program

SERUM = "  - {id: serum, on: order, points: 100, items: {skus: [serum]}, pending_days: 14}\n"
PROGRAM = a_program(("    pending_days: 14\n", "    pending_days: 14\n" + SERUM))
BOTH = earning.OrderFacts(
    "eur", (earning.Line("serum", None, 1, 1000), earning.Line("bun", None, 1, 500)), 0, 0, 0
)
BUN = earning.OrderFacts("eur", (earning.Line("bun", None, 1, 500),), 0, 0, 0)


def test_a_fixed_rule_gives_where_a_line_that_it_names_is_there() -> None:
    assert earning.earn(PROGRAM, BOTH).points == 15 + 100


def test_a_fixed_rule_gives_nothing_where_no_line_that_it_names_is_there() -> None:
    assert earning.earn(PROGRAM, BUN).points == 5


def test_a_fixed_rule_gives_nothing_once_all_that_it_names_came_back() -> None:
    left = earning.left_of(BOTH, [earning.RefundFacts(items=(("serum", 1),))])

    assert earning.earn_left(PROGRAM, left, earning.Pins(), on=None).points == 5
