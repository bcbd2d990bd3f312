"""How text travels in a storage queue: as base64, which keeps any character whole.

That is what the queue trigger of Azure Functions reads by default (Microsoft Learn, host.json, queues,
messageEncoding). Text that is no base64 is taken as it is, so that a person can put a message by hand. Light on
purpose: triggers read messages without the storage packages.
"""

from __future__ import annotations

import base64
import binascii


def encode(text: str) -> str:
    """The content to put."""
    return base64.b64encode(text.encode()).decode()


def decode(content: str) -> str:
    """The text of a content, in base64 or plain. A plain word that happens to be base64 of text is read as that."""
    try:
        return base64.b64decode(content.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return content
