"""No transport follows a redirect, wherever it leads: the token stays with the host that it was made for."""

from __future__ import annotations

import pytest

from reconciler.errors import ReconcilerError
from tests.adapters.loopback import Answer
from tests.adapters.transports import HOSTS, TOKEN, Company, Transport, each
from tests.examples import crossed

STATUSES = (301, 302, 303, 307, 308)
PLACES = (
    "https://evil.example/",
    "https://{host}.evil.example/",
    "https://{host}@evil.example/",
    "https://{host}:8443/",
    "http://{host}/",
    "//evil.example/",
    "/elsewhere",
    "https://{other}/",
)


@pytest.mark.soaked
@each
@pytest.mark.parametrize(("status", "place"), crossed(STATUSES, PLACES, one_of=5))
def test_a_redirect_leads_nowhere(transport: Transport, company: Company, status: int, place: str) -> None:
    """Also to another of our own hosts: each has a token with an audience of its own."""
    other = HOSTS[HOSTS.index(transport.host) - 1]
    away = Answer(status, b"", {"Location": place.format(host=transport.host, other=other)})
    company.service.answers.clear()
    company.service.say(*[away] * 9)
    company.setenv(HTTPS_PROXY=company.proxy.url, REQUESTS_CA_BUNDLE=str(company.authority.file))

    with pytest.raises(ReconcilerError) as caught:
        transport.call(f"https://{transport.host}")

    assert set(company.proxy.hosts) == {f"{transport.host}:443"}
    assert company.tokens() == {f"Bearer {TOKEN}"}
    assert "/elsewhere" not in {asked.path for asked in company.service.asked}
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)
