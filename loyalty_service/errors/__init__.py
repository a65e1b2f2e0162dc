"""`LoyaltyError` and every named refusal: a code, a status, a title and one plain sentence.

A refusal is part of the contract. The doors turn it into `application/problem+json` in one place;
`kept` says whether an idempotency key remembers it (business refusals) or not (mistakes in the
request, which a caller mends and sends again under the same key).
"""

from loyalty_service.errors.refusals import *  # noqa: F403
from loyalty_service.errors.requests import *  # noqa: F403
from loyalty_service.errors.root import *  # noqa: F403
from loyalty_service.errors.thanks import *  # noqa: F403
from loyalty_service.errors.webhooks import *  # noqa: F403
