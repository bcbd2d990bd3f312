"""Values that Azure takes from lists of its own: an unknown one is a warning with the nearest, never an error."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from reconciler.spec.dated import ending
from reconciler.spec.known import VAULT_SUFFIXES, vault_advice, zone_advice
from reconciler.spec.loader import Loaded, load
from tests.scenarios.drafts import POOL, PRIME, organization, spec
from tests.spec.test_warnings import warnings

NOW = datetime(2026, 11, 29, 23, 30, tzinfo=UTC)
VAULT = "https://fabrikam.{}/secrets/signing"
ZONE = "which is no known time zone of Windows"


@pytest.mark.parametrize(
    "name", ["UTC", "utc", "Eastern Standard Time", "W. Europe Standard Time", "w. europe standard time", "UTC-11"]
)
def test_time_zones_of_windows_are_known_in_any_case(name: str) -> None:
    assert zone_advice(name) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Europe/Berlin", "is Europe/Berlin, an IANA time zone; ARM takes those of Windows: write W. Europe Standard Time"),
        ("america/new_york", "is america/new_york, an IANA time zone; ARM takes those of Windows: write Eastern Standard Time"),
        ("Etc/UTC", "is Etc/UTC, an IANA time zone; ARM takes those of Windows: write UTC"),
        ("Eastern Standart Time", f"is Eastern Standart Time, {ZONE}; did you mean Eastern Standard Time?"),
        ("EasternStandardTime", f"is EasternStandardTime, {ZONE}; did you mean Eastern Standard Time?"),
        ("Europe/Berlim", f"is Europe/Berlim, {ZONE}; did you mean W. Europe Standard Time?"),
        ("", f"is an empty text, {ZONE}; write one such as Eastern Standard Time (tzutil /l lists them)"),
        ("Zzz", f"is Zzz, {ZONE}; write one such as Eastern Standard Time (tzutil /l lists them)"),
        ("\x1b[31m", rf"is \x1b[31m, {ZONE}; write one such as Eastern Standard Time (tzutil /l lists them)"),
    ],
)  # fmt: skip
def test_another_time_zone_is_named_with_that_of_windows(name: str, said: str) -> None:
    assert zone_advice(name) == said


@pytest.mark.parametrize("suffix", VAULT_SUFFIXES)
def test_vaults_of_every_cloud_are_known(suffix: str) -> None:
    assert vault_advice(VAULT.format(suffix)) is None
    assert vault_advice(VAULT.format(suffix.upper())) is None


@pytest.mark.parametrize(
    ("url", "host", "meant"),
    [
        (VAULT.format("vault.azure.com"), "fabrikam.vault.azure.com", "fabrikam.vault.azure.net"),
        (VAULT.format("valt.azure.net"), "fabrikam.valt.azure.net", "fabrikam.vault.azure.net"),
        (VAULT.format("vault.usgovcloudapi.com"), "fabrikam.vault.usgovcloudapi.com", "fabrikam.vault.usgovcloudapi.net"),
        (VAULT.format("azurewebsites.net"), "fabrikam.azurewebsites.net", "fabrikam.vault.azure.net"),
        ("https://vault.azure.net/secrets/a", "vault.azure.net", "{vault}.vault.azure.net"),
        ("https://[::1]/secrets/a", "::1", "{vault}.vault.azure.net"),
        ("https://a.b.vault.azure.net/secrets/a", "a.b.vault.azure.net", "a.vault.azure.net"),
        ("https://vault.azure.net.evil.example/secrets/a", "vault.azure.net.evil.example", "vault.vault.azure.net"),
    ],
)  # fmt: skip
def test_another_host_is_named_with_the_nearest(url: str, host: str, meant: str) -> None:
    assert vault_advice(url) == (
        f"is on {host}, which is no known host of a vault; did you mean {meant}? Machines do not start where a "
        "certificate cannot be fetched"
    )


def settings(**more: Any) -> dict[str, Any]:
    return {"secretsManagementSettings": {"observedCertificates": [], "keyExportable": False, **more}}


@pytest.mark.parametrize(("name", "hint"), [
    ("Mi", "known are My or Root"), ("Roots", "did you mean Root? Known are My or Root"),
    ("AuthRoot", "known are My or Root"), ("my", "did you mean My? Known are My or Root"),
])  # fmt: skip
def test_an_unknown_certificate_store_is_a_warning(name: str, hint: str) -> None:
    (told,) = warnings(osProfile=settings(certificateStoreName=name))
    assert told == f"certificateStoreName: is {name}, which this release does not know; {hint}"


def loaded(*entries: dict[str, Any], opened: bool = False) -> Loaded:
    document = spec(POOL, [{**organization(PRIME), "openAccess": opened}])
    document["access"] = {"openAccess": list(entries)}
    found = load({"spec.yaml": str(document).replace("True", "true").replace("False", "false").encode()})
    assert found.problems == ()
    return found


def exception(until: date, *, allow: bool = True) -> dict[str, Any]:
    return {"project": f"{PRIME}/Web", "allow": allow, "until": f"{until}", "reason": "release week"}


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (-300, "which has passed: the exception counts no more, and access of {} is closed instead of open; remove it, or write a later day"),
        (-1, "which has passed: the exception counts no more, and access of {} is closed instead of open; remove it, or write a later day"),
        (0, "today: from the day after, access of {} is closed instead of open"),
        (1, "tomorrow: from the day after, access of {} is closed instead of open"),
        (6, "in 6 days: from the day after, access of {} is closed instead of open"),
    ],
)  # fmt: skip
def test_an_exception_that_has_ended_or_ends_soon_is_a_warning_with_file_and_line(days: int, said: str) -> None:
    until = NOW.date() + timedelta(days)
    (warning,) = ending(loaded(exception(until)).specs, NOW)
    assert (warning.path, warning.line, warning.where) == ("spec.yaml", 1, "access.openAccess[0].until")
    assert warning.message == f"is {until}, {said.format(f'{PRIME}/Web')}"


def test_an_exception_with_time_left_or_without_an_end_is_none() -> None:
    later = exception(NOW.date() + timedelta(days=7))
    endless = {"project": f"{PRIME}/Web", "allow": True}
    assert list(ending(loaded(later, {**endless, "project": f"{PRIME}/Api"}).specs, NOW)) == []
    (closing,) = ending(loaded(exception(NOW.date(), allow=False), opened=True).specs, NOW)
    assert closing.message.endswith("is open instead of closed")


def test_warnings_of_the_day_are_not_kept_with_a_file() -> None:
    """The same bytes, a day later."""
    specs = loaded(exception(NOW.date() + timedelta(days=7))).specs
    assert len(list(ending(specs, NOW + timedelta(days=1)))) == 1
