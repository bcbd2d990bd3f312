"""The triggers of the Functions app, and nothing else: what starts a function, and where its messages go.

Each function is a line or two: the value of its trigger in, the messages of its output out. What happens is in
`reconciler.service.triggers`, which is imported when the first trigger fires and not before: on a platform that scales
to zero, importing this file is what somebody waits for. Outputs are typed `List`, not `list`: the Functions runtime
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


def _shop() -> "TriggerContext":
    from reconciler.service.triggers.composition import shop

    return shop()


def _text(message: func.QueueMessage) -> str:
    """A message's text; what is no UTF-8 is for the trigger to drop, not for the platform to try again."""
    return message.get_body().decode(errors="replace")


def _trace(context: func.Context) -> str:
    return context.trace_context.trace_parent or ""


def _put(work: Messages, texts: list[str]) -> None:
    """Set the output where there is something to put: what an empty list means there is the host's secret."""
    if texts:
        work.set(texts)


# --- told by events ----------------------------------------------------------------------------------


@app.function_name("pool_changed")
@app.queue_trigger("message", POOL_EVENTS, CONNECTION)
@app.queue_output("work", WORK, CONNECTION)
def pool_changed(message: func.QueueMessage, work: Messages, context: func.Context) -> None:
    """ARM wrote or deleted a pool."""
    from reconciler.service.triggers import messages

    _put(work, messages.pool_changed(_shop(), _text(message), _trace(context)))


@app.function_name("devops_changed")
@app.queue_trigger("message", DEVOPS_EVENTS, CONNECTION)
@app.queue_output("work", WORK, CONNECTION)
def devops_changed(message: func.QueueMessage, work: Messages, context: func.Context) -> None:
    """Azure DevOps audited a change."""
    from reconciler.service.triggers import messages

    _put(work, messages.devops_changed(_shop(), _text(message), _trace(context)))


# --- sure by timer -----------------------------------------------------------------------------------


@app.function_name("sweep")
@app.timer_trigger("timer", "%RECONCILER_SWEEP_SCHEDULE%", use_monitor=True)
def sweep(timer: func.TimerRequest, context: func.Context) -> None:
    """Every pool in git gets a look."""
    from reconciler.service.triggers import timers

    timers.sweep(_shop(), _trace(context))


@app.function_name("watch_git")
@app.timer_trigger("timer", "%RECONCILER_GIT_SCHEDULE%", use_monitor=True)
def watch_git(timer: func.TimerRequest, context: func.Context) -> None:
    """Pools whose files changed get a look."""
    from reconciler.service.triggers import timers

    timers.watch_git(_shop(), _trace(context))


@app.function_name("watch_audit")
@app.timer_trigger("timer", "%RECONCILER_AUDIT_SCHEDULE%", use_monitor=True)
def watch_audit(timer: func.TimerRequest, context: func.Context) -> None:
    """Pools that the audit logs concern get a look."""
    from reconciler.service.triggers import timers

    timers.watch_audit(_shop(), _trace(context))


# --- work --------------------------------------------------------------------------------------------


@app.function_name("worker")
@app.queue_trigger("message", WORK, CONNECTION)
def worker(message: func.QueueMessage, context: func.Context) -> None:
    """Look at the pools of a message."""
    from reconciler.service.triggers import messages

    messages.work(_shop(), _text(message), message.insertion_time, _trace(context))


@app.function_name("sweeper")
@app.queue_trigger("message", SWEEP, CONNECTION)
def sweeper(message: func.QueueMessage, context: func.Context) -> None:
    """Look at a batch of pools; on a queue of its own, so that nobody's event waits behind it."""
    from reconciler.service.triggers import messages

    messages.work(_shop(), _text(message), message.insertion_time, _trace(context))


@app.function_name("quarantine")
@app.queue_trigger("message", f"{WORK}-poison", CONNECTION)
def quarantine(message: func.QueueMessage) -> None:
    """A wish that failed too often."""
    _aside(message, "work")


@app.function_name("quarantine_sweep")
@app.queue_trigger("message", f"{SWEEP}-poison", CONNECTION)
def quarantine_sweep(message: func.QueueMessage) -> None:
    """A batch that failed too often."""
    _aside(message, "sweep")


@app.function_name("quarantine_pool_events")
@app.queue_trigger("message", f"{POOL_EVENTS}-poison", CONNECTION)
def quarantine_pool_events(message: func.QueueMessage) -> None:
    """An event of ARM that failed too often."""
    _aside(message, "pool-events")


@app.function_name("quarantine_devops_events")
@app.queue_trigger("message", f"{DEVOPS_EVENTS}-poison", CONNECTION)
def quarantine_devops_events(message: func.QueueMessage) -> None:
    """An event of the audit stream that failed too often."""
    _aside(message, "devops-events")


def _aside(message: func.QueueMessage, queue: str) -> None:
    from reconciler.service.triggers import messages

    messages.quarantine(_shop(), _text(message), queue)


# --- asked by HTTP -----------------------------------------------------------------------------------


def _answer(name: str, request: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    from reconciler.service.http.message import HttpRequest
    from reconciler.service.triggers import web

    asked = HttpRequest(
        request.method,
        request.url,
        params=dict(request.route_params),
        query=dict(request.params),
        headers={key.lower(): value for key, value in request.headers.items()},
        body=request.get_body() or b"",
        trace=_trace(context),
    )
    answered = web.served(_shop, name, asked)
    return func.HttpResponse(
        answered.content(),
        status_code=answered.status,
        headers=dict(answered.headers),
        mimetype=answered.content_type,
    )


@app.function_name("reconcile")
@app.route("reconcile", methods=["POST"])
def reconcile(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Look at some pools, or at all."""
    return _answer("reconcile", req, context)


@app.function_name("pools")
@app.route("pools", methods=["GET"])
def pools(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """All pools and their conditions."""
    return _answer("pools", req, context)


@app.function_name("pool")
@app.route("pools/{name}", methods=["GET"])
def pool(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """One pool's status."""
    return _answer("pool", req, context)


@app.function_name("plan")
@app.route("pools/{name}/plan", methods=["GET"])
def plan(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """What would be done to one pool now."""
    return _answer("plan", req, context)


@app.function_name("reconcile_pool")
@app.route("pools/{name}/reconcile", methods=["POST"])
def reconcile_pool(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Look at one pool."""
    return _answer("reconcile_pool", req, context)


@app.function_name("health")
@app.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Whether specs and state can be read, and the sweep is on time."""
    return _answer("health", req, context)


@app.function_name("openapi")
@app.route("openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def openapi(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """The interface's document."""
    return _answer("openapi", req, context)


@app.function_name("github_push")
@app.route("github/push", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def github_push(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """GitHub tells of a push; the signature is the lock."""
    return _answer("github_push", req, context)


@app.function_name("azure_repos_push")
@app.route("azure-repos/push", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
def azure_repos_push(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Azure Repos tells of a push; its secret is the lock."""
    return _answer("azure_repos_push", req, context)
