"""`status --unmanaged`: pools without a spec, and pools that exist on one plane only. Reads both planes."""

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
from reconciler.tools.import_ import UnmanagedPool, find_unmanaged, organizations_of

FORMAT = "reconciler/unmanaged/v1"


def unmanaged(settings: Settings, output: OutputFormat, screen: Screen) -> int:
    """List them; 2 where there are any, 1 where a subscription, organization or spec could not be read."""
    tools = bootstrap.tools(settings)
    specs, broken = _specs(settings, screen)
    with screen.progress("reading both planes", None):
        tools.sign_in()
        subscriptions = sorted({*tools.subscriptions.subscriptions(), *(spec.subscription for spec in specs)})
        documents, unread = documents_of(tools, subscriptions)
        agent_pools, dead = _agent_pools(tools, documents, specs)
    errors = [*broken, *unread.values(), *dead]
    # Specs of a subscription that could not be read are not called specs without a pool.
    strays = find_unmanaged(documents, [spec for spec in specs if spec.subscription not in unread], agent_pools)
    if output is OutputFormat.JSON:
        found = [{"kind": one.kind, "subject": one.subject, "message": one.message} for one in strays]
        screen.document({"format": FORMAT, "strays": found, "troubles": errors})
    else:
        _text(strays, errors, screen)
    return worst([ERROR if errors else DONE, PENDING if strays else DONE])


def _specs(settings: Settings, screen: Screen) -> tuple[Sequence[Spec], list[str]]:
    """The specs, and an error where some are invalid, since their pools are unknown. No spec yet is no error."""
    if not settings.specs:
        return (), []
    try:
        loaded = load(bootstrap.source(settings).snapshot().files)
    except NotFound as error:
        screen.note(f"{error}; every pool counts as one without a spec")
        return (), []
    count = len(loaded.problems)
    many = "1 problem" if count == 1 else f"{count} problems"
    broken = f"specs: {many}, their pools may be listed as without a spec; run `validate`"
    return loaded.specs, [broken] if count else []


def _agent_pools(
    tools: bootstrap.Tools, documents: Sequence[dict[str, Json]], specs: Sequence[Spec]
) -> tuple[dict[str, Sequence[AgentPool]], list[str]]:
    """Agent pools of every organization that a pool or a spec names, and an error for each that could not be read."""
    names = {organization for document in documents for organization, _, _ in organizations_of(document)}
    names |= {organization.name for spec in specs for organization in spec.organizations}
    found: dict[str, Sequence[AgentPool]] = {}
    errors = []
    for name in sorted(names):
        try:
            found[name] = tools.planner.readers.devops.agent_pools(name)
        except ReconcilerError as error:
            errors.append(f"{name}: {error.reason}: {error}")
    return found, errors


def _text(strays: Sequence[UnmanagedPool], errors: Sequence[str], screen: Screen) -> None:
    for one in strays:
        screen.bad(f"{one.kind}  {one.subject}: {one.message}")
    for line in errors:
        screen.error(line)
    if not strays and not errors:
        screen.good("every pool has its spec, and exists on both planes")
