"""How points end, come back and are given by staff; where the Stripe key is found."""

from dataclasses import dataclass

from loyalty_service.domain.program.document.words import (
    Activity,
    PastExpiry,
    Period,
    Role,
    StripeFact,
    UnusedCodes,
    WhenSpent,
)

ACTIVITY = (Activity.ORDER, Activity.EVENT, Activity.REDEMPTION)


@dataclass(frozen=True, slots=True)
class Expiry:
    """Exactly one of `months` and `days`, then on to the end of a period where one is named.

    `activity` is empty where points are counted from the day on which they were earned; otherwise
    from the member's last activity of one of these kinds. `after_downgrade`: points whose expiry a
    tier held back live at least to the end of the period in which the tier was lost.
    """

    months: int | None
    days: int | None
    until_end_of: Period | None
    activity: tuple[Activity, ...] = ()
    after_downgrade: Period | None = None


@dataclass(frozen=True, slots=True)
class Refunds:
    """How refunds take points back."""

    when_spent: WhenSpent

    @property
    def allow_debt(self) -> bool:
        """Whether points that are spent already are owed."""
        return self.when_spent is WhenSpent.ALLOW_DEBT


@dataclass(frozen=True, slots=True)
class RestoredPoints:
    """How points come back; `grace_days` is 0 under any other policy than `grace_days`."""

    past_expiry: PastExpiry
    grace_days: int
    unused_codes: UnusedCodes = UnusedCodes.GIVE_BACK


@dataclass(frozen=True, slots=True)
class GoodwillLimit:
    """The most points a person of this role may give at once and in a calendar month."""

    role: Role
    per_grant: int
    per_month: int


@dataclass(frozen=True, slots=True)
class Goodwill:
    """Why staff may give points, and how many; a role without a limit may give none."""

    reasons: tuple[str, ...]
    limits: tuple[GoodwillLimit, ...]

    def limit(self, role: str) -> GoodwillLimit | None:
        """Return the limit of a role, or None where the program names none."""
        return next((limit for limit in self.limits if limit.role == role), None)


@dataclass(frozen=True, slots=True)
class Stripe:
    """Where this program's Stripe key is found: the name of a variable, never the key.

    `earn_from` says what of all that Stripe tells of earns.
    """

    api_key_env: str | None
    earn_from: tuple[StripeFact, ...] = ()
