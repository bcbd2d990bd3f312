"""Warnings that depend on the day: an exception that has ended, or ends soon. Not kept with a file's other warnings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from reconciler.spec.model import OpenAccessException, Spec
from reconciler.spec.problem import Problem, show

SOON = timedelta(days=7)
"""Before its last day an exception is named as one that ends soon."""


def ending(specs: Iterable[Spec], now: datetime) -> Iterator[Problem]:
    """A warning for each exception that counts no more, or not for long, in the order of specs and files."""
    today = now.date()
    for spec in specs:
        for index, one in enumerate(spec.access.open_access):
            if one.until is not None and today > one.until - SOON:
                where = f"access.openAccess[{index}].until"
                paths = (f"access.openAccess.{index}.until", f"access.openAccess.{index}", "access", "name")
                yield Problem(spec.path, spec.lines(paths) or 1, where, _said(spec, one, one.until, today))


def _said(spec: Spec, one: OpenAccessException, until: date, today: date) -> str:
    project = show(f"{one.organization}/{one.project}")
    flag = next((o.open_access for o in spec.organizations if o.name.casefold() == one.organization.casefold()), None)
    after = {True: "open", False: "closed", None: "not managed"}[flag]
    now_is = "open" if one.allow else "closed"
    left = (until - today).days
    if left < 0:
        return (
            f"is {until}, which has passed: the exception counts no more, and access of {project} is {after} instead "
            f"of {now_is}; remove it, or write a later day"
        )
    when = "today" if not left else "tomorrow" if left == 1 else f"in {left} days"
    return f"is {until}, {when}: from the day after, access of {project} is {after} instead of {now_is}"
