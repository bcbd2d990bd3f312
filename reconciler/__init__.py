"""Keeps Azure Managed DevOps Pools and their Azure DevOps permissions in sync with a Git repository."""

__version__ = "0.2.0"
