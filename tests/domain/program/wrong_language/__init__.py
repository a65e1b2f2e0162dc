"""Wrong places, one kind a row, put into the document of every key.

Old text, new text, path of the fault, its words. `§` marks the place whose line is named.
"""

from tests.domain.program.wrong_language import (
    campaigns,
    conditions,
    events,
    expiry,
    rewards,
    rules,
    thank_you,
    tiers,
    whole,
)

_SECTIONS = (whole, events, rules, conditions, campaigns, tiers, expiry, rewards, thank_you)
WRONG = {kind: row for section in _SECTIONS for kind, row in section.WRONG.items()}
assert len(WRONG) == sum(len(section.WRONG) for section in _SECTIONS), "a kind stands twice"
