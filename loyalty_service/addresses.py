"""Which addresses in the net may be spoken to: public ones, never this house's own. Pure.

An address inside another (IPv4 in IPv6, by mapping or NAT64) is judged by what it leads to.
"""

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# What Python's tables call neither private nor reserved, or call so in some versions only.
REFUSED = tuple(
    ipaddress.ip_network(net)
    for net in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "240.0.0.0/4",
        "::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)
URL_CHARACTERS_MAX = 2000


class BadUrl(ValueError):
    """The address can't be spoken to; the text says what it must be."""


class NotHttps(BadUrl):
    """Nothing is sent in the clear."""


class NotPublic(BadUrl):
    """The address lies inside a house, where a service has nothing to look for."""


def require_url(url: str, *, is_sandbox: bool) -> SplitResult:
    """The parts of a URL that webhooks may go to, as far as its text tells; raises BadUrl.

    Outside a sandbox it is https. In one, loopback is allowed.
    """
    parts = _parts(url)
    if parts.scheme != "https" and not is_sandbox:
        raise NotHttps("must begin with https://")
    host = parts.hostname or ""
    literal = _literal(host)
    named_here = host.rstrip(".").lower()
    is_local_name = named_here == "localhost" or named_here.endswith(".localhost")
    if (is_local_name and not is_sandbox) or (literal and not may_reach(literal, is_sandbox)):
        raise NotPublic("must be a public address")
    return parts


def may_reach(address: Address, is_sandbox: bool) -> bool:
    """Say whether an address is public, or, in a sandbox, this machine's loopback."""
    address = _meant(address)
    if address.is_loopback:
        return is_sandbox
    return not (
        address.is_private
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or not address.is_global
        or any(address in net for net in REFUSED if net.version == address.version)
    )


def _meant(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _parts(url: str) -> SplitResult:
    hint = "must be an address such as https://shop.example/hooks"
    try:
        parts = urlsplit(url)
        port = parts.port
        (parts.hostname or "").encode("idna")
    except (ValueError, UnicodeError) as error:
        raise BadUrl(hint) from error
    is_plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    if not is_plain or parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise BadUrl(hint)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadUrl("must not hold a user, a password or a fragment")
    return parts


def _literal(host: str) -> Address | None:
    """The address that a host's text is, also in the old ways of writing one: `0x7f.1`."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None
