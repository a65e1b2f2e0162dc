"""A handful of programs with all that makes the order of facts matter, or not."""

from tests.domain.earning.told import HEAD

LIMITS = """\
earning:
  - {id: purchase, on: order, points: 1, per: 1.00, counts: [merchandise], rounding: floor,
     pending_days: 0, caps: {once: 60, day: 90, ever: 400}}
  - {id: visit, on: order, points: 5, pending_days: 0, times: {day: 2}, minimum_spend: 1.00}
  - {id: soap, on: order, points: 3, per: item, items: {skus: [soap]}, pending_days: 0,
     cooldown: {hours: 5}}
  - {id: review, on: review, points: 11, times: {month: 2}}
campaigns:
  - {id: spring, name: Spring, bonus_points: 13, minimum_spend: 40.00, times: {month: 2}}
balance_cap: 350
"""
CARRY = """\
earning:
  - {id: purchase, on: order, points: 1, per: 7.00, counts: [merchandise, tax], rounding: floor,
     pending_days: 0, carry: true}
  - {id: review, on: review, points: 2}
"""
TIERED = """\
earning:
  - {id: purchase, on: order, points: 1, per: 1.00, counts: [merchandise], rounding: floor,
     pending_days: 2}
  - {id: review, on: review, points: 20, tier_multiplier: true}
campaigns:
  - {id: creams, name: Creams, multiplier: {gold: 2, diamond: 3}, items: {skus: [cream]}}
tiers:
  metric: spend
  window: {rolling_months: 2}
  kept: {months: 1}
  downgrade: one_step
  levels:
    - {id: member, name: Member, from: 0}
    - {id: silver, name: Silver, from: 50.00, multiplier: 6/5}
    - {id: gold, name: Gold, from: 100.00, multiplier: 5/4, entry_points: 40}
    - {id: diamond, name: Diamond, from: 200.00, multiplier: 3/2}
"""
CAMPAIGNS = """\
earning:
  - {id: purchase, on: order, points: 1, per: 0.10, counts: [merchandise, shipping],
     rounding: nearest, pending_days: 0}
  - {id: review, on: review, points: 2}
campaigns:
  - {id: weekend, name: Weekend, weekdays: [sat, sun], multiplier: 2}
  - {id: soap, name: Soap, multiplier: 3/2, items: {skus: [soap]}}
  - {id: both, name: Both, on: [order, review], bonus_points: 3}
stacking: sum
"""
CLAMPED = """\
earning:
  - {id: purchase, on: order, points: 3/2, per: 1.00, counts: [merchandise], rounding: ceiling,
     pending_days: 0}
  - {id: review, on: review, points: 20}
refunds:
  when_spent: clamp
"""
IDLE = """\
earning:
  - {id: purchase, on: order, points: 1, per: 1.00, counts: [merchandise], rounding: floor,
     pending_days: 1}
  - {id: review, on: review, points: 4}
tiers:
  metric: orders
  minimum_order: 10.00
  window: calendar_year
  kept: {windows: 0}
  levels:
    - {id: guest, name: Guest, from: 0}
    - {id: regular, name: Regular, from: 3, multiplier: 2}
"""
ENDINGS = {
    "never": "expiry: never\n",
    "idle": "expiry:\n  after_inactivity: {days: 40}\n  activity: [order, redemption]\n",
    "days": "expiry:\n  after: {days: 50}\n",
}
PROGRAMS = {
    "limits": LIMITS,
    "carry": CARRY,
    "tiers": TIERED,
    "campaigns": CAMPAIGNS,
    "clamp": CLAMPED,
    "idle": IDLE,
}


def head(ending: str) -> str:
    """The first lines of a document, with one of the ways in which points end."""
    return HEAD.replace("expiry: never\n", f"late_days: 100\n{ENDINGS[ending]}")
