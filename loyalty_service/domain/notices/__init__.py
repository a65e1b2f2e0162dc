"""Notices: what happened, or is about to, and somebody may want to hear of. Each once a cause.

A verb leaves a row beside its effect (`untold`) that says where to look; the ledger does so by
itself. The worker reads these rows, in their order, numbers what it finds for each member, and
keeps it as notices (`telling`). What there is to tell stands in `types.yaml`.
"""

from loyalty_service.domain.notices.table import MemberNotices, Notice, tell
from loyalty_service.domain.notices.untold import Untold, announce

__all__ = ["MemberNotices", "Notice", "Untold", "announce", "tell"]
