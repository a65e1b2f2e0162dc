"""The tier that is held and when points end meanwhile: plain values, and their canonical JSON.

A standing is pinned in the context of the transaction that changed it, and kept on the account.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty_service import canonical

# In a transaction's context: what is in force after it.
PINNED = "standing"


@dataclass(frozen=True, slots=True)
class Step:
    """What time will do to a tier at `at`, unless something happens before.

    `tier` is the one that is held from then on; `expiry_paused` and `expires_not_before` as in
    `Standing`, to which they lead.
    """

    at: datetime
    tier: str | None
    expiry_paused: bool = False
    expires_not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """The tier that is held, since when, what time will do to it, and when points end meanwhile.

    While `expiry_paused` no lot expires. Otherwise a lot ends at its own date or at
    `expires_not_before`, whichever is later; a lot without a date never ends. `steps` come soonest
    first.
    """

    tier: str | None = None
    since: datetime | None = None
    steps: tuple[Step, ...] = ()
    expiry_paused: bool = False
    expires_not_before: datetime | None = None

    @property
    def next_step_at(self) -> datetime | None:
        """When time next changes the tier."""
        return self.steps[0].at if self.steps else None

    @property
    def ends_change_at(self) -> datetime | None:
        """The first step after which points end at other moments than before it."""
        before = self
        while before.steps:
            after = before.after_step()
            if not after.has_same_ends_as(before):
                return after.since
            before = after
        return None

    def has_same_ends_as(self, other: "Standing") -> bool:
        """True where points end at the same moments under both."""
        mine = self.expiry_paused, self.expires_not_before
        return mine == (other.expiry_paused, other.expires_not_before)

    def after_step(self) -> "Standing":
        """What stands when the next step is taken."""
        step = self.steps[0]
        return Standing(
            tier=step.tier,
            since=step.at,
            steps=self.steps[1:],
            expiry_paused=step.expiry_paused,
            expires_not_before=latest(self.expires_not_before, step.expires_not_before),
        )

    def end_of(self, expires_at: datetime | None) -> datetime | None:
        """When points of that date end as things stand; None for never."""
        if expires_at is None or self.expiry_paused:
            return None
        # Time goes forward only: what a tier held back ends when that tier does, not before.
        return latest(expires_at, self.expires_not_before, self.since)


def latest(*moments: datetime | None) -> datetime | None:
    """The last of those that are there."""
    return max((at for at in moments if at), default=None)


def earliest(*moments: datetime | None) -> datetime | None:
    """The first of those that are there."""
    return min((at for at in moments if at), default=None)


def as_plain(standing: Standing) -> dict[str, Any]:
    """A standing as plain JSON values; what is not there is left out."""
    moments = [step.at for step in standing.steps]
    assert moments == sorted(moments), "steps come soonest first"
    plain = {
        "tier": standing.tier,
        "since": _text(standing.since),
        "steps": [_plain_step(step) for step in standing.steps],
        "expiry_paused": standing.expiry_paused,
        "expires_not_before": _text(standing.expires_not_before),
    }
    return {name: value for name, value in plain.items() if value}


def from_plain(plain: Mapping[str, Any]) -> Standing:
    """A standing from its plain JSON values."""
    return Standing(
        tier=plain.get("tier"),
        since=_moment(plain.get("since")),
        steps=tuple(_step(step) for step in plain.get("steps", ())),
        expiry_paused=plain.get("expiry_paused", False),
        expires_not_before=_moment(plain.get("expires_not_before")),
    )


def pinned(context: str) -> Standing | None:
    """The standing that a transaction's context pins, if it does."""
    # Most contexts pin none: look before reading them.
    plain = json.loads(context).get(PINNED) if f'"{PINNED}":' in context else None
    return None if plain is None else from_plain(plain)


def columns(standing: Standing) -> dict[str, Any]:
    """A standing as it is kept on the account's row."""
    steps = [_plain_step(step) for step in standing.steps]
    return {
        "tier": standing.tier,
        "tier_since": standing.since,
        "tier_steps": canonical.dumps(steps) if steps else None,
        "expiry_paused": standing.expiry_paused,
        "expires_not_before": standing.expires_not_before,
    }


def from_columns(
    tier: str | None,
    tier_since: datetime | None,
    tier_steps: str | None,
    expiry_paused: bool,
    expires_not_before: datetime | None,
) -> Standing:
    """A standing from the account's row, in the order of `columns`."""
    steps = tuple(_step(step) for step in json.loads(tier_steps)) if tier_steps else ()
    return Standing(tier, tier_since, steps, expiry_paused, expires_not_before)


def of_account(account: Any) -> Standing:
    """The standing on an account's row."""
    return from_columns(*(getattr(account, name) for name in columns(Standing())))


def _plain_step(step: Step) -> dict[str, Any]:
    plain = {
        "at": _text(step.at),
        "tier": step.tier,
        "expiry_paused": step.expiry_paused,
        "expires_not_before": _text(step.expires_not_before),
    }
    return {name: value for name, value in plain.items() if value}


def _step(plain: Mapping[str, Any]) -> Step:
    return Step(
        at=datetime.fromisoformat(plain["at"]),
        tier=plain.get("tier"),
        expiry_paused=plain.get("expiry_paused", False),
        expires_not_before=_moment(plain.get("expires_not_before")),
    )


def _text(at: datetime | None) -> str | None:
    return canonical.timestamp(at) if at else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
