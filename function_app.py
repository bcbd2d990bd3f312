"""The triggers of the Functions app: what starts a function, and where its messages go.

Each function is a line or two: the value of its trigger in, the messages of its output out. The work is in
`reconciler.service.triggers`, which is imported when the first trigger fires: on a platform that scales to zero, the
import of this file delays a cold start. Outputs are typed `List`, not `list`: the Functions runtime
refuses the latter there.
"""

import typing

import azure.functions as func

if typing.TYPE_CHECKING:
    from reconciler.service.triggers.context import TriggerContext

CONNECTION = "RECONCILER_STORAGE"
WORK = "%RECONCILER_WORK_QUEUE%"
SWEEP = "%RECONCILER_SWEEP_QUEUE%"
POOL_EVENTS = "%RECONCILER_POOL_EVENTS_QUEUE%"
DEVOPS_EVENTS = "%RECONCILER_DEVOPS_EVENTS_QUEUE%"
Messages = func.Out[typing.List[str]]  # noqa: UP006 - see above

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


def _trigger_context() -> "TriggerContext":
    from reconciler.service.triggers.composition import trigger_context

    return trigger_context()


def _text(message: func.QueueMessage) -> str:
    """A message's text; the trigger drops what is no UTF-8, so the platform does not retry it."""
    return message.get_body().decode(errors="replace")


def _trace(context: func.Context) -> str:
    return context.trace_context.trace_parent or ""


def _put(work: Messages, texts: list[str]) -> None:
    """Set the output unless it is empty: what the host does with an empty list is undocumented."""
    if texts:
        work.set(texts)


# --- events ------------------------------------------------------------------------------------------


@app.function_name("pool_changed")
@app.queue_trigger("message", POOL_EVENTS, CONNECTION)
@app.queue_output("work", WORK, CONNECTION)
def pool_changed(message: func.QueueMessage, work: Messages, context: func.Context) -> None:
    """ARM wrote or deleted a pool."""
    from reconciler.service.triggers import messages

    _put(work, messages.pool_changed(_trigger_context(), _text(message), _trace(context), message.insertion_time))


@app.function_name("devops_changed")
@app.queue_trigger("message", DEVOPS_EVENTS, CONNECTION)
@app.queue_output("work", WORK, CONNECTION)
def devops_changed(message: func.QueueMessage, work: Messages, context: func.Context) -> None:
    """Azure DevOps audited a change."""
    from reconciler.service.triggers import messages

    _put(work, messages.devops_changed(_trigger_context(), _text(message), _trace(context), message.insertion_time))


# --- timers ------------------------------------------------------------------------------------------


@app.function_name("sweep")
@app.timer_trigger("timer", "%RECONCILER_SWEEP_SCHEDULE%", use_monitor=True)
def sweep(timer: func.TimerRequest, context: func.Context) -> None:
    """The periodic full resync: request a run of every pool in Git."""
    from reconciler.service.triggers import timers

    timers.sweep(_trigger_context(), _trace(context))


@app.function_name("watch_git")
@app.timer_trigger("timer", "%RECONCILER_GIT_SCHEDULE%", use_monitor=True)
def watch_git(timer: func.TimerRequest, context: func.Context) -> None:
    """Request a run of each pool whose file changed."""
    from reconciler.service.triggers import timers

    timers.watch_git(_trigger_context(), _trace(context))


@app.function_name("watch_audit")
@app.timer_trigger("timer", "%RECONCILER_AUDIT_SCHEDULE%", use_monitor=True)
def watch_audit(timer: func.TimerRequest, context: func.Context) -> None:
    """Request a run of each pool that the audit logs concern."""
    from reconciler.service.triggers import timers

    timers.watch_audit(_trigger_context(), _trace(context))


# --- work --------------------------------------------------------------------------------------------


@app.function_name("worker")
@app.queue_trigger("message", WORK, CONNECTION)
def worker(message: func.QueueMessage, context: func.Context) -> None:
    """Reconcile the pools of a message."""
    from reconciler.service.triggers import messages

    messages.work(_trigger_context(), _text(message), message.insertion_time, _trace(context))


@app.function_name("sweeper")
@app.queue_trigger("message", SWEEP, CONNECTION)
def sweeper(message: func.QueueMessage, context: func.Context) -> None:
    """Reconcile a batch of pools; on a queue of its own, so that no event waits behind it."""
    from reconciler.service.triggers import messages

    messages.work(_trigger_context(), _text(message), message.insertion_time, _trace(context))


@app.function_name("quarantine")
@app.queue_trigger("message", f"{WORK}-poison", CONNECTION)
def quarantine(message: func.QueueMessage) -> None:
    """A dead letter of the work queue."""
    _dead_letter(message, "work")


@app.function_name("quarantine_sweep")
@app.queue_trigger("message", f"{SWEEP}-poison", CONNECTION)
def quarantine_sweep(message: func.QueueMessage) -> None:
    """A dead letter of the sweep queue."""
    _dead_letter(message, "sweep")


@app.function_name("quarantine_pool_events")
@app.queue_trigger("message", f"{POOL_EVENTS}-poison", CONNECTION)
def quarantine_pool_events(message: func.QueueMessage) -> None:
    """A dead letter of ARM's events."""
    _dead_letter(message, "pool-events")


@app.function_name("quarantine_devops_events")
@app.queue_trigger("message", f"{DEVOPS_EVENTS}-poison", CONNECTION)
def quarantine_devops_events(message: func.QueueMessage) -> None:
    """A dead letter of the audit stream's events."""
    _dead_letter(message, "devops-events")


def _dead_letter(message: func.QueueMessage, queue: str) -> None:
    from reconciler.service.triggers import messages

    messages.quarantine(_trigger_context(), _text(message), queue)


# --- HTTP --------------------------------------------------------------------------------------------


def _answer(name: str, request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    from reconciler.service.http.message import HttpRequest
    from reconciler.service.triggers import web

    received = HttpRequest(
        request.method,
        request.url,
        params=dict(request.route_params),
        query=dict(request.params),
        headers={key.lower(): value for key, value in request.headers.items()},
        body=request.get_body() or b"",
        trace=_trace(context),
    )
    response = web.served(_trigger_context, name, received)
    return func.HttpResponse(
        response.content(),
        status_code=response.status,
        headers=dict(response.headers),
        mimetype=response.content_type,
    )


@app.function_name("reconcile")
@app.route("api/reconcile", methods=["POST"])
def reconcile(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Request a run of some pools, or of all."""
    return _answer("reconcile", req, context)


@app.function_name("pools")
@app.route("api/pools", methods=["GET"])
def pools(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """All pools and their conditions."""
    return _answer("pools", req, context)


@app.function_name("pool")
@app.route("api/pools/{name}", methods=["GET"])
def pool(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """One pool's status."""
    return _answer("pool", req, context)


@app.function_name("plan")
@app.route("api/pools/{name}/plan", methods=["GET"])
def plan(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """One pool's plan."""
    return _answer("plan", req, context)


@app.function_name("reconcile_pool")
@app.route("api/pools/{name}/reconcile", methods=["POST"])
def reconcile_pool(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Request a run of one pool."""
    return _answer("reconcile_pool", req, context)


@app.function_name("history")
@app.route("api/history", methods=["GET"])
def history(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """What was written, newest first."""
    return _answer("history", req, context)


@app.function_name("run")
@app.route("api/runs/{id}", methods=["GET"])
def run(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """One run and its writes."""
    return _answer("run", req, context)


@app.function_name("mode")
@app.route("api/mode", methods=["GET"])
def mode(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """How far writing goes, and where that is set."""
    return _answer("mode", req, context)


@app.function_name("set_mode")
@app.route("api/mode", methods=["PUT"])
def set_mode(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Set the mode of the deployment, an organization or a pool: for the owner alone."""
    return _answer("set_mode", req, context)


@app.function_name("pauses")
@app.route("api/pauses", methods=["GET"])
def pauses(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """What is paused, by whom, why, and until when."""
    return _answer("pauses", req, context)


@app.function_name("set_pause")
@app.route("api/pauses", methods=["PUT"])
def set_pause(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Pause a pool, an organization or fields of a pool: for the owner alone."""
    return _answer("set_pause", req, context)


@app.function_name("resume")
@app.route("api/pauses", methods=["DELETE"])
def resume(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """End a pause: for the owner alone."""
    return _answer("resume", req, context)


@app.function_name("approve")
@app.route("api/approvals", methods=["POST"])
def approve(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Approve a plan: for the owner alone."""
    return _answer("approve", req, context)


@app.function_name("approve_agent_pool")
@app.route("api/pools/{name}/agent-pool", methods=["PUT"])
def approve_agent_pool(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Approve an agent pool as a pool's own: for the owner alone."""
    return _answer("approve_agent_pool", req, context)


@app.function_name("health")
@app.route("api/health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Whether specs and state can be read, and the full resync is on time."""
    return _answer("health", req, context)


@app.function_name("openapi")
@app.route("api/openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def openapi(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The interface's document."""
    return _answer("openapi", req, context)


@app.function_name("github_push")
@app.route("api/github/push", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def github_push(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """A push webhook of GitHub, authenticated by its signature."""
    return _answer("github_push", req, context)


@app.function_name("azure_repos_push")
@app.route("api/azure-repos/push", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def azure_repos_push(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """A push webhook of Azure Repos, authenticated by its secret."""
    return _answer("azure_repos_push", req, context)


# --- status page -------------------------------------------------------------------------------------
# A browser sends no function key, so the handlers require what the platform's sign-in says; in `serve` its key.


@app.function_name("page_overview")
@app.route("{home:maxlength(0)?}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def page_overview(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """All pools, at the root; an empty route would stand for the function's name."""
    return _answer("page_overview", req, context)


@app.function_name("page_organization")
@app.route("organizations/{name}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def page_organization(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """One organization and its pools."""
    return _answer("page_organization", req, context)


@app.function_name("page_pool")
@app.route("pools/{name}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def page_pool(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """One pool, its organizations and projects."""
    return _answer("page_pool", req, context)


@app.function_name("page_reconcile")
@app.route("pools/{name}/reconcile", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def page_reconcile(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The button «reconcile now»: for operators alone."""
    return _answer("page_reconcile", req, context)


@app.function_name("page_plan")
@app.route("pools/{name}/plan", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def page_plan(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The button «plan now»: for operators alone."""
    return _answer("page_plan", req, context)


@app.function_name("page_pause")
@app.route("pools/{name}/pause", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def page_pause(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The buttons «pause» and «resume»: for the owner alone."""
    return _answer("page_pause", req, context)


@app.function_name("page_file")
@app.route("assets/{name}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def page_file(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Style and script of the pages."""
    return _answer("page_file", req, context)
