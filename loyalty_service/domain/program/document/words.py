"""The words that a program document chooses from."""

from enum import StrEnum

ORDER = "order"
"""The fact that is not an event: what a rule or a campaign calls it under `on`."""


class Counted(StrEnum):
    """A part of an order that counts; `discounts` counts what was taken off as if it were paid."""

    MERCHANDISE = "merchandise"
    TAX = "tax"
    SHIPPING = "shipping"
    DISCOUNTS = "discounts"


class Rounding(StrEnum):
    """How a fraction of a point becomes whole; `nearest` rounds a half up."""

    FLOOR = "floor"
    NEAREST = "nearest"
    CEILING = "ceiling"


class Period(StrEnum):
    """A stretch of the calendar at whose end points may expire."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class EarnWhen(StrEnum):
    """The moment of an order that earns."""

    PLACED = "placed"
    PAID = "paid"
    FULFILLED = "fulfilled"


class Span(StrEnum):
    """A stretch of local time over which something is limited; `once` is one order or event."""

    ONCE = "once"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    EVER = "ever"


class Weekday(StrEnum):
    """A day of the week, in the program's zone."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


class Birthday(StrEnum):
    """How near a member's birthday must be."""

    DAY = "day"
    MONTH = "month"


class Stacking(StrEnum):
    """What several campaigns together multiply by."""

    BEST = "best"
    SUM = "sum"
    MULTIPLY = "multiply"


class DataType(StrEnum):
    """The type of a field of an event's data; `money` is whole minor units."""

    INTEGER = "integer"
    STRING = "string"
    BOOLEAN = "boolean"
    MONEY = "money"
    MEMBER = "member"


class Activity(StrEnum):
    """What keeps points alive where they expire by inactivity."""

    ORDER = "order"
    EVENT = "event"
    REDEMPTION = "redemption"
    GIFT = "gift"


class Metric(StrEnum):
    """What counts towards a tier."""

    SPEND = "spend"
    QUALIFYING_POINTS = "qualifying_points"
    ORDERS = "orders"


class WindowKind(StrEnum):
    """The stretch of time whose credits count towards a tier."""

    ROLLING = "rolling"
    CALENDAR_YEAR = "calendar_year"
    FISCAL_YEAR = "fiscal_year"
    ANNIVERSARY = "anniversary"
    LIFETIME = "lifetime"


class Downgrade(StrEnum):
    """Where a member goes whose tier is not kept."""

    ONE_STEP = "one_step"
    REQUALIFY = "requalify"


class WhenSpent(StrEnum):
    """What a claw-back does when the points are already spent."""

    ALLOW_DEBT = "allow_debt"
    CLAMP = "clamp"


class PastExpiry(StrEnum):
    """What becomes of points given back after the date of their lot."""

    ORIGINAL_EXPIRY = "original_expiry"
    GRACE_DAYS = "grace_days"
    REISSUE = "reissue"


class UnusedCodes(StrEnum):
    """What becomes of the points of a code that nobody used in its life."""

    GIVE_BACK = "give_back"
    KEEP = "keep"


class StripeFact(StrEnum):
    """What Stripe tells of that may earn, as an order would."""

    CHECKOUTS = "checkouts"
    INVOICES = "invoices"


class RewardType(StrEnum):
    """What a reward gives."""

    AMOUNT_OFF = "amount_off"
    PERCENT_OFF = "percent_off"
    FREE_PRODUCT = "free_product"
    FREE_SHIPPING = "free_shipping"
    CUSTOM = "custom"


class Settlement(StrEnum):
    """Who turns a redemption into a discount."""

    STRIPE_PROMOTION_CODE = "stripe_promotion_code"
    APP_APPLIED = "app_applied"


class Role(StrEnum):
    """A staff role that has goodwill limits of its own."""

    AGENT = "agent"
    MANAGER = "manager"


class TriggerKind(StrEnum):
    """What a thank-you discount is given for."""

    TIER_REACHED = "tier_reached"
    NTH_ORDER = "nth_order"
    ANNIVERSARY = "anniversary"
    BIRTHDAY = "birthday"
    LAPSED = "lapsed"
    LOW_FEEDBACK = "low_feedback"
    STAFF = "staff"


# What a day brings, and no fact of its own.
BY_THE_CLOCK = (TriggerKind.BIRTHDAY, TriggerKind.ANNIVERSARY, TriggerKind.LAPSED)
