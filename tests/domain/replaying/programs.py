"""Programs for lives that are lived twice: every rule that remembers something, short lives."""

from dataclasses import dataclass

DOCUMENT = """\
id: {id}
name: Lived twice
timezone: {zone}
currency: eur
late_days: 40
earn_when: {earn_when}
{cap}
events:
  visit: {{}}
  reload: {{amount: money}}
earning:
  - id: purchase
    on: order
    points: 1
    per: {per}
    counts: [merchandise]
    rounding: {rounding}
    pending_days: {pending_days}
    carry: {carry}
    caps: {{day: 90, month: 300}}
  - id: third
    on: order
    points: 7
    pending_days: {pending_days}
    times: {{month: 2}}
  - id: visit
    on: visit
    points: 4
    cooldown: {{hours: 30}}
    times: {{day: 1}}
  - {{id: reload, on: reload, points: 1, per: 1.00, of: amount, rounding: floor, tier_points: 0}}
  - id: friend
    on: referral
    points: 25
    pending_days: 1
    first_order: {{minimum: 20.00}}
    other_side: {{member: referrer, points: 50}}
campaigns:
  - id: weekend
    name: Weekend
    on: [order]
    multiplier: 2
    weekdays: [sat, sun]
    times: {{month: 3}}
tiers:
  metric: {metric}
  window: {window}
  kept: {kept}
  levels:
    - {{id: basic, name: Basic, from: 0}}
    - {{id: gold, name: Gold, from: {gold}, multiplier: 1.5, {gold_expiry} entry_points: 11}}
    - {{id: top, name: Top, from: {top}, multiplier: 2, entry_points: 17}}
expiry: {expiry}
refunds: {{when_spent: {when_spent}}}
restored_points: {{past_expiry: {past_expiry}}}
rewards:
  - id: slice
    name: A slice off
    type: percent_off
    slabs:
      - {{points: 9, percent_off: 5}}
      - {{points: 40, percent_off: 20}}
goodwill:
  reasons: [correction]
"""


@dataclass(frozen=True)
class Rules:
    """What differs from version to version."""

    zone: str = "Europe/Berlin"
    earn_when: str = "placed"
    cap: bool = False
    per: str = "1.00"
    rounding: str = "floor"
    pending_days: int = 0
    carry: bool = False
    metric: str = "spend"
    window: str = "{rolling_months: 1}"
    kept: str = "{months: 1}"
    holds_back: bool = False
    expiry: str = "{after: {days: 12}}"
    when_spent: str = "allow_debt"
    past_expiry: str = "grace_days"

    def document(self, program_id: str) -> str:
        """The document of this version."""
        gold, top = {
            "spend": ("60.00", "150.00"),
            "qualifying_points": ("60", "150"),
            "orders": ("2", "4"),
        }[self.metric]
        holds_back = self.holds_back and self.expiry != "never"
        expiry = self.expiry
        if holds_back:
            expiry = f"{expiry.removesuffix('}')}, after_downgrade: month}}"
        return DOCUMENT.format(
            id=program_id,
            zone=self.zone,
            earn_when=self.earn_when,
            cap="balance_cap: 160" if self.cap else "",
            per=self.per,
            rounding=self.rounding,
            pending_days=self.pending_days,
            # Another rounding leaves no remainder.
            carry=str(self.carry and self.rounding == "floor").lower(),
            metric=self.metric,
            window=self.window,
            kept=self.kept,
            gold=gold,
            top=top,
            gold_expiry="expiry: never," if holds_back else "",
            expiry=expiry,
            when_spent=self.when_spent,
            past_expiry=self.past_expiry,
        )
