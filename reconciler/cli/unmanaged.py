"""`status --unmanaged`: pools without a spec, and what stands on one plane alone. Reads both planes."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler import bootstrap
from reconciler.cli.codes import DONE, ERROR, PENDING, worst
from reconciler.cli.importing import documents_of
from reconciler.cli.options import OutputFormat
from reconciler.cli.screen import Screen
from reconciler.config.settings import Settings
from reconciler.documents import Json
from reconciler.errors import NotFound, ReconcilerError
from reconciler.ports.devops import AgentPool
from reconciler.spec.loader import load
from reconciler.spec.model import Spec
from reconciler.tools.import_ import UnmanagedPool, compared
from reconciler.tools.import_.observe import places_of

FORMAT = "reconciler/unmanaged/v1"


def unmanaged(settings: Settings, output: OutputFormat, screen: Screen) -> int:
    """List them; 2 where there is one, 1 where something could not be read."""
    tools = bootstrap.tools(settings)
    specs, broken = _specs(settings, screen)
    subscriptions = sorted({*tools.subscriptions.subscriptions(), *(spec.subscription for spec in specs)})
    documents, unread = documents_of(tools, subscriptions)
    agent_pools, dead = _agent_pools(tools, documents, specs)
    troubles = [*broken, *unread.values(), *dead]
    # Of a subscription that could not be read nobody knows what is there.
    strays = compared(documents, [spec for spec in specs if spec.subscription not in unread], agent_pools)
    if output is OutputFormat.JSON:
        found = [{"kind": one.kind, "subject": one.subject, "message": one.message} for one in strays]
        screen.document({"format": FORMAT, "strays": found, "troubles": troubles})
    else:
        _text(strays, troubles, screen)
    return worst([ERROR if troubles else DONE, PENDING if strays else DONE])


def _specs(settings: Settings, screen: Screen) -> tuple[Sequence[Spec], list[str]]:
    """The specs, and a line where some are broken: whose pools they are about nobody knows. None yet is no error."""
    if not settings.specs:
        return (), []
    try:
        loaded = load(bootstrap.source(settings).snapshot().files)
    except NotFound as error:
        screen.note(f"{error}; every pool counts as one without a spec")
        return (), []
    count = len(loaded.problems)
    many = "1 problem" if count == 1 else f"{count} problems"
    broken = f"specs: {many}, whose pools may be listed as without a spec; see `validate`"
    return loaded.specs, [broken] if count else []


def _agent_pools(
    tools: bootstrap.Tools, documents: Sequence[dict[str, Json]], specs: Sequence[Spec]
) -> tuple[dict[str, Sequence[AgentPool]], list[str]]:
    """The agent pools of every organization that a pool or a spec names, and those that could not be asked."""
    names = {organization for document in documents for organization, _, _ in places_of(document)}
    names |= {organization.name for spec in specs for organization in spec.organizations}
    found: dict[str, Sequence[AgentPool]] = {}
    troubles = []
    for name in sorted(names):
        try:
            found[name] = tools.planner.readers.devops.agent_pools(name)
        except ReconcilerError as error:
            troubles.append(f"{name}: {error.reason}: {error}")
    return found, troubles


def _text(strays: Sequence[UnmanagedPool], troubles: Sequence[str], screen: Screen) -> None:
    for one in strays:
        screen.bad(f"{one.kind}  {one.subject}: {one.message}")
    for line in troubles:
        screen.error(line)
    if not strays and not troubles:
        screen.good("everything that was read has its counterpart")
