"""The Azure DevOps plane: organizations with their projects, agent pools, queues, authorizations, roles and people.

Written from the published OpenAPI documents and from what is known of the service beyond them. What is not known is
a switch (`emulator.switches.devops`), never a fixed guess.
"""
