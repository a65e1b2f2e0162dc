"""What verbs about thank-you discounts refuse."""

from loyalty_service.errors.refusals import Refusal
from loyalty_service.errors.requests import NotFound


class OfferNotFound(NotFound):
    """The program in force has no such thank-you discount."""

    code, title = "offer_not_found", "This offer is not known"


class DiscountNotFound(NotFound):
    """No such thank-you discount in this program."""

    code, title = "discount_not_found", "This discount is not known"


class OfferNotForStaff(Refusal):
    """The offer is given by itself, for what a member did or on a day."""

    code, title = "offer_not_for_staff", "This offer is not given by hand"


class BudgetExceeded(Refusal):
    """The offer's budget of the month is used up."""

    code, title = "budget_exceeded", "The budget of this offer is used up"


class OfferGivenLately(Refusal):
    """The member had this offer less than its cooldown ago."""

    code, title = "offer_given_lately", "The member had this offer not long ago"


class DiscountPending(Refusal):
    """The code is being made; ask again in a moment."""

    code, title = "discount_pending", "The code is still being made"
    retryable = True
    # The state changes by itself in seconds: remembering this refusal would only be in the way.
    kept = False


class DiscountFinal(Refusal):
    """The discount is over and can't be cancelled."""

    code, title = "discount_final", "The discount can't be cancelled any more"


class DiscountNotUsable(Refusal):
    """The discount came to nothing, or its code has ended: there is nothing to use."""

    code, title = "discount_not_usable", "The discount can't be used any more"
    customer_message = "This code is no longer valid."


class DiscountUsedAtStripe(Refusal):
    """The code is Stripe's to honour and to count, not the shop's."""

    code, title = "discount_used_at_stripe", "The code of this discount is used at Stripe"
