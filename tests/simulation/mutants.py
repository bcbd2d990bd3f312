"""Programs that are broken on purpose, to see that the simulation notices: each breaks one rule, in few places.

They change parts of one process after it was put together, and the simulation plays the same histories with them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from reconciler.engine import run_state
from reconciler.safety import WriteMode
from reconciler.safety.modes import Modes, ModeSetting
from reconciler.service.queue.messages import WorkMessage
from reconciler.service.queue.worker import Report, Worker
from reconciler.service.triggers import TriggerContext
from tests.simulation.intended import Json

Mutant = Callable[[TriggerContext], TriggerContext]


class _Over:
    """A port with some of its methods replaced."""

    def __init__(self, port: Any, **replaced: Any) -> None:
        self._port, self._replaced = port, replaced

    def __getattr__(self, name: str) -> Any:
        return self._replaced.get(name) or getattr(self._port, name)


class _Forgetting(_Over):
    """A port that forgets what is known whenever it is used."""

    def __init__(self, port: Any, known: dict[Any, Any]) -> None:
        super().__init__(port)
        self._known = known

    def __getattr__(self, name: str) -> Any:
        self._known.clear()
        return super().__getattr__(name)


class _Deaf(Worker):
    """Acknowledges what a push to Git requests, without doing it."""

    def handle(self, work: WorkMessage, inserted: datetime) -> tuple[Report, ...]:
        return (Report("", "deaf"),) if work.trigger == "git" else super().handle(work, inserted)


def acknowledges_without_running(context: TriggerContext) -> TriggerContext:
    """A worker that takes a request and does nothing."""
    parts = {one.name: getattr(context.worker, one.name) for one in dataclasses.fields(Worker)}
    return replace(context, worker=_Deaf(**parts))


def in_sync_without_reading(context: TriggerContext) -> TriggerContext:
    """What was read once is taken for what is there now."""
    readers, known = _planner(context).readers, dict[tuple[Any, ...], Any]()

    def once(name: str) -> Callable[..., Any]:
        read = getattr(readers.devops, name)

        def found(*where: Any) -> Any:
            at = (name, *map(str, where))
            if at not in known:
                known[at] = read(*where)
            return known[at]

        return found

    def forgetting(port: Any) -> Any:
        """Its own writes it sees: they are read again."""
        return _Forgetting(port, known)

    names = ("role_assignments", "pipeline_permissions", "authorized_queues", "queues", "inheritance")
    stale = _Over(readers.devops, **{name: once(name) for name in names})
    context = _writing(context, devops=forgetting, arm=forgetting)
    _planner(context).readers = replace(readers, devops=stale)
    return context


def sends_less(context: TriggerContext) -> TriggerContext:
    """A field that it does not know is dropped from the body that it sends."""
    return _writing(
        context, arm=lambda arm: _Over(arm, put=lambda name, body, *more: arm.put(name, _less(body), *more))
    )


def _less(body: Json) -> Json:
    return {**body, "properties": {k: v for k, v in body["properties"].items() if k != "agentProfile"}}


def opens_too_much(context: TriggerContext) -> TriggerContext:
    """Whatever is asked, queues are opened."""

    def over(devops: Any) -> Any:
        return _Over(devops, set_open_access=lambda *where: devops.set_open_access(*where[:3], True))

    return _writing(context, devops=over)


def writes_before_the_record(context: TriggerContext) -> TriggerContext:
    """The intent of a write is never stored."""
    reconciler = _reconciler(context)

    def append(chain: str, bodies: Sequence[Mapping[str, Json]]) -> Any:
        return log.append(chain, [one for one in bodies if one["kind"] != "intent"])

    log = reconciler._record
    reconciler._record = _Over(log, append=append)
    return context


def takes_the_operators_role(context: TriggerContext) -> TriggerContext:
    """A removal takes the operator's own role as well."""

    def over(devops: Any) -> Any:
        def remove(organization: str, scope: str, resource: str, identity: str) -> None:
            me = _planner(context).readers.devops.me(organization)
            devops.remove_role(organization, scope, resource, me.id)
            devops.remove_role(organization, scope, resource, identity)

        return _Over(devops, remove_role=remove)

    return _writing(context, devops=over)


def narrows_first(context: TriggerContext) -> TriggerContext:
    """What takes rights away goes before what gives them."""

    def next_changes(run: run_state.RunState) -> Any:
        changes = [one for one in run.plan.changes if one.id not in run.attempts]
        return tuple(sorted(changes, key=lambda one: not one.narrows))

    run_state.RunState.next_changes = next_changes  # type: ignore[method-assign,assignment] # it breaks it
    return context


def raises(context: TriggerContext) -> TriggerContext:
    """A bug in the code that looks at a pool after a portal's change."""
    reconciler = _reconciler(context)
    whole = reconciler.reconcile

    def reconcile(spec: Any, *more: Any, **named: Any) -> Any:
        found = whole(spec, *more, **named)
        return found if not found.written else found.written[len(found.written)]

    reconciler.reconcile = reconcile
    return context


def deaf_to_the_owner(context: TriggerContext) -> TriggerContext:
    """Before a write, no mode and no pause is looked at."""
    safety = context.safety
    whole = safety.read

    def read(*where: Any, **named: Any) -> Any:
        return replace(whole(*where, **named), modes=_FREE)

    safety.read = read  # type: ignore[method-assign] # it breaks it
    safety.modes = lambda *_: _FREE  # type: ignore[method-assign] # likewise
    return context


_FREE = Modes(ModeSetting(WriteMode.ENFORCE, "nothing is held back"))


def without_windows(context: TriggerContext) -> TriggerContext:
    """Windows of the policy are forgotten."""
    planner = _planner(context)
    planner.policy = replace(planner.policy, windows=())
    return context


def _reconciler(context: TriggerContext) -> Any:
    return context.worker.reconciler


def _planner(context: TriggerContext) -> Any:
    return _reconciler(context).planner


def _writing(context: TriggerContext, **over: Callable[[Any], Any]) -> TriggerContext:
    reconciler = _reconciler(context)
    writers = reconciler._writers
    replaced = {name: make(getattr(writers, name)) for name, make in over.items()}
    reconciler._writers = replace(writers, **replaced)
    return context


MUTANTS: Mapping[str, Mutant] = {
    one.__name__: one
    for one in (
        acknowledges_without_running, in_sync_without_reading, sends_less, opens_too_much, writes_before_the_record,
        takes_the_operators_role, narrows_first, raises, deaf_to_the_owner, without_windows,
    )
}  # fmt: skip
