"""Which of the selected pools a change concerns: those whose spec or policy means something else than before."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler import bootstrap
from reconciler.cli.annotating import problem_lines
from reconciler.cli.screen import Screen
from reconciler.cli.selection import Selection
from reconciler.config.settings import Settings
from reconciler.errors import NotFound, SpecInvalid, Unavailable
from reconciler.plan.render import clean
from reconciler.plan.render.comment import ChangeReport
from reconciler.plan.sync import SyncCause
from reconciler.spec.differences import between
from reconciler.spec.loader import load

if TYPE_CHECKING:
    from reconciler.plan.model import Plan
    from reconciler.plan.policy import Policy


@dataclass(frozen=True, slots=True)
class SpecChange:
    """What a change concerns."""

    selection: Selection
    """The selected pools that it concerns; all of them where no ref is named."""
    ref: str = ""
    removed: tuple[str, ...] = ()
    """Pools that no spec names any more."""
    untouched: int = 0
    """Selected pools that it leaves as they are."""

    def report(
        self, settings: Settings, plans: Sequence[tuple[Plan, SyncCause]], failures: Sequence[str]
    ) -> ChangeReport:
        """What a run found out about the change."""
        problems = [] if self.selection.named else problem_lines(settings, self.selection.problems)
        return ChangeReport(plans, problems, failures, self.removed, self.untouched)

    def note(self, screen: Screen) -> None:
        """Say what is left out, and what is gone."""
        if not self.ref:
            return
        if not self.selection.specs:
            screen.note(f"no pool changed since {self.ref}")
        if self.untouched:
            screen.note(f"{self.untouched} not changed since {self.ref}, and not planned")
        for name in self.removed:
            screen.note(f"{name}: no spec names it any more; nothing is deleted and no access is taken away")


def change_since(settings: Settings, selection: Selection, policy: Policy, ref: str) -> SpecChange:
    """The selected pools that mean something else since the merge base with `ref`; all where it is empty."""
    if not ref:
        return SpecChange(selection)
    found = between(load(bootstrap.before(settings, ref).files).specs, selection.specs, unread=selection.broken)
    changed = found.changed | set(_by_policy(settings, selection, policy, ref))
    kept = tuple(spec for spec in selection.specs if spec.key in changed)
    removed = () if selection.named else found.removed
    untouched = len(selection.specs) - len(kept)
    return SpecChange(replace(selection, specs=kept), clean(ref), removed, untouched)


@contextmanager
def policy_before(settings: Settings, ref: str) -> Iterator[tuple[Settings, str]]:
    """The settings with the policy as it was before the change, and its path where the change touches it.

    That concerns a policy in the repository of the specs: who proposes a change does not set its limits. The path
    counts as it is written, so no link in the proposed files leads elsewhere.
    """
    path = _path_in_repository(settings) if ref else ""
    if not path or settings.policy is None:
        yield settings, ""
        return
    folder, _, name = path.rpartition("/")
    found = bootstrap.before(settings, ref, folder)
    if name in found.unread():
        raise NotFound(f"policy {path}: as it was before the change it cannot be read: {found.unread()[name]}")
    content = found.files.get(name)
    try:
        now = settings.policy.read_bytes()
    except OSError:
        now = None
    touched = path if content != now else ""
    if content is None:
        yield replace(settings, policy=None), touched
        return
    try:
        with tempfile.TemporaryDirectory(prefix="policy-") as place:
            before = Path(place) / name
            before.write_bytes(content)
            yield replace(settings, policy=before), touched
    except OSError as error:
        raise Unavailable(f"policy {path}: no temporary file: {error.strerror}") from None


def _path_in_repository(settings: Settings) -> str:
    """Of the policy's file below the root of the specs' repository; empty where it is not there."""
    root, _ = bootstrap.place_of(settings)
    if settings.policy is None or not root or "://" in root:
        return ""
    whole, top = Path(os.path.abspath(settings.policy)), Path(root).resolve()  # noqa: PTH100 - `resolve` follows links
    above = next((one for one in reversed(whole.parents) if one.resolve() == top), None)
    return "" if above is None else whole.relative_to(above).as_posix()


def _by_policy(settings: Settings, selection: Selection, policy: Policy, ref: str) -> Iterator[str]:
    """Keys of the pools for which the policy says something else, where its file is in the specs' repository."""
    from reconciler.adapters.git.location import place_in_repository  # noqa: PLC0415 - few runs compare commits

    root, _ = bootstrap.place_of(settings)
    place = place_in_repository(settings.policy) if settings.policy is not None else None
    if settings.policy is None or place is None or not root or Path(root).resolve() != place[0]:
        return
    folder, _, name = place[1].rpartition("/")
    old = _policy(bootstrap.before(settings, ref, folder).files.get(name))
    for spec in selection.specs:
        if old is None or _said(old, spec.name) != _said(policy, spec.name):
            yield spec.key


def _policy(text: bytes | None) -> Policy | None:
    """The policy as it was; None where there was none that could be read."""
    from reconciler.plan import policy as policies  # noqa: PLC0415 - as above

    try:
        return None if text is None else policies.load(text)
    except SpecInvalid:
        return None


def _said(policy: Policy, pool: str) -> Policy:
    return replace(policy.for_pool(pool), allow=())
