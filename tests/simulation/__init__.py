"""Whole histories of a deployment by a seed: one thread, virtual time, and the emulator without sockets.

::

    virtual     time, randomness and ids of this process; to be imported before the program
    wire        requests of the program, answered by the emulator's handlers within the process
    processes   workers of the deployment: built as in production, killed, restarted, held up, with a wrong clock
    intended    what the specs of the simulation ask for, in words of its own
    observed    what an estate's dump holds of that
    holds       what the owner of the deployment holds back: modes, pauses, windows
    histories   a seed → a list of steps, as data
    people      steps of the people who use the program
    releases    what a worker of another release writes
    play        plays a list of steps and writes the trace
    oracles     what must hold at every write, at every report and at the end
    shrink      the shortest list of steps that still fails
    figures     a row for each seed that was played, and the table of docs/reliability.md

`python -m tests.simulation` runs seeds; a failing one becomes a file in ``cases``, which every run of the tests plays.
"""
