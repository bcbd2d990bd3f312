"""What a deployment sets, read once: the only reader of the environment.

Each setting is one environment variable; `VARIABLES` is the table of them, and `docs/settings.md` is compared with
it by a test. All problems are reported at once, each on one line that names the variable, its value (a secret's
never) and the remedy. Nothing here opens a file or a connection.

A token goes only where the operator of this program meant it to: endpoints are https on hosts of Microsoft's
clouds, or loopback where `RECONCILER_ALLOW_LOOPBACK=1` says that this is a test.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.config.endpoints import (
    ARM_HOSTS,
    DEVOPS_HOSTS,
    IDENTITY_HOSTS,
    INGESTION_DOMAINS,
    MEMBERS_HOSTS,
    endpoint_problem,
    ingestion,
    is_loopback,
    unresolved,
)
from reconciler.documents.spelling import nearest
from reconciler.errors import Terminal

PREFIX = "RECONCILER_"
MISSPELT = 0.8
"""How alike an unknown variable has to be to a setting to be an error: others may use the prefix too."""
INSIGHTS = "APPLICATIONINSIGHTS_CONNECTION_STRING"


class SettingsInvalid(Terminal):
    """Settings are missing or wrong; `problems` has one line each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Secret:
    """A value that must not be shown: it is given out by `reveal` alone, and its `repr` and `str` say nothing."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one place that sends it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret(set)" if self._value else "Secret(not set)"


class CredentialKind(StrEnum):
    """Where tokens come from."""

    DEFAULT = "default"
    """azure-identity's chain: environment, workload identity, managed identity, `az login`."""
    MANAGED = "managed"
    """The managed identity of this host."""
    PAT = "pat"
    """A personal access token for Azure DevOps, the default chain for ARM; for local use."""
    STATIC = "static"
    """Two given tokens, sent to loopback alone; for the emulator."""


class TelemetryKind(StrEnum):
    """Where spans and metrics go."""

    OFF = "off"
    CONSOLE = "console"
    """Standard error."""
    OTLP = "otlp"
    """A collector, over HTTP; its address is in OpenTelemetry's own variables."""
    AZURE = "azure"
    """Application Insights, by `APPLICATIONINSIGHTS_CONNECTION_STRING`."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One row of the table."""

    name: str
    meaning: str
    default: str = ""
    """As one would write it; empty: not set."""
    unit: str = ""
    secret: bool = False


VARIABLES: tuple[Variable, ...] = (
    Variable("SPECS", "Folder with specs, or a git repository: `PATH`, `URL`, with `#REF:PREFIX` behind it"),
    Variable("STATE", "Where statuses and leases are kept: a SQLite file, or a storage account's `https://` URL "
             "(or connection string)", "`reconciler/state.db` in the user's state folder"),
    Variable("POLICY", "File with what this deployment allows; without one, only verified specs limit it"),
    Variable("CAPABILITIES", "File with what `probe` found out about organizations; without one, "
             "the careful way is taken"),
    Variable("CAPABILITIES_DAYS", "How long an answer in that file counts", "90", "days"),
    Variable("ARM_ENDPOINT", "Azure Resource Manager", "https://management.azure.com", "URL"),
    Variable("DEVOPS_ENDPOINT", "Azure DevOps; the organization's name is appended", "https://dev.azure.com", "URL"),
    Variable("IDENTITY_ENDPOINT", "Identities and graph of Azure DevOps; the organization's name is appended. "
             "Not given and on loopback: the same as `RECONCILER_DEVOPS_ENDPOINT`",
             "https://vssps.dev.azure.com", "URL"),
    Variable("MEMBERS_ENDPOINT", "Access levels of members of Azure DevOps, for `onboard` alone; the organization's "
             "name is appended. Not given and on loopback: the same as `RECONCILER_DEVOPS_ENDPOINT`",
             "https://vsaex.dev.azure.com", "URL"),
    Variable("CREDENTIAL", "Where tokens come from: `default`, `managed`, `pat` or `static` (loopback alone)",
             "default"),
    Variable("CLIENT_ID", "Client id of a user-assigned managed identity, with `managed`", unit="guid"),
    Variable("PAT", "Personal access token for Azure DevOps, with `pat`", secret=True),
    Variable("ARM_TOKEN", "Token for ARM, with `static`", secret=True),
    Variable("DEVOPS_TOKEN", "Token for Azure DevOps, with `static`", secret=True),
    Variable("GIT_TOKEN", "Token for an https git remote", secret=True),
    Variable("ALLOW_LOOPBACK", "`1` accepts endpoints on this machine, over http too; for the emulator and tests", "0"),
    Variable("BUDGET", "How long one run of one pool may take before it stops at a step boundary", "240", "seconds"),
    Variable("WAIT_ONCE", "How long the service is given to do by itself what it may do by itself", "15", "seconds"),
    Variable("HTTP_TIMEOUT", "How long one request may take", "30", "seconds"),
    Variable("PARALLEL", "Reads at the same time for an organization", "4", "requests"),
    Variable("PREREQUISITES", "`0` looks at nothing around pools: no identity, no key vault, no subnet", "1"),
    Variable("TELEMETRY", "Where spans and metrics go: `off`, `console`, `otlp` or `azure`", "off"),
)  # fmt: skip
"""Every variable, without the prefix, in the order of the documentation."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings, checked. Field and variable have one name: `arm_endpoint` is `RECONCILER_ARM_ENDPOINT`."""

    specs: str
    """Folder or git repository, as written; empty: not set, which `schema` does not mind and `plan` does."""
    state: str = field(repr=False)
    """Path of a SQLite file, or a storage account's URL or connection string, which holds a key: hence no `repr`."""
    policy: Path | None
    """None: no policy file."""
    capabilities: Path | None
    """None: nothing was found out, or nobody says where it is written."""
    capabilities_days: float
    """Days."""
    arm_endpoint: str
    """URL without a slash at its end."""
    devops_endpoint: str
    """URL without a slash at its end."""
    identity_endpoint: str
    """URL without a slash at its end."""
    members_endpoint: str
    """URL without a slash at its end."""
    credential: CredentialKind
    client_id: str
    """Empty: the system-assigned identity."""
    pat: Secret
    arm_token: Secret
    devops_token: Secret
    git_token: Secret
    allow_loopback: bool
    budget: float
    """Seconds."""
    wait_once: float
    """Seconds."""
    http_timeout: float
    """Seconds."""
    parallel: int
    """Requests for an organization."""
    prerequisites: bool
    """Whether a plan looks at what lies around its pool."""
    telemetry: TelemetryKind = TelemetryKind.OFF
    insights: str = field(default="", repr=False)
    """Connection string of Application Insights. Grants nothing where local authentication is off; may elsewhere."""
    instance: str = ""
    """Which one of several hosts this is, where the platform says so."""

    @staticmethod
    def read(
        environ: Mapping[str, str] | None = None,
        *,
        beneath: Mapping[str, str] | None = None,
        above: Mapping[str, str] | None = None,
    ) -> Settings:
        """Read and check all settings.

        `environ` is the process environment where not given; `beneath` (a `.env` file's content) counts where the
        environment says nothing, `above` (options of the command line) counts most. Raises `SettingsInvalid` with
        every problem.
        """
        given = os.environ if environ is None else environ
        return _EnvironmentReader({**(beneath or {}), **given, **(above or {})}).settings()


class _EnvironmentReader:
    """Reads one variable after the other and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []

    def settings(self) -> Settings:
        loopback = self._switch("ALLOW_LOOPBACK")
        devops = self._endpoint("DEVOPS_ENDPOINT", DEVOPS_HOSTS, loopback=loopback)
        settings = Settings(
            specs=self._specs(),
            state=self._get("STATE") or str(self._home() / "state.db"),
            policy=Path(self._get("POLICY")) if self._get("POLICY") else None,
            capabilities=Path(self._get("CAPABILITIES")) if self._get("CAPABILITIES") else None,
            capabilities_days=self._number("CAPABILITIES_DAYS", 1, 3650),
            arm_endpoint=self._endpoint("ARM_ENDPOINT", ARM_HOSTS, loopback=loopback),
            devops_endpoint=devops,
            identity_endpoint=self._beside(devops, "IDENTITY_ENDPOINT", IDENTITY_HOSTS, loopback=loopback),
            members_endpoint=self._beside(devops, "MEMBERS_ENDPOINT", MEMBERS_HOSTS, loopback=loopback),
            credential=self._credential(),
            client_id=self._get("CLIENT_ID"),
            pat=self._secret("PAT"),
            arm_token=self._secret("ARM_TOKEN"),
            devops_token=self._secret("DEVOPS_TOKEN"),
            git_token=self._secret("GIT_TOKEN"),
            allow_loopback=loopback,
            budget=self._number("BUDGET", 5, 3600),
            wait_once=self._number("WAIT_ONCE", 1, 600),
            http_timeout=self._number("HTTP_TIMEOUT", 1, 300),
            parallel=int(self._number("PARALLEL", 1, 16)),
            prerequisites=self._switch("PREREQUISITES"),
            telemetry=self._telemetry(),
            insights=self._environ.get(INSIGHTS, "").strip(),
            instance=self._environ.get("WEBSITE_INSTANCE_ID", ""),
        )
        self._check_insights(settings)
        self._check_credential(settings)
        self._check_names()
        if self._problems:
            raise SettingsInvalid(tuple(self._problems))
        return settings

    def _get(self, name: str) -> str:
        return self._environ.get(PREFIX + name, "").strip()

    def _default(self, name: str) -> str:
        return next(variable.default for variable in VARIABLES if variable.name == name)

    def _secret(self, name: str) -> Secret:
        problem = unresolved(self._get(name))
        if problem:
            self._wrong(name, problem)
        return Secret(self._get(name))

    def _wrong(self, name: str, message: str) -> None:
        self._problems.append(f"{PREFIX}{name}: {message}")

    def _home(self) -> Path:
        """The user's folder for state, by the XDG base directory specification."""
        base = self._environ.get("XDG_STATE_HOME", "")
        return (Path(base) if base else Path.home() / ".local" / "state") / "reconciler"

    def _switch(self, name: str) -> bool:
        text = self._get(name) or self._default(name)
        if text not in ("0", "1"):
            self._wrong(name, f"{text!r} is neither 0 nor 1")
        return text == "1"

    def _number(self, name: str, least: float, most: float) -> float:
        text = self._get(name) or self._default(name)
        number = float(text) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) else -1.0
        if not least <= number <= most:
            self._wrong(name, f"{text!r} is not a number from {least:g} to {most:g}")
        return number

    def _specs(self) -> str:
        """Only what must not be shown is looked for here; the source itself knows which places there are."""
        text = self._get("SPECS")
        if re.match(r"^https?://[^/@]*:[^/]*@", text):
            self._wrong("SPECS", f"the URL holds credentials; give them as {PREFIX}GIT_TOKEN and leave them out here")
        return text

    def _credential(self) -> CredentialKind:
        text = self._get("CREDENTIAL") or self._default("CREDENTIAL")
        if text not in list(CredentialKind):
            self._wrong("CREDENTIAL", f"{text!r} is none of {', '.join(CredentialKind)}")
            return CredentialKind.DEFAULT
        return CredentialKind(text)

    def _telemetry(self) -> TelemetryKind:
        text = self._get("TELEMETRY") or self._default("TELEMETRY")
        if text not in list(TelemetryKind):
            self._wrong("TELEMETRY", f"{text!r} is none of {', '.join(TelemetryKind)}")
            return TelemetryKind.OFF
        return TelemetryKind(text)

    def _check_insights(self, settings: Settings) -> None:
        if settings.telemetry is not TelemetryKind.AZURE:
            return
        place = ingestion(settings.insights)
        parts = urlsplit(place)
        if not settings.insights:
            self._wrong("TELEMETRY", f"azure needs {INSIGHTS}, which is not set")
        elif is_loopback(place):
            if not settings.allow_loopback:
                self._wrong("TELEMETRY", f"{INSIGHTS} names loopback; set {PREFIX}ALLOW_LOOPBACK=1 if this is a test")
        elif parts.scheme != "https" or not (parts.hostname or "").endswith(INGESTION_DOMAINS):
            domains = ", ".join(f"*{domain}" for domain in INGESTION_DOMAINS)
            self._wrong("TELEMETRY", f"{INSIGHTS}: its IngestionEndpoint is not https on one of {domains}")

    def _beside(self, devops: str, name: str, hosts: frozenset[str], *, loopback: bool) -> str:
        """Another host of Azure DevOps; on loopback one address is all of them."""
        if not self._get(name) and is_loopback(devops):
            return devops
        return self._endpoint(name, hosts, loopback=loopback)

    def _endpoint(self, name: str, hosts: frozenset[str], *, loopback: bool) -> str:
        url = (self._get(name) or self._default(name)).rstrip("/")
        problem = endpoint_problem(url, hosts, loopback=loopback)
        if problem:
            self._wrong(name, problem)
        return url

    def _check_credential(self, settings: Settings) -> None:
        needed = {CredentialKind.PAT: ("PAT",), CredentialKind.STATIC: ("ARM_TOKEN", "DEVOPS_TOKEN")}
        for name in needed.get(settings.credential, ()):
            if not self._get(name):
                self._wrong(name, f"not set, but {PREFIX}CREDENTIAL={settings.credential} needs it")
        if settings.credential is not CredentialKind.STATIC:
            return
        for name in ("ARM_ENDPOINT", "DEVOPS_ENDPOINT", "IDENTITY_ENDPOINT", "MEMBERS_ENDPOINT"):
            url = str(getattr(settings, name.lower()))
            if not is_loopback(url):
                self._wrong(
                    name, f"{url!r} is not on loopback, but {PREFIX}CREDENTIAL=static sends tokens to loopback alone"
                )

    def _check_names(self) -> None:
        """A misspelt name is an error: with `RECONCILER_POLCY` the policy would silently not count."""
        known = {variable.name for variable in VARIABLES}
        for name in sorted(self._environ):
            short = name.removeprefix(PREFIX)
            if name == short or short in known:
                continue
            if near := nearest(short, known, MISSPELT):
                self._wrong(short, f"no such setting; the nearest is {PREFIX}{near}")


def unless_said(given: Mapping[str, str]) -> None:
    """Set these variables of this process where nobody has: habits of a library that knows no other way."""
    for name, value in given.items():
        os.environ.setdefault(name, value)


def environment() -> Mapping[str, str]:
    """The process environment, for the settings that `reconciler.config.triggers` reads."""
    return os.environ


def secrets(*more: Mapping[str, str]) -> tuple[str, ...]:
    """The values of all secret variables that are set, to strike them out of a text that might hold one.

    `more`: other places that settings were read from, beside the process environment.
    """
    names = [PREFIX + variable.name for variable in VARIABLES if variable.secret or variable.name == "STATE"]
    return tuple(given[name] for given in (os.environ, *more) for name in names if given.get(name))


def child_environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process of ours that shall have these settings and none of those set around us."""
    return {**{name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}, **given}


def become(environment: Mapping[str, str]) -> None:
    """Let this process have that environment and no other: for a child that was forked to be a command."""
    os.environ.clear()
    os.environ.update(environment)
