"""`pull-request`: plan what a pull request changes, and report on it. Holds no object that can write to a pool.

The comment and the status go to the host of the repository alone, with the token that is for it.
"""

from __future__ import annotations

import json
import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from reconciler import bootstrap
from reconciler.cli.annotating import SUMMARY_CHARACTERS, annotate, of_plans, of_problems
from reconciler.cli.changed import change_since, policy_before
from reconciler.cli.codes import DONE, ERROR, PENDING
from reconciler.cli.options import ChangedSince, NoColor, Policy, Ref, ReportFormat, Specs, Verbose
from reconciler.cli.plan import planned, show_text
from reconciler.cli.screen import Screen
from reconciler.cli.selection import note_policy, select, settings_of
from reconciler.config import ci
from reconciler.config.settings import Settings, environment
from reconciler.documents import Json
from reconciler.errors import ReconcilerError, SpecInvalid
from reconciler.plan.render.comment import ChangeReport, comment
from reconciler.tools.pull_request import PullRequestDesk, ReportingRun

_FORMS = {
    ci.CiService.GITHUB: ReportFormat.GITHUB,
    ci.CiService.AZURE_PIPELINES: ReportFormat.AZURE_PIPELINES,
}
_LARGEST_EVENT = 32 * 1024 * 1024
_COMMIT = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")

Number = Annotated[
    int,
    typer.Option(
        "--number", metavar="N", min=0, show_default=False, help="Of the pull request. Default: the pipeline's."
    ),
]
Commit = Annotated[
    str,
    typer.Option(
        "--commit", metavar="ID", show_default=False,
        help="Full id of the newest commit of the pull request. Default: the pipeline's.",
    ),
]  # fmt: skip
Repository = Annotated[
    str,
    typer.Option(
        "--repository", metavar="URL", show_default=False,
        help="https URL of the repository on GitHub or in Azure Repos. Default: the pipeline's.",
    ),
]  # fmt: skip
Name = Annotated[str, typer.Option("--name", help="Tells several reports on one pull request apart.")]
Status = Annotated[bool, typer.Option("--status/--no-status", help="Set the status of the commit.")]


def pull_request(
    *,
    specs: Specs = "",
    ref: Ref = "",
    policy: Policy = "",
    changed_since: ChangedSince = "",
    number: Number = 0,
    commit: Commit = "",
    repository: Repository = "",
    name: Name = "plan",
    status: Status = True,
    no_color: NoColor = False,
    verbose: Verbose = False,
) -> int:
    """Plan the pools that a pull request changes, and report on it: comment, commit status, annotations.

    In a pipeline of GitHub Actions or Azure Pipelines number, commit and repository are read from its environment.
    Writes nothing to a pool.
    """
    screen = Screen(color=not no_color, verbose=verbose)
    settings = settings_of(specs, ref, policy)
    found = ci.run_of(environment(), _event(screen))
    run = _run(found, number, commit, name)
    with closing(bootstrap.code_host(settings, _repository(found, repository))) as host:
        desk = PullRequestDesk(host, run, screen.note, screen.error)
        desk.begin(status=status)
        try:
            with policy_before(settings, changed_since) as (by, touched):
                report = _report(by, changed_since, found.service, screen, touched)
        except ReconcilerError as error:
            desk.end(ChangeReport(failures=[f"{error.reason}: {error}"]), status=status)
            raise
        except Exception as error:
            desk.end(ChangeReport(failures=[f"{type(error).__name__}: see the log of the run"]), status=status)
            raise
        desk.end(report, status=status)
    if desk.failed or report.problems or report.unread:
        return ERROR
    return PENDING if report.refused else DONE


def _report(
    settings: Settings, changed_since: str, service: ci.CiService, screen: Screen, touched: str
) -> ChangeReport:
    """Make the plans; show them, annotate them and write the summary of the run. `touched`: the policy's path."""
    if touched:
        screen.note(f"policy {touched}: changes as well; this report is by the policy before the change")
    with closing(bootstrap.look(settings)) as look:
        look.start_sign_in()
        note_policy(look.policy, screen)
        selection = select(look.source, [], screen, place=settings.specs)
        for problem in selection.problems:
            screen.error(str(problem))
        change = change_since(settings, selection, look.policy, changed_since)
        made = planned(look, settings, change.selection, screen)
    show_text(made.plans, screen)
    change.note(screen)
    report = replace(change.report(settings, made.plans, made.failures), policy=touched)
    if form := _FORMS.get(service):
        found = [*of_problems(settings, selection), *of_plans(settings, change.selection.specs, made.plans)]
        annotate(screen, form, found, comment(report, SUMMARY_CHARACTERS))
    return report


def _run(found: ci.CiRun, number: int, commit: str, name: str) -> ReportingRun:
    known = replace(found, number=number or found.number, commit=commit.strip().lower() or found.commit)
    if not known.number:
        raise SpecInvalid("pull request: its number is not known: this is no run of a pull request; give --number")
    if not _COMMIT.fullmatch(known.commit):
        raise SpecInvalid(f"pull request {known.number}: its newest commit is not known; give its full id by --commit")
    if not _NAME.fullmatch(name):
        raise typer.BadParameter(f"{name[:60]!r} is not 1 to 40 of letters, digits, '.', '_', '-'", param_hint="--name")
    return ReportingRun(known.number, known.commit, known.url, name)


def _repository(found: ci.CiRun, given: str) -> str:
    if not (given or found.repository):
        raise SpecInvalid("pull request: its repository is not known; give its https URL by --repository")
    return given or found.repository


def _event(screen: Screen) -> Json:
    """The document of the event on GitHub; None where there is none that can be read."""
    path = environment().get(ci.EVENT, "")
    if not path or ci.service_of(environment()) is not ci.CiService.GITHUB:
        return None
    try:
        with Path(path).open("rb") as file:
            return json.loads(file.read(_LARGEST_EVENT))
    except OSError as error:
        screen.note(f"{ci.EVENT}: {path}: {error.strerror}")
    except (ValueError, RecursionError):
        screen.note(f"{ci.EVENT}: {path}: no JSON")
    return None
