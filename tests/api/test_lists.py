"""Lists: newest first, without gap or repetition; and finding a customer by what staff have."""

from tests.api.contract import another_program, asked, problem
from tests.shop import Shop


def test_a_list_is_walked_down_and_up_without_gap_or_repetition(shop: Shop) -> None:
    newest_first = [shop.a_member() for _ in range(7)][::-1]
    for limit in (1, 2, 3, 7, 100):
        down, steps = walk(shop, "/v1/members", limit)
        assert down == newest_first
        assert steps == -(-7 // limit)
        assert walk_up(shop, "/v1/members", limit, newest_first[-1]) == newest_first[:-1]


def test_a_history_is_walked_down_and_up_without_gap_or_repetition(shop: Shop) -> None:
    member = shop.a_member()
    newest_first = [shop.give(member, 1)["transaction"] for _ in range(7)][::-1]
    path = f"/v1/members/{member}/transactions"
    for limit in (1, 3, 7, 100):
        assert walk(shop, path, limit)[0] == newest_first
        assert walk_up(shop, path, limit, newest_first[-1]) == newest_first[:-1]


def test_what_arrives_while_a_list_is_walked_does_not_shift_it(shop: Shop) -> None:
    newest_first = [shop.a_member() for _ in range(4)][::-1]
    page = shop.get("/v1/members?limit=2")
    shop.a_member()
    rest = shop.get(f"/v1/members?limit=2&starting_after={page['data'][-1]['id']}")
    assert [row["id"] for row in page["data"] + rest["data"]] == newest_first


def test_a_list_without_a_limit_has_twenty(shop: Shop) -> None:
    for _ in range(21):
        shop.a_member()
    page = shop.get("/v1/members")
    assert (page["object"], len(page["data"]), page["has_more"]) == ("list", 20, True)
    assert page["url"] == "/v1/members"


def test_an_empty_list_is_a_list(shop: Shop) -> None:
    empty = {"object": "list", "data": [], "has_more": False, "url": "/v1/members"}
    assert shop.get("/v1/members") == empty
    assert shop.get("/v1/members?q=nobody") == empty


def test_an_unknown_cursor_is_named(shop: Shop) -> None:
    member, other = shop.a_member(), shop.a_member()
    foreign = shop.give(other, 5)["transaction"]
    for name in ("starting_after", "ending_before"):
        answer = shop.call("GET", f"/v1/members?{name}=mem_nobody")
        problem(answer, 404, "cursor_not_found", name)
        for cursor in ("ltx_nobody", foreign):
            answer = shop.call("GET", f"/v1/members/{member}/transactions?{name}={cursor}")
            problem(answer, 404, "cursor_not_found", name)


def test_a_customer_is_found_by_whatever_staff_have_in_hand(shop: Shop) -> None:
    ana = shop.a_member(external_id="C-1", email="Ana@Shop.example", name="Ana Ärger")
    eva = shop.a_member(external_id="C-2", email="eva@shop.example", name="Eva Berg", points=100)
    order = shop.order(ana)["id"]
    code = shop.redeem(eva)["code"]
    for words, found in (
        (ana, [ana]),
        ("C-1", [ana]),
        ("ext:C-1", [ana]),
        ("ana@shop.example", [ana]),
        ("ANA@SHOP.EXAMPLE", [ana]),
        ("ana ", [ana]),
        ("Ana Ä", [ana]),
        ("EVA B", [eva]),
        (order, [ana]),
        (code, [eva]),
        (code.lower(), [eva]),
        (f" {code} ", [eva]),
        (" ", [eva, ana]),
    ):
        rows = shop.get(asked("/v1/members", q=words))["data"]
        assert [row["id"] for row in rows] == found, words


def test_only_what_is_meant_is_found(shop: Shop) -> None:
    shop.a_member(email="ana@shop.example", name="Ana Adler")
    for words in ("shop.example", "ana@", "%", "_na", "a%", "Ana_Adler", "\\"):
        assert shop.get(asked("/v1/members", q=words))["data"] == [], words


def test_what_is_found_may_be_walked(shop: Shop) -> None:
    found = [shop.a_member(name=f"Ana {number}") for number in range(3)][::-1]
    shop.a_member(name="Eva")
    assert walk(shop, "/v1/members", 2, q="ana")[0] == found


def test_a_code_or_order_of_another_program_finds_nobody(shop: Shop) -> None:
    other = another_program(shop.app)
    member = other.a_member(points=100, email="ana@shop.example")
    words = (member, other.redeem(member)["code"], other.order(member)["id"], "ana@shop.example")
    for word in words:
        assert shop.get(asked("/v1/members", q=word))["data"] == []
        found = other.get(asked("/v1/members", q=word))["data"]
        assert [row["id"] for row in found] == [member]


def test_a_list_shows_each_members_balance_as_it_is_now(shop: Shop) -> None:
    member = shop.a_member(points=40)
    shop.order(member, 10000)
    shop.advance(days=15)
    listed = shop.get("/v1/members")["data"][0]["balance"]
    alone = shop.balance(member)
    listed.pop("at"), alone.pop("at")
    assert listed == alone
    assert listed["available"] == 140


def walk(shop: Shop, path: str, limit: int, **query: str) -> tuple[list[str], int]:
    """All ids from the newest on, and in how many pages."""
    ids: list[str] = []
    wanted: dict[str, str | int] = {"limit": limit, **query}
    for steps in range(1, 100):
        page = shop.get(asked(path, **wanted))
        assert len(page["data"]) <= limit
        ids += [row["id"] for row in page["data"]]
        if not page["has_more"]:
            return ids, steps
        wanted["starting_after"] = ids[-1]
    raise AssertionError("the list has no end")


def walk_up(shop: Shop, path: str, limit: int, from_id: str) -> list[str]:
    """All ids above one, newest first."""
    ids: list[str] = []
    cursor = from_id
    for _ in range(100):
        page = shop.get(asked(path, limit=limit, ending_before=cursor))
        ids = [row["id"] for row in page["data"]] + ids
        if not page["has_more"]:
            return ids
        cursor = ids[0]
    raise AssertionError("the list has no beginning")


def test_a_customer_is_found_by_surname_by_our_ids_and_by_a_code_as_it_is_typed(
    shop: Shop,
) -> None:
    eva = shop.a_member(name="Eva Berg", points=100)
    given = shop.give(eva, 1)
    redemption = shop.redeem(eva)
    typed = redemption["code"].replace("-", " ").lower()
    for words in ("berg", redemption["id"], given["transaction"], typed):
        rows = shop.get(asked("/v1/members", q=words))["data"]
        assert [row["id"] for row in rows] == [eva], words
