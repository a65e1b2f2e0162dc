"""`python -m tests.faults.launched serve --port 8080 / worker / worker`: the real commands of
`loyalty`, each in a process of its own, all in one process group.

Each line on its input starts them once more, and is answered by the id of the new group. Imports
are made once and then forked, so that fifty restarts are cheap. `FAULT_GATE` names a gate that
may hold the processes at its points, `FAULT_PLANT` a bug to plant in them.
"""

import ctypes
import os
import signal
import sys
import traceback
from typing import NoReturn

from loyalty_service import cli
from tests.faults import planted, points

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
LIBC = ctypes.CDLL(None)


def main(words: list[str]) -> None:
    """Start the commands whenever told to; end with the input."""
    _die_with_parent()
    planted.plant_named()
    # Whoever dies is ours to bury, at once: not every container's init does that.
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        if (leader := os.fork()) == 0:
            _lead(_commands(words))
        # Here and in the child: whoever is first.
        os.setpgid(leader, leader)
        sys.stdout.write(f"{leader}\n")
        sys.stdout.flush()


def _lead(commands: list[list[str]]) -> NoReturn:
    """Start every command and wait until one ends: then the group is not what was asked for."""
    _die_with_parent()
    os.setpgid(0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for command in commands:
        if os.fork() == 0:
            _run(command)
    os.wait()
    os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _run(command: list[str]) -> NoReturn:
    try:
        _die_with_parent()
        if address := os.environ.get("FAULT_GATE"):
            points.install(address, command[0])
        cli.main(command, prog_name="loyalty")
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def _commands(words: list[str]) -> list[list[str]]:
    commands: list[list[str]] = [[]]
    for word in words:
        if word == "/":
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


def _die_with_parent() -> None:
    # A test run that is killed leaves nobody behind.
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
