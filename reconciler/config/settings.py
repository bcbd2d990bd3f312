"""What a deployment sets, read once: the only reader of the process environment.

Each field of `Settings` is one environment variable, and its annotation is the variable's row: meaning, default, unit
and how it is read. The tables of docs/settings.md are generated from the rows. All problems are reported at once.
Nothing here opens a file or a connection.

A token is sent only to endpoints that are https on hosts of Microsoft's clouds, or on loopback where
`RECONCILER_ALLOW_LOOPBACK=1` says that this is a test.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, get_type_hints
from urllib.parse import urlsplit

from reconciler.config.endpoints import (
    ARM_HOSTS,
    DEVOPS_HOSTS,
    IDENTITY_HOSTS,
    INGESTION_DOMAINS,
    MEMBERS_HOSTS,
    endpoint_problem,
    ingestion,
    is_host,
    is_loopback,
    remote_host,
    storage_endpoints,
    storage_problem,
)
from reconciler.config.variables import (
    PREFIX,
    Environment,
    Secret,
    SettingsInvalid,
    Variable,
    choice,
    endpoint,
    named,
    number,
    path,
    secret,
    switch,
    text,
    whole,
)
from reconciler.spec.model import WriteMode

__all__ = [
    "PREFIX",
    "VARIABLES",
    "CredentialKind",
    "NamesIn",
    "Secret",
    "Settings",
    "SettingsInvalid",
    "TelemetryKind",
    "Variable",
    "become",
    "child_environment",
    "environment",
    "secrets",
    "unless_said",
]

INSIGHTS = "APPLICATIONINSIGHTS_CONNECTION_STRING"


class CredentialKind(StrEnum):
    """Where tokens come from."""

    DEFAULT = "default"
    """azure-identity's chain: environment, workload identity, managed identity, `az login`."""
    MANAGED = "managed"
    """The managed identity of this host."""
    PAT = "pat"
    """A personal access token for Azure DevOps, the default chain for ARM; for local use."""
    STATIC = "static"
    """Two given tokens, sent only to loopback; for the emulator."""


class NamesIn(StrEnum):
    """Where names of people appear."""

    RECORD = "record"
    ON = "on"
    OFF = "off"


class TelemetryKind(StrEnum):
    """Where spans and metrics are sent."""

    OFF = "off"
    CONSOLE = "console"
    """Standard error."""
    OTLP = "otlp"
    """A collector, over HTTP; its address is in OpenTelemetry's own variables."""
    AZURE = "azure"
    """Application Insights, by `APPLICATIONINSIGHTS_CONNECTION_STRING`."""


def _specs(given: Environment, row: Variable) -> str:
    """Checks for credentials alone; the source knows which places there are."""
    place = text(given, row)
    if re.match(r"^https?://[^/@]*:[^/]*@", place):
        given.wrong(row.name, f"the URL holds credentials; give them as {PREFIX}GIT_TOKEN and leave them out here")
    return place


def _state(given: Environment, row: Variable) -> str:
    """The default is in the user's folder for state, by the XDG base directory specification."""
    base = given.given.get("XDG_STATE_HOME", "")
    home = Path(base) if base else Path.home() / ".local" / "state"
    state = given.text(row.name) or str(home / "reconciler" / "state.db")
    further = frozenset(_hosts(given.text("STORAGE_HOSTS")))
    loopback = given.text("ALLOW_LOOPBACK") == "1"
    for service, url in storage_endpoints(state).items():
        if problem := storage_problem(url, service, further, loopback=loopback):
            given.wrong(row.name, problem)
            break
    return state


def _deployment(given: Environment, row: Variable) -> str:
    name = given.text(row.name)
    if name and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", name):
        given.wrong(row.name, f"{name[:100]!r} is not 1 to 63 of letters, digits, '.', '_' and '-'")
    return name


def _container(given: Environment, row: Variable) -> str:
    """A container's name, with room for ``-safety`` (Microsoft Learn, "Naming and referencing containers")."""
    name = text(given, row)
    if not re.fullmatch(r"[a-z0-9](?!.*--)[a-z0-9-]{1,54}[a-z0-9]", name):
        given.wrong(row.name, f"{name[:100]!r} is no container name: 3 to 56 of a-z, 0-9 and single hyphens")
    return name


def _operators(given: Environment, row: Variable) -> str:
    names = list(dict.fromkeys(name.strip() for name in given.text(row.name).split(",") if name.strip()))
    for name in names:
        if not re.fullmatch(r"[^\s@,\[\]\\]+@[^\s@,]+|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", name):
            given.wrong(row.name, f"{name[:100]!r} is neither an object id nor an address")
    return ",".join(names)


def _storage_hosts(given: Environment, row: Variable) -> str:
    hosts = _hosts(given.text(row.name))
    for host in hosts:
        if not is_host(host):
            given.wrong(row.name, f"{host[:100]!r} is no host name; give names alone, separated by commas")
    return ",".join(hosts)


def _hosts(text: str) -> list[str]:
    return [host.strip().lower() for host in text.split(",") if host.strip()]


def _git_host(given: Environment, row: Variable) -> str:
    host = given.text(row.name).lower()
    name, colon, port = host.partition(":")
    found = remote_host(f"https://{host}") if is_host(name) and (not colon or port.isdigit()) else ""
    if host and not found:
        given.wrong(row.name, "no host name; give a name alone, or NAME:PORT, as in github.com")
    return found


def _git_api(given: Environment, row: Variable) -> str:
    url = given.text(row.name).rstrip("/")
    if url and not is_loopback(url):
        given.wrong(row.name, f"{url[:200]!r} is not on loopback; elsewhere it follows from the repository's URL")
    elif url and (problem := endpoint_problem(url, frozenset(), loopback=given.text("ALLOW_LOOPBACK") == "1")):
        given.wrong(row.name, problem)
    return url


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings, checked. Field and variable have one name: `arm_endpoint` is `RECONCILER_ARM_ENDPOINT`.

    To add a setting, add its field here and run `scripts/reference.py`.
    """

    # fmt: off
    specs: Annotated[str, Variable("Folder with specs, one file, or a Git repository: `PATH` or `URL`, optionally "
                                   "followed by `#REF:PREFIX`", read=_specs)]
    state: Annotated[str, Variable("Where statuses and leases are stored: a SQLite file, or a storage account's "
                                   "`https://` URL (or connection string)",
                                   "`reconciler/state.db` in the user's state folder", read=_state)] = field(repr=False)
    container: Annotated[str, Variable("Container of the storage account; the safety facts are in the one with "
                                       "`-safety` behind its name. Each deployment needs its own", "reconciler",
                                       read=_container)]
    deployment: Annotated[str, Variable("Name of the deployment that the state belongs to. Another deployment's state "
                                        "is refused; a second app of the same one has the same name. If unset: the "
                                        "container's name, or what the SQLite file says", read=_deployment)]
    mode: Annotated[WriteMode, Variable("How far writing goes: `stop`, `report`, `approved` or `enforce`. The stricter "
                                        "of this and the mode in the safety store counts", "enforce",
                                        read=choice(WriteMode))]
    policy: Annotated[Path | None, Variable("File with what this deployment allows. If unset, only the specs limit "
                                            "what is applied", read=path)]
    operators: Annotated[str, Variable("Identities of the deployed operator, which no run may lock out: object ids of "
                                       "Entra ID or addresses, separated by commas; beside those of the policy, and "
                                       "what the service recorded in the state. A run that knows none protects the "
                                       "caller", read=_operators)]
    capabilities: Annotated[Path | None, Variable("File with the results of `probe`. If unset, conservative defaults "
                                                  "apply", read=path)]
    capabilities_days: Annotated[float, Variable("How long a result in that file is valid", "90", "days",
                                                 number(1, 3650))]
    arm_endpoint: Annotated[str, Variable("Azure Resource Manager", "https://management.azure.com", "URL",
                                          endpoint(ARM_HOSTS))]
    devops_endpoint: Annotated[str, Variable("Azure DevOps; the organization's name is appended",
                                             "https://dev.azure.com", "URL", endpoint(DEVOPS_HOSTS))]
    identity_endpoint: Annotated[str, Variable("Identities and graph of Azure DevOps; the organization's name is "
                                               "appended. If unset and `RECONCILER_DEVOPS_ENDPOINT` is on loopback: "
                                               "the same as that", "https://vssps.dev.azure.com", "URL",
                                               endpoint(IDENTITY_HOSTS, "DEVOPS_ENDPOINT"))]
    members_endpoint: Annotated[str, Variable("Access levels of members of Azure DevOps, for `onboard` only; the "
                                              "organization's name is appended. If unset and "
                                              "`RECONCILER_DEVOPS_ENDPOINT` is on loopback: the same as that",
                                              "https://vsaex.dev.azure.com", "URL",
                                              endpoint(MEMBERS_HOSTS, "DEVOPS_ENDPOINT"))]
    credential: Annotated[CredentialKind, Variable("Where tokens come from: `default`, `managed`, `pat` or `static` "
                                                   "(loopback only)", "default", read=choice(CredentialKind))]
    client_id: Annotated[str, Variable("Client id of a user-assigned managed identity, with `managed`. If unset, the "
                                       "system-assigned identity", unit="guid")]
    pat: Annotated[Secret, Variable("Personal access token for Azure DevOps, with `pat`", read=secret)]
    arm_token: Annotated[Secret, Variable("Token for ARM, with `static`", read=secret)]
    devops_token: Annotated[Secret, Variable("Token for Azure DevOps, with `static`", read=secret)]
    git_token: Annotated[Secret, Variable("Token for an https Git remote, sent to one host only", read=secret)]
    git_host: Annotated[str, Variable("Host of the remote that the Git token is for, as in `github.com`",
                                      "the host of `RECONCILER_SPECS`", read=_git_host)]
    git_api: Annotated[str, Variable("REST API of that host, where it is not the usual one: on this machine, for tests",
                                     "follows from the repository's URL", "URL", _git_api)]
    git_files: Annotated[int, Variable("Most spec files that are read, of a repository or a folder. Of more, the first "
                                       "by name are read; the others are one problem of the specs", "20000", "files",
                                       whole(1, 400_000))]
    git_bytes: Annotated[int, Variable("Most bytes of all spec files together, likewise. A process needs about ten "
                                       "times as much memory", "67108864", "bytes", whole(1024, 999_999_999))]
    storage_hosts: Annotated[str, Variable("Hosts of storage accounts outside of Microsoft's public and sovereign "
                                           "clouds, separated by commas", read=_storage_hosts)]
    allow_loopback: Annotated[bool, Variable("`1` accepts endpoints on this machine, also over http; for the emulator "
                                             "and tests", "0", read=switch)]
    budget: Annotated[float, Variable("Longest duration of one run of one pool; it stops at a step boundary", "240",
                                      "seconds", number(5, 3600))]
    wait_once: Annotated[float, Variable("How long a run waits for what Azure usually creates itself, before creating "
                                         "it", "15", "seconds", number(1, 600))]
    agent_pool_margin: Annotated[float, Variable("How much older than its ARM pool an agent pool may be, and still "
                                                 "count as created with it: clocks differ", "600", "seconds",
                                                 number(0, 3600))]
    max_age: Annotated[float, Variable("How old a fact may become before it is read again, where a healthy audit log "
                                       "stands for changes meanwhile; without one every full resync reads everything",
                                       "14400", "seconds", number(60, 604_800))]
    record_days: Annotated[int, Variable("How long the record of writes is kept; older months are deleted whole", "400",
                                         "days", whole(31, 3650))]
    names: Annotated[NamesIn, Variable("Where people are named: `record` (in the record of writes alone), `on` (in log "
                                       "lines, spans and notices too) or `off` (nowhere of these; ids stand for them)",
                                       "record", read=choice(NamesIn))]
    http_timeout: Annotated[float, Variable("Timeout of one request", "30", "seconds", number(1, 300))]
    parallel: Annotated[int, Variable("Most parallel reads of an organization; how many there are adapts to its "
                                      "responses", "16", "requests", whole(1, 16))]
    prerequisites: Annotated[bool, Variable("`0` checks no prerequisites of pools: identities, key vaults, subnets",
                                            "1", read=switch)]
    telemetry: Annotated[TelemetryKind, Variable("Where spans and metrics are sent: `off`, `console`, `otlp` or "
                                                 "`azure`", "off", read=choice(TelemetryKind))] = TelemetryKind.OFF
    # fmt: on
    insights: str = field(default="", repr=False)
    """Connection string of Application Insights. Grants nothing where local authentication is off; may elsewhere."""
    state_named: bool = False
    """Whether the state was set, and is not the default."""
    instance: str = ""
    """Which one of several hosts this is, where the platform sets it."""

    @staticmethod
    def read(
        environ: Mapping[str, str] | None = None,
        *,
        beneath: Mapping[str, str] | None = None,
        above: Mapping[str, str] | None = None,
    ) -> Settings:
        """Read and check all settings.

        `environ` is the process environment if not given; `beneath` (the content of an env file) applies where the
        environment sets nothing, `above` (options of the command line) takes precedence. Raises `SettingsInvalid`
        with every problem.
        """
        surrounding = os.environ if environ is None else environ
        given = Environment({**(beneath or {}), **surrounding, **(above or {})})
        values = {row.name.lower(): row.read(given, row) for row in VARIABLES}
        values["git_host"] = _bound_host(given, values["git_host"], (surrounding, above or {}))
        settings = Settings(
            **values,
            insights=given.given.get(INSIGHTS, "").strip(),
            state_named=bool(given.text("STATE")),
            instance=given.given.get("WEBSITE_INSTANCE_ID", ""),
        )
        _check_insights(given, settings)
        _check_credential(given, settings)
        given.check_names(row.name for row in VARIABLES)
        given.check()
        return settings


def _rows() -> tuple[Variable, ...]:
    hints = get_type_hints(Settings, include_extras=True)
    rows = {name: hint.__metadata__[0] for name, hint in hints.items() if hasattr(hint, "__metadata__")}
    return tuple(named(rows).values())


VARIABLES = _rows()
"""Every variable, in the order of the fields."""


def _check_insights(given: Environment, settings: Settings) -> None:
    if settings.telemetry is not TelemetryKind.AZURE:
        return
    place = ingestion(settings.insights)
    parts = urlsplit(place)
    if not settings.insights:
        given.wrong("TELEMETRY", f"azure needs {INSIGHTS}, which is not set")
    elif is_loopback(place):
        if not settings.allow_loopback:
            given.wrong("TELEMETRY", f"{INSIGHTS} names loopback; set {PREFIX}ALLOW_LOOPBACK=1 if this is a test")
    elif parts.scheme != "https" or not (parts.hostname or "").endswith(INGESTION_DOMAINS):
        domains = ", ".join(f"*{domain}" for domain in INGESTION_DOMAINS)
        given.wrong("TELEMETRY", f"{INSIGHTS}: its IngestionEndpoint is not https on one of {domains}")


def _bound_host(given: Environment, named: str, trusted: tuple[Mapping[str, str], Mapping[str, str]]) -> str:
    """The one host that the git token is for.

    `trusted` is where it can be named for a token of the environment: the environment itself, then options. A file can
    only name the host of a token that it holds itself: otherwise the author of the file receives the token.
    """
    surrounding, _ = trusted
    if not given.text("GIT_TOKEN"):
        return ""
    places = [place.get(f"{PREFIX}SPECS", "").strip().partition("#")[0] for place in trusted]
    typed = next((host for place in places if (host := remote_host(place))), "")
    wanted = named or typed or remote_host(given.text("SPECS").partition("#")[0])
    by_file = not typed if not named else not surrounding.get(f"{PREFIX}GIT_HOST", "").strip()
    if wanted and by_file and surrounding.get(f"{PREFIX}GIT_TOKEN", "").strip():
        remedy = f"name the host in the environment too, if it is right: {PREFIX}GIT_HOST={wanted}"
        given.wrong("GIT_TOKEN", f"set in the environment, but its host comes from the env file; {remedy}")
    return wanted


def _check_credential(given: Environment, settings: Settings) -> None:
    needed = {CredentialKind.PAT: ("PAT",), CredentialKind.STATIC: ("ARM_TOKEN", "DEVOPS_TOKEN")}
    for name in needed.get(settings.credential, ()):
        if not given.text(name):
            given.wrong(name, f"not set, but {PREFIX}CREDENTIAL={settings.credential} needs it")
    if settings.credential is not CredentialKind.STATIC:
        return
    for name in ("ARM_ENDPOINT", "DEVOPS_ENDPOINT", "IDENTITY_ENDPOINT", "MEMBERS_ENDPOINT"):
        url = str(getattr(settings, name.lower()))
        if not is_loopback(url):
            given.wrong(
                name, f"{url!r} is not on loopback, but {PREFIX}CREDENTIAL=static sends tokens to loopback alone"
            )


def unless_said(given: Mapping[str, str]) -> None:
    """Set these variables of this process unless they are set: for a library that has no other configuration."""
    for name, value in given.items():
        os.environ.setdefault(name, value)


def environment() -> Mapping[str, str]:
    """The process environment, for the settings that `reconciler.config.triggers` reads."""
    return os.environ


def secrets(*more: Mapping[str, str]) -> tuple[str, ...]:
    """The values of all secret variables that are set, to mask them in texts; also a connection string for state.

    `more`: other places that settings were read from, beside the process environment.
    """
    places = (os.environ, *more)
    names = [PREFIX + row.name for row in VARIABLES if row.secret]
    stores = [value for given in places if re.match(r"\w+=", value := given.get(f"{PREFIX}STATE", ""))]
    return (*stores, *(given[name] for given in places for name in names if given.get(name)))


def child_environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child process with these settings and none of this process's."""
    return {**{name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}, **given}


def become(environment: Mapping[str, str]) -> None:
    """Replace this process's environment: for a child that was forked to run a command."""
    os.environ.clear()
    os.environ.update(environment)
