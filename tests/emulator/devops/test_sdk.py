"""The unmodified azure-devops package finds every route through discovery, and reads every answer."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from emulator import Running
from tests.emulator.devops.fabrikam import NAMESPACE, Caller

ZERO = "00000000-0000-0000-0000-000000000000"


pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
"""The package drops the client that asks for resource areas without closing it; `sdk` collects it in time."""


@pytest.fixture(scope="session")
def connect(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Running], Any]:
    """Its file cache goes to a fresh folder, because it outlives a server's port."""
    os.environ["AZURE_DEVOPS_CACHE_DIR"] = str(tmp_path_factory.mktemp("azure-devops"))
    from azure.devops.connection import Connection  # noqa: PLC0415 the folder has to be named before the import
    from azure.devops.credentials import BasicTokenAuthentication  # noqa: PLC0415 as above

    def open_connection(running: Running) -> Any:
        return Connection(f"{running.devops}/Prime", BasicTokenAuthentication({"access_token": "devops-root"}))

    return open_connection


@pytest.fixture
def sdk(operator: Caller, connect: Callable[[Running], Any]) -> Iterator[Any]:
    connection = connect(operator.running)
    yield connection.clients_v7_1
    for client in connection._client_cache.values():
        client._client.close()
    connection = None
    gc.collect()


def test_pools_are_listed_made_changed_and_deleted(sdk: Any) -> None:
    client = sdk.get_task_agent_client()
    from azure.devops.v7_1.task_agent.models import TaskAgentPool  # noqa: PLC0415 after the cache folder is named

    assert [pool.name for pool in client.get_agent_pools(pool_name="build")] == ["build"]
    assert [pool.id for pool in client.get_agent_pools_by_ids([7, 8])] == [7, 8]
    made = client.add_agent_pool(TaskAgentPool(name="fresh", auto_provision=True))
    assert client.get_agent_pool(made.id).name == "fresh"
    assert client.update_agent_pool(TaskAgentPool(name="stale"), made.id).name == "stale"
    client.delete_agent_pool(made.id)
    assert client.get_agent_pools(pool_name="stale") == []
    assert len(client.get_agent_clouds()) == 1


def test_queues_are_found_in_every_way(sdk: Any) -> None:
    client = sdk.get_task_agent_client()
    from azure.devops.v7_1.task_agent.models import TaskAgentPoolReference, TaskAgentQueue  # noqa: PLC0415 as above

    assert [queue.id for queue in client.get_agent_queues("dev", queue_name="build")] == [70]
    assert [queue.id for queue in client.get_agent_queues_by_ids([70, 80], "dev")] == [70, 80]
    assert [queue.id for queue in client.get_agent_queues_by_names(["other"], "dev")] == [80]
    assert [queue.id for queue in client.get_agent_queues_for_pools([7], "dev")] == [70]
    made = client.add_agent_queue(TaskAgentQueue(name="other", pool=TaskAgentPoolReference(id=8)), "test", True)
    assert client.get_agent_queue(made.id, "test").pool.id == 8
    client.delete_agent_queue(made.id, "test")
    assert [queue.id for queue in client.get_agent_queues("test")] == [71]


def test_open_access_is_read_and_written(sdk: Any) -> None:
    client = sdk.get_pipeline_permissions_client()

    assert client.get_pipeline_permissions_for_resource("dev", "queue", "70").all_pipelines.authorized is True
    client.update_pipeline_permisions_for_resource({"allPipelines": {"authorized": False}}, "dev", "queue", "70")
    assert client.get_pipeline_permissions_for_resource("dev", "queue", "70").all_pipelines is None
    batch = [{"resource": {"type": "queue", "id": "70"}, "allPipelines": {"authorized": True}}]
    (after,) = client.update_pipeline_permisions_for_resources(batch, "dev")
    assert after.all_pipelines.authorized_by.display_name == "Root Root"


def test_authorized_resources_are_read_and_written(sdk: Any) -> None:
    client = sdk.get_build_client()
    from azure.devops.v7_1.build.models import DefinitionResourceReference  # noqa: PLC0415 as above

    assert [one.id for one in client.get_project_resources("dev", type="queue", id="70")] == ["70"]
    close = DefinitionResourceReference(type="queue", id="70", authorized=False)
    client.authorize_project_resources([close], "dev")
    assert client.get_project_resources("dev", type="queue") == []
    allow = DefinitionResourceReference(type="queue", id="71", authorized=True)
    client.authorize_definition_resources([allow], "test", 15)
    assert [one.id for one in client.get_definition_resources("test", 15)] == ["71"]
    assert [one.path for one in client.get_definitions("test", path="\\release")] == ["\\release"]
    assert client.get_definition("test", 6).name == "nightly"


def test_projects_are_listed_and_made(sdk: Any, operator: Caller) -> None:
    client = sdk.get_core_client()
    from azure.devops.v7_1.core.models import TeamProject  # noqa: PLC0415 as above

    assert {one.name for one in client.get_projects(top=100)} == {"dev", "test", "secret", "foreign"}
    assert client.get_project("dev", include_capabilities=True).capabilities["versioncontrol"]
    wanted = {"versioncontrol": {"sourceControlType": "Git"}, "processTemplate": {"templateTypeId": ZERO}}
    queued = client.queue_create_project(TeamProject(name="new", capabilities=wanted))
    operator.do.settle()
    assert sdk.get_operations_client().get_operation(queued.id).status == "succeeded"
    made = client.get_project("new")
    client.update_project(TeamProject(description="A text"), made.id)
    client.queue_delete_project(made.id)
    operator.do.settle()
    assert "new" not in {one.name for one in client.get_projects()}
    assert [one.name for one in client.get_processes()] == ["Agile"]


def test_identities_are_found_in_every_way(sdk: Any) -> None:
    client = sdk.get_identity_client()
    from azure.devops.v7_1.identity.models import IdentityBatchInfo  # noqa: PLC0415 as above

    (ann,) = client.read_identities(search_filter="General", filter_value="ann@fabrikam.com")
    assert [one.id for one in client.read_identities(identity_ids=ann.id)] == [ann.id]
    assert [one.id for one in client.read_identities(descriptors=ann.descriptor)] == [ann.id]
    assert [one.id for one in client.read_identities(subject_descriptors=ann.subject_descriptor)] == [ann.id]
    assert client.read_identity(ann.id).provider_display_name == "Ann Arbor"
    assert [one.id for one in client.read_identity_batch(IdentityBatchInfo(identity_ids=[ann.id]))] == [ann.id]
    assert client.get_self().display_name == "Root Root"


def test_the_graph_is_read(sdk: Any) -> None:
    client = sdk.get_graph_client()
    from azure.devops.v7_1.graph.models import GraphSubjectQuery  # noqa: PLC0415 as above

    users = client.list_users().graph_users
    ann = next(one for one in users if one.display_name == "Ann Arbor")
    key = client.get_storage_key(ann.descriptor).value
    assert client.get_descriptor(key).value == ann.descriptor
    assert client.get_user(ann.descriptor).origin_id == ann.origin_id
    groups = client.list_groups().graph_groups
    platform = next(one for one in groups if one.display_name == "Platform")
    assert client.get_group(platform.descriptor).principal_name == "[Prime]\\Platform"
    (service,) = client.list_service_principals().graph_service_principals
    assert client.get_service_principal(service.descriptor).display_name == "Pool Operator"
    assert [one.display_name for one in client.query_subjects(GraphSubjectQuery(query="ann"))] == ["Ann Arbor"]
    assert [one.container_descriptor for one in client.list_memberships(ann.descriptor)] == [platform.descriptor]
    assert client.get_membership(ann.descriptor, platform.descriptor).member_descriptor == ann.descriptor
    client.check_membership_existence(ann.descriptor, platform.descriptor)
    client.remove_membership(ann.descriptor, platform.descriptor)
    client.add_membership(ann.descriptor, platform.descriptor)
    assert client.get_membership_state(ann.descriptor).active is True


def test_a_service_principal_is_entitled(sdk: Any, operator: Caller) -> None:
    client = sdk.get_member_entitlement_management_client()
    oid = next(one["oid"] for one in operator.do.state()["principals"] if one["name"] == "robot")
    wanted = {
        "accessLevel": {"accountLicenseType": "express"},
        "servicePrincipal": {"origin": "aad", "originId": oid, "subjectKind": "servicePrincipal"},
    }
    made = client.add_service_principal_entitlement(wanted)

    assert made.is_success is True
    local = made.operation_result.service_principal_id
    assert client.get_service_principal_entitlement(local).service_principal.origin_id == oid
    client.delete_service_principal_entitlement(local)
    assert len(client.search_user_entitlements().members) == 3


def test_access_control_lists_are_read_and_written(sdk: Any) -> None:
    client = sdk.get_security_client()
    from azure.devops._models import VssJsonCollectionWrapper  # noqa: PLC0415 as above
    from azure.devops.v7_1.security.models import PermissionEvaluation, PermissionEvaluationBatch  # noqa: PLC0415 as above

    (found,) = client.query_access_control_lists(NAMESPACE, token="AgentPools/7")
    descriptor = next(iter(found.aces_dictionary))
    entry = {"descriptor": descriptor, "allow": 1, "deny": 0}
    client.set_access_control_entries(
        {"token": "AgentPools/7", "merge": False, "accessControlEntries": [entry]}, NAMESPACE
    )
    body = {"token": "AgentPools/7", "inheritPermissions": False, "acesDictionary": {descriptor: entry}}
    client.set_access_control_lists(VssJsonCollectionWrapper(count=1, value=[body]), NAMESPACE)
    (after,) = client.query_access_control_lists(NAMESPACE, token="AgentPools/7", include_extended_info=True)
    assert after.inherit_permissions is False
    assert client.has_permissions(NAMESPACE, 8, "AgentPools/7") == [True]
    batch = PermissionEvaluationBatch(
        evaluations=[PermissionEvaluation(security_namespace_id=NAMESPACE, token="AgentPools", permissions=1)]
    )
    assert client.has_permissions_batch(batch).evaluations[0].value is True
    assert client.remove_access_control_entries(NAMESPACE, "AgentPools/7", descriptor) is True
    assert client.remove_access_control_lists(NAMESPACE, tokens="AgentPools/7") is True
    assert {one.name for one in client.query_security_namespaces()} == {"DistributedTask", "Identity"}


def test_the_audit_log_is_read_and_streamed(sdk: Any, operator: Caller) -> None:
    client = sdk.get_audit_client()
    operator.do.edit("create-project", organization="prime", name="new", by="ann")

    assert client.query_log(batch_size=1).decorated_audit_log_entries[0].action_id == "Project.CreateCompleted"
    assert "Project.CreateCompleted" in {one.action_id for one in client.get_actions()}
    wanted = {"consumerType": "Splunk", "consumerInputs": {"SplunkUrl": "https://s", "SplunkEventCollectorToken": "t"}}
    made = client.create_stream(wanted, 0)
    assert "t" not in made.consumer_inputs.values()
    assert [one.id for one in client.query_all_streams()] == [made.id]
    assert client.update_status(made.id, "disabledByUser").status == "disabledByUser"
    client.delete_stream(made.id)
    assert client.query_all_streams() == []


def test_hooks_are_made_and_masked(sdk: Any, operator: Caller) -> None:
    client = sdk.get_service_hooks_client()
    wanted = {
        "publisherId": "tfs",
        "eventType": "git.push",
        "consumerId": "webHooks",
        "consumerActionId": "httpRequest",
        "publisherInputs": {"projectId": operator.project("dev")},
        "consumerInputs": {"url": "https://example.org/push", "basicAuthPassword": "hunter2"},
    }
    made = client.create_subscription(wanted)

    assert made.consumer_inputs["basicAuthPassword"] == "********"
    assert [one.id for one in client.list_subscriptions(event_type="git.push")] == [made.id]
    assert client.replace_subscription(wanted, made.id).id == made.id
    client.delete_subscription(made.id)
    assert client.list_subscriptions() == []


def test_the_caller_learns_who_they_are(sdk: Any) -> None:
    client = sdk.get_location_client()

    assert client.get_connection_data().authenticated_user.provider_display_name == "Root Root"
    assert client.get_resource_areas() == []


def test_a_full_list_of_areas_leads_to_the_same_place(sdk: Any, operator: Caller) -> None:
    """A list that is not empty but partial would send the caller's credentials to a public address."""
    operator.do.switch("devops.resource-areas", "full")

    assert [pool.name for pool in sdk.get_task_agent_client().get_agent_pools(pool_name="build")] == ["build"]
    areas = sdk.get_location_client().get_resource_areas()
    assert {one.location_url for one in areas} == {f"{operator.running.devops}/Prime/"}
