"""`demo`: the main job on one machine, as a story that checks itself.

It starts the emulator as a process of its own, makes a git repository with the example specs, and runs the very
commands that people run. It is no test double of anything: what it shows went over HTTP, and each step is checked
against the emulator's own state, not against what the reconciler reports. It knows the emulator by its command
line and its control port alone, and imports nothing of it.
"""
