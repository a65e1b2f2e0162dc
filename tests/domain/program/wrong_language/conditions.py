"""Wrong conditions, one kind a row."""

from tests.domain.program.wrong_language.texts import BONUS, WHEN

WRONG = {
    "name in a condition": (WHEN, "§'order.totl > 1'", "earning[0].when", "mean order.total?"),
    "no yes or no": (WHEN, "§'order.total'", "earning[0].when", "gives a number; compare it"),
    "fraction": (WHEN, "§'order.total > 1.5'", "earning[0].when", "5000 for 50.00"),
    "types": (WHEN, "§'order.total > \"a\"'", "earning[0].when", "don't go together"),
    "loop": (WHEN, "§'[1, 2].all(x, x > 1)'", "earning[0].when", "calls all; use one of contains"),
    "half a condition": (WHEN, "§'order.total >'", "earning[0].when", "ends too early"),
    "one equals sign": (WHEN, "§'order.total = 1'", "earning[0].when", "did you mean ==?"),
    "and": (WHEN, "§'order.total > 1 and true'", "earning[0].when", "did you mean &&?"),
    "long condition": (WHEN, f"§'{'1+' * 500}1 > 0'", "earning[0].when", "within 1000 characters"),
    "item in an order": (WHEN, "§'item.amount > 1'", "earning[0].when", "names item.amount"),
    "order in an item": (
        "'item.unit_amount >= 1000'",
        "§'order.total > 1'",
        "earning[0].items.when",
        "names order.total, which is not known here; use one of item.sku",
    ),
    "order in an event": (
        "on: sign_up, ",
        "on: sign_up, when: §'order.total > 1', ",
        "earning[4].when",
        "names order.total",
    ),
    "order in a reward": (
        "'member.enrolled_days > 30'",
        "§'order.total > 1'",
        "rewards[2].eligible.when",
        "names order.total",
    ),
    "field that one fact lacks": (
        BONUS,
        BONUS.replace("}", ", when: §'event.score > 1'}"),
        "campaigns[2].when",
        "names event.score",
    ),
}
