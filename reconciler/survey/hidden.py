"""Projects that exist and that the identity cannot see: a group of theirs is in the organization's directory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from reconciler.ports.devops import DevOpsReader, Group, Project
from reconciler.survey.memo import Key, Memo


def projects(
    reads: DevOpsReader, memo: Memo, organization: str, visible: Callable[[], Sequence[Project]]
) -> Sequence[Project]:
    """Sorted by name. A deleted project may still have groups, so those are read where anything is hidden."""
    groups: Sequence[Group] = memo.get(Key("groups of projects", organization), lambda: reads.groups(organization))
    known = {group.project: Project(group.project, group.scope) for group in groups if group.project}.values()
    seen = {project.id for project in visible()}
    if not (unseen := [project for project in known if project.id not in seen]):
        return ()
    deleted = Key("deleted projects", organization)
    gone: frozenset[str] = memo.get(deleted, lambda: frozenset(reads.deleted_projects(organization)))
    return sorted((one for one in unseen if one.id not in gone), key=lambda one: (one.name.casefold(), one.id))
