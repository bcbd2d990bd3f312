"""Steps of people who use the program: modes, pauses, windows, approvals, and requests. Each is as at a command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

from reconciler.errors import ReconcilerError
from reconciler.safety import ModeScope, WriteMode
from reconciler.service.triggers import TriggerContext
from tests.simulation.holds import Window
from tests.simulation.intended import Json
from tests.simulation.play import Play
from tests.simulation.virtual import TIME

EVERYTHING = {
    name: ["*"]
    for name in (
        "pools", "subscriptions", "resourceGroups", "organizations", "projects", "principals", "roles", "openAccess",
        "pipelines", "inheritance", "subnets", "images", "skus", "logonTypes",
    )
}  # fmt: skip


def _said(play: Play, job: Callable[[TriggerContext], object]) -> bool:
    """What a person does at a machine of their own; False where the answer is an error, and nothing was done."""
    person = play.person()
    try:
        person.run(lambda: job(person.context))
    except ReconcilerError as error:
        play.say(f"a person sees {type(error).__name__}")
        return False
    return True


def _scope(step: Json) -> tuple[str, str]:
    return next(((kind, step[kind]) for kind in ("organization", "pool") if step.get(kind)), ("", ""))


def mode(play: Play, step: Json) -> None:
    """The owner sets a mode, or clears it."""
    scope, wanted = _scope(step), step["mode"]
    if wanted is None and scope == ("", ""):
        wanted = "enforce"  # a service without a mode reports
    governed = ModeScope(**{scope[0]: scope[1].lower()}) if scope[0] else ModeScope()
    chosen = None if wanted is None else WriteMode(wanted)
    if _said(play, lambda context: context.safety.set_mode(governed, chosen, reason="simulated", by="ann")):
        play.oracles.holds.set_mode(scope, wanted)


def hold(play: Play, step: Json) -> None:
    """The owner pauses an organization, a pool, or a field of one; 0 seconds: it goes on."""
    kind, name = _scope(step)
    field, seconds = step.get("field", ""), step["seconds"]
    governed = ModeScope(**{kind: name.lower(), "field": field})

    def set_it(context: TriggerContext) -> None:
        if seconds:
            until = context.safety.clock.now() + timedelta(seconds=seconds)
            context.safety.pause(governed, until, reason="simulated", by="ann")
        else:
            context.safety.resume(governed)

    if _said(play, set_it):
        play.oracles.holds.pause((kind, name, field), TIME.now + seconds if seconds else 0.0)


def approve(play: Play, step: Json) -> None:
    """The owner approves the spec of a pool as it is at the head of Git."""
    name = step["pool"]

    def approved(context: TriggerContext) -> None:
        specs = context.catalogue.specs()
        spec = specs.by_key.get(name)
        if spec is None:
            return
        text = specs.snapshot.files[spec.path].decode()
        context.safety.approve_spec(name, blob=spec.blob, path=spec.path, text=text, by="ann")
        found = play.oracles.commits[int(specs.revision, 16)][name]
        play.oracles.holds.approved.setdefault(name, []).append(found)

    _said(play, approved)


def request(play: Play, step: Json) -> None:
    """A caller requests a run of a pool, as over HTTP."""
    name = step["pool"]

    def asked(context: TriggerContext) -> None:
        spec = context.catalogue.specs().by_key.get(name)
        if spec is not None:
            context.outbox.request([spec], "http")

    _said(play, asked)


def windows(play: Play, step: Json) -> None:
    """The deployment gets a policy with windows, or loses it: its workers are started again."""
    if any(one.busy for one in play.processes):
        return
    found = tuple(Window(tuple(one["risks"]), tuple(one["minutes"]), one["length"]) for one in step["windows"])
    file = play.folder / "policy" / "policy.yaml"
    file.parent.mkdir(exist_ok=True)
    allowed = {**EVERYTHING, "maxConcurrency": 10000, "createPools": True}
    body = {"apiVersion": "policy/v2", "allow": [allowed], "windows": [one.document for one in found]}
    file.write_text(json.dumps(body), encoding="utf-8")
    play.oracles.holds.set_windows(found)
    play.start_again({"RECONCILER_POLICY": str(file)} if found else {})


def lifted(play: Play) -> None:
    """Nothing is held back any more."""
    for kind, name in list(play.oracles.holds.held.modes):
        mode(play, {kind: name, "mode": None} if kind else {"mode": "enforce"})
    for kind, name, field in list(play.oracles.holds.held.pauses):
        hold(play, {kind: name, "field": field, "seconds": 0})
    if play.oracles.holds.held.windows:
        windows(play, {"windows": []})
