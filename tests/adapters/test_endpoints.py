"""Where a token may go, and how long a service asks callers to wait."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.adapters.origin import Origin
from reconciler.adapters.retry_after import retry_after

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3.5"}, 3.5),
        ({"Retry-After": "Sun, 01 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"Retry-After": "Sun, 01 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"Retry-After": "-5"}, 0.0),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": ""}, None),
        ({"Retry-After": "1e3"}, None),
        ({"Retry-After": "1_000"}, None),
        ({"Retry-After": "Sun, 01 Nov 99999 12:00:30 GMT"}, None),
        ({"Retry-After": "9" * 400}, 86_400.0),
        ({"Retry-After": "Sun, 01 Nov 2026 13:00:30 -0000"}, 3_630.0),
        ({"Retry-After": "Sun, 01 Nov 2026 09:00:30 GMT", "Date": "Sun, 01 Nov 2026 09:00:00 GMT"}, 30.0),
        ({"Retry-After": "Sun, 01 Nov 2026 12:00:30 GMT", "Date": "lately"}, 30.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "99999999"}, 86_400.0),
        ({"x-ms-retry-after-ms": "1500"}, 1.5),
        ({"Retry-After": "x", "retry-after-ms": "250"}, 0.25),
    ],
)
def test_a_wait_is_read_in_every_form_or_not_at_all(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("url", "covered"),
    [
        ("https://management.azure.com/x?y", True),
        ("https://MANAGEMENT.azure.com:443/x", True),
        ("http://management.azure.com/x", False),
        ("https://management.azure.com:444/x", False),
        ("https://management.azure.com.evil.example/x", False),
        ("https://management.azure.com@evil.example/x", False),
        ("https://evil.example\\@management.azure.com/x", False),
        ("https://me@management.azure.com/x", False),
        ("https://[broken/x", False),
        ("//management.azure.com/x", False),
    ],
)
def test_only_the_very_same_origin_is_covered(url: str, covered: bool) -> None:
    origin = Origin.of("https://management.azure.com", what="ARM endpoint", allow_loopback=False)

    assert origin.covers(url) is covered


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "[::1]"])
def test_loopback_is_known_in_its_forms(host: str) -> None:
    origin = Origin.of(f"http://{host}:8080", what="x", allow_loopback=True)

    assert (origin.loopback, str(origin)) == (True, f"http://{host}:8080")
