"""What became of an order's points: refunded, changed, cancelled."""

from collections.abc import Iterator

from loyalty_service.domain.explaining.facts import Fact
from loyalty_service.domain.explaining.when import spendable
from loyalty_service.wording import Voice

_HAPPENED = {"refund": "refunded", "amendment": "amended", "cancellation": "cancelled"}


def changed(voice: Voice, fact: Fact) -> str:
    """What an order is worth now, and what was given or taken for that."""
    what = voice.say(_HAPPENED[fact.cause], order=fact.context["order"])
    if "due_after" not in fact.context:
        return voice.say("order_changed_early", what=what)
    return voice.say("order_changed", what=what, then=voice.in_turn(list(_then(voice, fact))))


def owing(voice: Voice, taken: int, owed: int) -> str:
    """Points taken back, and how many of them are owed from now on."""
    said = [voice.say("taken_back", points=taken)]
    if owed:
        is_all = owed == taken
        said.append(voice.say("all_owed" if is_all else "owed", owed=owed))
    return voice.joined(said)


def _then(voice: Voice, fact: Fact) -> Iterator[str]:
    before, after = fact.context["due_before"], fact.context["due_after"]
    if before == after:
        yield voice.say("worth_the_same", after=after)
        return
    yield voice.say("worth", before=before, after=after)
    if fact.kind == "earn":
        more = voice.say("more", points=fact.points)
        yield voice.joined([more, *spendable(voice, fact)])
        return
    short = fact.context.get("short", 0)
    if fact.points:
        yield owing(voice, fact.points, fact.context.get("owed", 0))
    if short:
        yield voice.say("stays", points=short)
    # What expired unspent counts as returned.
    gone = before - after - fact.points - short
    if gone > 0:
        yield voice.say("had_expired", points=gone)
