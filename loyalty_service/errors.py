"""`LoyaltyError` and every named refusal: a code, a status, a title and one plain sentence.

A refusal is part of the contract. The doors turn it into `application/problem+json` in one place;
`kept` says whether an idempotency key remembers it (business refusals) or not (mistakes in the
request, which a caller mends and sends again under the same key).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldFault:
    """One wrong field: where, which rule, and what would be right."""

    param: str
    code: str
    detail: str


class LoyaltyError(Exception):
    """The root of all refusals."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side"
    retryable: ClassVar[bool] = False
    kept: ClassVar[bool] = False
    # What its customers read; one refusal may say more than its kind does.
    customer_message: str | None = None

    def __init__(
        self,
        detail: str = "",
        *,
        param: str | None = None,
        faults: Sequence[FieldFault] = (),
        customer_message: str | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        if customer_message:
            self.customer_message = customer_message
        self.detail = detail or self.title
        self.param = param
        self.faults = tuple(faults)


def catalogue() -> list[type[LoyaltyError]]:
    """Every error class that has a code of its own, by code."""
    found: dict[str, type[LoyaltyError]] = {}
    waiting: list[type[LoyaltyError]] = [LoyaltyError]
    while waiting:
        kind = waiting.pop()
        if "code" in vars(kind):
            found[kind.code] = kind
        waiting.extend(kind.__subclasses__())
    return [found[code] for code in sorted(found)]


class Unavailable(LoyaltyError):
    """The database can't be reached or asked us to give up."""

    code, status, title = "unavailable", 503, "The service is not available right now"
    retryable = True


class BadRequest(LoyaltyError):
    """The request is not HTTP or JSON that we can read."""

    code, status, title = "bad_request", 400, "The request can't be read"


class NotJson(BadRequest):
    """The body is not one JSON object."""

    code, title = "not_json", "The body is not a JSON object"


class IdempotencyKeyMissing(BadRequest):
    """A writing POST without `Idempotency-Key`."""

    code, title = "idempotency_key_missing", "The Idempotency-Key header is missing"


class IdempotencyKeyInvalid(BadRequest):
    """An `Idempotency-Key` that is empty, too long or not printable."""

    code, title = "idempotency_key_invalid", "The Idempotency-Key header is not usable"


class Unauthenticated(LoyaltyError):
    """No key, or one that is unknown."""

    code, status, title = "key_missing", 401, "An API key is needed"


class KeyUnknown(Unauthenticated):
    """The key is not one of ours."""

    code, title = "key_unknown", "The API key is not known"


class KeyRevoked(Unauthenticated):
    """The key was revoked."""

    code, title = "key_revoked", "The API key was revoked"


class KeyExpired(Unauthenticated):
    """The key's time is over."""

    code, title = "key_expired", "The API key has expired"


class ScopeMissing(LoyaltyError):
    """The key is good, but not for this call."""

    code, status, title = "scope_missing", 403, "The API key may not do this"


class LimitExceeded(LoyaltyError):
    """A member of staff may not give that much."""

    code, status, title = "limit_exceeded", 403, "This is above what you may give"
    kept = True


class NotFound(LoyaltyError):
    """Nothing of that id in this program."""

    code, status, title = "not_found", 404, "There is nothing here"


class MemberNotFound(NotFound):
    """No such member in this program."""

    code, title = "member_not_found", "This member is not known"


class TransactionNotFound(NotFound):
    """No such transaction in this program."""

    code, title = "transaction_not_found", "This transaction is not known"


class OrderNotFound(NotFound):
    """No such order in this program."""

    code, title = "order_not_found", "This order is not known"


class RewardNotFound(NotFound):
    """The program in force has no such reward."""

    code, title = "reward_not_found", "This reward is not known"


class RedemptionNotFound(NotFound):
    """No such redemption in this program."""

    code, title = "redemption_not_found", "This redemption is not known"


class CursorNotFound(NotFound):
    """A list was asked to go on from an id that it does not hold."""

    code, title = "cursor_not_found", "The list has no such id to go on from"


class ProgramNotApplied(LoyaltyError):
    """The deployment has no program of this name yet, or none was in force at that moment."""

    code, status, title = "program_not_applied", 409, "No program was in force"


class MethodNotAllowed(LoyaltyError):
    """The address exists, the method does not."""

    code, status, title = "method_not_allowed", 405, "This address does not take this method"


class NotAcceptable(LoyaltyError):
    """The caller accepts no representation that we have."""

    code, status, title = "not_acceptable", 406, "We answer JSON only"


class BodyTooLarge(LoyaltyError):
    """The body is above the limit."""

    code, status, title = "body_too_large", 413, "The body is too large"


class UnsupportedMediaType(LoyaltyError):
    """The body is not plain `application/json` in UTF-8."""

    code, status, title = "unsupported_media_type", 415, "The body must be application/json"


class ValidationFailed(LoyaltyError):
    """One or more fields are wrong; `errors` names each."""

    code, status, title = "validation_failed", 422, "Some fields are not right"


class IdempotencyKeyReused(LoyaltyError):
    """The same key came with another request."""

    code, status = "idempotency_key_reused", 422
    title = "The Idempotency-Key was used for another request"


class CurrencyNotPriced(LoyaltyError):
    """The program has no price for this currency."""

    code, status, title = "currency_not_priced", 422, "This currency is not part of the program"


class OrderInFuture(LoyaltyError):
    """The order is dated later than now."""

    code, status, title = "order_in_future", 422, "The order is dated in the future"
    retryable = True


class OrderTooLate(LoyaltyError):
    """The order is older than the program's `late_days`."""

    code, status, title = "order_too_late", 422, "The order is too old to be recorded"


class PointsNotOffered(LoyaltyError):
    """The reward has no price of that many points."""

    code, status, title = "points_not_offered", 422, "The reward has no such price"


class PointsTooMany(LoyaltyError):
    """More points than an account can hold."""

    code, status, title = "points_too_many", 422, "That is more points than can be kept"


class ReasonNotKnown(LoyaltyError):
    """The program lists the reasons that staff may give."""

    code, status, title = "reason_not_known", 422, "This reason is not one of the program's"


class Refusal(LoyaltyError):
    """A business refusal: the request is right, the state says no."""

    code, status, title = "refused", 409, "This can't be done now"
    kept = True


class MemberClosed(Refusal):
    """The member left or was merged."""

    code, title = "member_closed", "This membership is closed"
    customer_message = "Your membership is closed."


class MemberSuspended(Refusal):
    """The member may earn but not spend."""

    code, title = "member_suspended", "This membership is suspended"
    customer_message = "Your points are on hold. Please ask our staff."


class MemberExists(Refusal):
    """Another member has this external id, with other particulars."""

    code, title = "member_exists", "A member with this external id exists with other particulars"


class MemberStatusFinal(Refusal):
    """A closed membership is not opened again by an edit."""

    code, title = "member_status_final", "The membership can't change to this status"


class OrderConflict(Refusal):
    """The order id is taken by an order with other content."""

    code, title = "order_conflict", "This order id was recorded with other content"


class InsufficientPoints(Refusal):
    """Fewer points are available than needed."""

    code, title = "insufficient_points", "There are not enough points"
    customer_message = "You don't have enough points for this yet."

    def __init__(self, *, needed: int, available: int) -> None:
        missing = needed - available
        super().__init__(
            f"{needed} points are needed and {available} are available; {missing} are missing.",
            param="points",
            customer_message=f"You need {missing} more point{'s' * (missing != 1)} for this.",
        )
        self.needed, self.available = needed, available


class RewardSoldOut(Refusal):
    """The reward's stock is used up."""

    code, title = "reward_sold_out", "The reward is sold out"
    customer_message = "This reward is sold out."


class RewardLimitReached(Refusal):
    """The member had this reward as often as the program allows."""

    code, title = "reward_limit_reached", "The member has had this reward as often as allowed"
    customer_message = "You have already had this reward."


class RewardNotEligible(Refusal):
    """The reward is for others: for another tier, around a birthday, or by a condition."""

    code, title = "reward_not_eligible", "The reward is not for this member"
    customer_message = "This reward is for certain members only."


class RewardNotOnSale(Refusal):
    """The reward's window is not open."""

    code, title = "reward_not_on_sale", "The reward is not on sale today"
    customer_message = "This reward is not on sale today."


class RedemptionPending(Refusal):
    """The code is being made; ask again in a moment."""

    code, title = "redemption_pending", "The code is still being made"
    retryable = True
    # The state changes by itself in seconds: remembering this refusal would only be in the way.
    kept = False


class RedemptionFinal(Refusal):
    """The redemption is over and can't be cancelled."""

    code, title = "redemption_final", "The redemption can't be cancelled any more"


class RedemptionNotUsable(Refusal):
    """The redemption came to nothing, or its code has ended: there is nothing to use."""

    code, title = "redemption_not_usable", "The redemption can't be used any more"
    customer_message = "This code is no longer valid."


class RedemptionUsedAtStripe(Refusal):
    """The code is Stripe's to honour and to count, not the shop's."""

    code, title = "redemption_used_at_stripe", "The code of this redemption is used at Stripe"


class AlreadyReversed(Refusal):
    """The transaction was reversed before."""

    code, title = "already_reversed", "The transaction was reversed before"


class NotReversible(Refusal):
    """This kind of transaction has its own way back."""

    code, title = "not_reversible", "This kind of transaction is not reversed this way"


class ReplayExpired(Refusal):
    """The key was used, but its answer is no longer kept."""

    code, title = "replay_expired", "The first answer to this key is no longer kept"
    kept = False
