"""The sandbox takes its key as Stripe does: as a bearer token or as a Basic user name."""

import pytest
import requests

from loyalty_service import sandbox


@pytest.mark.parametrize("auth", [("sk_test_x", ""), ("sk_test_x", "ignored")])
def test_a_key_as_the_basic_user_name_is_taken(auth: tuple[str, str]) -> None:
    with sandbox.serve() as server:
        url = f"{server.url}/v1/promotion_codes"
        assert requests.get(url, auth=auth, timeout=10).status_code == 200


@pytest.mark.parametrize("header", ["Basic ***", "Basic ", "Digest sk_test_x", "Basic c2stYmFk"])
def test_anything_else_is_refused(header: str) -> None:
    with sandbox.serve() as server:
        url = f"{server.url}/v1/promotion_codes"
        answer = requests.get(url, headers={"Authorization": header}, timeout=10)
        assert answer.status_code == 401
