"""What somebody can do so that it runs, where the operator will not make it so by itself. Pure.

Written for a person on call: which words, in which file, or which command names the right that is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.explain.asked import Question
from reconciler.explain.trail import NAMES, State, Step
from reconciler.plan import Action, Change
from reconciler.spec.model import Mode

_RESOURCE, _AGENT_POOL, _PROJECT, _QUEUE, _AUTHORIZATION, _ROLES = NAMES


def advised(question: Question, first: Step | None, changes: Sequence[Change]) -> tuple[str, ...]:
    """Sentences in the imperative; none where it may run, or where the operator is about to make it so."""
    if first is None:
        return ()
    if first.state is State.UNKNOWN or first.name == _PROJECT:
        return (f"find out which right is missing: reconciler doctor {question.spec.name}",)
    if first.name == _ROLES or not first.found:
        return ()
    own = any(_makes(change, first.name) for change in changes)
    return tuple(_awaited(question) if own else _edit(question, first.name))


def _makes(change: Change, step: str) -> bool:
    """Whether a change is what the step waits for."""
    if step == _RESOURCE:
        return change.kind == "pool"
    if step == _AGENT_POOL:
        return change.kind == "pool" and change.action is Action.CREATE
    wanted = {_QUEUE: ("queue",), _AUTHORIZATION: ("open access", "pipeline")}
    return change.kind in wanted[step] and not change.narrows


def _awaited(question: Question) -> Iterator[str]:
    if question.spec.mode is Mode.REPORT:
        yield f"write mode: enforce in {question.spec.path}, or do by hand what the operator shows"


def _edit(question: Question, step: str) -> Iterator[str]:
    organization, path = question.organization, question.spec.path
    name = question.project.casefold()
    if organization.projects and name not in map(str.casefold, organization.projects):
        yield f"add {question.project} to the projects of {organization.name} in {path}"
    elif step == _QUEUE and name in organization.without_queue:
        yield f"take {question.place} out of access.withoutQueue in {path}"
    elif step == _AUTHORIZATION:
        yield f"allow it in {path}: {_opening(question)}"
    elif step in (_RESOURCE, _AGENT_POOL):
        yield f"find out which right is missing: reconciler doctor {question.spec.name}"


def _opening(question: Question) -> str:
    """The narrowest first."""
    pipeline = question.pipeline if question.pipeline is not None else "the pipeline"
    exception = f"{{ project: {question.place}, allow: true, reason: … }}"
    return f"{pipeline} under access.pipelines, or for all pipelines {exception} under access.openAccess"
