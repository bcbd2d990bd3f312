"""`adopt`: write what is observed into the spec, so that the plan after it is empty. Writes nothing to Azure."""

from __future__ import annotations

import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler import bootstrap
from reconciler.cli.codes import DONE, PENDING
from reconciler.cli.options import NoColor, Policy, Ref, Specs, Verbose
from reconciler.cli.plan import facts_by_pool
from reconciler.cli.screen import Screen
from reconciler.cli.selection import Selection, note_policy, recalled, require, select, settings_of, view
from reconciler.config.settings import Settings
from reconciler.engine.attribution import Attribution
from reconciler.engine.ownership import Claims
from reconciler.errors import Forbidden, Refused, Unavailable
from reconciler.plan.model import Plan
from reconciler.spec.model import Spec
from reconciler.tools.adopt.patch import patch
from reconciler.tools.adopt.rounds import AdoptionOutcome, adopt_pool
from reconciler.tools.adopt.words import described, lines_of

if TYPE_CHECKING:
    from reconciler.bootstrap import Look
    from reconciler.survey import SharedSurvey

Pool = Annotated[str, typer.Argument(metavar="POOL", help="Name of the pool.")]
Changes = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[CHANGE]...", show_default=False,
        help="Only these changes of its plan: `id` in its JSON, the subject, or the path of a field. Default: all.",
    ),
]  # fmt: skip
Write = Annotated[bool, typer.Option("--write", help="Change the file in the folder of the specs.")]
Branch = Annotated[
    str,
    typer.Option(
        "--branch", metavar="NAME", show_default=False,
        help="Push a commit on a new branch of the remote repository of the specs.",
    ),
]  # fmt: skip
PullRequest = Annotated[
    bool, typer.Option("--pull-request", help="Open a pull request too. Without --branch its branch is adopt/POOL.")
]


def adopt(
    pool: Pool,
    changes: Changes = None,
    *,
    specs: Specs = "",
    ref: Ref = "",
    policy: Policy = "",
    write: Write = False,
    branch: Branch = "",
    pull_request: PullRequest = False,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Write what is observed into the spec of a pool, as a patch, a branch or a pull request.

    The plan after it is empty. Without an option it prints a patch for `git apply`. Comments, order and every other
    line of the file stay. Writes nothing to Azure.
    """
    screen = Screen(color=not no_color, verbose=verbose)
    settings = settings_of(specs, ref, policy)
    branch = branch or (f"adopt/{pool}" if pull_request else "")
    if write and branch:
        raise typer.BadParameter("--write changes files here, --branch and --pull-request a remote repository")
    if branch:
        bootstrap.require_remote(settings, branch)
    with closing(bootstrap.look(settings)) as look:
        look.start_sign_in()
        note_policy(look.policy, screen)
        selection = select(look.source, [pool], screen, place=settings.specs)
        require(selection, screen)
        files = look.source.snapshot().files
        (spec,) = selection.specs
        place = _checked_place(settings, spec, write=write)
        look.sign_in()
        outcome = adopt_pool(
            files,
            spec,
            changes or [],
            _Planning(look, settings, selection, screen),
            today=look.clock.now().date(),
            policy=look.policy,
        )
    for line in lines_of(outcome):
        screen.note(line)
    if outcome.after != outcome.before:
        path = bootstrap.path_in_repository(settings, spec.path)
        if place is not None and write:
            replace_file(place, outcome)
            screen.good(f"{place}: written")
        elif branch:
            _propose(settings, selection, outcome, (branch, path), screen, opens=pull_request)
        else:
            _print(patch(path, outcome.before, outcome.after))
    for subject, why in outcome.left:
        screen.error(f"{spec.name}: not adopted: {subject}: {why}")
    return PENDING if outcome.left else DONE


class _Planning:
    """Plans by a spec, each time on reads of that moment; the first plan says who made its changes."""

    def __init__(self, look: Look, settings: Settings, selection: Selection, screen: Screen) -> None:
        self._look, self._settings, self._revision = look, settings, selection.revision
        (spec,) = selection.specs
        self._facts = facts_by_pool(settings, [spec], screen)[spec.key]
        self._known = recalled(settings, [spec], screen)
        self._owner = bootstrap.owners_of(settings)
        self._screen = screen

    def __call__(self, spec: Spec) -> tuple[Plan, SharedSurvey]:
        """The plan, and the reads that it rests on."""
        survey = view(self._look.survey([spec]), spec, self._known)
        with self._screen.progress("reading", 1):
            plan = self._look.planner.plan(spec, survey, self._revision, Claims(self._facts, owner=self._owner))
        if spec.key in self._known:
            cause = self._known[spec.key].sync_cause(spec, self._look.clock.now(), plan)
            plan = Attribution(bootstrap.ReadState(self._settings), spec, survey, cause).remarks(plan)
        return plan, survey


def _checked_place(settings: Settings, spec: Spec, *, write: bool) -> Path | None:
    """The file in the working tree; None where specs are read at a commit."""
    place = bootstrap.file_of(settings, spec.path)
    if write and place is None:
        raise Refused("--write changes files of a folder, and the specs are read at a commit; use --branch, or a patch")
    return place


def replace_file(place: Path, outcome: AdoptionOutcome) -> None:
    """Put the new content in place of the old one, whole or not at all."""
    beside: Path | None = None
    place = place.resolve()  # a link stays one
    try:
        if place.read_bytes() != outcome.before:
            raise Refused(f"{place}: it changed since it was read, so it is left alone; run this again")
        with tempfile.NamedTemporaryFile(dir=place.parent, prefix=f".{place.name}.", delete=False) as file:
            beside = Path(file.name)
            file.write(outcome.after)
        beside.chmod(place.stat().st_mode)
        beside.replace(place)
    except PermissionError as error:
        raise Forbidden(f"{place}: may not be written: {error.strerror}") from None
    except OSError as error:
        raise Unavailable(f"{place}: cannot be written: {error.strerror}") from None
    finally:
        if beside is not None:
            beside.unlink(missing_ok=True)


def _print(data: bytes) -> None:
    """Byte for byte: line ends belong to the patch."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _propose(
    settings: Settings,
    selection: Selection,
    outcome: AdoptionOutcome,
    target: tuple[str, str],
    screen: Screen,
    *,
    opens: bool,
) -> None:
    """Push the branch, and open the pull request."""
    branch, path = target
    title, text = described(outcome)
    with closing(bootstrap.branches(settings)) as repository:
        commit = repository.push(selection.revision, path, outcome.after, branch, f"{title}\n\n{text}")
        into = repository.read_from() if opens else ""
    screen.good(f"{branch}: commit {commit[:12]}")
    if opens:
        from reconciler.bootstrap.code_hosts import code_host  # noqa: PLC0415 - the other forms need no host

        with closing(code_host(settings, bootstrap.require_remote(settings))) as host:
            made = host.open_pull_request(branch, into or host.default_branch(), title, text)
        screen.good(f"pull request {made.number}: {made.url}")
