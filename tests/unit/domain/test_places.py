"""Where a name of the configuration may lead."""

import pytest

from worker.domain.places import PlaceRefused, allowed

PUBLIC = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"]
INNER = ["127.0.0.1", "10.1.2.3", "172.18.0.4", "192.168.1.1", "100.64.0.1", "::1", "fd12::1"]
INNER += ["::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1"]
NEVER = ["169.254.169.254", "fe80::1%eth0", "fd00:ec2::254", "0.0.0.0", "::", "224.0.0.1"]
NEVER += ["::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "255.255.255.255", "240.0.0.1"]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_name_may_lead_to_a_public_address(address: str) -> None:
    assert allowed("shop.example", [address], allow_private=False) == [address]


@pytest.mark.parametrize("address", INNER)
def test_to_a_private_one_only_where_the_configuration_says_so(address: str) -> None:
    assert allowed("shop.example", [address], allow_private=True) == [address]
    with pytest.raises(PlaceRefused, match="is no public address, and allow_private is not set"):
        allowed("shop.example", [address], allow_private=False)


@pytest.mark.parametrize("address", NEVER)
def test_and_never_to_where_credentials_are_given_out(address: str) -> None:
    with pytest.raises(PlaceRefused, match=r"is no public address\Z"):
        allowed("shop.example", [address], allow_private=True)


def test_of_several_addresses_those_that_may_be_are_left() -> None:
    found = ["10.0.0.1", "93.184.216.34", "169.254.169.254"]
    assert allowed("shop.example", found, allow_private=False) == ["93.184.216.34"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "10.0.0.7", "169.254.169.254"])
def test_an_address_that_is_written_in_the_configuration_is_meant(host: str) -> None:
    assert allowed(host, ["10.0.0.7"], allow_private=False) == ["10.0.0.7"]
