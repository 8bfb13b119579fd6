"""Where an address of the configuration may lead once its name is resolved.

Whoever answers for a name can turn it to a machine of the inner network, or to the one that gives
out a cloud's credentials (169.254.169.254). So a name leads to public addresses, or to private ones
where the configuration says so; an address that the configuration writes itself, and `localhost`,
lead where they say.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

HOME = ("localhost", "127.0.0.1", "::1")
"""This machine, as addresses name it."""
_NAT64 = IPv6Network("64:ff9b::/96")
_CREDENTIALS = (IPv6Address("fd00:ec2::254"),)
"""Where a cloud gives them out, beside the link-local ones."""
Address = IPv4Address | IPv6Address


class PlaceRefused(OSError):
    """A name leads where it may not; a sentence's end, without the rest of the address."""


def allowed(host: str, addresses: Iterable[str], *, allow_private: bool) -> list[str]:
    """Those of a host's addresses that may be connected to, in their order. Raises PlaceRefused
    where there are none."""
    found = list(addresses)
    if host in HOME or _literal(host) is not None:
        return found
    good = [one for one in found if _may_be(ip_address(one.partition("%")[0]), allow_private)]
    if good:
        return good
    hint = "" if allow_private else ", and allow_private is not set"
    raise PlaceRefused(f"leads to {', '.join(found[:1])}, which is no public address{hint}")


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def _may_be(address: Address, allow_private: bool) -> bool:
    inner = _inner(address)
    if inner.is_link_local or inner.is_multicast or inner.is_unspecified or inner in _CREDENTIALS:
        return False
    if isinstance(inner, IPv4Address) and inner.is_reserved:
        return False
    return inner.is_global or allow_private


def _inner(address: Address) -> Address:
    """The IPv4 address that one of IPv6 stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
