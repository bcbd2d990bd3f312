"""Which pools mean something else than before: by what their specs say, not by the files that say it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from reconciler.spec.model import Spec


@dataclass(frozen=True, slots=True)
class Differences:
    """What lies between two states of the specs."""

    changed: frozenset[str]
    """Keys of pools that are new or mean something else."""
    removed: tuple[str, ...]
    """Names of pools that no spec names any more, sorted."""


def between(before: Sequence[Spec], after: Sequence[Spec], unread: Collection[str] = ()) -> Differences:
    """Compare by meaning: a file that was renamed, moved or laid out differently changes no pool.

    `unread`: paths of files that are there and give no valid spec: what they named is not removed.
    """
    old = {spec.key: spec for spec in before}
    new = {spec.key for spec in after}
    changed = frozenset(spec.key for spec in after if spec.key not in old or _said(old[spec.key]) != _said(spec))
    gone = sorted(spec.name for key, spec in old.items() if key not in new and spec.path not in unread)
    return Differences(changed, tuple(gone))


def _said(spec: Spec) -> Spec:
    return replace(spec, path="")
