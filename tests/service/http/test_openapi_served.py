"""The served document and the served interface agree: schemathesis asks whatever the document allows, and more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import negative_data_rejection

from reconciler.config.settings import Settings
from reconciler.config.triggers import Hosting
from reconciler.service.host.host import ServeOptions
from reconciler.service.host.run import host
from reconciler.service.http import api
from reconciler.service.triggers import composition
from tests.deployment import CANARY, deployed
from tests.examples import tries
from tests.service.host.serving import Serving, serving

KEY = f"function-{CANARY}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with deployed(tmp_path_factory.mktemp("openapi")) as deployment:
        deployment.environment["RECONCILER_FUNCTION_KEY"] = KEY
        hosting = Hosting.read(deployment.environment)
        context = composition.build(Settings.read(deployment.environment), hosting)
        composition.use(context)
        with serving(host(hosting, context.queues, ServeOptions(port=0, workers=0, timers=False))) as one:
            yield one


DOCUMENT = json.loads((Path(api.__file__).parent / "openapi.json").read_text())
schema = schemathesis.openapi.from_dict(DOCUMENT)


OPERATIONS: list[Any] = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


SETTINGS = settings(
    max_examples=tries(8),
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.soaked
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_whatever_is_asked_is_answered_as_the_document_says(operation: Any, served: Serving) -> None:
    """Without the plugin of schemathesis, which every run of pytest would pay for."""

    @SETTINGS
    @given(case=st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in MODES)))
    def check(case: schemathesis.Case[Any]) -> None:
        answer(case, served)

    check()


def answer(case: schemathesis.Case[Any], served: Serving) -> None:
    response = case.call(base_url=served.url, headers={"x-functions-key": KEY})
    # 413 refuses as well, and is in the document; schemathesis does not count it among the refusals of wrong data.
    if response.status_code == 413:
        case.validate_response(response, excluded_checks=[negative_data_rejection])
    else:
        case.validate_response(response)


def test_the_document_that_is_served_is_the_one_that_was_tested(served: Serving) -> None:
    assert served.ask("GET", "/api/openapi.json").json == DOCUMENT
