"""Values that Azure takes from lists of its own, as far as they are published: time zones and hosts of vaults.

An unknown value is a warning with the nearest known one, never an error: Azure may be newer than a list.

Sources: CLDR, supplemental data windowsZones, as the package tzlocal holds it (time zones of Windows, and those of IANA
that they stand for); Microsoft Learn, «Azure Key Vault keys, secrets and certificates overview»: DNS suffixes of vaults
and managed HSMs by cloud.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit

from reconciler.documents.spelling import nearest
from reconciler.spec.problem import show

VAULT_SUFFIXES = (
    "vault.azure.net",
    "vault.azure.cn",
    "vault.usgovcloudapi.net",
    "managedhsm.azure.net",
    "managedhsm.azure.cn",
    "managedhsm.usgovcloudapi.net",
)
"""A vault is one label below one of these."""
_LABEL = re.compile(r"[a-z0-9-]+")
DEFAULT_ZONE = "UTC"


class _Zones(NamedTuple):
    names: Mapping[str, str]
    """Case-folded → as Windows spells it."""
    of_iana: Mapping[str, str]
    """Case-folded IANA name → the Windows zone."""


@cache
def _zones() -> _Zones:
    from tzlocal.windows_tz import tz_win, win_tz  # noqa: PLC0415 - most specs name UTC, and need no list

    iana = {name.casefold(): zone for name, zone in tz_win.items() if name}
    return _Zones({name.casefold(): name for name in win_tz}, iana)


def zone_advice(name: str) -> str | None:
    """What to say of a time zone that Windows does not have; None for one that it has."""
    if name == DEFAULT_ZONE:
        return None
    zones = _zones()
    if name.casefold() in zones.names:
        return None
    is_ = f"is {show(name)}"
    if (zone := zones.of_iana.get(name.casefold())) is not None:
        return f"{is_}, an IANA time zone; ARM takes those of Windows: write {zone}"
    if (meant := nearest(name, zones.names.values())) is not None:
        return f"{is_}, which is no known time zone of Windows; did you mean {meant}?"
    if (near := nearest(name, zones.of_iana)) is not None:
        return f"{is_}, which is no known time zone of Windows; did you mean {zones.of_iana[near]}?"
    return (
        f"{is_}, which is no known time zone of Windows; write one such as Eastern Standard Time (tzutil /l lists them)"
    )


def vault_advice(url: str) -> str | None:
    """What to say of a secret URL whose host is no vault's; None where it is one."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    name, _, suffix = host.partition(".")
    if name and suffix in VAULT_SUFFIXES:
        return None
    name = name if _LABEL.fullmatch(name) and host not in VAULT_SUFFIXES else "{vault}"
    meant = f"{name}.{_nearest_suffix(suffix)}"
    return (
        f"is on {show(host)}, which is no known host of a vault; did you mean {meant}? Machines do not start where a "
        "certificate cannot be fetched"
    )


def _nearest_suffix(suffix: str) -> str:
    """That of the cloud which the host resembles, else of the public one."""
    cloud = "azure.cn" if suffix.endswith(".cn") else "usgovcloudapi.net" if "usgov" in suffix else "azure.net"
    return f"{'managedhsm' if 'hsm' in suffix else 'vault'}.{cloud}"
