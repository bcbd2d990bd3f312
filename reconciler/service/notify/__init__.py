"""Notices to people: handed over by workers, grouped, rendered for each receiver, and sent by a message of the queue.

A status keeps its youngest notices (`reconciler.engine.notice_state`). The worker that ends a message hands them over
to one document (`waiting`) and puts one message on the work queue; who takes that message groups what waits, and sends
it (`flush`). Where nothing changed nothing of this reads or writes anything.
"""
