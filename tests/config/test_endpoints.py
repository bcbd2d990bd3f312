"""Which hosts are this machine."""

from __future__ import annotations

import pytest

from reconciler.config.endpoints import is_loopback, is_loopback_host

LOOPBACK = ("localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1")
ELSEWHERE = (
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "10.0.0.1",
    "0.0.0.0",
    "::",
    "::ffff:10.0.0.1",
    "",
    "1",
)


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_is_known_by_name_and_address(host: str) -> None:
    written = f"[{host}]" if ":" in host else host

    assert is_loopback_host(host)
    assert is_loopback(f"http://{written}:8080/x")


@pytest.mark.parametrize("host", ELSEWHERE)
def test_everything_else_is_elsewhere(host: str) -> None:
    written = f"[{host}]" if ":" in host else host

    assert not is_loopback_host(host)
    assert not is_loopback(f"http://{written}")


@pytest.mark.parametrize(
    "url", ["localhost", "http://[::1", "http://localhost:99999", "http://localhost@evil.example", ""]
)
def test_what_is_no_url_of_this_machine_is_elsewhere(url: str) -> None:
    assert not is_loopback(url)
