"""Wrong rewards, one kind a row."""

from tests.domain.program.wrong_language.texts import GIFT, PAY, SHIP, TALK

WRONG = {
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
