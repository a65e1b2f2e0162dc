"""`ledger verify` names whatever was changed behind the ledger's back, with both figures."""

import pytest

from tests.domain.ledger.conftest import Books, Tamper

pytestmark = pytest.mark.tampered


def test_one_point_moved_between_two_lots(books: Books, tamper: Tamper) -> None:
    first, second, _ = books.lots
    tamper(f"UPDATE lots SET available = available + 1 WHERE id = '{first}'")
    tamper(f"UPDATE lots SET available = available - 1 WHERE id = '{second}'")
    assert books.found() == {
        (f"lot {first}", "available is 1, postings give 0"),
        (f"lot {second}", "available is 249, postings give 250"),
    }


@pytest.mark.parametrize(
    ("figure", "true"),
    [("available", 250), ("pending", 120), ("held", 0), ("lifetime_earned", 120)],
)
def test_an_accounts_figure(books: Books, tamper: Tamper, figure: str, true: int) -> None:
    tamper(f"UPDATE accounts SET {figure} = {true + 7} WHERE member_id = '{books.member}'")
    assert books.found() == {
        (f"account {books.member}", f"{figure} is {true + 7}, postings give {true}")
    }


def test_debt_that_nobody_made(books: Books, tamper: Tamper) -> None:
    tamper(f"UPDATE accounts SET available = 0, debt = 5 WHERE member_id = '{books.member}'")
    assert (f"account {books.member}", "debt is 5, postings give 0") in books.found()


def test_a_posting_inserted_by_hand(books: Books, tamper: Tamper) -> None:
    gift, lot = books.transactions[0], books.lots[0]
    tamper(
        "INSERT INTO postings (program_id, transaction_id, line, debit_kind, credit_kind, "
        f"credit_lot_id, points) VALUES ('default', '{gift}', 2, 'adjusted', 'available', "
        f"'{lot}', 40)"
    )
    assert books.found() >= {
        (f"transaction {gift}", "content, postings or lots are not what was hashed"),
        (f"transaction {gift}", "available_after is 100, postings give 140"),
        (f"lot {lot}", "available is 0, postings give 40"),
        (f"account {books.member}", "available is 250, postings give 290"),
        (f"adjustment {books.gift}", "points is 100, postings give 140"),
    }


def test_a_postings_points(books: Books, tamper: Tamper) -> None:
    gift, lot = books.transactions[0], books.lots[0]
    tamper(f"UPDATE postings SET points = 90 WHERE transaction_id = '{gift}'")
    assert books.found() >= {
        (f"transaction {gift}", "content, postings or lots are not what was hashed"),
        (f"lot {lot}", f"is below zero after transaction {books.transactions[3]}"),
    }


def test_a_transfer_that_its_kind_cannot_make(books: Books, tamper: Tamper) -> None:
    gift = books.transactions[0]
    tamper(f"UPDATE postings SET debit_kind = 'issued' WHERE transaction_id = '{gift}'")
    assert books.found() >= {
        (f"transaction {gift}", "credit can't move points from issued to available"),
        (f"account {books.member}", "lifetime_earned is 120, postings give 220"),
    }


@pytest.mark.parametrize(
    "change",
    [
        "context = '{}'",
        "kind = 'credit'",
        "occurred_at = recorded_at",
        "sequence = 40",
        "previous_hash = hash",
        "corrects_id = id",
    ],
)
def test_a_transactions_content(books: Books, tamper: Tamper, change: str) -> None:
    order = books.transactions[2]
    tamper(f"UPDATE transactions SET {change} WHERE id = '{order}'")
    named = {detail for subject, detail in books.found() if subject == f"transaction {order}"}
    assert "content, postings or lots are not what was hashed" in named


def test_a_balance_noted_on_a_transaction(books: Books, tamper: Tamper) -> None:
    gift = books.transactions[0]
    tamper(f"UPDATE transactions SET available_after = 1000 WHERE id = '{gift}'")
    assert books.found() == {(f"transaction {gift}", "available_after is 1000, postings give 100")}


def test_the_last_transaction_deleted(books: Books, tamper: Tamper) -> None:
    last = books.transactions[-1]
    tamper(f"DELETE FROM transactions WHERE id = '{last}'")
    assert books.found() >= {
        (f"account {books.member}", "head_hash is not that of the last transaction"),
        (f"account {books.member}", "sequence is 4, 3 transactions are there"),
        ("postings", "1 without a transaction of their own account"),
    }


def test_a_transaction_in_the_middle_deleted_with_its_postings(
    books: Books, tamper: Tamper
) -> None:
    gift, order = books.transactions[1:3]
    tamper(f"DELETE FROM postings WHERE transaction_id = '{gift}'")
    tamper(f"DELETE FROM transactions WHERE id = '{gift}'")
    assert books.found() >= {
        (f"transaction {order}", "sequence is 3, expected 2"),
        (f"transaction {order}", "previous_hash is not the hash of the transaction before it"),
        ("lots", "1 without a transaction of their own account"),
    }


def test_a_lot_stolen_by_another_member(books: Books, tamper: Tamper) -> None:
    lot, thief = books.lots[1], books.stranger
    tamper(f"UPDATE lots SET member_id = '{thief}', number = 99 WHERE id = '{lot}'")
    assert books.found() >= {
        (f"lot {lot}", "available is 250, postings give 0"),
        (f"transaction {books.transactions[1]}", f"names lot {lot} of another account"),
        ("lots", "1 without a transaction of their own account"),
    }


@pytest.mark.parametrize(
    "change",
    [
        "expires_at = '2999-01-01 00:00:00+00:00'",
        "expires_at = NULL",
        "earned_at = '2020-01-01 00:00:00+00:00'",
        "restores_lot_id = id",
    ],
)
def test_a_lots_dates(books: Books, tamper: Tamper, change: str) -> None:
    tamper(f"UPDATE lots SET {change} WHERE id = '{books.lots[2]}'")
    assert (
        f"transaction {books.transactions[2]}",
        "content, postings or lots are not what was hashed",
    ) in books.found()


def test_a_moment_kept_too_late_for_what_falls_due(books: Books, tamper: Tamper) -> None:
    tamper(f"UPDATE accounts SET next_due_at = NULL WHERE member_id = '{books.member}'")
    [(subject, detail)] = books.found()
    assert subject == f"account {books.member}"
    assert detail.startswith("next_due_at is None, a lot is due at ")


def test_an_orders_points(books: Books, tamper: Tamper) -> None:
    tamper(f"UPDATE orders SET points_earned = 12 WHERE id = '{books.order}'")
    assert books.found() == {(f"order {books.order}", "points_earned is 12, its contents give 120")}


def test_an_order_that_is_gone(books: Books, tamper: Tamper) -> None:
    tamper(f"DELETE FROM orders WHERE id = '{books.order}'")
    assert books.found() == {(f"transaction {books.transactions[2]}", "its order is not there")}


def test_an_order_that_became_another_members(books: Books, tamper: Tamper) -> None:
    tamper(f"UPDATE orders SET member_id = '{books.stranger}' WHERE id = '{books.order}'")
    assert books.found() == {
        (f"order {books.order}", f"is of {books.stranger}, its points are not")
    }


def test_a_redemptions_points(books: Books, tamper: Tamper) -> None:
    tamper(f"UPDATE redemptions SET points = 10 WHERE id = '{books.redemption}'")
    assert books.found() == {(f"redemption {books.redemption}", "points is 10, postings give 100")}


def test_a_redemption_cancelled_without_its_points(books: Books, tamper: Tamper) -> None:
    tamper(
        "UPDATE redemptions SET status = 'cancelled', restored_by = transaction_id "
        f"WHERE id = '{books.redemption}'"
    )
    assert books.found() == {
        (f"redemption {books.redemption}", "is cancelled and 0 of 100 points came back")
    }


def test_an_adjustments_points(books: Books, tamper: Tamper) -> None:
    tamper(f"UPDATE adjustments SET points = 99 WHERE id = '{books.gift}'")
    assert books.found() == {(f"adjustment {books.gift}", "points is 99, postings give 100")}


def test_a_counter(books: Books, tamper: Tamper) -> None:
    tamper("UPDATE counters SET used = used - 50")
    [(subject, detail)] = books.found()
    assert subject.startswith("counter adjustments:")
    assert detail == "used is 300, allotments give 350"


def test_an_allotment_that_is_gone(books: Books, tamper: Tamper) -> None:
    tamper("DELETE FROM allotments WHERE amount = 100")
    [(_, detail)] = books.found()
    assert detail == "used is 350, allotments give 250"


def test_a_program_that_was_rewritten(books: Books, tamper: Tamper) -> None:
    tamper("UPDATE program_versions SET document = 'id: default'")
    assert books.found() == {("program version 1", "the document is not the one that was applied")}
