"""Wrong tiers, one kind a row."""

from tests.domain.program.wrong_language.texts import GOLD, KEPT, MEMBER, RESERVE, WINDOW

WRONG = {
    "metric": ("metric: spend", "metric: §spent", "tiers.metric", "did you mean spend?"),
    "credits of another kind": (
        "  metric: spend\n  counts: [merchandise]\n  items: {except_categories: [gift_card]}\n",
        "  metric: spend\n  minimum_order: §1.00\n",
        "tiers.minimum_order",
        "has no effect with metric: spend",
    ),
    "multiplied spend": (
        "  grace_days: 30\n",
        "  grace_days: 30\n  include_multipliers: §true\n",
        "tiers.include_multipliers",
        "has no effect with metric: spend",
    ),
    "window": (WINDOW, "  window: §year\n", "tiers.window", "use one of calendar_year"),
    "window's month": (
        "fiscal_year_from: march",
        "fiscal_year_from: §marz",
        "tiers.window.fiscal_year_from",
        "did you mean march?",
    ),
    "two windows": (
        "{fiscal_year_from: march}",
        "§{fiscal_year_from: march, rolling_months: 1}",
        "tiers.window",
        "needs one window",
    ),
    "kept": (KEPT, "  kept: §always\n", "tiers.kept", "write forever, {windows: 1}"),
    "kept for nothing": (KEPT, "  kept: §{}\n", "tiers.kept", "needs one length"),
    "kept for both": (KEPT, "  kept: §{windows: 1, months: 2}\n", "tiers.kept", "one length"),
    "kept for no months": (KEPT, "  kept: {months: §0}\n", "tiers.kept.months", "keeps nothing"),
    "kept to an end": (
        KEPT,
        "  kept: {windows: 1, until_end_of: §year}\n",
        "tiers.kept.until_end_of",
        "belongs to months",
    ),
    "kept and more": (
        KEPT,
        "  kept: {months: 1, plus_months: §2}\n",
        "tiers.kept.plus_months",
        "belongs to windows",
    ),
    "kept for ever in a year": (KEPT, "  kept: §forever\n", "tiers.kept", "only window: lifetime"),
    "kept in a lifetime": (
        WINDOW + KEPT,
        "  window: lifetime\n  kept: §{months: 12}\n",
        "tiers.kept",
        "does not fit window: lifetime; write forever",
    ),
    "kept for rolling windows": (
        WINDOW + KEPT,
        "  window: {rolling_months: 12}\n  kept: §{windows: 1}\n",
        "tiers.kept",
        "a rolling one has no end",
    ),
    "levels turned": (
        "from: 1500.00",
        "from: §500.00",
        "tiers.levels[2].from",
        "is not above level gold; list the levels upwards",
    ),
    "level twice": (
        GOLD,
        GOLD + GOLD.replace("id: gold", "id: §gold").replace("500.00", "600.00"),
        "tiers.levels[2].id",
        "stands twice",
    ),
    "first level": (
        MEMBER,
        MEMBER.replace("0}", "§1.00}"),
        "tiers.levels[0].from",
        "write 0 in the first level",
    ),
    "no levels": (MEMBER + GOLD + RESERVE, "      §[]\n", "tiers.levels", "at least the level"),
    "level's factor": ("r: 1.25", "r: §0", "tiers.levels[1].multiplier", "more than 0"),
    "level's expiry": ("expiry: never,", "expiry: §nevr,", "tiers.levels[1].expiry", "is not an"),
    "level's way down": (
        "expiry: never,",
        "expiry: {after: {days: 90}, §after_downgrade: month},",
        "tiers.levels[1].expiry.after_downgrade",
        "is not a key here",
    ),
    "gift at the beginning": (
        MEMBER,
        MEMBER.replace("from: 0", "from: 0, entry_points: §5"),
        "tiers.levels[0].entry_points",
        "nobody reaches it",
    ),
}
