"""Checkpoints: what was rewritten since is named, what did not change is not read again."""

import pytest
from sqlalchemy import text

from loyalty_service import db
from loyalty_service.domain.ledger import checkpoint
from loyalty_service.domain.ledger.checkpoint import BadCheckpoint, Checkpoint, merkle_root
from loyalty_service.domain.ledger.verify import Difference
from tests.shop import Shop

KEY = "a key of the tests, which is long enough to sign with"


def take(shop: Shop) -> Checkpoint:
    with shop.app.app_context():
        return db.read(lambda session: checkpoint.take(session, shop.program_id, KEY))


def differences(shop: Shop, since: Checkpoint) -> list[Difference]:
    with shop.app.app_context():
        return db.read(lambda session: list(checkpoint.verify_since(session, since)))


def test_books_that_went_on_are_clean(shop: Shop) -> None:
    member = shop.a_member(points=100)
    before = take(shop)
    shop.give(member, 20)
    shop.a_member(points=5)
    assert differences(shop, before) == []


def test_a_checkpoint_survives_its_file(shop: Shop) -> None:
    shop.a_member(points=100)
    made = take(shop)
    assert checkpoint.loads(checkpoint.dumps(made), KEY) == made


@pytest.mark.parametrize("key", ["another key", ""])
def test_a_checkpoint_of_another_key_is_refused(shop: Shop, key: str) -> None:
    shop.a_member(points=100)
    with pytest.raises(BadCheckpoint, match="another key"):
        checkpoint.loads(checkpoint.dumps(take(shop)), key)


def test_a_changed_file_is_refused(shop: Shop) -> None:
    shop.a_member(points=100)
    made = checkpoint.dumps(take(shop))
    head = take(shop).heads[0]
    for part in (head.content, head.head_hash, head.member_id, '"sequence":1'):
        assert part in made
        with pytest.raises(BadCheckpoint, match="root"):
            checkpoint.loads(
                made.replace(part, part[:-1] + ("1" if part.endswith("0") else "0")), KEY
            )
    with pytest.raises(BadCheckpoint, match="not a checkpoint"):
        checkpoint.loads("[]", KEY)


@pytest.mark.tampered
def test_an_account_that_was_emptied_and_rewritten_is_named(shop: Shop) -> None:
    member = shop.a_member(points=100)
    before = take(shop)
    with shop.app.app_context():
        # As somebody who owns the database could: the row agrees with itself, not with the past.
        db.transaction(lambda session: session.execute(text("UPDATE accounts SET sequence = 0")))
    named = [one.subject for one in differences(shop, before)]
    assert f"account {member}" in named


def test_the_root_depends_on_each_leaf_and_on_their_order() -> None:
    leaves = [f"{number:064x}" for number in range(5)]
    root = merkle_root(leaves)
    assert merkle_root(leaves[::-1]) != root
    for place in range(5):
        assert merkle_root([*leaves[:place], "f" * 64, *leaves[place + 1 :]]) != root
    assert merkle_root([]) == merkle_root([])
