"""The deployment's bound on parallel reads reaches the reads."""

from __future__ import annotations

from dataclasses import replace
from threading import Barrier

from reconciler.bootstrap.connections import connect, readers_of
from reconciler.config.settings import Settings
from reconciler.ports.clock import Clock
from reconciler.spec.model import Mode, Organization, Spec
from reconciler.survey import SharedSurvey
from tests.estate import Estate
from tests.keeping import HandClock

ORG, BOUND = "fabrikam-prime", 16


def test_as_many_reads_go_out_side_by_side_as_the_bound_allows() -> None:
    """With one thread fewer the barrier would break."""
    estate = Estate()
    estate.add(ORG, 1, BOUND)
    together = Barrier(BOUND, timeout=30)

    def meet(name: str, _: tuple[object, ...]) -> None:
        if name == "queues":
            together.wait()

    estate.before = meet
    spec = Spec("pool-1", "11111111-2222-3333-4444-555555555555", "rg", Mode.ENFORCE, {},
                (Organization(ORG, "pool-1", (), open_access=True),))  # fmt: skip
    survey = SharedSurvey.about(replace(estate.readers, parallel=BOUND), [spec])

    answers = survey.queues(ORG, survey.projects(ORG), survey.agent_pool(ORG, "pool-1"))

    assert len(answers) == BOUND
    assert not together.broken


def test_the_setting_is_what_the_readers_say() -> None:
    given = {
        "CREDENTIAL": "static",
        "ALLOW_LOOPBACK": "1",
        "ARM_TOKEN": "a",
        "DEVOPS_TOKEN": "d",
        "PARALLEL": "9",
        **{f"{one}_ENDPOINT": "http://127.0.0.1:9" for one in ("ARM", "DEVOPS", "IDENTITY", "MEMBERS")},
    }
    settings = Settings.read({f"RECONCILER_{name}": text for name, text in given.items()})
    clock: Clock = HandClock()
    planes = connect(settings, clock)
    try:
        assert readers_of(settings, planes).parallel == 9
        assert readers_of(replace(settings, prerequisites=False), planes).parallel == 9
    finally:
        planes.close()
