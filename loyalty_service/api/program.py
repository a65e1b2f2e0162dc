"""/v1/program and /v1/rewards: what is in force."""

from typing import Any

import marshmallow as ma

from loyalty_service import db, errors
from loyalty_service.api.fields import Choice, Moment, Object
from loyalty_service.api.guard import allow, caller
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.api.shapes import Money, money
from loyalty_service.domain import program, rewards
from loyalty_service.domain.program.document import Reward, RewardType, Slab

blueprint = Blueprint("program", __name__, url_prefix="/v1", description="What is in force")


class ProgramOut(ma.Schema):
    """The program in force."""

    object = Object("program")
    id = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    version = ma.fields.Integer(required=True)
    applied_at = Moment(required=True)
    timezone = ma.fields.String(required=True)
    currency = ma.fields.String(required=True)


class SlabOut(ma.Schema):
    """One price of a reward and the discount it buys."""

    points = ma.fields.Integer(required=True)
    amount_off = ma.fields.Nested(Money, required=True, allow_none=True)
    percent_off = ma.fields.String(required=True, allow_none=True)
    minimum_order = ma.fields.Nested(Money, required=True, allow_none=True)


class RewardOut(ma.Schema):
    """A reward; `points` is its lowest price and the default of a redemption."""

    object = Object("reward")
    id = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    type = Choice([kind.value for kind in RewardType], required=True)
    points = ma.fields.Integer(required=True)
    slabs = ma.fields.List(ma.fields.Nested(SlabOut), required=True)


class RewardList(ma.Schema):
    """All rewards of the program in force."""

    object = Object("list")
    data = ma.fields.List(ma.fields.Nested(RewardOut), required=True)
    has_more = ma.fields.Boolean(required=True)
    url = ma.fields.String(required=True)


@blueprint.route("/program", methods=["GET"])
@allow("checkout", "staff", "reporting")
@refuses(errors.ProgramNotApplied)
@blueprint.response(200, ProgramOut)
def get() -> Any:
    """The program in force."""
    now = _in_force()
    rules = now.rules
    values = {
        "id": rules.id,
        "name": rules.name,
        "version": now.version,
        "applied_at": now.applied_at,
        "timezone": rules.timezone,
        "currency": rules.currency,
    }
    return ProgramOut().dump(values)


@blueprint.route("/rewards", methods=["GET"], endpoint="rewards")
@allow("checkout", "staff", "reporting")
@refuses(errors.ProgramNotApplied)
@blueprint.response(200, RewardList)
def listed() -> Any:
    """The rewards of the program in force, in its order."""
    rules = _in_force().rules
    data = [_fill(reward, rules.currency) for reward in rules.rewards]
    return RewardList().dump({"data": data, "has_more": False, "url": "/v1/rewards"})


def _in_force() -> program.InForce:
    return db.read(lambda session: program.in_force(session, caller().program_id))


def _fill(reward: Reward, currency: str) -> dict[str, Any]:
    return {
        "id": reward.id,
        "name": reward.name,
        "type": reward.type.value,
        "points": reward.slabs[0].points,
        "slabs": [_slab(reward, slab, currency) for slab in reward.slabs],
    }


def _slab(reward: Reward, slab: Slab, currency: str) -> dict[str, Any]:
    percent = slab.percent_off
    return {
        "points": slab.points,
        "amount_off": money(slab.amount_off_minor, currency),
        "percent_off": rewards.percent_text(percent) if percent is not None else None,
        "minimum_order": money(rewards.minimum_order_minor(reward, slab), currency),
    }
