"""From settings and names to specs: which pools a run is about, and what is wrong with the rest.

A bad file never hides a good one, and a name that no spec has is an error that names the nearest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from reconciler import bootstrap
from reconciler.adapters.clock import SystemClock
from reconciler.cli.program import ENV_FILE
from reconciler.cli.screen import Screen
from reconciler.config.settings import PREFIX, Settings
from reconciler.documents.spelling import counted, similar
from reconciler.errors import NotFound, ReconcilerError, SpecInvalid
from reconciler.plan.render import clean
from reconciler.ports.specs import SpecSource
from reconciler.spec.dated import ending
from reconciler.spec.loader import load
from reconciler.spec.model import Spec
from reconciler.spec.problem import Problem

if TYPE_CHECKING:
    from reconciler.engine.status import PoolStatus
    from reconciler.plan.policy import Policy
    from reconciler.survey import SharedSurvey


MOST_WARNINGS = 20
"""Warnings about specs that a plan names; `validate` lists all."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The pools of one run."""

    specs: tuple[Spec, ...]
    problems: tuple[Problem, ...]
    """Of all files, also of those that were not selected."""
    revision: str
    files: int
    named: bool
    """Whether pools were selected by name; then problems of other files are no error of this run."""
    known: frozenset[str] = frozenset()
    """Keys of all valid specs, also of those that were not selected."""
    broken: Mapping[str, str] = field(default_factory=dict)
    """Path of a file in the source → its first problem."""
    stale: bool = False
    """Whether an older commit is used, since Git cannot be read."""
    warnings: tuple[Problem, ...] = ()
    """Of all files, or of those of the pools that were named; they keep no spec from being used."""


def settings_of(specs: str = "", ref: str = "", policy: str = "") -> Settings:
    """The settings: options before environment before the file of `--env-file`."""
    options = {f"{PREFIX}SPECS": specs, f"{PREFIX}POLICY": policy}
    settings = Settings.read(
        beneath=file_settings(specs), above={name: value for name, value in options.items() if value}
    )
    return replace(settings, specs=_at(settings.specs, ref)) if ref else settings


def file_settings(specs: str = "") -> dict[str, str]:
    """The settings of the file that `--env-file` names; empty without one. `specs`: the option of that name."""
    if ENV_FILE.get() is None:
        return {}
    from reconciler.cli import env_file  # noqa: PLC0415 - most runs name no file

    return env_file.read(ENV_FILE.get(), specs)


def _at(specs: str, ref: str) -> str:
    """The place with another ref; its own folder stays unless the ref names one."""
    place, _, behind = specs.partition("#")
    _, colon, folder = behind.partition(":")
    return f"{place}#{ref}" if ":" in ref else f"{place}#{ref}{colon}{folder}"


def select(source: SpecSource, names: Sequence[str], screen: Screen, *, place: str) -> Selection:
    """Read the specs and keep the selected ones. Raises `NotFound` with the names that no spec has.

    `place`: the setting that the source was made from; problems name files as seen from there.
    """
    snapshot = source.snapshot()
    if snapshot.stale:
        screen.note(f"warning: {snapshot.stale}; continuing with commit {snapshot.revision[:12]}")
    loaded = load(snapshot.files)
    skipped = [Problem(path, 1, "", why) for path, why in snapshot.left_out().items()]
    problems = tuple(replace(one, path=_path_from(place, one.path)) for one in (*loaded.problems, *skipped))
    if not loaded.specs and not problems:
        raise NotFound(f"specs: none of {len(snapshot.files)} files is a spec (.yaml, .yml or .json)")
    chosen = tuple(_named(loaded.specs, names)) if names else tuple(loaded.specs)
    if names and len(chosen) < len({name.lower() for name in names}):
        _report(problems, screen)
        raise NotFound(_unknown(names, [spec.name for spec in loaded.specs], problems))
    files = {spec.path for spec in chosen}
    found = sorted([*loaded.warnings, *ending(chosen, SystemClock().now())])
    warnings = tuple(replace(one, path=_path_from(place, one.path)) for one in found if not names or one.path in files)
    broken = {path: f"{path}: {why}" for path, why in snapshot.unread().items()}
    for problem in (*loaded.problems, *skipped):
        broken.setdefault(problem.path, str(problem))
    return Selection(
        chosen,
        problems,
        snapshot.revision,
        len(snapshot.files),
        named=bool(names),
        known=frozenset(spec.key for spec in loaded.specs),
        broken=broken,
        stale=bool(snapshot.stale),
        warnings=warnings,
    )


def note_policy(policy: Policy, screen: Screen) -> None:
    """Say what the owner of the policy file should know."""
    from reconciler.plan.policy import warnings  # noqa: PLC0415 - `validate` reads no policy

    for line in warnings(policy):
        screen.note(f"warning: {line}")


def _path_from(place: str, path: str) -> str:
    """The path that an editor opens: below the folder, or below the folder in the repository."""
    base = base_of(place)
    return (PurePosixPath(base) / path).as_posix() if base else path


def base_of(place: str) -> str:
    """What stands before the paths of files in problems: the folder, or the folder in the repository."""
    folder, mark, behind = place.partition("#")
    base = behind.partition(":")[2] if mark or "://" in folder else folder
    return PurePosixPath(base).as_posix() if base else ""


def require(selection: Selection, screen: Screen) -> bool:
    """Report problems and warnings of files. True where every selected spec is valid."""
    for warning in selection.warnings[:MOST_WARNINGS]:
        screen.note(f"warning: {warning}")
    if (more := len(selection.warnings) - MOST_WARNINGS) > 0:
        screen.note(f"warning: {counted(more, 'more warning')}; `validate` lists them")
    if selection.named and selection.problems:
        screen.note(f"note: {counted(len(selection.problems), 'problem')} in other specs; `validate` lists them")
        return True
    _report(selection.problems, screen)
    if not selection.specs:
        raise SpecInvalid(f"specs: {counted(len(selection.problems), 'problem')}, no spec is valid")
    return not selection.problems


def nearest(names: Iterable[str], known: Sequence[str], what: str = "pool") -> str:
    """``no pool is named 'x', the nearest is 'y'``, for each unknown name."""
    lines = []
    for name in names:
        near = similar(name, known, 3)
        hint = f"; nearest: {', '.join(near)}" if near else f"; known: {_some(known)}"
        lines.append(f"no {what} is named {clean(name)!r}{hint}")
    return "; ".join(lines)


def _named(specs: Iterable[Spec], names: Sequence[str]) -> Iterable[Spec]:
    keys = {name.lower() for name in names}
    return (spec for spec in specs if spec.key in keys)


def _unknown(names: Sequence[str], known: Sequence[str], problems: Sequence[Problem]) -> str:
    keys = {name.lower() for name in known}
    text = nearest([name for name in names if name.lower() not in keys], known)
    return f"{text}; it may be in a file with a problem" if problems else text


def _report(problems: Sequence[Problem], screen: Screen) -> None:
    for problem in problems:
        screen.error(str(problem))


def _some(known: Sequence[str]) -> str:
    shown = ", ".join(sorted(known)[:10]) or "none"
    return f"{shown}, … ({len(known)} in all)" if len(known) > 10 else shown  # noqa: PLR2004 - what fits a line


def recalled(settings: Settings, specs: Sequence[Spec], screen: Screen) -> Mapping[str, PoolStatus]:
    """What earlier runs stored, by pool: ids of names, and the spec that was verified; no error ends a plan."""
    try:
        stored = bootstrap.statuses(settings, [spec.key for spec in specs])
    except ReconcilerError as error:
        screen.note(f"the state cannot be read, so renamed projects appear as missing: {error}")
        return {}
    return {status.key: status for status in stored}


def view(survey: SharedSurvey, spec: Spec, known: Mapping[str, PoolStatus]) -> SharedSurvey:
    """The shared reads as this pool's run would see them."""
    return survey.knowing(spec, known[spec.key].remembered, known[spec.key].owed) if spec.key in known else survey
