"""The same functions on this machine, without the Functions host: HTTP, timers, queue workers.

Nothing is registered here. `bindings` reads what `function_app.py` declares, and each module runs one kind of
trigger the way the Functions host would. For containers and tests; it listens on loopback by default.
"""
