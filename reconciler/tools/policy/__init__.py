"""Policies that a program writes: one that allows what the present specs use, and policy/v1 as policy/v2."""

from __future__ import annotations

from reconciler.tools.policy.of_specs import PolicyDraft, draft_policy
from reconciler.tools.policy.written import migrated, text

__all__ = ["PolicyDraft", "draft_policy", "migrated", "text"]
