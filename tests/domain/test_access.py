"""Keys: random, shown once, kept as a hash; clients that stay while their keys rotate."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from loyalty_service import canonical, clock, db
from loyalty_service.domain import access
from loyalty_service.domain.access import ApiKey, BadKeyRequest, NewKey, Staff
from loyalty_service.errors import KeyExpired, KeyRevoked, KeyUnknown, Unauthenticated
from tests.shop import Shop

T = TypeVar("T")


def within(shop: Shop, work: Callable[[Session], T]) -> T:
    """Do something in one transaction."""
    with shop.app.app_context():
        return db.transaction(work)


def a_client(shop: Shop, **particulars: Any) -> NewKey:
    wanted = {"name": "till", "scope": "checkout", **particulars}
    return within(shop, lambda session: access.create_client(session, shop.program_id, **wanted))


def caller(shop: Shop, token: str | None) -> access.Principal:
    with shop.app.app_context():
        return access.authenticate(token)


def test_the_database_holds_the_hash_and_never_the_key(shop: Shop) -> None:
    token = a_client(shop).token
    kept = within(
        shop,
        lambda session: [
            str(row)
            for table in ("api_keys", "clients", "staff")
            for row in session.execute(text(f"SELECT * FROM {table}"))
        ],
    )
    secret = token.split("_", 2)[2]
    assert not any(secret in row for row in kept)
    assert any(canonical.sha256(token) in row for row in kept)


def test_no_two_keys_are_alike_and_each_is_long(shop: Shop) -> None:
    tokens = {a_client(shop, name=f"till {number}").token for number in range(20)}
    assert len(tokens) == 20
    assert all(len(token.split("_", 2)[2]) >= 43 for token in tokens)


def test_a_key_names_its_client_scope_and_person(shop: Shop) -> None:
    made = a_client(shop, name="Eva", scope="staff", person="eva@shop.example", role="manager")
    principal = caller(shop, made.token)
    assert (principal.program_id, principal.scope, principal.role) == (
        "default",
        "staff",
        "manager",
    )
    assert principal.client_id == made.client_id
    assert principal.actor_id == principal.staff_id
    assert caller(shop, a_client(shop).token).actor_id.startswith("cli_")


def test_a_changed_character_is_another_key(shop: Shop) -> None:
    token = a_client(shop).token
    for wrong in (token[:-1], token + "x", token.swapcase(), token.replace("default", "other")):
        with pytest.raises(KeyUnknown):
            caller(shop, wrong)
    for nothing in (None, ""):
        with pytest.raises(Unauthenticated):
            caller(shop, nothing)


def test_the_client_stays_the_same_while_its_key_rotates(shop: Shop) -> None:
    old = a_client(shop)
    new = within(
        shop,
        lambda session: access.rotate(session, "default", old.id, overlap=timedelta(hours=1)),
    )
    assert new.token != old.token
    assert caller(shop, new.token) == caller(shop, old.token)


def test_rotating_never_makes_an_old_key_last_longer(shop: Shop) -> None:
    ends = clock.wall() + timedelta(minutes=5)
    old = a_client(shop, expires_at=ends)
    within(
        shop, lambda session: access.rotate(session, "default", old.id, overlap=timedelta(days=9))
    )
    kept = within(shop, lambda session: session.get_one(ApiKey, ("default", old.id)).expires_at)
    assert kept == ends


def test_a_key_ends_at_the_moment_it_names(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = clock.wall() + timedelta(hours=1)
    token = a_client(shop, expires_at=ends).token
    monkeypatch.setattr(clock, "wall", lambda: ends - timedelta(microseconds=1))
    assert caller(shop, token).scope == "checkout"
    monkeypatch.setattr(clock, "wall", lambda: ends)
    with pytest.raises(KeyExpired):
        caller(shop, token)


def test_a_revoked_key_is_not_rotated_and_stays_revoked(shop: Shop) -> None:
    made = a_client(shop)
    for _ in range(2):
        within(shop, lambda session: access.revoke(session, "default", made.id))
    with pytest.raises(KeyRevoked):
        caller(shop, made.token)
    with pytest.raises(KeyRevoked):
        within(shop, lambda s: access.rotate(s, "default", made.id, overlap=timedelta(0)))


def test_a_key_of_another_program_is_not_ours_to_revoke(shop: Shop) -> None:
    made = a_client(shop)
    for verb in (
        lambda session: access.revoke(session, "other", made.id),
        lambda session: access.rotate(session, "other", made.id, overlap=timedelta(0)),
    ):
        with pytest.raises(KeyUnknown):
            within(shop, verb)
    assert caller(shop, made.token)


@pytest.mark.parametrize(
    ("particulars", "said"),
    [
        ({"scope": "owner"}, "scope 'owner' is not known"),
        ({"scope": "staff"}, "acts for a person"),
        ({"scope": "staff", "person": "a@b", "role": "king"}, "role 'king' is not known"),
        ({"name": "checkout"}, "client 'checkout' exists"),
    ],
)
def test_a_client_that_cannot_be_is_refused_in_words(
    shop: Shop, particulars: dict[str, str], said: str
) -> None:
    with pytest.raises(BadKeyRequest, match=said):
        a_client(shop, **particulars)


def test_one_person_with_two_clients_is_one_person(shop: Shop) -> None:
    made = [
        a_client(shop, name=name, scope="staff", person="eva@shop.example", role="agent")
        for name in ("phone", "desk")
    ]
    people = {caller(shop, key.token).staff_id for key in made}
    assert len(people) == 1
    mine = select(Staff).where(Staff.person == "eva@shop.example")
    assert len(within(shop, lambda session: session.scalars(mine).all())) == 1


def test_production_does_not_start_with_demo_keys_or_none(shop: Shop) -> None:
    assert within(shop, access.unsafe_keys) is None
    demo = a_client(shop, demo_token="lk_default_demo-till")
    assert "demo" in str(within(shop, access.unsafe_keys))
    within(shop, lambda session: access.revoke(session, "default", demo.id))
    assert within(shop, access.unsafe_keys) is None
    every = within(shop, lambda session: [key.id for key, *_ in access.listed(session, "default")])
    for key_id in every:
        within(shop, lambda session, key_id=key_id: access.revoke(session, "default", key_id))
    assert "no API key" in str(within(shop, access.unsafe_keys))


def test_a_key_that_has_expired_is_no_key_to_start_with(shop: Shop) -> None:
    def expire(session: Session) -> None:
        for key, *_ in access.listed(session, "default"):
            key.expires_at = clock.wall() - timedelta(seconds=1)

    within(shop, expire)
    assert "no API key" in str(within(shop, access.unsafe_keys))


def test_a_successor_lives_as_long_as_the_key_it_follows(shop: Shop) -> None:
    ends = clock.wall() + timedelta(days=30)
    made = a_client(shop, expires_at=ends)
    successor = within(
        shop, lambda s: access.rotate(s, shop.program_id, made.id, overlap=timedelta(0))
    )
    kept = within(shop, lambda s: s.get_one(ApiKey, (shop.program_id, successor.id)))
    assert kept.expires_at is not None
    assert abs(kept.expires_at - ends) < timedelta(minutes=5)


def test_a_second_key_never_changes_a_persons_role(shop: Shop) -> None:
    mia = {"scope": "staff", "person": "mia@shop.example"}
    token = a_client(shop, name="mia's phone", **mia).token
    assert caller(shop, token).role == "manager"
    with pytest.raises(BadKeyRequest, match=r"loyalty staff role mia@shop\.example agent"):
        a_client(shop, name="mia's till", role="agent", **mia)
    assert caller(shop, token).role == "manager"


@pytest.mark.parametrize(
    "written",
    [
        "EVA@shop.example",
        " eva@shop.example ",
        "Eva@Shop.Example",
        "eva\u200b@shop.example",
        "\ufeffeva@shop.example",
        "eva\u00ad@shop.example\t",
    ],
)
def test_a_person_is_the_same_however_the_name_is_written(shop: Shop, written: str) -> None:
    made = [
        a_client(shop, name=name, scope="staff", person=person, role="agent")
        for name, person in (("phone", "eva@shop.example"), ("desk", written))
    ]
    assert len({caller(shop, key.token).staff_id for key in made}) == 1


def test_a_role_is_changed_for_every_key_of_a_person(shop: Shop) -> None:
    mia = {"scope": "staff", "person": "mia@shop.example"}
    token = a_client(shop, name="mia's phone", **mia).token
    change = within(
        shop, lambda s: access.change_role(s, shop.program_id, "Mia@shop.example", "agent")
    )
    assert (change, caller(shop, token).role) == ("manager", "agent")
    with pytest.raises(BadKeyRequest, match="there is nobody 'max'"):
        within(shop, lambda s: access.change_role(s, shop.program_id, "max", "agent"))
