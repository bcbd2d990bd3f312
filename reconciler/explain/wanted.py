"""What the spec says of one project, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from reconciler import intent
from reconciler.explain.asked import Question
from reconciler.spec.model import Mode, OpenAccessException


def wanted(question: Question, now: datetime) -> tuple[str, ...]:
    """One sentence for each thing that the spec says; `now` decides which exceptions count."""
    return (*_reach(question), *_access(question, now), *_pipelines(question), *_people(question), *_mode(question))


def _reach(question: Question) -> Iterator[str]:
    organization = question.organization
    if question.project.casefold() in organization.without_queue:
        yield f"{question.place} is left as it is, by access.withoutQueue: no queue is made there, none is looked at"
    elif not organization.projects:
        yield f"all projects of {organization.name} use the pool, also those created tomorrow"
        if organization.auto_provision is not None:
            yield f"autoProvision of {organization.name} is {_word(organization.auto_provision)}"
    elif question.project in organization.projects:
        yield f"{question.place} uses the pool"
    else:
        yield f"{question.place} is not among the projects that use the pool: {', '.join(organization.projects)}"


def _access(question: Question, now: datetime) -> Iterator[str]:
    name = question.organization.name
    in_force = intent.exceptions(question.spec, name, now).get(question.project.casefold())
    if in_force:
        yield f"open access is {_word(in_force.allow)} by an exception{_until(in_force)}{_reason(in_force)}"
    flag = question.organization.open_access
    behind = "; the exception counts before it" if in_force else ""
    yield f"open access is not managed in {name}" if flag is None else f"openAccess of {name} is {_word(flag)}{behind}"
    for one in question.spec.access.open_access:
        if _about(question, one.organization, one.project) and one.until and one.until < now.astimezone(UTC).date():
            yield f"the exception {_word(one.allow)} ended on {one.until.isoformat()}{_reason(one)}"


def _pipelines(question: Question) -> Iterator[str]:
    for grant in question.spec.access.pipelines:
        if _about(question, grant.organization, grant.project):
            alone = " and no others" if grant.exclusive else ""
            yield f"pipelines authorized by themselves{alone}: {', '.join(map(str, grant.pipelines)) or 'none'}"


def _people(question: Question) -> Iterator[str]:
    spec, name = question.spec, question.organization.name
    people = intent.administrators(spec, name)
    if people:
        alone = " and nobody else" if intent.exclusive(spec, name) else ""
        yield f"administrators of the agent pool{alone}: {', '.join(people)}"
    inherit = intent.inheritance(spec, name)
    if inherit is not None:
        yield f"inheritance of roles is {'on' if inherit else 'off'}"


def _mode(question: Question) -> Iterator[str]:
    spec = question.spec
    reason = f": {spec.reason}" if spec.reason else ""
    if spec.mode is Mode.REPORT:
        yield f"mode is report, so differences are shown and nothing is written{reason}"
    elif spec.mode is Mode.PAUSE:
        yield f"mode is pause until {spec.until}, so nothing is even planned{reason}"


def _about(question: Question, organization: str, project: str) -> bool:
    return organization == question.organization.name and project.casefold() == question.project.casefold()


def _word(allow: bool) -> str:
    return "on" if allow else "off"


def _until(one: OpenAccessException) -> str:
    return f" until {one.until.isoformat()}" if one.until else ""


def _reason(one: OpenAccessException) -> str:
    return f" ({one.reason})" if one.reason else ""
