from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from azure.storage.blob import ContainerClient

from reconciler.adapters.clock import SystemClock
from reconciler.bootstrap import store
from reconciler.config.settings import Settings
from reconciler.config.triggers import Hosting, state
from reconciler.ports.stores import MessageQueue, MessageQueues
from reconciler.service.triggers import TriggerContext
from tests.contract.azurite import Azurite
from tests.deployment import Deployment, deployed
from tests.runtime.host import LIBRARY, RuntimeHost
from tests.tiers import require

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Real:
    """The function app in Microsoft's runtime, on a storage account, between the two emulated planes."""

    host: RuntimeHost
    deployment: Deployment
    context: TriggerContext
    """The same stores, seen from the test."""
    queues: MessageQueues

    def queue(self, variable: str, suffix: str = "") -> MessageQueue:
        """The queue that a setting names."""
        return self.queues.named(Hosting.read(self.deployment.environment).bound[f"RECONCILER_{variable}"] + suffix)


def on_storage(azurite: Azurite) -> dict[str, str]:
    """Settings of a deployment whose stores are a storage account; what others left there is gone."""
    with ContainerClient.from_connection_string(azurite.connection, "reconciler") as container:
        if container.exists():
            container.delete_container()
    bound = Hosting.read({}).bound
    return {**bound, "RECONCILER_STATE": "", "RECONCILER_STORAGE": azurite.connection}


@pytest.fixture(scope="session")
def functions_runtime() -> Path:
    """The library's folder."""
    require(LIBRARY, "Microsoft's Functions runtime")
    return LIBRARY


@pytest.fixture(scope="module")
def real(functions_runtime: Path, azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    with (
        deployed(tmp_path_factory.mktemp("runtime"), on_storage(azurite)) as deployment,
        RuntimeHost(functions_runtime, ROOT, deployment.environment) as host,
    ):
        settings = Settings.read(deployment.environment, beneath=state(deployment.environment))
        yield Real(host, deployment, deployment.context(), store(settings, SystemClock()))
