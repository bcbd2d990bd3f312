"""What a deployment says about triggers: queues, schedules, webhook secrets, the role that callers need.

The names of queues and the schedules stand in bindings as ``%NAME%``, so the platform reads them too; `serve` fills
in the defaults of this table, a Functions app has to set them (docs/hosting.md lists them, a test compares).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.config.endpoints import endpoint_problem, unresolved
from reconciler.config.settings import MISSPELT, PREFIX, Secret, SettingsInvalid, Variable
from reconciler.config.settings import VARIABLES as SETTINGS
from reconciler.documents.spelling import nearest

AUDIT_HOSTS = frozenset({"auditservice.dev.azure.com"})

VARIABLES: tuple[Variable, ...] = (
    Variable("STORAGE", "Connection string of the storage account behind bindings and state; for an identity "
             "`RECONCILER_STORAGE__blobServiceUri` and `…__queueServiceUri` in its place", secret=True),
    Variable("WORK_QUEUE", "Queue with keys that somebody waits for", "work"),
    Variable("SWEEP_QUEUE", "Queue with batches that nobody waits for", "sweep"),
    Variable("POOL_EVENTS_QUEUE", "Queue into which Event Grid delivers ARM's events", "pool-events"),
    Variable("DEVOPS_EVENTS_QUEUE", "Queue into which Event Grid delivers the audit stream", "devops-events"),
    Variable("SWEEP_SCHEDULE", "When every pool gets a look", "0 */15 * * * *", "NCRONTAB"),
    Variable("GIT_SCHEDULE", "When git is looked at", "0 */2 * * * *", "NCRONTAB"),
    Variable("AUDIT_SCHEDULE", "When the audit logs are looked at", "30 */2 * * * *", "NCRONTAB"),
    Variable("SWEEP_SECONDS", "Over how long a sweep is spread: the interval of its schedule", "900", "seconds"),
    Variable("GITHUB_SECRET", "Secret of the GitHub webhook", secret=True),
    Variable("GITHUB_SECRET_2", "Another that is good as well, while the first is being replaced", secret=True),
    Variable("AZURE_REPOS_SECRET", "Secret of the Azure Repos service hook", secret=True),
    Variable("AZURE_REPOS_SECRET_2", "Another that is good as well, while the first is being replaced", secret=True),
    Variable("APP_ROLE", "App role that callers of the HTTP interface need; not set: a function key is enough"),
    Variable("FUNCTION_KEY", "Function key that `serve` asks for; not set: none, for loopback alone", secret=True),
    Variable("AUDIT_ENDPOINT", "Audit log of Azure DevOps; the organization's name is appended",
             "https://auditservice.dev.azure.com", "URL"),
)  # fmt: skip
"""Every variable, without the prefix, in the order of the documentation."""

BOUND = tuple(variable.name for variable in VARIABLES if variable.name.endswith(("_QUEUE", "_SCHEDULE")))
"""Those that stand in bindings."""

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
    platform_authenticates: bool = field(default=False)
    """Whether App Service says that its authentication is on (`WEBSITE_AUTH_ENABLED`)."""

    @staticmethod
    def read(environ: Mapping[str, str]) -> Hosting:
        """Read and check them; `SettingsInvalid` with every problem."""
        given = {variable.name: environ.get(PREFIX + variable.name, "").strip() for variable in VARIABLES}
        value = {variable.name: given[variable.name] or variable.default for variable in VARIABLES}
        problems = [
            f"{PREFIX}{name}: {value[name]!r} is no queue name: 3 to 56 of a-z, 0-9 and single hyphens"
            for name in BOUND
            if name.endswith("_QUEUE") and not _QUEUE.match(value[name])
        ]
        seconds = float(value["SWEEP_SECONDS"]) if value["SWEEP_SECONDS"].isdecimal() else 0.0
        if not 1 <= seconds <= 86_400:  # noqa: PLR2004 - a day
            problems.append(f"{PREFIX}SWEEP_SECONDS: {value['SWEEP_SECONDS']!r} is not a number from 1 to 86400")
        problems += [
            f"{PREFIX}{variable.name}: {wrong}"
            for variable in VARIABLES
            if variable.secret and (wrong := unresolved(given[variable.name]))
        ]
        problems += _misspelt(environ)
        endpoint = value["AUDIT_ENDPOINT"].rstrip("/")
        loopback = environ.get(f"{PREFIX}ALLOW_LOOPBACK", "") == "1"
        wrong = endpoint_problem(endpoint, AUDIT_HOSTS, loopback=loopback)
        if wrong:
            problems.append(f"{PREFIX}AUDIT_ENDPOINT: {wrong}")
        if problems:
            raise SettingsInvalid(tuple(problems))
        return Hosting(
            bound={PREFIX + name: value[name] for name in BOUND},
            work_queue=value["WORK_QUEUE"],
            sweep_queue=value["SWEEP_QUEUE"],
            sweep_seconds=seconds,
            github_secrets=_secrets(value, "GITHUB_SECRET"),
            azure_repos_secrets=_secrets(value, "AZURE_REPOS_SECRET"),
            app_role=value["APP_ROLE"],
            function_key=Secret(value["FUNCTION_KEY"]),
            audit_endpoint=endpoint,
            platform_authenticates=environ.get("WEBSITE_AUTH_ENABLED", "").lower() == "true",
        )


def secrets(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The values of all secret variables that are set, to strike them out of a text that might hold one."""
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


def _misspelt(environ: Mapping[str, str]) -> list[str]:
    """Names that are nearly ours: with `RECONCILER_APP_ROL` nobody would be asked for a role, silently."""
    known = {variable.name for variable in (*SETTINGS, *VARIABLES)}
    names = sorted(name.removeprefix(PREFIX) for name in environ if name.startswith(PREFIX))
    unknown = [name for name in names if name not in known and not name.startswith("STORAGE__")]
    near = {name: nearest(name, [variable.name for variable in VARIABLES], MISSPELT) for name in unknown}
    return [f"{PREFIX}{name}: no such setting; the nearest is {PREFIX}{found}" for name, found in near.items() if found]


def _secrets(value: Mapping[str, str], name: str) -> tuple[Secret, ...]:
    return tuple(Secret(value[each]) for each in (name, f"{name}_2") if value[each])
