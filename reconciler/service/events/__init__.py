"""Reads events leniently: a document becomes hints, and hints become keys of pools.

An event only triggers a run; the worker reads Git, ARM and Azure DevOps itself. So only names and ids of an event are
kept, and none of the claims that ARM's events carry. A document that cannot be read is counted and dropped: the next
full resync finds the change.
"""
