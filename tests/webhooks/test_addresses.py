"""Nothing is sent inside the house: not by a literal, not by a name, not by a name that changes."""

import ipaddress
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loyalty_service import addresses
from loyalty_service.gateways import webhooks
from tests.shop import Shop
from tests.webhooks.receiving import Receiver

INSIDE = [
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "0.1.2.3",
    "192.0.0.8",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2001:0:1::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::10.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
]
LOOPBACK = ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]
OUTSIDE = ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", INSIDE)
@pytest.mark.parametrize("is_sandbox", [True, False])
def test_an_address_of_the_house_is_never_reached(address: str, is_sandbox: bool) -> None:
    assert not addresses.may_reach(ipaddress.ip_address(address), is_sandbox)


@pytest.mark.parametrize("address", LOOPBACK)
def test_loopback_is_reached_in_a_sandbox_only(address: str) -> None:
    assert addresses.may_reach(ipaddress.ip_address(address), True)
    assert not addresses.may_reach(ipaddress.ip_address(address), False)


@pytest.mark.parametrize("address", OUTSIDE)
def test_a_public_address_is_reached(address: str) -> None:
    assert addresses.may_reach(ipaddress.ip_address(address), False)


@pytest.mark.parametrize(
    "host",
    [
        *(f"[{one}]" if ":" in one else one for one in INSIDE + LOOPBACK),
        "2130706433",
        "0x7f.1",
        "127.1",
        "0177.0.0.1",
        "localhost",
        "LOCALHOST.",
        "db.localhost",
    ],
)
def test_a_url_that_names_the_house_is_refused_in_every_spelling(host: str) -> None:
    with pytest.raises(addresses.NotPublic):
        addresses.require_url(f"https://{host}/hooks", is_sandbox=False)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example",
        "ftp://shop.example",
        "https://",
        "https:///hooks",
        "https://user:secret@shop.example/",
        "https://shop.example/#top",
        "https://shop.example:0/",
        "https://shop.example:99999/",
        "https://shop.example/a b",
        "https://shop.example\\@10.0.0.1/",
        "https://shöp.example/",
        "https://[::1",
        "javascript:alert(1)",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(addresses.BadUrl):
        addresses.require_url(url, is_sandbox=True)


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let names lead to what each next look answers; returns the names that were asked for."""
    asked: list[str] = []
    left = list(answers)

    def getaddrinfo(host: str, port: int, *args: Any, **more: Any) -> Any:
        asked.append(host)
        known = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known]

    monkeypatch.setattr(webhooks.socket, "getaddrinfo", getaddrinfo)
    return asked


def post(url: str, *, is_sandbox: bool = True, timeout_seconds: int = 5) -> webhooks.Answer:
    return webhooks.post(url, {}, b"{}", is_sandbox=is_sandbox, timeout_seconds=timeout_seconds)


def test_a_name_is_looked_up_once_and_only_what_was_checked_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = resolving(monkeypatch, ["203.0.114.9"], ["127.0.0.1"])
    connected: list[Any] = []

    def create_connection(to: Any, timeout: Any = None) -> Any:
        connected.append(to)
        raise ConnectionRefusedError

    monkeypatch.setattr(webhooks.socket, "create_connection", create_connection)
    with pytest.raises(webhooks.NotSent, match="refused"):
        post("https://rebinding.example/hooks", is_sandbox=False)
    assert (asked, connected) == (["rebinding.example"], [("203.0.114.9", 443)])


def test_a_name_that_is_looked_up_slowly_does_not_outlast_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = threading.Event()
    monkeypatch.setattr(webhooks.socket, "getaddrinfo", lambda *args, **more: ended.wait(20))
    began = time.monotonic()
    with pytest.raises(webhooks.NotSent, match=r"shop\.example could not be looked up in time"):
        post("http://shop.example/", timeout_seconds=1)
    ended.set()
    assert time.monotonic() - began < 5


def test_one_bad_address_among_good_ones_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolving(monkeypatch, ["203.0.114.9", "10.0.0.1"])
    with pytest.raises(webhooks.NotSent, match=r"leads to 10\.0\.0\.1, which is no public"):
        post("https://mixed.example/", is_sandbox=False)


def test_a_name_that_leads_inside_only_at_delivery_is_refused_noted_and_tried_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"url": "http://shop.example/hooks", "types": ["*"]}
    shop.post("/v1/webhook_endpoints", body, who="admin")
    shop.a_member(points=1)
    shop.tell()
    real = socket.getaddrinfo
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.1.2.3", 80))]
    monkeypatch.setattr(
        webhooks.socket,
        "getaddrinfo",
        lambda host, *rest, **more: inside if host == "shop.example" else real(host, *rest, **more),
    )
    assert shop.deliver() == 1
    (shown,) = shop.get("/v1/webhook_deliveries", who="admin")["data"]
    assert shown["last_error"] == (
        "the name shop.example leads to 10.1.2.3, which is no public address"
    )
    assert (shown["status"], shown["next_attempt_at"] is not None) == ("pending", True)


@pytest.mark.slow
def test_an_answer_that_drips_is_cut_at_the_deadline(receiver: Receiver) -> None:
    receiver.seconds_a_byte = 1
    with pytest.raises(webhooks.NotSent, match="no answer within 2 s"):
        post(receiver.url, timeout_seconds=2)


def test_a_connection_that_is_refused_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(webhooks.NotSent, match="refused"):
        post(f"http://127.0.0.1:{port}/")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate for hooks.example that nobody but the test trusts."""
    file = tmp_path / "both.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=hooks.example", "-addext", "subjectAltName=DNS:hooks.example"),
            *("-keyout", str(file), "-out", str(tmp_path / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
    file.write_text(file.read_text() + (tmp_path / "cert.pem").read_text())
    return file


@pytest.fixture
def secure_port(certificate: Path) -> Iterator[tuple[int, list[str | None]]]:
    """Where a TLS server answers 204, and the names that it was asked by."""
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    server = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            try:
                plain, _ = server.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as secured:
                    # All of it: closing on what is unread would break the connection.
                    heard = b""
                    while not heard.endswith(b"{}"):
                        heard += secured.recv(65536)
                    secured.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
            except OSError:
                plain.close()

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield server.getsockname()[1], names
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


@pytest.mark.parametrize(
    ("host", "is_trusted"), [("hooks.example", True), ("other.example", False)]
)
def test_the_certificate_must_be_the_names(
    secure_port: tuple[int, list[str | None]],
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    is_trusted: bool,
) -> None:
    port, names = secure_port
    resolving(monkeypatch, ["127.0.0.1"])
    context = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(webhooks, "_trust", lambda: context)
    if is_trusted:
        assert post(f"https://{host}:{port}/hooks").status == 204
    else:
        with pytest.raises(webhooks.NotSent, match="TLS"):
            post(f"https://{host}:{port}/hooks")
    assert names == [host]


def test_a_certificate_that_nobody_vouches_for_is_refused(
    secure_port: tuple[int, list[str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, _ = secure_port
    resolving(monkeypatch, ["127.0.0.1"])
    with pytest.raises(webhooks.NotSent, match="TLS"):
        post(f"https://hooks.example:{port}/hooks")
