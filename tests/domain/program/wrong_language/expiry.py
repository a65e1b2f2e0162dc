"""Wrong expiry, one kind a row."""

from tests.domain.program.wrong_language.texts import ACTIVITY, GOLD, LATER, LENGTH, RESERVE

WRONG = {
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
}
