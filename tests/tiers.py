"""What each test needs beyond this process, by file or folder below `tests`. `pytest --quick` leaves all of these out.

A file that no entry covers runs within this process alone; `tests/test_tiers.py` compares that with its imports.
Within `contract`, tests over Azurite are marked by their fixture.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import pytest

TOOLS = Path(os.environ.get("TEST_TOOLS") or sys.prefix)
"""Where `make test` installs Azurite and the Functions runtime."""

MARKERS: Mapping[str, str] = {
    "emulator": "runs against the emulated planes",
    "process": "starts processes of its own",
    "azurite": "runs against Azurite, which `make test` installs",
    "browser": "clicks in a headless Chromium, which `make test` installs",
    "runtime": "runs function_app.py in Microsoft's Functions runtime, which `make test` installs",
    "slow": "takes longer than all quick tests of its folder together",
}

_TIERS: Mapping[str, tuple[str, ...]] = {
    "browser": ("browser",),
    "emulator": (
        "adapters/devops/test_throttling.py",
        "aspects",
        "cli",
        "crashes",
        "demo",
        "docs/test_pages_run.py",
        "docs/test_readme_runs.py",
        "emulator",
        "facets/test_without_queue.py",
        "faults",
        "infra/test_ingress.py",
        "infra/test_pipelines_run.py",
        "packaging/test_containerfile.py",
        "scenarios",
        "service/host/test_function_app_served.py",
        "service/host/test_timers_and_workers.py",
        "service/http/test_approve_agent_pool.py",
        "service/http/test_api.py",
        "service/test_catalogue.py",
        "service/http/test_approvals.py",
        "service/http/test_doors.py",
        "service/http/test_mode.py",
        "service/http/test_pauses.py",
        "service/http/test_openapi_served.py",
        "service/notify",
        "service/page",
        "service/queue",
        "service/triggers",
        "simulation",
        "stories",
        "telemetry/test_application_insights.py",
        "telemetry/test_nothing_secret.py",
        "telemetry/test_off.py",
        "telemetry/test_one_trace.py",
        "tools/convert/test_convert.py",
        "tools/convert/test_convert_lists.py",
        "tools/convert/test_convert_refusals.py",
        "tools/doctor",
        "tools/explain",
        "tools/import_",
        "tools/onboard",
        "tools/probe",
    ),
    "process": (
        "adapters/devops/test_session_hardening.py",
        "adapters/git",
        "adapters/sqlite",
        "adapters/test_lazy_imports.py",
        "bench",
        "crashes",
        "docs/test_settings_tables.py",
        "contract/test_leases.py",
        "contract/test_record.py",
        "contract/test_storage_account.py",
        "docs/test_commands.py",
        "docs/test_placeholders.py",
        "docs/test_reference.py",
        "docs/test_security_tests.py",
        "docs/test_site_builds.py",
        "faults/test_git_matrix.py",
        "faults/test_storage_matrix.py",
        "infra/test_pipelines.py",
        "packaging",
        "service/http/test_doors.py",
        "simulation",
        "spec/test_schema.py",
        "test_forking.py",
        "test_runs.py",
    ),
    "runtime": ("runtime",),
    "slow": ("documents/test_hostile_texts.py", "infra", "survey/capabilities/test_capabilities_file.py"),
}

QUICK = f"not ({' or '.join(MARKERS)})"
"""The marker expression of `pytest --quick`."""

_UNMEASURED = (
    "adapters",
    "aspects/test_adopt_limits.py",
    "aspects/test_adopt_random_drift.py",
    "aspects/test_exceptions_over_http.py",
    "aspects/test_facets_over_http.py",
    "aspects/test_generated_policy.py",
    "aspects/test_names.py",
    "aspects/test_parts_over_http.py",
    "aspects/test_prerequisites_over_http.py",
    "aspects/test_quiet_over_http.py",
    "aspects/test_random_reach.py",
    "aspects/test_random_round_trip.py",
    "aspects/test_round_trip.py",
    "bench",
    "browser",
    "cli",
    "contract",
    "crashes",
    "demo",
    "docs",
    "documents/test_hostile_texts.py",
    "emulator",
    "engine/test_pauses_and_windows.py",
    "engine/test_record_complete.py",
    "facets/support/test_arm_document_properties.py",
    "facets/test_lockout.py",
    "facets/test_together.py",
    "faults",
    "infra",
    "packaging",
    "plan/render/test_render_json.py",
    "policy/test_fields.py",
    "runtime",
    "scenarios",
    "service/host/test_function_app_served.py",
    "service/notify/test_one_cause.py",
    "service/notify/test_several_workers.py",
    "service/notify/test_storage_cost.py",
    "service/queue/test_burst_in_log.py",
    "service/queue/test_look_crashes.py",
    "service/queue/test_office.py",
    "service/queue/test_resync_in_rotation.py",
    "service/queue/test_worker.py",
    "service/triggers/test_damaged_documents.py",
    "service/triggers/test_storage_cost.py",
    "simulation",
    "spec/test_every_key.py",
    "spec/test_quick.py",
    "spec/test_spec_properties.py",
    "survey/test_evidence.py",
    "telemetry/test_bounded.py",
    "telemetry/test_names.py",
    "tools/convert/test_convert_accounts.py",
    "tools/doctor/test_prerequisites.py",
    "tools/onboard/test_onboarding.py",
    "tools/onboard/test_same_list.py",
    "tools/onboard/test_trouble.py",
)
"""Where coverage rests: what plays combinations, works in other processes, has another subject than the core, or takes seconds
and reaches hardly a branch that no other test does: ADR 0221."""


def unmeasured(path: Path) -> bool:
    """Whether coverage rests during the tests of a file, given below `tests`: measuring branches doubles their time."""
    return not _covering(path).isdisjoint(_UNMEASURED)


def markers_of(path: Path) -> tuple[str, ...]:
    """Markers of a file or folder, given below `tests`."""
    covering = _covering(path)
    return tuple(marker for marker, places in _TIERS.items() if covering & set(places))


@lru_cache
def _covering(path: Path) -> frozenset[str]:
    return frozenset({path.as_posix(), *(parent.as_posix() for parent in path.parents)})


def places() -> set[str]:
    """Every file and folder that has an entry."""
    return {place for entries in (*_TIERS.values(), _UNMEASURED) for place in entries}


def require(path: Path, what: str) -> None:
    """Skip a test whose tool is not installed; fail it where the run has to be complete."""
    if path.exists():
        return
    line = f"{what} is not installed; `make test` installs it"
    if os.environ.get("COMPLETE_TESTS"):
        pytest.fail(line, pytrace=False)
    pytest.skip(line)
