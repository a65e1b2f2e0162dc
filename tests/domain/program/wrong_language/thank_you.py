"""Wrong thank-you discounts, one kind a row."""

TENTH = "{id: tenth, name: Your tenth order, trigger: {nth_order: 10}, type: free_shipping}"
BACK = (
    "{id: back, name: We missed you, trigger: {lapsed_days: 180}, type: percent_off,"
    " percent_off: 20}"
)
PARTY = "{id: party, name: Birthday, trigger: birthday, type: custom, gives: balloon}"
LOW = "{event: review, field: stars, at_most: 2}"
EARS = (
    "id: ears\n    name: Let us make it up to you\n"
    f"    trigger: {{low_feedback: {LOW}}}\n"
    "    type: custom\n    gives: a call\n    cooldown: {days: 90}\n"
)
GOLD = (
    "id: to_gold\n    name: Welcome to Gold\n    trigger: {tier_reached: gold}\n"
    "    type: percent_off\n    percent_off: 10\n    budget: {month: 300.00}\n"
    "    counts_as: 6.00\n"
)
BUDGET = "budget: {month: 500.00, month_count: 200}"

WRONG = {
    "offer twice": ("{id: party", "{id: §back", "thank_you[4].id", "stands twice"),
    "key of an offer": (BUDGET, "§bugdet: {month: 1.00}", "thank_you[0].bugdet", "mean budget?"),
    "no trigger": (
        PARTY,
        "§{id: party, name: Birthday, type: custom}",
        "thank_you[4].trigger",
        "is missing; add it",
    ),
    "trigger's word": (
        "trigger: birthday",
        "trigger: §birthdy",
        "thank_you[4].trigger",
        "did you mean birthday?",
    ),
    "two triggers": (
        "{nth_order: 10}",
        "§{nth_order: 10, lapsed_days: 3}",
        "thank_you[2].trigger",
        "needs one trigger",
    ),
    "trigger's key": (
        "{nth_order: 10}",
        "§{nth_oder: 10}",
        "thank_you[2].trigger.nth_oder",
        "did you mean nth_order?",
    ),
    "order of no number": ("nth_order: 10", "nth_order: §0", "thank_you[2].trigger.nth_order", "1"),
    "absence of no days": (
        "lapsed_days: 180",
        "lapsed_days: §0",
        "thank_you[3].trigger.lapsed_days",
        "give 1 to 36500",
    ),
    "tier of an offer": (
        "tier_reached: gold",
        "tier_reached: §glod",
        "thank_you[1].trigger.tier_reached",
        "did you mean gold?",
    ),
    "tier that nobody reaches": (
        "tier_reached: gold",
        "tier_reached: §member",
        "thank_you[1].trigger.tier_reached",
        "is where everybody begins",
    ),
    "complaint by an order": (
        "{event: review, field: stars",
        "{event: §order, field: stars",
        "thank_you[5].trigger.low_feedback.event",
        "orders have no score",
    ),
    "complaint by an unknown event": (
        "event: review, field",
        "event: §reviw, field",
        "thank_you[5].trigger.low_feedback.event",
        "did you mean review?",
    ),
    "complaint by a text": (
        LOW,
        "{event: survey, field: §comment, at_most: 2}",
        "thank_you[5].trigger.low_feedback.field",
        "is not a field of type integer; use one of score",
    ),
    "complaint without its field": (
        LOW,
        "§{event: review, at_most: 2}",
        "thank_you[5].trigger.low_feedback.field",
        "review has no whole number score",
    ),
    "complaint without a figure": (
        LOW,
        "§{event: review, field: stars}",
        "thank_you[5].trigger.low_feedback.at_most",
        "is missing; add it",
    ),
    "complaint without a pause": (
        EARS,
        "§" + EARS.replace("    cooldown: {days: 90}\n", ""),
        "thank_you[5].cooldown",
        "would get one each time",
    ),
    "pause of what comes once": (
        TENTH,
        TENTH.replace("}, type", "}, cooldown: §{days: 1}, type"),
        "thank_you[2].cooldown",
        "a member has that order once",
    ),
    "pause of two units": (
        "cooldown: {days: 30}",
        "cooldown: §{days: 30, hours: 1}",
        "thank_you[0].cooldown",
        "needs one length",
    ),
    "amount of a percentage": (
        BACK,
        BACK.replace("percent_off: 20", "percent_off: 20, amount_off: §5.00"),
        "thank_you[3].amount_off",
        "does not belong to an offer of type percent_off",
    ),
    "offer of nothing": (
        BACK,
        "§" + BACK.replace(", percent_off: 20", ""),
        "thank_you[3].percent_off",
        "say what the offer gives",
    ),
    "words of an amount": (
        BUDGET,
        f"{BUDGET}\n    gives: §money",
        "thank_you[0].gives",
        "does not belong",
    ),
    "code of what the shop gives": (
        "gives: balloon",
        "gives: balloon, settlement: §stripe_promotion_code",
        "thank_you[4].settlement",
        "write app_applied",
    ),
    "budget of nothing": (BUDGET, "budget: §{}", "thank_you[0].budget", "limits nothing"),
    "budget of no number": (
        "month_count: 200",
        "month_count: §0",
        "thank_you[0].budget.month_count",
        "give 1 to",
    ),
    "budget below one": (
        "budget: {month: 500.00,",
        "budget: {month: §4.99,",
        "thank_you[0].budget.month",
        "less than one offer counts",
    ),
    "budget below one guess": (
        "budget: {month: 300.00}",
        "budget: {month: §5.99}",
        "thank_you[1].budget.month",
        "less than one offer counts",
    ),
    "percentage in a budget of money": (
        GOLD,
        "§" + GOLD.replace("    counts_as: 6.00\n", ""),
        "thank_you[1].counts_as",
        "has to know what one percent_off counts as",
    ),
    "guess about an amount": (
        BUDGET,
        f"{BUDGET}\n    counts_as: §4.00",
        "thank_you[0].counts_as",
        "an amount counts as itself",
    ),
    "guess without a budget": (
        "gives: balloon",
        "gives: balloon, counts_as: §4.00",
        "thank_you[4].counts_as",
        "there is no budget in money",
    ),
}
