"""What an HTTP answer of Azure DevOps means: the fact itself, or one of our errors.

The service is not uniform. A bad token brings 401, or 203 or 302 with a sign-in page; a project that the identity
may not see brings 400 in one area and 404 in another, with the words of a missing one. So the `typeKey` of the
error body decides, and the status only where there is none. Nothing here does I/O.

Sources: MicrosoftDocs/vsts-rest-api-specs issues #97 and #574, azure-devops-docs #13661 (sign-in pages);
Microsoft Learn: Azure DevOps rate and usage limits (TF400733, Retry-After, X-RateLimit-*).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from reconciler.adapters.retry_after import retry_after
from reconciler.documents import Json
from reconciler.documents.redaction import oneline
from reconciler.errors import Forbidden, NotFound, ReconcilerError, Rejected, Throttled, Unavailable
from reconciler.ports.budgets import Figures

LONGEST_MESSAGE = 300
BLIND_PAUSE = 30.0
"""Seconds to stay away where the service says «too many» and not how long."""

UNREADABLE = object()
"""In place of a document that is not JSON."""

_BY_TYPE_KEY: tuple[tuple[re.Pattern[str], type[ReconcilerError]], ...] = (
    (re.compile(r"AccessDenied|Unauthorized|NotEnoughPermissions|AccessCheckException|InvalidAccess"), Forbidden),
    (re.compile(r"NotFoundException$|DoesNotExist(With\w+)?Exception$"), NotFound),
    (re.compile(r"ExistsException$|^VssInvalidPreviewVersion|^Invalid|Argument\w*Exception$|Mismatch"), Rejected),
)
_BY_STATUS: dict[int, type[ReconcilerError]] = {
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    408: Unavailable,
    410: NotFound,
    429: Throttled,
}
_SILENT = {401: "the token was refused; is the identity a user of this organization?"}
"""What to say where the service says nothing: so it answers a token that it does not know."""
_TYPE_KEY = re.compile(r"\w{1,100}", re.ASCII)
_TOO_MANY = "TF400733"
_NON_AUTHORITATIVE = 203


@dataclass(frozen=True, slots=True)
class DevOpsResponse:
    """Status, headers and body of one HTTP answer; `document` is the body as JSON, None where it is empty."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    document: Json = field(default=None, repr=False)

    @classmethod
    def of(cls, status: int, headers: Mapping[str, str], body: bytes) -> DevOpsResponse:
        """Read the document once; what is no JSON becomes `UNREADABLE`."""
        lower = {name.lower(): value for name, value in headers.items()}
        return cls(status, lower, body, _document(lower, body))

    @property
    def succeeded(self) -> bool:
        """A 2xx; `judge` may still find that it is a sign-in page."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the bounds of the class of status codes


def judge(answer: DevOpsResponse, where: str, secrets: tuple[str, ...] = ()) -> ReconcilerError | None:
    """The error that an answer stands for, or None where it holds what was requested.

    `where` begins the text, ``organization fabrikam-prime: GET queues of project {id}``; `secrets` are blotted out
    of what the service wrote, beside everything that looks like one.
    """
    if answer.succeeded:
        return _doubt(answer, where)
    key, message = _exception(answer.document)
    if answer.status < 400:  # noqa: PLR2004 - redirects; none is ever followed
        return Forbidden(f"{where}: {answer.status}: a redirect, as to a sign-in page")
    message = message or _SILENT.get(answer.status, "")
    text = " ".join(part for part in (f"{where}: {answer.status}", key) if part)
    return _kind(answer.status, key, message)(f"{text}: {clip(message, secrets)}" if message else text)


def pause(answer: DevOpsResponse, wall: Callable[[], float]) -> float:
    """Seconds for which the service asks to stay away; 0 where it does not ask.

    `Retry-After` (seconds or a date) comes on any status, also on a delayed 200. Without it a used-up
    `X-RateLimit-Remaining` counts for half a minute, or until `X-RateLimit-Reset` (seconds since the epoch) where that
    is sooner: by then nothing of the usage is left, and the window slides all the time.
    """
    if "retry-after" in answer.headers:
        seconds = retry_after(answer.headers, datetime.fromtimestamp(wall(), UTC))
        return BLIND_PAUSE if seconds is None else seconds
    remaining = _number(answer.headers.get("x-ratelimit-remaining"))
    reset = _number(answer.headers.get("x-ratelimit-reset"))
    if remaining is not None and remaining <= 0 and reset is not None:
        return max(0.0, min(BLIND_PAUSE, reset - wall()))
    return BLIND_PAUSE if _too_many(answer) else 0.0


def figures(answer: DevOpsResponse, seconds: float) -> Figures:
    """What a response says of the rate budget; `seconds`: its `pause`.

    A pause that comes with a server error is about the service's health, and says nothing of a budget.
    """
    limit, remaining, delay = (
        _number(answer.headers.get(f"x-ratelimit-{name}")) for name in ("limit", "remaining", "delay")
    )
    asked = seconds > 0 and (answer.status < 500 or _too_many(answer))  # noqa: PLR2004 - server errors
    return Figures(asked or (delay or 0.0) > 0, limit, remaining)


def clip(text: str, secrets: tuple[str, ...] = ()) -> str:
    """One line of at most 300 characters, without anything that looks like a secret."""
    return oneline(text, secrets=secrets, limit=LONGEST_MESSAGE)


def _document(headers: Mapping[str, str], body: bytes) -> Json:
    if not body.strip():
        return None
    kind = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if not (kind.endswith(("/json", "+json"))):
        return UNREADABLE
    try:
        return json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return UNREADABLE


def _doubt(answer: DevOpsResponse, where: str) -> ReconcilerError | None:
    """Why a 2xx may not be believed: a sign-in page, half an answer, or a list that is shorter than it says."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.status == _NON_AUTHORITATIVE or (answer.document is UNREADABLE and kind and not kind.endswith("json")):
        return Forbidden(f"{where}: {answer.status}: a sign-in page in place of an answer")
    if answer.document is UNREADABLE:
        return Unavailable(f"{where}: {answer.status}: the answer is no JSON")
    document = answer.document
    if isinstance(document, dict) and isinstance(entries := document.get("value"), list):
        count = document.get("count", len(entries))
        if count != len(entries):
            return Unavailable(f"{where}: {answer.status}: the list says {count} entries and holds {len(entries)}")
    return None


def _exception(document: Json) -> tuple[str, str]:
    """`typeKey` and `message` of an error body; older controllers wrap it in ``value`` with a capital Message."""
    if isinstance(document, dict) and isinstance(document.get("value"), dict):
        document = document["value"]
    if not isinstance(document, dict):
        return "", ""
    key, message = document.get("typeKey"), document.get("message") or document.get("Message")
    return key if isinstance(key, str) and _TYPE_KEY.fullmatch(key) else "", message if isinstance(message, str) else ""


def _kind(status: int, key: str, message: str) -> type[ReconcilerError]:
    if _TOO_MANY in message or status == 429:  # noqa: PLR2004 - Too Many Requests
        return Throttled
    for pattern, kind in _BY_TYPE_KEY:
        if status != 401 and pattern.search(key):  # noqa: PLR2004 - Unauthorized has no second meaning
            return kind
    return _BY_STATUS.get(status, Unavailable if status >= 500 else Rejected)  # noqa: PLR2004 - server errors


def _too_many(answer: DevOpsResponse) -> bool:
    return not answer.succeeded and _kind(answer.status, *_exception(answer.document)) is Throttled


def _number(text: str | None) -> float | None:
    if text is None or not re.fullmatch(r"-?\d{1,12}(\.\d+)?", text.strip()):
        return None
    return float(text)
