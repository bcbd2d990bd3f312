"""How a spec can name somebody who was found: by a name that leads back to the same person, or not at all."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.errors import ReconcilerError
from reconciler.ports.devops import Identity
from reconciler.spec import names
from reconciler.survey import Survey


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who administers an agent pool."""

    display: str
    principal: str = ""
    """As a spec names them; empty where no name leads back to them."""


def named(organization: str, who: Identity, survey: Survey) -> Person:
    """The first of address, group name and object id that the organization resolves to the same local id."""
    display = who.display_name or who.unique_name or who.id
    for candidate in (who.unique_name, who.origin_id):
        if candidate and names.principal(candidate) is None and _leads_to(organization, candidate, who.id, survey):
            return Person(display, candidate)
    return Person(display)


def _leads_to(organization: str, candidate: str, local_id: str, survey: Survey) -> bool:
    try:
        found = survey.identities(organization, [candidate])
    except ReconcilerError:
        return False  # it fits several people, or cannot be asked: then it names nobody
    return candidate in found and found[candidate].id == local_id
