r"""Names of identities, as far as facets that assign roles need them; nothing here reads or decides.

One identity may have several names, and two may share one: only local ids are compared, names are for people.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from reconciler.ports.devops import Identity
from reconciler.spec.forms import GUID


def is_local_group(principal: str) -> bool:
    r"""Whether it is a group of Azure DevOps, ``[scope]\name``: no directory holds one."""
    return principal.startswith("[")


def names(who: Identity) -> set[str]:
    """Every name of an identity, case-folded."""
    return {name.casefold() for name in (who.id, who.unique_name, who.display_name, who.origin_id) if name}


def label(who: Identity) -> str:
    """The name to show; an application's unique name is a guid, which says nothing alone."""
    if who.display_name and re.fullmatch(GUID, who.unique_name):
        return f"{who.display_name} ({who.unique_name})"
    return who.unique_name or who.display_name or who.id


def labels(people: Mapping[str, Identity], taken: Iterable[str] = ()) -> dict[str, str]:
    """Local id → a name that no other identity here has, and that is not among those taken."""
    plain = {identity: label(who) for identity, who in people.items()}
    often = Counter(name.casefold() for name in (*plain.values(), *taken))
    return {
        identity: name if often[name.casefold()] == 1 else f"{name} ({identity})" for identity, name in plain.items()
    }
