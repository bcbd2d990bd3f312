"""Reports after a step of `azd up` whether it worked and what the next step is; azure.yaml runs it as a hook.

    python3 scripts/after.py provision
    python3 scripts/after.py deploy

azd passes the environment's values and the outputs of infra/main.bicep as variables. It uses the standard library only,
since it runs before anything is installed. It prints the steps of docs/deploy.md and changes nothing.

A deployment adds rights and removes none (Microsoft Learn, "Azure Resource Manager deployment modes": incremental).
After a change from mode enforce to report it therefore reads the remaining rights with the Azure CLI, and fails.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

WITHOUT = {
    "POOL_RESOURCE_GROUPS": "the identity sees no pool",
    "API_CLIENT_ID": "every caller of the HTTP functions is refused (step 3)",
    "ALERT_EMAIL": "alerts show in the portal alone",
}
"""The consequence of each value that is empty."""


POOLS = "POOL_RESOURCE_GROUPS"
WRITING = (POOLS, "ATTACHED_IDENTITIES", "SUBNETS", "CERTIFICATE_VAULTS", "DEV_CENTER_PROJECTS")
"""Values with scopes that mode enforce grants rights on; of these, mode report keeps Reader on groups with pools."""

Role = tuple[str, str]
"""Name and scope."""


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Return exit code 0 where the next step can follow."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("step", choices=("provision", "deploy"))
    parser.add_argument("--attempts", type=int, default=20, help="how often a new app is tried until it responds")
    parser.add_argument("--pause", type=float, default=15.0, help="seconds between two attempts")
    parser.add_argument("--scheme", default="https", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.step == "provision":
        return _provisioned(environment)
    host = environment.get("APP_HOST", "")
    return _deployed(f"{options.scheme}://{host}/api/health", options.attempts, options.pause)


def _provisioned(environment: Mapping[str, str]) -> int:
    missing = [name for name in ("APP_NAME", "APP_HOST", "IDENTITY_PRINCIPAL_ID") if not environment.get(name)]
    if missing:
        return _end(f"not provisioned: no output {', '.join(missing)}; see the deployment in the portal", 1)
    mode = environment.get("MODE") or "report"
    may = "may write" if mode == "enforce" else "may only read"
    _say(f"provisioned: app {environment['APP_NAME']}, mode {mode}: its identity {may} pools")
    left = [] if mode == "enforce" else _left(environment)
    if left:
        _say("mode report, but rights to write remain from mode enforce; remove them:")
        for role, scope in left:
            words = ["az", "role", "assignment", "delete", "--assignee", environment["IDENTITY_PRINCIPAL_ID"]]
            _say(f"  {shlex.join([*words, '--role', role, '--scope', scope])}")
        return 1
    for name, what in WITHOUT.items():
        if not environment.get(name):
            _say(f"  {name} is not set: {what}")
    if environment.get("INGRESS_NAME"):
        _say(f"  deploy the package to {environment['INGRESS_NAME']} as well (docs/deploy.md, variants)")
    return _end(
        f"next: grant {environment['IDENTITY_PRINCIPAL_ID']} access to Azure DevOps (docs/deploy.md, step 5)", 0
    )


def _left(environment: Mapping[str, str]) -> list[Role]:
    found = []
    for name in WRITING:
        for scope in filter(None, (each.strip() for each in environment.get(name, "").split(","))):
            roles = _roles(environment["IDENTITY_PRINCIPAL_ID"], scope)
            if roles is None:
                _say(f"  rights on {scope} could not be read: is the Azure CLI installed and signed in?")
            found += [(role, scope) for role in roles or () if (name, role) != (POOLS, "Reader")]
    return found


def _roles(principal: str, scope: str) -> list[str] | None:
    """Names of the roles on exactly this scope; None where they could not be read."""
    az = shutil.which("az")
    if az is None:
        return None
    words = ["role", "assignment", "list", "--assignee", principal, "--scope", scope, "--output", "json"]
    done = subprocess.run([az, *words], capture_output=True, text=True, check=False, timeout=120)  # noqa: S603 - az
    return None if done.returncode else [each["roleDefinitionName"] for each in json.loads(done.stdout)]


def _deployed(url: str, attempts: int, pause: float) -> int:
    """Wait for any response of the function: before the first resync, or without rights, it is not healthy yet."""
    problem = ""
    for attempt in range(attempts):
        if attempt:
            time.sleep(pause)
        try:
            return _report(url, _health(url))
        except (OSError, ValueError) as error:
            problem = str(error)
    return _end(f"deployed, but {url} does not respond: {problem} (docs/deploy.md, step 6)", 1)


def _health(url: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310 - the app's own address
            found: dict[str, Any] = json.load(response)
    except urllib.error.HTTPError as error:
        if error.code != 503:  # noqa: PLR2004 - the function's own response where it is not healthy
            raise
        found = json.load(error)
    if "healthy" not in found:
        raise ValueError("the response is not the program's")
    return found


def _report(url: str, found: dict[str, Any]) -> int:
    _say(f"deployed: {url} says healthy: {str(found['healthy']).lower()}")
    for check in found.get("checks", []):
        _say(f"  {'ok ' if check['ok'] else 'not'} {check['name']}: {check['detail']}")
    return _end("next: see it report (docs/deploy.md, step 7)", 0)


def _say(line: str) -> None:
    print(line)  # noqa: T201 - a command


def _end(line: str, code: int) -> int:
    _say(line)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
