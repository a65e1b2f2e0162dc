"""Members: enrolled once, changed along the allowed ways, found again."""

from collections.abc import Callable
from typing import TypeVar

import pytest
from sqlalchemy.orm import Session

from loyalty_service import db
from loyalty_service.domain import members
from loyalty_service.domain.members import Member
from loyalty_service.errors import (
    MemberClosed,
    MemberExists,
    MemberNotFound,
    MemberStatusFinal,
    MemberSuspended,
)
from tests.shop import Shop
from tests.stripe_control import together

T = TypeVar("T")
P = "default"
WAYS = ("closed", "active")


def within(shop: Shop, work: Callable[[Session], T]) -> T:
    """Do something in one transaction."""
    with shop.app.app_context():
        return db.transaction(work)


def enrol(shop: Shop, external_id: str, **particulars: str) -> tuple[Member, bool]:
    return within(shop, lambda s: members.enrol(s, P, external_id, **particulars))


def test_a_customer_is_enrolled_once(shop: Shop) -> None:
    first, created = enrol(shop, "c-1", email="ana@shop.example")
    again, created_again = enrol(shop, "c-1", email="ana@shop.example")
    assert (created, created_again, first.id) == (True, False, again.id)
    assert first.status == "active"


def test_external_ids_are_exact(shop: Shop) -> None:
    ids = {enrol(shop, external_id)[0].id for external_id in ("c-1", "C-1", "c-1 ", "c_1", "ü")}
    assert len(ids) == 5


@pytest.mark.parametrize("name", ["email", "name", "locale"])
def test_other_particulars_under_the_same_external_id_are_refused(shop: Shop, name: str) -> None:
    enrol(shop, "c-1", email="ana@shop.example", name="Ana", locale="de")
    other = {"email": "ana@shop.example", "name": "Ana", "locale": "de", name: "other"}
    with pytest.raises(MemberExists) as refused:
        enrol(shop, "c-1", **other)
    assert refused.value.param == name


def test_either_reference_names_the_member(shop: Shop) -> None:
    made, _ = enrol(shop, "mem_looks_like_ours")
    for ref in (made.id, "ext:mem_looks_like_ours"):
        assert within(shop, lambda s, ref=ref: members.require(s, P, ref)).id == made.id
    for ref in ("mem_looks_like_ours", "ext:" + made.id, made.id.upper(), "", "ext:"):
        with pytest.raises(MemberNotFound):
            within(shop, lambda s, ref=ref: members.require(s, P, ref))


def test_who_may_earn_and_spend_follows_from_the_status(shop: Shop) -> None:
    member, _ = enrol(shop, "c-1")
    members.require_spending(member)
    suspended = change(shop, member.id, "suspended")
    members.require_earning(suspended)
    with pytest.raises(MemberSuspended):
        members.require_spending(suspended)
    closed = change(shop, member.id, "closed")
    for require in (members.require_earning, members.require_spending):
        with pytest.raises(MemberClosed):
            require(closed)


def test_a_status_changes_along_the_allowed_ways_only(shop: Shop) -> None:
    for start, ways in members.TRANSITIONS.items():
        for end in members.TRANSITIONS:
            member, _ = enrol(shop, f"{start}-{end}")
            change(shop, member.id, start)
            if end in ways or end == start:
                assert change(shop, member.id, end).status == end
            else:
                with pytest.raises(MemberStatusFinal):
                    change(shop, member.id, end)


def test_closing_and_reopening_at_the_same_moment_ends_closed(shop: Shop) -> None:
    for number in range(10):
        member, _ = enrol(shop, f"c-{number}")
        change(shop, member.id, "suspended")
        together(2, lambda index, id=member.id: change_or_not(shop, id, WAYS[index]))
        left = within(shop, lambda s, id=member.id: members.require(s, P, id).status)
        assert left == "closed"


def change(shop: Shop, member_id: str, status: str) -> Member:
    return within(
        shop, lambda s: members.change(s, members.require(s, P, member_id), status=status)
    )


def change_or_not(shop: Shop, member_id: str, status: str) -> None:
    try:
        change(shop, member_id, status)
    except MemberStatusFinal:
        return
