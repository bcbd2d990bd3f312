"""Interfaces to everything outside, in terms of the domain; HTTP, SDKs and storage formats are behind them.

::

    devops           Azure DevOps organizations: pools, queues, permissions, roles, members
    azure            pools in Azure Resource Manager, long operations, subscriptions
    azure_resources  other Azure resources that a pool needs; read only
    readers_writers  what planning holds, and what applying holds in addition
    specs            spec files in git
    stores           state documents, leases, queues
    clock            time
    pacing           priority of the work that a call belongs to
    budgets          what is known of the rate budget of an organization
"""
