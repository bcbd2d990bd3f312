"""The service's refusals, by type key; the text is shaped as the service's, and clients should not decide by it."""

from __future__ import annotations

from emulator.frame import ApiError
from emulator.state.devops import Identity

BUILD = "build"


def denied(who: Identity, right: str, what: str) -> ApiError:
    """Authenticated, but without the right."""
    return ApiError(
        403,
        "AccessDeniedException",
        f"Access denied. {who.display_name} needs {right} permissions for {what} to perform the action. "
        "For more information, contact the Azure DevOps Server administrator.",
    )


def not_member(name: str) -> ApiError:
    """Authenticated, but not a member of the organization."""
    return ApiError(
        401,
        "UnauthorizedRequestException",
        f"TF400813: The user '{name}' is not authorized to access this resource.",
    )


def no_project(key: str, *, by_id: bool, status: int) -> ApiError:
    """A project that does not exist and one that the caller may not see give the same response."""
    if by_id:
        text = (
            f"VS800075: The project with id 'vstfs:///Classification/TeamProject/{key}' does not exist, "
            "or you do not have permission to access it."
        )
        return ApiError(status, "ProjectDoesNotExistException", text)
    text = (
        f"TF200016: The following project does not exist: {key}. Verify that the name of the project is correct "
        "and that the project exists on the specified Azure DevOps Server."
    )
    return ApiError(status, "ProjectDoesNotExistWithNameException", text)


def no_pool(key: str) -> ApiError:
    """No such agent pool, or none that the caller may see."""
    return ApiError(404, "TaskAgentPoolNotFoundException", f"No agent pool found with identifier {key}.")


def pool_exists(name: str) -> ApiError:
    """Names of agent pools are unique."""
    return ApiError(409, "TaskAgentPoolExistsException", f"Agent pool {name} already exists.")


def no_queue(key: str) -> ApiError:
    """No such agent queue in the project, or none that the caller may see."""
    return ApiError(404, "TaskAgentQueueNotFoundException", f"No agent queue found with identifier {key}.")


def queue_exists(name: str) -> ApiError:
    """A project has one queue per agent pool, and one per name."""
    return ApiError(409, "TaskAgentQueueExistsException", f"Agent queue {name} already exists.")


def bad_argument(text: str) -> ApiError:
    """A value that the service cannot take."""
    return ApiError(400, "ArgumentException", text)


def missing(name: str) -> ApiError:
    """A value that has to be there."""
    return ApiError(400, "ArgumentNullException", f"Value cannot be null.\r\nParameter name: {name}")


def no_identity(key: str) -> ApiError:
    """No such subject in the organization."""
    return ApiError(404, "GraphSubjectNotFoundException", f"VS860016: Could not find the graph subject {key}.")
