"""Wrong rules, campaigns, tiers and rewards, one kind a row, put into the document of every key.

Old text, new text, path of the fault, its words. `§` marks the place whose line is named.
"""

PURCHASE = "  - id: purchase\n    on: order\n"
CARD = "  card_reload: {amount: money}\n"
HELLO = "  - {id: hello, on: sign_up, points: 50, campaigns: false, cooldown: {days: 1}}\n"
BRUSH = "{id: brush, on: order, points: 5, per: item, items: {skus: [brush]}, pending_days: 14}"
RELOAD = "{id: reload, on: card_reload, points: 10, per: 30.00, of: amount, rounding: nearest}"
WEEKEND = "  - {id: weekend, name: Weekend, multiplier: {gold: 3, member: 3/2}}\n"
BONUS = "{id: bonus, name: Bonus, on: [order, survey], bonus_points: 100}"
MEMBER = "    - {id: member, name: Member, from: 0}\n"
GOLD = (
    "    - {id: gold, name: Gold, from: 500.00, multiplier: 1.25, expiry: never,"
    " entry_points: 100}\n"
)
RESERVE = (
    "    - id: reserve\n      name: Reserve\n      from: 1500.00\n"
    "      expiry: {after: {months: 24}, until_end_of: month}\n"
)
LENGTH = "  after_inactivity: {months: 18}\n"
ACTIVITY = "  activity: [order, event, redemption, gift]\n"
LATER = f"expiry:\n{LENGTH}{ACTIVITY}  until_end_of: quarter\n  after_downgrade: quarter\n"
CAPS = "    caps: {once: 100, day: 200, month: 1000, year: 5000, ever: 10000}\n"
TIMES = "    times: {day: 1, month: 2, year: 3, ever: 4}\n"
WINDOW = "  window: {fiscal_year_from: march}\n"
KEPT = "  kept: {windows: 1, plus_months: 1}\n"
PAY = "{points: 100, worth: 1.00, minimum: 500, step: 100, maximum: 10000}"
SHIP = "{id: ship, name: Free delivery, type: free_shipping, points: 50, eligible: {birthday: 7}}"
TALK = "{id: talk, name: A talk, type: custom, points: 500, gives: an hour, per_member: 1}"
GIFT = "    per_member: {count: 1, per: year}\n"
WHEN = "'order.subtotal >= 5000 && member.tier != \"basic\"'"

WRONG = {
    # the document as a whole
    "moment": ("earn_when: paid", "earn_when: §fulfiled", "earn_when", "mean fulfilled?"),
    "cap of nothing": ("balance_cap: 20000", "balance_cap: §0", "balance_cap", "give 1 to"),
    "worth": ("worth: 2.50", "worth: §0", "point_value.worth", "above zero"),
    "stacking": ("multiply", "§add", "stacking", "use one of best, sum, multiply"),
    # events
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
    # rules
    "unknown event": ("on: sign_up", "on: §sign_upp", "earning[4].on", "did you mean sign_up?"),
    "event far off": ("on: sign_up", "on: §zzz", "earning[4].on", "declare it under events, or"),
    "key of a rule": (CAPS, "    §capps: {day: 1}\n", "earning[0].capps", "did you mean caps?"),
    "nothing earned": (
        "points: 0, tier_points: 1/2",
        "points: §0",
        "earning[2].points",
        "give more than 0",
    ),
    "nothing twice": (
        "points: 0, tier_points: 1/2",
        "points: §0, tier_points: 0",
        "earning[2].points",
        "give more than 0",
    ),
    "negative points": ("points: 5,", "points: §-5,", "earning[1].points", "is below zero"),
    "qualifying word": ("tier_points: same", "tier_points: §all", "earning[0].tier_points", "1/2"),
    "per a word": ("per: item,", "per: §items,", "earning[1].per", "write item, or an amount"),
    "per item of an event": ("per: 30.00, of: amount", "per: §item", "earning[3].per", "no items"),
    "no money named": (
        RELOAD,
        RELOAD.replace("of: amount, ", "").replace("{id", "§{id"),
        "earning[3].of",
        "is missing; add it",
    ),
    "no such money": ("of: amount", "of: §amont", "earning[3].of", "did you mean amount?"),
    "money of a number": (
        RELOAD,
        "{id: asked, on: survey, points: 1, per: 1.00, of: §score, rounding: floor}",
        "earning[3].of",
        "is not a field of type money; survey has none",
    ),
    "money of a fixed rule": (
        RELOAD,
        "{id: reload, on: card_reload, points: 10, of: §amount}",
        "earning[3].of",
        "divides nothing",
    ),
    "money without rounding": (
        RELOAD,
        "§" + RELOAD.replace(", rounding: nearest", ""),
        "earning[3].rounding",
        "is missing; add it",
    ),
    "money of an order": (PURCHASE, PURCHASE + "    of: §amount\n", "earning[0].of", "to events"),
    "counts of an event": (
        "on: sign_up, ",
        "on: sign_up, counts: §[merchandise], ",
        "earning[4].counts",
        "belongs to orders",
    ),
    "items of an event": (
        "on: sign_up, ",
        "on: sign_up, items: §{skus: [x]}, ",
        "earning[4].items",
        "belongs to orders",
    ),
    "items of nothing": ("items: {skus: [brush]}", "items: §{}", "earning[1].items", "no lines"),
    "items listed": ("skus: [brush]", "skus: §[]", "earning[1].items.skus", "is empty"),
    "items twice": ("[brush]", "[brush, §brush]", "earning[1].items.skus[1]", "stands twice"),
    "wait of an order": (
        BRUSH,
        "§" + BRUSH.replace(", pending_days: 14", ""),
        "earning[1].pending_days",
        "is missing",
    ),
    "waits of an event": (
        HELLO,
        HELLO + "  - {id: again, on: sign_up, points: 1, pending_days: §2}\n",
        "earning[5].pending_days",
        "the points of one sign_up wait together, so give 0 in each rule",
    ),
    "no such day": (
        "from: 2026-01-01\n    until: 2026-12-31\n    weekdays: [sat",
        "from: §2026-02-30\n    weekdays: [sat",
        "earning[0].from",
        "is not a date of the calendar",
    ),
    "never": (
        "from: 2026-01-01\n    until: 2026-12-31\n    weekdays: [sat",
        "from: §2027-01-01\n    until: 2026-12-31\n    weekdays: [sat",
        "earning[0].from",
        "'2027-01-01' is after until; give 2026-12-31 or an earlier day",
    ),
    "weekday": ("[sat, sun]", "[sat, §sunday]", "earning[0].weekdays[1]", "did you mean sun?"),
    "no weekday": ("[sat, sun]", "§[]", "earning[0].weekdays", "list some of mon, tue"),
    "tier of a rule": (
        "    tiers: [gold]\n",
        "    tiers: [§glod]\n",
        "earning[0].tiers[0]",
        "did you mean gold?",
    ),
    "birthday": ("birthday: month", "birthday: §week", "earning[0].birthday", "one of day, month"),
    "least spend": ("spend: 25.00", "spend: §0", "earning[0].minimum_spend", "above zero"),
    "least spend of an event": (
        "on: sign_up, ",
        "on: sign_up, minimum_spend: §1.00, ",
        "earning[4].minimum_spend",
        "belongs to orders",
    ),
    "cap of zero": ("once: 100", "once: §0", "earning[0].caps.once", "give 1 to"),
    "cap a week": ("once: 100", "§week: 100", "earning[0].caps.week", "use one of once, day"),
    "no caps": (CAPS, "    caps: §{}\n", "earning[0].caps", "names no span"),
    "once an order": (TIMES, "    times: {§once: 1}\n", "earning[0].times.once", "is not a key"),
    "two cooldowns": (
        "cooldown: {days: 1}",
        "cooldown: §{days: 1, hours: 2}",
        "earning[4].cooldown",
        "needs one length",
    ),
    "carry": ("carry: true", "carry: §yes", "earning[0].carry", "write true or false"),
    "no remainder": (
        RELOAD,
        RELOAD.replace("}", ", carry: §true}"),
        "earning[3].carry",
        "needs rounding: floor",
    ),
    "other side of an order": (
        PURCHASE,
        PURCHASE + "    other_side: §{member: referrer, points: 1}\n",
        "earning[0].other_side",
        "belongs to events",
    ),
    "no other side": (
        "{member: referrer, points: 500}",
        "{member: §referer, points: 500}",
        "earning[5].other_side.member",
        "is not a field of type member; did you mean referrer?",
    ),
    "first order of an order": (
        PURCHASE,
        PURCHASE + "    first_order: §{minimum: 1.00}\n",
        "earning[0].first_order",
        "belongs to events",
    ),
    # conditions
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
    # campaigns
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
    # tiers
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
    # expiry
    "two lengths": (
        LENGTH,
        "  after_inactivity: §{months: 18}\n  after: {months: 1}\n",
        "expiry.after_inactivity",
        "stands beside after; keep one",
    ),
    "no time": (
        "{after: {months: 24}, until_end_of: month}",
        "{after: {months: §0}}",
        "tiers.levels[2].expiry.after.months",
        "leaves no time; give 1 or more",
    ),
    "activity": ("redemption, gift]", "§gft]", "expiry.activity[2]", "did you mean gift?"),
    "activity that does not earn": (
        "[order, event, redemption, gift]",
        "§[redemption, gift]",
        "expiry.activity",
        "leaves out what earns",
    ),
    "activity of a date": (
        LENGTH + ACTIVITY,
        "  after: {months: 12}\n  activity: §[order]\n",
        "expiry.activity",
        "belongs to after_inactivity",
    ),
    "no way down": (
        LENGTH + ACTIVITY + "  until_end_of: quarter\n  after_downgrade: quarter\n",
        "  §after_inactivity: {months: 18}\n",
        "expiry.after_downgrade",
        "is missing; points never expire in tier gold",
    ),
    "way down from nowhere": (
        GOLD + RESERVE + LATER,
        (GOLD + RESERVE + LATER)
        .replace("expiry: never, ", "")
        .replace("after_downgrade: ", "after_downgrade: §"),
        "expiry.after_downgrade",
        "no tier has expiry: never",
    ),
    # rewards
    "settled by Stripe": (
        TALK,
        TALK.replace("}", ", settlement: §stripe_promotion_code}"),
        "rewards[4].settlement",
        "can't settle a custom; write app_applied",
    ),
    "free of points": ("points: 100, percent", "points: §0, percent", "rewards[5].points", "1 to"),
    "amount of a gift": (
        TALK,
        TALK.replace("}", ", amount_off: §1.00}"),
        "rewards[4].amount_off",
        "does not belong to a reward of type custom",
    ),
    "slabs of a gift": (
        "points: 500, gives",
        "slabs: §[{points: 5}], gives",
        "rewards[4].slabs",
        "does not belong to a reward of type custom; give points",
    ),
    "gift without a price": (
        TALK,
        "§" + TALK.replace("points: 500, ", ""),
        "rewards[4]",
        "has no price; give points",
    ),
    "gift of nothing": (
        "  - id: gift\n    name: Birthday gift\n    type: free_product\n    points: 0\n"
        "    gives: cake\n",
        "  - §id: gift\n    name: Birthday gift\n    type: free_product\n    points: 0\n",
        "rewards[2].gives",
        "is missing; say which product",
    ),
    "delivery of what": (
        SHIP,
        SHIP.replace("}}", "}, gives: §van}"),
        "rewards[3].gives",
        "does not belong to a reward of type free_shipping",
    ),
    "share of a delivery": (
        SHIP,
        SHIP.replace("}}", "}, max_share_of_order: §1/2}"),
        "rewards[3].max_share_of_order",
        "belongs to amount_off",
    ),
    "price and rate": (
        f"pay_with_points: {PAY}",
        f"pay_with_points: {PAY}\n    points: §5",
        "rewards[1].points",
        "stands beside pay_with_points",
    ),
    "rate of a percentage": (
        "points: 100, percent_off: 5",
        "pay_with_points: §{points: 1, worth: 0.01}",
        "rewards[5].pay_with_points",
        "belongs to amount_off",
    ),
    "half a cent": (
        PAY,
        "{points: 100, worth: 1.01, step: §50}",
        "rewards[1].pay_with_points.step",
        "give a multiple of 100",
    ),
    "half a step": (
        PAY,
        "{points: 100, worth: 1.00, step: 100, minimum: §150}",
        "rewards[1].pay_with_points.minimum",
        "give a multiple of 100",
    ),
    "most below least": (
        "maximum: 10000",
        "maximum: §400",
        "rewards[1].pay_with_points.maximum",
        "is less than minimum; give 500 or more",
    ),
    "most between steps": (
        "maximum: 10000",
        "maximum: §550",
        "rewards[1].pay_with_points.maximum",
        "no whole number of steps",
    ),
    "too much to pay": (
        PAY,
        "{points: 1, worth: 900000.00, maximum: §1000000000000}",
        "rewards[1].pay_with_points.maximum",
        "more than can be recorded",
    ),
    "so many a week": (
        GIFT,
        "    per_member: {count: 1, per: §week}\n",
        "rewards[2].per_member.per",
        "use one of day, month, year, ever",
    ),
    "tier of a reward": (
        "eligible: {tiers: [gold]",
        "eligible: {tiers: [§glod]",
        "rewards[2].eligible.tiers[0]",
        "did you mean gold?",
    ),
    "tier of a birthday": (
        "{gold: 7, reserve: 30}",
        "{gold: 7, §reserv: 30}",
        "rewards[2].eligible.birthday.reserv",
        "did you mean reserve?",
    ),
    "birthday of a year": (
        "{birthday: 7}",
        "{birthday: §367}",
        "rewards[3].eligible.birthday",
        "give 1 to 366",
    ),
    "everybody": ("eligible: {birthday: 7}", "eligible: §{}", "rewards[3].eligible", "names no"),
}
