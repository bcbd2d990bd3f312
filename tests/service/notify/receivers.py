"""Receivers of notices over loopback HTTP, as strict as what their services publish.

Teams: Microsoft Learn, "Create incoming webhooks with Workflows for Microsoft Teams" and "Create and send messages";
Adaptive Cards explorer 1.4. Slack: "Sending messages using incoming webhooks", "Blocks", "Block elements", "Composition
objects". Generic: CloudEvents 1.0.2 JSON format, and Standard Webhooks' own verification.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from reconciler.config.notify import NotifyTarget
from reconciler.config.triggers import Hosting

KEY = "whsec_" + base64.b64encode(bytes(range(32))).decode()
PATH = "/services/canary-url-7c1d"
"""Of every receiver: it stands in for what makes an address a secret."""
_COLORS = {"default", "dark", "light", "accent", "good", "warning", "attention"}
_SIZES = {"default", "small", "medium", "large", "extraLarge"}
_SPACINGS = {"default", "none", "small", "medium", "large", "extraLarge", "padding"}
_RUN = {"type", "text", "color", "size", "weight", "isSubtle"}


def teams_problem(body: bytes) -> str:
    """Why a workflow would not post it; empty where it would."""
    match json.loads(body):
        case {"type": "message", "attachments": [{"contentType": kind, "content": card, **rest}], **more}:
            fits = not more and set(rest) == {"contentUrl"} and kind == "application/vnd.microsoft.card.adaptive"
            return ("" if len(body) < 28 * 1024 else "larger than 28 KB") if fits and _is_card(card) else "no such card"
    return "no message with one attachment"


def _is_card(card: Any) -> bool:
    allowed = {"$schema", "type", "version", "body", "actions", "fallbackText", "msteams"}
    right = set(card) <= allowed and (card["type"], card["version"]) == ("AdaptiveCard", "1.4") and card["body"]
    return bool(
        right
        and set(card.get("msteams", {})) <= {"width"}  # `entities` would mention a person
        and all(map(_is_rich, card["body"]))
        and all(
            set(one) == {"type", "title", "url"} and one["type"] == "Action.OpenUrl" for one in card.get("actions", [])
        )
    )


def _is_rich(block: Any) -> bool:
    """A block whose texts are read as they are: a TextBlock would read Markdown."""
    right = set(block) == {"type", "spacing", "inlines"} and block["type"] == "RichTextBlock" and block["inlines"]
    return bool(right and block["spacing"] in _SPACINGS and all(map(_is_run, block["inlines"])))


def _is_run(run: Any) -> bool:
    right = set(run) <= _RUN and run["type"] == "TextRun" and isinstance(run["text"], str) and run["text"]
    return bool(right and run.get("color", "default") in _COLORS and run.get("size", "default") in _SIZES)


def slack_problem(body: bytes) -> str:
    """Slack's error code; empty where it would post it."""
    message = json.loads(body)
    if set(message) - {"text", "mrkdwn", "blocks", "unfurl_links", "unfurl_media"} or not message.get("text"):
        return "invalid_payload"
    if message["mrkdwn"] is not False or re.search(r"[<>]|&(?!amp;|lt;|gt;)", message["text"]):
        return "invalid_payload"
    blocks = message["blocks"]
    fits = 0 < len(blocks) <= 50 and len(json.dumps(blocks, ensure_ascii=False)) <= 13_000
    return "" if fits and all(_is_block(one) for one in blocks) else "invalid_blocks"


def _is_block(block: Any) -> bool:
    match block:
        case {"type": "header", "text": text, **more}:
            return not more and _plain(text, 150)
        case {"type": "section", "text": text, **more}:
            return not more and _plain(text, 3000)
        case {"type": "actions", "elements": [{"type": "button", "text": text, "url": url, **more}], **others}:
            return not more and not others and _plain(text, 75) and len(url) <= 3000
    return False


def _plain(text: Any, longest: int) -> bool:
    """A text object; mrkdwn would read formats and mentions of others' names."""
    return (
        isinstance(text, dict)
        and set(text) == {"type", "text", "emoji"}
        and text["type"] == "plain_text"
        and text["emoji"] is False
        and 0 < len(text["text"]) <= longest
    )


def event_problem(body: bytes, headers: dict[str, str]) -> str:
    """Why a consumer of CloudEvents would not take it, or not believe it."""
    event = json.loads(body)
    if not headers.get("content-type", "").startswith("application/cloudevents+json"):
        return "not structured mode"
    for name in ("id", "source", "specversion", "type"):
        if not isinstance(event.get(name), str) or not event[name]:
            return f"{name} is missing"
    if event["specversion"] != "1.0" or any(not re.fullmatch(r"[a-z0-9]{1,20}", name) for name in event):
        return "attributes have other names"
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", event["time"]) or len(body) > 64 * 1024:
        return "time or size"
    at, name = headers.get("webhook-timestamp", ""), headers.get("webhook-id", "")
    key = base64.b64decode(KEY.removeprefix("whsec_"))
    signed = hmac.new(key, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
    wanted = f"v1,{base64.b64encode(signed).decode()}"
    if name != event["id"] or not at.isdigit() or wanted not in headers.get("webhook-signature", "").split():
        return "the signature is another one"
    return ""


@dataclass
class Received:
    """One request."""

    receiver: str
    body: Any
    problem: str
    headers: dict[str, str]


@dataclass
class Post:
    """The receivers on one port, and what arrived."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Status and headers of the next responses; a strict receiver answers after them."""
    slow: float = 0.0
    """Seconds over which a response trickles."""

    @property
    def environment(self) -> dict[str, str]:
        """The settings that name all three."""
        return {
            "RECONCILER_NOTIFY_TEAMS": f"{self.url}/teams{PATH}",
            "RECONCILER_NOTIFY_SLACK": f"{self.url}/slack{PATH}",
            "RECONCILER_NOTIFY_WEBHOOK": f"{self.url}/webhook{PATH}",
            "RECONCILER_NOTIFY_WEBHOOK_SECRET": KEY,
            "RECONCILER_ALLOW_LOOPBACK": "1",
        }

    def targets(self, *receivers: str) -> tuple[NotifyTarget, ...]:
        """As the settings are read; all by default."""
        found = Hosting.read(self.environment).notify
        return tuple(one for one in found if not receivers or one.name in receivers)

    def accepted(self, receiver: str = "webhook") -> list[Any]:
        """Bodies that a receiver took."""
        return [one.body for one in self.received if one.receiver == receiver and not one.problem]

    def kinds(self) -> list[str]:
        """Kinds of the events that the generic receiver took, in order."""
        return [one["data"]["kind"] for one in self.accepted()]


@contextmanager
def receivers() -> Iterator[Post]:
    """Teams, Slack and a generic receiver on one port of loopback."""
    post = Post()
    judges: dict[str, Callable[[bytes, dict[str, str]], str]] = {
        "teams": lambda body, _: teams_problem(body),
        "slack": lambda body, _: slack_problem(body),
        "webhook": event_problem,
    }

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            name = self.path.split("/")[1]
            headers = {key.lower(): value for key, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", "0")))
            if post.answers:
                status, more = post.answers.pop(0)
                problem = f"answered {status}"
            else:
                try:
                    problem, more = judges[name](body, headers), {}
                except (ValueError, KeyError, TypeError) as error:
                    problem, more = repr(error), {}
                status = 400 if problem else 202 if name == "teams" else 200
            post.received.append(Received(name, json.loads(body), problem, headers))
            self.send_response(status)
            for key, value in more.items():
                self.send_header(key, value)
            self.send_header("Content-Length", "2")
            self.end_headers()
            if post.slow:
                time.sleep(post.slow)
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A sender that waits no longer is no error of the receiver."""

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    post.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield post
    finally:
        server.shutdown()
        server.server_close()
