"""What the world tells us, read leniently: a document becomes hints, hints become keys of pools, and nothing more.

An event is never believed, only followed: the worker reads git, ARM and Azure DevOps afresh. So nothing of an event
but names and ids is kept, above all none of the claims that ARM's events carry, and a document that cannot be read
is counted and dropped: the sweep finds what it would have told.
"""
