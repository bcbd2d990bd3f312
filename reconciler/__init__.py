"""Keeps Azure Managed DevOps Pools, and who may run code on them, as a git repository says."""

__version__ = "0.1.0"
