"""What verbs refuse: nothing of that id, wrong input, and the state that says no."""

from loyalty_service.errors.requests import NotFound
from loyalty_service.errors.root import LoyaltyError


class LimitExceeded(LoyaltyError):
    """A member of staff may not give that much."""

    code, status, title = "limit_exceeded", 403, "This is above what you may give"
    kept = True


class ApproverNotAPerson(LoyaltyError):
    """The key stands for a machine, and a machine has no say in what people may give."""

    code, status, title = "approver_not_a_person", 403, "Only a person may decide this"
    kept = True


class RoleMayNotApprove(LoyaltyError):
    """The person's role decides nothing for others."""

    code, status, title = "role_may_not_approve", 403, "Your role may not decide this"
    kept = True


class OwnApproval(LoyaltyError):
    """Whoever asked is not the one who says yes or no."""

    code, status, title = "own_approval", 403, "A second person has to decide this"
    kept = True


class MemberNotFound(NotFound):
    """No such member in this program."""

    code, title = "member_not_found", "This member is not known"


class TransactionNotFound(NotFound):
    """No such transaction in this program."""

    code, title = "transaction_not_found", "This transaction is not known"


class OrderNotFound(NotFound):
    """No such order in this program."""

    code, title = "order_not_found", "This order is not known"


class EventNotFound(NotFound):
    """No such event in this program."""

    code, title = "event_not_found", "This event is not known"


class RewardNotFound(NotFound):
    """The program in force has no such reward."""

    code, title = "reward_not_found", "This reward is not known"


class RedemptionNotFound(NotFound):
    """No such redemption in this program."""

    code, title = "redemption_not_found", "This redemption is not known"


class ApprovalNotFound(NotFound):
    """No such approval in this program."""

    code, title = "approval_not_found", "This approval is not known"


class HoldNotFound(NotFound):
    """No such hold in this program."""

    code, title = "hold_not_found", "This hold is not known"


class ProgramNotApplied(LoyaltyError):
    """The deployment has no program of this name yet, or none was in force at that moment."""

    code, status, title = "program_not_applied", 409, "No program was in force"


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


class EventInFuture(LoyaltyError):
    """The event's time has not come."""

    code, status, title = "event_in_future", 422, "The event has not happened yet"
    retryable = True


class EventTooLate(LoyaltyError):
    """The event is older than the program's `late_days`."""

    code, status, title = "event_too_late", 422, "The event is too old to be recorded"


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


class StripeCustomerTaken(Refusal):
    """The customer at Stripe is another member."""

    code, title = "stripe_customer_taken", "Another member is this customer at Stripe"


class OrderConflict(Refusal):
    """The order id is taken by an order with other content."""

    code, title = "order_conflict", "This order id was recorded with other content"


class OrderCancelled(Refusal):
    """The order was cancelled."""

    code, title = "order_cancelled", "The order was cancelled"


class OrderOfAnother(Refusal):
    """The order belongs to another member."""

    code, title = "order_of_another_member", "The order is another member's"


class AmendmentAboveLimits(Refusal):
    """Other orders have used up what the amendment would give."""

    code, title = "amendment_above_limits", "Other orders have used up the limits since"


class AmendmentBelowRefunds(Refusal):
    """More was refunded already than would be left of the order."""

    code, title = "amendment_below_refunds", "More was refunded than would be left"


class RefundExceedsOrder(Refusal):
    """More would come back than was paid."""

    code, title = "refund_exceeds_order", "More would come back than was paid"


class RefundConflict(Refusal):
    """The refund id is taken by a refund with other content."""

    code, title = "refund_conflict", "The refund was recorded with other content"


class RefundOfStripes(Refusal):
    """The order came from Stripe, and so do its refunds."""

    code, title = "refund_of_stripes", "Stripe tells of this order's refunds itself"


class EventConflict(Refusal):
    """The event id is taken by an event with other content."""

    code, title = "event_conflict", "The event was recorded with other content"


class SelfReferral(Refusal):
    """Somebody would be rewarded for referring themselves."""

    code, title = "self_referral", "Nobody can refer themselves"
    customer_message = "You can't refer yourself."


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


class PointsExceedOrder(Refusal):
    """The order is too small for so many points."""

    code, title = "points_exceed_order", "Points can't pay that much of the order"
    customer_message = "You can pay a smaller part of this order with points."


class CaptureExceedsHold(Refusal):
    """More is captured than was held."""

    code, title = "capture_exceeds_hold", "The hold has fewer points"


class HoldCaptured(Refusal):
    """The hold was captured, with another number of points or before it could be released."""

    code, title = "hold_captured", "The hold was captured"


class HoldReleased(Refusal):
    """The hold was released before it could be captured."""

    code, title = "hold_released", "The hold was released"


class HoldExpired(Refusal):
    """The hold ended before it was captured, and its points are not there any more."""

    code, title = "hold_expired", "The hold has ended, and its points are gone"
    customer_message = "The time to pay ran out, and your points are not available any more."


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


class ApprovalDecided(Refusal):
    """Somebody decided otherwise before."""

    code, title = "approval_decided", "This was decided before"


class ApprovalExpired(Refusal):
    """Nobody decided in time."""

    code, title = "approval_expired", "The time to decide this is over"


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
