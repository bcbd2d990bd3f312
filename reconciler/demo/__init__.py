"""`demo`: the main task on one machine, in seven steps with checks.

It starts the emulator as a separate process, creates a Git repository with the specs in `files`, and runs the commands
that people run. What it shows went over HTTP, and each step is checked against the emulator's state, not against the
reconciler's own report. It uses the emulator's command line and control port, and imports nothing of it.
"""
