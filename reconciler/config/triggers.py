"""Settings of the triggers: queues, schedules, webhook secrets, the role that callers need.

Bindings refer to queues and schedules as ``%NAME%``, so the platform reads them too; `serve` fills in the defaults of
this table, a Functions app has to set them. The table of docs/hosting.md is generated from the rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.config import notify
from reconciler.config.settings import VARIABLES as SETTINGS
from reconciler.config.variables import PREFIX, Environment, Secret, Variable, endpoint, named, secret, whole

AUDIT_HOSTS = frozenset({"auditservice.dev.azure.com"})

VARIABLES = tuple(
    named(
        {
            "STORAGE": Variable(
                "Connection string of the storage account for bindings and state; with an identity set "
                "`RECONCILER_STORAGE__blobServiceUri` and `…__queueServiceUri` instead",
                read=secret,
            ),
            "WORK_QUEUE": Variable("Queue for keys that a caller or an event requested", "work"),
            "SWEEP_QUEUE": Variable("Queue for batches of the periodic full resync", "sweep"),
            "POOL_EVENTS_QUEUE": Variable("Queue into which Event Grid delivers ARM's events", "pool-events"),
            "DEVOPS_EVENTS_QUEUE": Variable("Queue into which Event Grid delivers the audit stream", "devops-events"),
            "SWEEP_SCHEDULE": Variable("When every pool is reconciled", "0 */15 * * * *", "NCRONTAB"),
            "GIT_SCHEDULE": Variable("When Git is read", "0 */2 * * * *", "NCRONTAB"),
            "AUDIT_SCHEDULE": Variable("When the audit logs are read", "30 */2 * * * *", "NCRONTAB"),
            "SWEEP_SECONDS": Variable(
                "Interval of the schedule, over which a full resync is spread",
                "900",
                "seconds",
                whole(1, 86_400),
            ),
            "GITHUB_SECRET": Variable("Secret of the GitHub webhook", read=secret),
            "GITHUB_SECRET_2": Variable("Second valid secret, while the first is being replaced", read=secret),
            "AZURE_REPOS_SECRET": Variable("Secret of the Azure Repos service hook", read=secret),
            "AZURE_REPOS_SECRET_2": Variable("Second valid secret, while the first is being replaced", read=secret),
            "APP_ROLE": Variable("App role that callers of the HTTP interface need. If unset: a function key suffices"),
            "FUNCTION_KEY": Variable(
                "Function key that `serve` requires. If unset: one that it generates, on loopback only", read=secret
            ),
            "AUDIT_ENDPOINT": Variable(
                "Audit log of Azure DevOps; the organization's name is appended",
                "https://auditservice.dev.azure.com",
                "URL",
                endpoint(AUDIT_HOSTS),
            ),
            **notify.VARIABLES,
        }
    ).values()
)
"""Every variable, without the prefix, in the order of the documentation."""

BOUND = tuple(variable.name for variable in VARIABLES if variable.name.endswith(("_QUEUE", "_SCHEDULE")))
"""Those that stand in bindings."""

_PLAN_IS_OFF = ("AzureWebJobs.plan.Disabled", "AzureWebJobs__plan__Disabled", "AzureWebJobs_plan_Disabled")
"""How a function app switches the function off; on Linux the dots may be underscores."""
_QUEUE = re.compile(r"^[a-z0-9](?!.*--)[a-z0-9-]{1,54}[a-z0-9]$")
"""A Storage queue's name with room for ``-poison`` (Microsoft Learn, "Naming queues and metadata")."""


@dataclass(frozen=True, slots=True)
class Hosting:
    """The settings of the triggers, checked."""

    bound: Mapping[str, str]
    """Variable with prefix → value, for those that stand in bindings."""
    work_queue: str
    sweep_queue: str
    sweep_seconds: float
    github_secrets: tuple[Secret, ...]
    azure_repos_secrets: tuple[Secret, ...]
    app_role: str
    function_key: Secret
    audit_endpoint: str
    notify: tuple[notify.NotifyTarget, ...] = ()
    """Receivers of notices."""
    page: str = ""
    """Address of the status page, for links; empty where it is not known."""
    platform_authenticates: bool = field(default=False)
    """Whether App Service says that its authentication is on (`WEBSITE_AUTH_ENABLED`)."""
    plans: bool = field(default=True)
    """Whether this app plans: not where its function `plan` is switched off, as on the ingress."""

    @staticmethod
    def read(environ: Mapping[str, str]) -> Hosting:
        """Read and check them; `SettingsInvalid` with every problem."""
        given = Environment(environ)
        value = {row.name: row.read(given, row) for row in VARIABLES}
        for name in BOUND:
            if name.endswith("_QUEUE") and not _QUEUE.match(value[name]):
                given.wrong(name, f"{value[name]!r} is no queue name: 3 to 56 of a-z, 0-9 and single hyphens")
        targets = notify.targets_of(given, {name: given.text(name) for name in notify.VARIABLES})
        page = notify.page_of(given, environ.get("WEBSITE_HOSTNAME", ""))
        given.check_names((row.name for row in VARIABLES), (row.name for row in SETTINGS))
        given.check()
        return Hosting(
            bound={PREFIX + name: value[name] for name in BOUND},
            work_queue=value["WORK_QUEUE"],
            sweep_queue=value["SWEEP_QUEUE"],
            sweep_seconds=float(value["SWEEP_SECONDS"]),
            github_secrets=_set(value["GITHUB_SECRET"], value["GITHUB_SECRET_2"]),
            azure_repos_secrets=_set(value["AZURE_REPOS_SECRET"], value["AZURE_REPOS_SECRET_2"]),
            app_role=value["APP_ROLE"],
            function_key=value["FUNCTION_KEY"],
            audit_endpoint=value["AUDIT_ENDPOINT"],
            notify=targets,
            page=page,
            platform_authenticates=environ.get("WEBSITE_AUTH_ENABLED", "").lower() == "true",
            plans=not any(environ.get(name, "").lower() in ("true", "1") for name in _PLAN_IS_OFF),
        )


def secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The values of all secret variables that are set, to mask them in texts."""
    names = [PREFIX + variable.name for variable in VARIABLES if variable.secret]
    return tuple(environ[name] for name in names if environ.get(name))


def state(environ: Mapping[str, str]) -> dict[str, str]:
    """`RECONCILER_STATE` where only the bindings' storage account is set: state is kept beside the queues."""
    name = f"{PREFIX}STORAGE"
    if environ.get(name):
        return {f"{PREFIX}STATE": environ[name]}
    account = environ.get(f"{name}__accountName", "")
    blob, queue = (
        environ.get(f"{name}__{kind}ServiceUri") or (f"https://{account}.{kind}.core.windows.net" if account else "")
        for kind in ("blob", "queue")
    )
    return {f"{PREFIX}STATE": f"{blob} {queue}"} if blob and queue else {}


def _set(*values: Secret) -> tuple[Secret, ...]:
    return tuple(value for value in values if value)
