"""What an approval binds: SHA-256 over a plan's changes, the content of the spec and the policy.

The commit is not part of it, so an unrelated push voids no approval. Letter case and order that mean nothing are
normalised first, and what an update merely carries on is left out: its lines are all that it changes.

Changes come in their documented form (`reconciler.plan.model.Change.to_json`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reconciler.documents import Json, JsonObject

_CASELESS = frozenset({
    "kind", "type", "location", "url", "name", "alias", "aliases", "projects", "repositories", "users", "groups",
    "wellknownimagename", "ephemeraltype", "logontype", "caching", "certificatestorelocation", "certificatestorename",
    "osdiskstorageaccounttype", "storageaccounttype", "driveletter", "predictionpreference", "windowsnvmedrive",
    "observedcertificates",
})  # fmt: skip
"""Fields of the ARM document whose values have no case, besides ids (``…Id``, and values that are resource ids)."""
_UNORDERED = frozenset({
    "organizations", "projects", "repositories", "users", "groups", "aliases", "observedcertificates",
})  # fmt: skip
"""Lists of the ARM document whose order means nothing."""
CREATIONS = frozenset({"createPool", "replacePool"})
"""Types of targets after which further lines of the same body may have to be written."""
_BODIES = CREATIONS | {"updatePool"}
_ASSIGNED_LATER = frozenset({"poolId", "queueId", "identityId", "before"})
"""Fields of a target that are not known before what it follows from exists."""


def plan_hash(pool: str, spec: str, policy: str, changes: Iterable[JsonObject]) -> str:
    """SHA-256 in hexadecimal digits; `spec`: git's id of the file's content, `policy`: the policy's digest.

    A change that waits for another one counts like any other: it is approved with it.
    """
    lines = sorted(_text(_normal(change)) for change in changes)
    return _digest({"pool": pool.casefold(), "spec": spec, "policy": policy, "changes": lines})


def line_of_change(change: JsonObject) -> str:
    """Digest of one change as an approved plan showed it, to the letter but for case and order without meaning."""
    return _digest(_normal(change))


def lines_to_come(change: JsonObject) -> Iterator[str]:
    """Digests of a change that follows from a creation, without what is not known before: ids, and what is replaced.

    For an ARM body one for each of its lines: after the creation an update may still have to write some of them.
    """
    target = change["target"]
    if target["type"] in _BODIES:
        for line in change["details"]:
            after = _value(line["after"], _leaf(line["path"]))
            yield _digest(["line", target["resourceId"].casefold(), line["path"].casefold(), after])
        return
    normal = _normal(change)
    normal["target"] = {name: value for name, value in normal["target"].items() if name not in _ASSIGNED_LATER}
    del normal["before"]
    yield _digest(normal)


def _normal(change: JsonObject) -> dict[str, Any]:
    target: dict[str, Json] = {name: _folded(value) for name, value in change["target"].items() if name != "body"}
    if change["target"]["type"] != "updatePool" and "body" in change["target"]:
        target["body"] = _value(change["target"]["body"], "")
    lines = [
        [one["path"].casefold(), *(_value(one[side], _leaf(one["path"])) for side in ("before", "after")), one["risk"]]
        for one in change["details"]
    ]
    # Of an ARM body the lines say what changes; the short texts beside them are for people.
    said = not lines
    return {
        "facet": change["facet"],
        "kind": change["kind"],
        "subject": change["subject"].casefold(),
        "before": _folded(change["before"]) if said else None,
        "after": _folded(change["after"]) if said else None,
        "target": target,
        "lines": sorted(lines, key=_text),
    }


def _value(value: Json, name: str) -> Json:
    """A value of the ARM document: names of fields have no case, and some values and orders have no meaning."""
    if isinstance(value, Mapping):
        return {key.casefold(): _value(inner, key) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        inner = [_value(one, name) for one in value]
        return sorted(inner, key=_text) if name.casefold() in _UNORDERED else inner
    caseless = name.casefold() in _CASELESS or name.endswith(("Id", "Ids"))
    if isinstance(value, str) and (caseless or value.casefold().startswith("/subscriptions/")):
        return value.casefold()
    return value


def _leaf(path: str) -> str:
    """The field at the end of a line's path: ``organizations`` of ``organizationProfile.organizations[fabrikam]``."""
    if path.endswith("]"):
        path = path.rpartition("[")[0]
    return path.rpartition(".")[2]


def _folded(value: Json) -> Json:
    """Values of Azure DevOps: names, roles and ids, none of which has case."""
    if isinstance(value, str):
        return value.casefold()
    if isinstance(value, list | tuple):
        return sorted((_folded(one) for one in value), key=_text)
    return {key: _folded(one) for key, one in value.items()} if isinstance(value, Mapping) else value


def _digest(content: Json) -> str:
    return hashlib.sha256(_text(content).encode("utf-8", "surrogatepass")).hexdigest()


def _text(content: Json) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
