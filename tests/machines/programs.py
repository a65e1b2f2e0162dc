"""The programs of the machine: both claw-backs, three ways to restore, waiting or not, expiries;
with and without tiers, and one way or another to limit what orders give."""

from dataclasses import dataclass

PRICES = {"slice": (7, 20), "rare": (5,)}
STOCK_OF_RARE, RARE_FOR_ONE = 3, 2
PER_GRANT, PER_MONTH = 30, 60
LATE_DAYS = 40
GRACE_DAYS = 2
REASON = "correction"
ZONES = ("Europe/Berlin", "America/New_York", "Africa/Cairo", "Pacific/Apia")

DOCUMENT = """\
id: {id}
name: The machine's
timezone: {zone}
currency: eur
late_days: {late_days}
earning:
  - id: purchase
    on: order
    points: 1
    per: 1.00
    counts: [merchandise]
    rounding: floor
    pending_days: {pending_days}
{limit}  - {{id: visit, on: visit, points: 3, times: {{day: 2}}}}
{tiers}events:
  visit: {{}}
expiry: {expiry}
refunds:
  when_spent: {when_spent}
restored_points:
  past_expiry: {past_expiry}
rewards:
  - id: slice
    name: A slice off
    type: percent_off
    slabs:
      - {{points: 7, percent_off: 5}}
      - {{points: 20, percent_off: 20}}
  - id: rare
    name: Not many of these
    type: amount_off
    points: 5
    amount_off: 1.00
    stock: 3
    per_member: 2
goodwill:
  reasons: [correction]
  limits:
    agent: {{per_grant: 30, per_month: 60}}
"""


GOLD_FROM_MINOR, GOLD = 1500, "3/2"
POINTS_OF_A_VISIT, VISITS_A_DAY = 3, 2
TIERS = """\
tiers:
  metric: spend
  window: lifetime
  levels:
    - {id: member, name: Member, from: 0}
    - {id: golden, name: Golden, from: 15.00, multiplier: 3/2}
"""
LIMITS = (
    "",
    "caps: {day: 25}",
    "caps: {once: 9}",
    "times: {day: 2}",
    "cooldown: {hours: 5}",
    "carry: true",
)


@dataclass(frozen=True)
class Shape:
    """What stays the same in all versions of a life: one way to limit, and whether there are tiers.

    A rule without a limit notes nothing that one with a limit could count.
    """

    limit: str = ""
    has_tiers: bool = False


PLAIN = Shape()


@dataclass(frozen=True)
class Rules:
    """What differs from program to program, and from version to version."""

    when_spent: str
    past_expiry: str
    pending_days: int
    expiry: str

    def document(self, program_id: str, zone: str, shape: Shape = PLAIN) -> str:
        text = DOCUMENT.format(
            limit=f"    {shape.limit}\n" if shape.limit else "",
            tiers=TIERS if shape.has_tiers else "",
            id=program_id,
            zone=zone,
            late_days=LATE_DAYS,
            pending_days=self.pending_days,
            expiry=self.expiry,
            when_spent=self.when_spent,
            past_expiry=self.past_expiry,
        )
        if self.past_expiry == "grace_days":
            text = text.replace("rewards:", f"  grace_days: {GRACE_DAYS}\nrewards:", 1)
        return text
