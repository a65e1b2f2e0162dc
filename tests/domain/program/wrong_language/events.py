"""Wrong events, one kind a row."""

from tests.domain.program.wrong_language.texts import CARD

WRONG = {
    "event is a list": (CARD, "  card_reload: §[amount]\n", "events.card_reload", "set of keys"),
    "event called order": (CARD, CARD + "  §order: {}\n", "events.order", "the word for orders"),
    "event's name": (CARD, CARD + "  §Card-Load: {}\n", "events.Card-Load", "is not an id"),
    "field's type": (
        CARD,
        CARD + "  tip: {amount: §text}\n",
        "events.tip.amount",
        "use one of integer, string, boolean, money, member",
    ),
    "field's name": (CARD, CARD + "  tip: {§A: money}\n", "events.tip.A", "write it like amount"),
    "field a word": (CARD, CARD + "  tip: {§in: money}\n", "events.tip.in", "use otherwise"),
    "field twice": (
        CARD,
        CARD + "  tip: §{by: member, 'by?': member}\n",
        "events.tip",
        "with and without its ?",
    ),
}
