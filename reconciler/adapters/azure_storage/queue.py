"""Work in a storage queue, the way that the queue trigger of Azure Functions reads it too."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from azure.storage.queue import QueueClient, QueueMessage, QueueServiceClient

from reconciler.adapters.azure_storage.wire import made, stated, talking
from reconciler.adapters.boundary import port
from reconciler.adapters.store_limits import MOST_AT_ONCE, POISON, delay_seconds, hide_seconds
from reconciler.errors import LeaseHeld, NotFound, Rejected, Unavailable
from reconciler.ports.stores import Message, MessageQueue

T = TypeVar("T")

ROLE = "Storage Queue Data Contributor"
FOR_EVER = -1
"""Time to live: a message ends by being done, never by getting old."""


@port("Azure Storage", MessageQueue)
class StorageQueue:
    """One storage queue (`reconciler.ports.stores.MessageQueue`)."""

    def __init__(self, service: QueueServiceClient, name: str, *, attempts: int | None, create: bool) -> None:
        self._client = service.get_queue_client(name)
        self._poison = service.get_queue_client(name + POISON) if attempts is not None else None
        self._attempts = attempts
        self._create = create
        self._where = f"queue {name}"

    def put(self, text: str, *, delay: float = 0.0) -> None:
        """Add a message, not visible before `delay` seconds."""
        with talking(self._where, ROLE):
            self._send(self._client, encode(text), delay)

    def put_all(self, texts: Sequence[str]) -> None:
        """Add messages one after the other: the service has no transaction."""
        for text in texts:
            self.put(text)

    def take(self, count: int, hide: float) -> Sequence[Message]:
        """Take up to `count` messages (32 at most); dead letters are moved on the way."""
        taken: list[Message] = []
        with talking(self._where, ROLE):
            for item in self._received(min(count, MOST_AT_ONCE), _whole(hide_seconds(hide))):
                message = self._message(item)
                if self._attempts is None or message.attempts <= self._attempts:
                    taken.append(message)
                else:
                    self._set_aside(item)
        return taken

    def hide(self, message: Message, seconds: float) -> Message:
        """Hide a taken message for that long from now; `LeaseHeld` where another took it."""
        number, receipt = message.receipt.split(" ")
        try:
            with talking(self._where, ROLE):
                kept = self._client.update_message(number, receipt, visibility_timeout=_whole(seconds))
        except (NotFound, Rejected):  # the service answers 404, or 400 for a receipt that is no longer the last
            raise LeaseHeld(f"{self._where}: message {message.id} was taken by another worker") from None
        return replace(message, receipt=f"{number} {stated(kept.pop_receipt, self._where, 'receipt')}")

    def ack(self, message: Message) -> None:
        """Remove it, unless another took it in the meantime."""
        number, receipt = message.receipt.split(" ")
        try:
            with talking(self._where, ROLE):
                self._client.delete_message(number, receipt)
        except (NotFound, Rejected):
            return

    def length(self) -> int:
        """About how many messages there are, hidden ones included."""
        try:
            with talking(self._where, ROLE):
                count = self._client.get_queue_properties().approximate_message_count
                if count is None:
                    raise Unavailable(f"{self._where}: Azure Storage's answer has no number of messages")
                return int(count)
        except NotFound:
            return 0

    def _received(self, count: int, hide: int) -> Sequence[QueueMessage]:
        def receive() -> list[QueueMessage]:
            return list(self._client.receive_messages(max_messages=count, visibility_timeout=hide))

        return self._made(self._client, receive)

    def _message(self, item: QueueMessage) -> Message:
        """A message; where a part is missing, it comes again once it is visible."""
        number = stated(item.id, self._where, "message id")
        receipt = f"{number} {stated(item.pop_receipt, self._where, 'receipt')}"
        if item.inserted_on is None or item.dequeue_count is None:
            raise Unavailable(f"{self._where}: message {number} has no time of insertion or no count of deliveries")
        return Message(number, decode(str(item.content or "")), item.inserted_on, int(item.dequeue_count), receipt)

    def _set_aside(self, item: QueueMessage) -> None:
        """Put into the dead-letter queue first, then delete: at worst it exists twice, never not at all."""
        if self._poison is not None:
            self._send(self._poison, str(item.content or ""), 0.0)
        self._client.delete_message(item.id, item.pop_receipt)

    def _send(self, client: QueueClient, text: str, delay: float) -> None:
        self._made(client, lambda: client.send_message(text, visibility_timeout=_whole(delay), time_to_live=FOR_EVER))

    def _made(self, client: QueueClient, attempt: Callable[[], T]) -> T:
        """Do something that needs the queue; where it is missing, make it and do it again."""
        return made(attempt, client.create_queue if self._create else None)


def _whole(seconds: float) -> int:
    return math.ceil(delay_seconds(seconds))


def encode(text: str) -> str:
    """The content to put."""
    return base64.b64encode(text.encode()).decode()


def decode(content: str) -> str:
    """The text of a content, in base64 or plain. A plain word that happens to be base64 of text is read as that."""
    try:
        return base64.b64decode(content.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return content
