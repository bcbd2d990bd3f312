r"""Names of identities, as far as facets that assign roles need them; nothing here reads or decides.

One identity may have several names, and two may share one: only local ids are compared, names are for people.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from reconciler.errors import ReconcilerError
from reconciler.ports.devops import Identity
from reconciler.spec.forms import GUID
from reconciler.spec.principals import folded


def names(who: Identity) -> set[str]:
    """Names of an identity that no other user can choose, folded: a display name keeps no one in a role."""
    address = who.unique_name if "@" in who.unique_name and "\\" not in who.unique_name else ""
    return {folded(name) for name in (address, who.origin_id) if name}


def label(who: Identity) -> str:
    r"""The name to show.

    An application's unique name is a guid, which says nothing alone; that of a group, or of a build service, may be
    ``domain\name``, of which the display name says more.
    """
    if who.display_name and re.fullmatch(GUID, who.unique_name):
        return f"{who.display_name} ({who.unique_name})"
    if who.display_name and "\\" in who.unique_name:
        return who.display_name
    return who.unique_name or who.display_name or who.id


def identified(
    answers: Mapping[str, Identity | ReconcilerError],
) -> tuple[dict[str, Identity], dict[str, ReconcilerError]]:
    """The identities, and why each of the other principals cannot be told: their grants are blind."""
    known: dict[str, Identity] = {}
    blind: dict[str, ReconcilerError] = {}
    for name, one in answers.items():
        if isinstance(one, ReconcilerError):
            blind[name] = one
        else:
            known[name] = one
    return known, blind


def labels(people: Mapping[str, Identity], taken: Iterable[str] = ()) -> dict[str, str]:
    """Local id → a name that no other identity here has, and that is not among those taken."""
    plain = {identity: label(who) for identity, who in people.items()}
    often = Counter(name.casefold() for name in (*plain.values(), *taken))
    return {
        identity: name if often[name.casefold()] == 1 else f"{name} ({identity})" for identity, name in plain.items()
    }
