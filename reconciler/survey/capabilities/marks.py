"""What may mark an agent pool of a Managed DevOps Pool: no document says what does, so `probe` compares agent pools."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from reconciler.documents import Json


def _id_of(value: Json) -> str:
    return str(value.get("id") or "") if isinstance(value, Mapping) else ""


MARKS: Mapping[str, Callable[[Mapping[str, Json]], bool]] = {
    "agentCloudId": lambda facts: facts.get("agentCloudId") is not None,
    "options": lambda facts: str(facts.get("options") or "none").casefold() != "none",
    "owner": lambda facts: _id_of(facts.get("owner")) != _id_of(facts.get("createdBy")),
}
"""Name of a mark → whether an agent pool carries it: an agent cloud, options that are on, an owner who did not create
it (vsts-rest-api-specs distributedTask 7.2)."""


def marks_of(facts: Mapping[str, Json]) -> frozenset[str]:
    """The marks that an agent pool carries; `facts`: its document."""
    return frozenset(name for name, carried in MARKS.items() if carried(facts))


def others_with(mark: str) -> str:
    """Name of the count of agent pools that carry a mark, and that are not of a Managed DevOps Pool."""
    return f"others with {mark}"
