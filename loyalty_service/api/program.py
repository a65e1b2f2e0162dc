"""/v1/program and /v1/rewards: what is in force."""

from typing import Any

import marshmallow as ma
from sqlalchemy.orm import Session

from loyalty_service import db, errors
from loyalty_service.api import rewards
from loyalty_service.api.fields import Body, Moment, Object, Text
from loyalty_service.api.guard import allow, caller
from loyalty_service.api.parsing import Blueprint
from loyalty_service.api.refusing import refuses
from loyalty_service.domain import ledger, members, program, redemptions
from loyalty_service.domain.rewards import facts_of

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


class RewardQuery(Body):
    """For whom."""

    member = Text(max=210, load_default=None, metadata={"description": "mem_… or ext:<your id>."})


class RewardList(ma.Schema):
    """All rewards of the program in force."""

    object = Object("list")
    data = ma.fields.List(ma.fields.Nested(rewards.RewardOut), required=True)
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
@refuses(errors.MemberNotFound, errors.ProgramNotApplied)
@blueprint.arguments(RewardQuery, location="query")
@blueprint.response(200, RewardList)
def listed(query: dict[str, Any]) -> Any:
    """The rewards of the program in force, in its order; with `member`, what they are to one."""
    program_id = caller().program_id

    def work(session: Session) -> Any:
        rules = program.in_force(session, program_id).rules
        left = redemptions.stock_left(session, program_id, rules)
        offers = _offers(session, rules, query["member"]) if query["member"] else {}
        data = [
            rewards.fill(reward, rules, left.get(reward.id)) | offers.get(reward.id, {})
            for reward in rules.rewards
        ]
        return RewardList().dump({"data": data, "has_more": False, "url": "/v1/rewards"})

    return db.read(work)


def _offers(session: Session, rules: program.Program, ref: str) -> dict[str, dict[str, Any]]:
    """What each reward is to a member, by the reward's id."""
    member = members.require(session, rules.id, ref)
    balance = ledger.balance(session, rules.id, member.id)
    facts = facts_of(member, balance.tier)
    found = redemptions.offers(session, rules.id, facts, balance.available, rules, balance.at)
    return {
        offer.id: {
            "usable": offer.usable,
            "code": offer.code,
            "customer_message": offer.customer_message,
        }
        for offer in found
    }


def _in_force() -> program.InForce:
    return db.read(lambda session: program.in_force(session, caller().program_id))
