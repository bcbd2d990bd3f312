"""The status page: what the last runs found, for people with a browser; rendered here, and readable without JavaScript.

It reads stored statuses, specs and the record of writes. It asks for runs and plans as any caller of the API does, and
holds nothing that could write to a pool. Only a request for a page imports views and actions: their template engine
must not delay the start of a trigger.
"""
