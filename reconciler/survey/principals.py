"""Ids of the projects that principals of a spec name: a group is one of a project by id, not by its name.

A name comes first, then the id that the name was last known to have. Where another project has taken the name over, no
one can tell which one the spec means, and the principal resolves to nothing until the spec names it differently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from reconciler.errors import ReconcilerError, Rejected
from reconciler.ports.devops import DevOpsReader, Identity, Project
from reconciler.spec.principals import folded, is_id, scope_of
from reconciler.survey.memo import Key, Memo
from reconciler.survey.names import RememberedNames, key


def scopes(
    organization: str,
    principals: Sequence[str],
    remembered: RememberedNames,
    *,
    visible: Callable[[], Sequence[Project]],
    hidden: Callable[[], Sequence[Project]],
) -> Mapping[str, str | ReconcilerError]:
    """Principal as written → id of the project in its scope; empty where it has none, or the organization lacks it.

    `visible`, `hidden`: as the spec names them; read only where a principal names a project.
    """
    found: dict[str, str | ReconcilerError] = {}
    for text in principals:
        name = scope_of(text, organization)
        if not name or is_id(name):
            found[text] = name.lower()
            continue
        try:
            holder = _named(visible(), name) or _named(hidden(), name)
            known = {folded(spelt): number for spelt, number in remembered.projects.items()}
            former = known.get(folded(key(organization, name)))
            now = next((one for one in visible() if one.id == former), None)
        except ReconcilerError as error:
            found[text] = error
            continue
        if holder is not None and now is not None and now.id != holder.id:
            found[text] = Rejected(
                f"{organization} {text}: project {name} was renamed to {now.now or now.name}, and another project has "
                f"its name now; write '[{holder.id}]' or '[{now.id}]' in place of the name"
            )
        else:
            found[text] = "" if holder is None else holder.id
    return found


def identities(
    reader: DevOpsReader, memo: Memo, organization: str, scopes: Mapping[str, str | ReconcilerError]
) -> Mapping[str, Identity | ReconcilerError]:
    """Principal as written → identity, or why this one cannot be told; an unknown one is missing.

    `scopes`: as `scopes` above returns them. Each spelling is read once, letter case aside.
    """
    answers: dict[str, Identity | ReconcilerError] = {}
    spelt: dict[Key, list[str]] = {}
    for name, scope in scopes.items():
        if isinstance(scope, ReconcilerError):
            answers[name] = scope
        else:
            spelt.setdefault(Key("identity", organization, detail=(folded(name), scope)), []).append(name)

    def fetch(requested: Sequence[Key]) -> Mapping[Key, Identity | ReconcilerError]:
        read = reader.identities(organization, {spelt[one][0]: one.detail[1] for one in requested})
        return {one: read[spelt[one][0]] for one in requested if spelt[one][0] in read}

    for one, answer in memo.many(tuple(spelt), fetch).items():
        if answer is not None:
            answers |= dict.fromkeys(spelt[one], answer)
    return answers


def names_of(reader: DevOpsReader, memo: Memo, organization: str, ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Local id → names by which a spec may mean this identity; unknown ids are missing."""
    keys = tuple(Key("names", organization, detail=one) for one in dict.fromkeys(ids))

    def fetch(requested: Sequence[Key]) -> Mapping[Key, Sequence[str]]:
        read = reader.names_of(organization, [one.detail for one in requested])
        return {one: read[one.detail] for one in requested if one.detail in read}

    return {one.detail: names for one, names in memo.many(keys, fetch).items() if names is not None}


def _named(projects: Sequence[Project], name: str) -> Project | None:
    return next((one for one in projects if folded(one.name) == folded(name)), None)
