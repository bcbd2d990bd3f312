"""Whether a resource has the form in which everything behind this port reads it, so that no reader has to ask again.

Objects, lists and texts of a pool by their names in the ARM document (azure-rest-api-specs devopsinfrastructure
2026-06-02); whatever is not named here is passed on as it came. Absent and null are the same in ARM's answers; an entry
of a list that is null is not.
"""

from __future__ import annotations

from typing import Any, Final

from reconciler.documents import Json, json_text
from reconciler.errors import Unavailable

_POOL: Final[dict[str, Any]] = {
    "id": str,
    "name": str,
    "type": str,
    "location": str,
    "tags": {},
    "identity": {"type": str, "userAssignedIdentities": {}},
    "properties": {
        "provisioningState": str,
        "devCenterProjectResourceId": str,
        "organizationProfile": {
            "kind": str,
            "alias": str,
            "organizations": [{"url": str, "alias": str, "projects": [str]}],
            "permissionProfile": {"kind": str, "users": [str], "groups": [str]},
        },
        "agentProfile": {"kind": str, "resourcePredictions": {}, "resourcePredictionsProfile": {"kind": str}},
        "fabricProfile": {
            "kind": str,
            "sku": {"name": str},
            "images": [{"wellKnownImageName": str, "resourceId": str, "aliases": [str]}],
            "osProfile": {"secretsManagementSettings": {"observedCertificates": [str]}},
            "storageProfile": {"dataDisks": [{}]},
            "networkProfile": {"subnetId": str, "ipAddresses": [str]},
        },
        "runtimeConfiguration": {},
    },
}


_SETS: Final = frozenset({"organizations", "projects", "users", "groups", "images", "observedCertificates"})
"""Lists of which an entry counts once, as in a spec, however often it comes. Two equal data disks are two disks."""


def pool_document(document: dict[str, Json], where: str) -> dict[str, Json]:
    """The document, equal entries of `_SETS` once; `Unavailable` where it is no pool that could be read."""
    _check(document, _POOL, where, "")
    return {name: _once(value) for name, value in resource_document(document, where).items()}


def resource_document(document: dict[str, Json], where: str) -> dict[str, Json]:
    """The document; `Unavailable` where an entry of one of its lists is null."""
    if place := _null(document, ""):
        raise Unavailable(f"{where}: an entry of {place} in ARM's answer is null")
    return document


def _check(value: Json, form: Any, where: str, place: str) -> None:
    if value is None:
        return
    kind: type[Any] = form if isinstance(form, type) else type(form)
    if not isinstance(value, kind):
        raise Unavailable(f"{where}: {place} in ARM's answer has another type than the published one")
    if isinstance(form, dict):
        for name in form.keys() & value.keys():
            _check(value[name], form[name], where, f"{place}.{name}".lstrip("."))
    elif isinstance(form, list):
        for one in value:
            _check(one, form[0], where, place)


def _once(value: Json, name: str = "") -> Json:
    if isinstance(value, dict):
        return {key: _once(one, key) for key, one in value.items()}
    if not isinstance(value, list):
        return value
    entries = [_once(one) for one in value]
    return list({json_text(one): one for one in entries}.values()) if name in _SETS else entries


def _null(value: Json, place: str) -> str:
    """The first list that has an entry that is null; empty where none has."""
    if isinstance(value, list):
        return place or "a list" if None in value else next(filter(None, (_null(one, place) for one in value)), "")
    inner = value.items() if isinstance(value, dict) else ()
    return next(filter(None, (_null(one, f"{place}.{name}".lstrip(".")) for name, one in inner)), "")
