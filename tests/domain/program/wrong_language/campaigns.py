"""Wrong campaigns, one kind a row."""

from tests.domain.program.wrong_language.texts import BONUS, WEEKEND

WRONG = {
    "campaign twice": ("{id: bonus", "{id: §weekend", "campaigns[2].id", "stands twice"),
    "campaign without a factor": (
        WEEKEND,
        "  - §{id: weekend, name: Weekend}\n",
        "campaigns[1].multiplier",
        "is missing; add it, or bonus_points",
    ),
    "factor and bonus": (
        "bonus_points: 100",
        "multiplier: 2, bonus_points: §100",
        "campaigns[2].bonus_points",
        "stands beside multiplier",
    ),
    "negative factor": ("gold: 3,", "gold: §-3,", "campaigns[1].multiplier.gold", "below zero"),
    "factor of zero": ("multiplier: 2\n", "multiplier: §0\n", "campaigns[0].multiplier", "than 0"),
    "tier of a factor": (
        "{gold: 3,",
        "{§golden: 3,",
        "campaigns[1].multiplier.golden",
        "did you mean gold?",
    ),
    "no factors": ("{gold: 3, member: 3/2}", "§{}", "campaigns[1].multiplier", "is empty"),
    "campaign on what": ("[order, survey]", "[order, §surve]", "campaigns[2].on[1]", "survey?"),
    "campaign on nothing": ("[order, survey]", "§[]", "campaigns[2].on", "is empty"),
    "no such rule": (
        "rules: [purchase]",
        "rules: [§purchse]",
        "campaigns[0].rules[0]",
        "is not a rule; did you mean purchase?",
    ),
    "rule on another fact": (
        "rules: [purchase]",
        "rules: [§reload]",
        "campaigns[0].rules[0]",
        "earns on card_reload, which is not under on",
    ),
    "rule without campaigns": (
        WEEKEND,
        "  - {id: w2, name: W, on: [order, sign_up], rules: [§hello], multiplier: 2}\n",
        "campaigns[1].rules[0]",
        "takes no campaigns",
    ),
    "nothing to multiply": (
        WEEKEND,
        "  - §{id: weekend, name: W, on: [sign_up], multiplier: 2}\n",
        "campaigns[1]",
        "multiplies nothing",
    ),
    "items of a campaign on events": (
        BONUS,
        BONUS.replace("}", ", items: §{skus: [x]}}"),
        "campaigns[2].items",
        "belongs to orders",
    ),
    "instead of nothing": (
        BONUS,
        BONUS.replace("}", ", instead_of_tier: §true}"),
        "campaigns[2].instead_of_tier",
        "has no effect with bonus_points",
    ),
}
