"""What an adoption says to people: lines for a terminal, title and text of a commit and a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.documents.spelling import counted
from reconciler.plan.model import Change, Detail
from reconciler.plan.render import clean, code, value
from reconciler.tools.adopt.rounds import AdoptionOutcome, attributed

_ABOUT = (
    "The spec of {pool} says now what is there in Azure and Azure DevOps. Merging this changes nothing there: it keeps "
    "what was changed beside the spec. Close it to have the reconciler put the spec's values back."
)


def lines_of(outcome: AdoptionOutcome) -> Iterator[str]:
    """One line a change: what the spec said, and what it says now."""
    who = attributed(outcome)
    if not outcome.adopted and not outcome.left:
        yield f"{outcome.spec.name}: the spec says what is observed; nothing to adopt"
    for change in outcome.adopted:
        by = f" (changed {who[change.id]})" if change.id in who else ""
        for text in _moves(change):
            yield clean(f"{outcome.spec.name}: adopted: {text}{by}")
    for warning in outcome.warnings:
        yield clean(
            f"warning: {outcome.spec.name}: {warning}: this is adopted, and would be refused if it were missing"
        )


def _moves(change: Change) -> Iterator[str]:
    """``kind subject: what the spec said → what is there``: a plan reads the other way round."""
    if not change.details:
        yield f"{change.kind} {change.subject}: {value(change.after)} → {value(change.before)}"
    for detail in change.details:
        yield f"{change.kind} {change.subject}: {_move(detail)}"


def _move(detail: Detail) -> str:
    return f"{detail.path} {value(detail.after)} → {value(detail.before)}"


def described(outcome: AdoptionOutcome) -> tuple[str, str]:
    """Title and text of the commit and the pull request."""
    count = sum(len(change.details) or 1 for change in outcome.adopted)
    title = f"Adopt {counted(count, 'change')} of {outcome.spec.name}"
    who = attributed(outcome)
    lines = [_ABOUT.format(pool=outcome.spec.name), ""]
    for change in outcome.adopted:
        by = f" Changed {code(who[change.id])}." if change.id in who else ""
        lines += [f"- {code(text)}.{by}" for text in _moves(change)]
    if outcome.warnings:
        lines += ["", "The policy would refuse this, if it were not there:", ""]
        lines += [f"- {code(warning)}" for warning in outcome.warnings]
    if outcome.left:
        lines += ["", "Not adopted:", ""]
        lines += [f"- {code(subject)}: {code(why)}" for subject, why in outcome.left]
    return title, "\n".join(lines) + "\n"
