"""The process of one job: runs our command, keeps what it prints, says how it ended.

It is started by the queue with the job's lock already held, and ends with the command.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from glueprint.boundary import clock
from glueprint.runs.store import write_file
from glueprint.web.jobs import EVENTS, JOB, LOG, OUTCOME

__all__ = ["command", "work"]

PATIENCE_S = 30.0  # from the interruption to the kill: a unit in hand is finished or given up by then
# A command started from a shell in the background inherits that Ctrl-C means nothing; here it means the end.
RUN = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from glueprint.cli import main; main()"
)
# Commands that tell their progress with --events.
TELLING = (("glue", "run"), ("study", "run"), ("trial", "run"))


def command(words: Sequence[str], folder: Path) -> list[str]:
    """Our own command as a process of this Python, whatever is on the path; with progress where it tells."""
    told = ["--events", str(folder / EVENTS)] if tuple(words[:2]) in TELLING else []
    return [sys.executable, "-c", RUN, *words, *told]


def work(folder: Path, lock: int) -> int:
    """Run the job in a folder to its end; returns the command's exit code.

    lock: handle of the job's lock, which the command inherits, so that a job whose worker was killed is not
    taken for dead while its command still computes.
    """
    words = [str(word) for word in json.loads((folder / JOB).read_text("utf-8"))["words"]]
    ending = _Ending()
    with (folder / LOG).open("ab") as log:
        log.write(f"$ glueprint {shlex.join(words)}\n".encode())
        log.flush()
        child = subprocess.Popen(
            command(words, folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(lock,),
            env={**os.environ, "COLUMNS": "100"},
        )
        code = ending.wait(child)
    write_file(folder / OUTCOME, json.dumps({"exit_code": code, "utc": clock.text("seconds")}))
    return code


class _Ending:
    """Ends a command as Ctrl-C does when this process is asked to end, and by force if it does not."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None
        self.asked = False
        signal.signal(signal.SIGTERM, self.ask)

    def ask(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        """Interrupt the command, or the next one that begins."""
        self.asked = True
        if self.child is not None:
            self.child.send_signal(signal.SIGINT)
            signal.signal(signal.SIGALRM, self.force)
            signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)

    def force(self, _number: int, _frame: FrameType | None) -> None:
        """Kill what did not end."""
        if self.child is not None:
            self.child.kill()

    def wait(self, child: subprocess.Popen[bytes]) -> int:
        """The exit code of the command."""
        self.child = child
        if self.asked:
            self.ask()
        return child.wait()


if __name__ == "__main__":
    sys.exit(work(Path(sys.argv[1]), int(sys.argv[2])))
