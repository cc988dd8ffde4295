import pytest

from core.addresses import client_address, network_of


@pytest.mark.parametrize(
    ("proxies", "forwarded", "peer", "expected"),
    [
        (0, "", "9.9.9.9", "9.9.9.9"),
        (0, "6.6.6.6", "9.9.9.9", "9.9.9.9"),
        (0, "", "", ""),
        (0, "", "::ffff:9.9.9.9", "9.9.9.9"),
        (1, "9.9.9.9", "10.0.0.1", "9.9.9.9"),
        (1, "6.6.6.6, 9.9.9.9", "10.0.0.1", "9.9.9.9"),
        (1, "6.6.6.6, 192.168.1.5", "10.0.0.1", "192.168.1.5"),
        (1, "", "9.9.9.9", "9.9.9.9"),
        (1, "9.9.9.9", "", "9.9.9.9"),
        (2, "6.6.6.6, 9.9.9.9, 10.0.0.2", "10.0.0.1", "9.9.9.9"),
        (2, "2001:db8::5, 10.0.0.2", "10.0.0.1", "2001:db8::5"),
        (1, "nonsense", "10.0.0.1", "10.0.0.1"),
    ],
)
def test_client_address_takes_only_what_our_own_proxies_wrote(proxies, forwarded, peer, expected):
    meta = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded, "HTTP_CLIENT_IP": "6.6.6.6"}

    assert client_address(meta, proxies=proxies) == expected


@pytest.mark.parametrize(
    ("address", "network"),
    [("9.9.9.9", "9.9.9.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"), ("::ffff:9.9.9.9", "9.9.9.0/24"), ("", "")],
)
def test_network_of_is_the_24_or_the_48(address, network):
    assert network_of(address) == network
