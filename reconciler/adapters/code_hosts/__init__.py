"""Hosts of the specs' repository: pull requests, comments and statuses on GitHub and in Azure Repos."""
