"""The contract of a facet: one managed aspect, from the spec to single writes.

::

    parse    spec                     -> desired | None   pure; None where the spec does not manage it
    observe  spec, desired, survey    -> Observation      reads only
    diff     desired, observed        -> changes          pure; equal states give no changes
    guard    observed, changes        -> refusals         pure; trusts neither diff nor spec
    apply    change, writers          -> Pending | None   one write, safe to repeat

The engine, which knows no facet by name, runs them (`reconciler.engine`). A facet imports no other facet, no adapter
and nothing that does I/O; everything it may know comes through `observe`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from reconciler.plan.model import Change, Gap, Refusal, Remark
from reconciler.plan.policy import Policy
from reconciler.plan.targets import AgentPoolPlace, QueuePlace
from reconciler.ports.azure import Pending
from reconciler.ports.readers_writers import Writers
from reconciler.spec.model import Spec
from reconciler.survey import Survey

D = TypeVar("D")
O = TypeVar("O")  # noqa: E741 - D and O are desired and observed throughout


class Observation(NamedTuple, Generic[O]):
    """What was read, and what could not be read.

    A gap covers its subject: `diff` leaves out what is not in `value`, so nothing is written on the unknown, and
    one dead organization or hidden project does not stop the others.
    """

    value: O
    gaps: tuple[Gap, ...] = ()
    remarks: tuple[Remark, ...] = ()
    """Messages without a consequence."""


@dataclass(frozen=True, slots=True)
class Facet(Generic[D, O]):
    """One managed aspect. Errors of `reconciler.errors` may leave `observe` and `apply`; the engine files them."""

    name: str
    title: str
    """For people, a few words."""
    parse: Callable[[Spec, datetime], D | None]
    """`now` decides which dated exceptions count."""
    observe: Callable[[Spec, D, Survey], Observation[O]]
    diff: Callable[[D, O], Sequence[Change]]
    guard: Callable[[O, Sequence[Change], Policy], Sequence[Refusal]]
    """Gets all changes of this facet that are still allowed; called again until it refuses nothing more."""
    apply: Callable[[Change, Writers], Pending | None]
    grants_on: type[AgentPoolPlace | QueuePlace] | None = None
    """The kind of places on which the facet grants roles: there nothing is taken away on what it could not read."""
