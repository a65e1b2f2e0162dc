"""`python -m tests.faults.launched serve --port 8080 / worker / worker`: the real commands of
`loyalty`, each in a process of its own, in one process group.

The imports are made once and then forked, so that a start is cheap. `FAULT_GATE` names a gate
that may hold the processes at its points, `FAULT_PLANT` a bug to plant in them.
"""

import ctypes
import os
import signal
import sys
import traceback

from loyalty_service import cli
from tests.faults import planted, points

PR_SET_PDEATHSIG = 1


def main(words: list[str]) -> None:
    """Start every command and wait until one ends: then the group is not what was asked for."""
    _die_with_parent()
    planted.plant_named()
    for command in _commands(words):
        if os.fork() == 0:
            _run(command)
    os.wait()
    os.killpg(0, signal.SIGKILL)


def _commands(words: list[str]) -> list[list[str]]:
    commands: list[list[str]] = [[]]
    for word in words:
        if word == "/":
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


def _run(command: list[str]) -> None:
    status = 1
    try:
        _die_with_parent()
        if address := os.environ.get("FAULT_GATE"):
            points.install(address, command[0])
        cli.main(command, prog_name="loyalty")
    except SystemExit as ended:
        status = int(ended.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _die_with_parent() -> None:
    # A test run that is killed leaves nobody behind.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
