"""What the page about paying with points says, and the lines that it gives to a back end."""

import re
from pathlib import Path
from typing import Any

import pytest

from loyalty_service import signing
from loyalty_service.domain.holds.placing import SECONDS_DEFAULT, SECONDS_MAX

PAGE = (Path(__file__).parent.parent / "docs" / "holds.md").read_text()
KEY = "a key of thirty-two characters, or more of them"


def discount_of(token: str, key: str) -> Any:
    """As the lines on the page read a signature."""
    found = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert found
    names: dict[str, Any] = {}
    exec(found[1], names)
    return names["discount_of"](token, key)


def test_the_lines_on_the_page_read_what_we_sign() -> None:
    claims = {"hold": "hold_1", "order_id": "Bestellung süß", "amount": 500}
    assert discount_of(signing.sign(claims, KEY), KEY) == claims


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_lines_on_the_page_refuse_what_was_changed(place: int) -> None:
    good = signing.sign({"amount": 500}, KEY).split(".")
    other = signing.sign({"amount": 900}, KEY[::-1]).split(".")
    forged = [*good]
    forged[place] = other[place] if place else "eyJhbGciOiJub25lIn0"
    with pytest.raises(ValueError, match="not signed"):
        discount_of(".".join(forged), KEY)


def test_the_page_tells_how_long_a_hold_may_last() -> None:
    assert f"1 to {SECONDS_MAX:,} (7 days); {SECONDS_DEFAULT} where" in PAGE
