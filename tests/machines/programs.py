"""The programs of the machine: both claw-backs, three ways to restore, waiting or not, expiries."""

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


@dataclass(frozen=True)
class Rules:
    """What differs from program to program, and from version to version."""

    when_spent: str
    past_expiry: str
    pending_days: int
    expiry: str

    def document(self, program_id: str, zone: str) -> str:
        text = DOCUMENT.format(
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
