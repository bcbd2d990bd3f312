"""Rules about specs that several parts share: which organization a URL names, and when a pool is paused."""

from __future__ import annotations

from datetime import date

import pytest

from reconciler.spec.model import Mode, Spec
from reconciler.spec.names import organization_key, organization_of


@pytest.mark.parametrize(
    ("url", "name", "key"),
    [
        ("https://dev.azure.com/Fabrikam-Prime/", "fabrikam-prime", "fabrikam-prime"),
        ("https://fabrikam-prime.visualstudio.com", "fabrikam-prime", "fabrikam-prime"),
        ("HTTPS://DEV.AZURE.COM/fabrikam-prime", "fabrikam-prime", "fabrikam-prime"),
        (" https://dev.azure.com/fabrikam ", None, "fabrikam"),
        ("https://dev.azure.com/fabrikam/Web", None, "dev.azure.com/fabrikam/web"),
        ("http://dev.azure.com/fabrikam", None, "dev.azure.com/fabrikam"),
        ("https://www.github.com/Fabrikam/", None, "github.com/fabrikam"),
        ("https://github.com/Fabrikam", None, "github.com/fabrikam"),
        ("Fabrikam", None, "fabrikam"),
        ("", None, ""),
    ],
)
def test_an_organization_has_one_name_whatever_its_url(url: str, name: str | None, key: str) -> None:
    assert (organization_of(url), organization_key(url)) == (name, key)


@pytest.mark.parametrize(
    ("mode", "until", "paused"),
    [
        (Mode.PAUSE, None, True),
        (Mode.PAUSE, date(2026, 11, 1), True),
        (Mode.PAUSE, date(2026, 10, 31), False),
        (Mode.ENFORCE, None, False),
        (Mode.ENFORCE, date(2026, 11, 1), False),
    ],
)
def test_a_pause_lasts_until_the_end_of_its_last_day(mode: Mode, until: date | None, paused: bool) -> None:
    spec = Spec("build-pool", "subscription", "group", mode, {}, until=until)

    assert spec.paused_on(date(2026, 11, 1)) is paused
