"""A worker process: ``python -m mediaserver.library.readers.worker <timeout> <memory>``.

Jobs come on standard input, answers go to standard output (:mod:`.jobs`). It ends when its input
ends, however its parent went away. What keeps a broken file in bounds: no more than ``memory``
bytes of data, an alarm clock that ends even a native loop shortly after the parent should have,
no core dumps, low priority.
"""

import contextlib
import gc
import os
import resource
import signal
import sys

from mediaserver.library.errors import UnreadableMedia
from mediaserver.library.readers import jobs
from mediaserver.library.readers.dispatch import read

NICE = 10
ALARM_AFTER = 5.0
"""Seconds beyond the time-out: the parent is first, if it still lives."""


def main() -> None:
    timeout, memory = float(sys.argv[1]), int(sys.argv[2])
    _limit(memory)
    # Libraries that print must not disturb the answers.
    answers = os.dup(1)
    with open(os.devnull, "r+b") as nowhere:  # noqa: PTH123 - os.devnull is no path to keep
        os.dup2(nowhere.fileno(), 1)
    # The parent decides when we end; a signal to the whole group is meant for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    gc.freeze()
    jobs.write(answers, jobs.frame(jobs.READY))
    with contextlib.suppress(BrokenPipeError):
        _work(answers, timeout + ALARM_AFTER)


def _work(answers: int, alarm: float) -> None:
    while (job := jobs.read_job(0)) is not None:
        if isinstance(job, jobs.RenderJob):
            signal.setitimer(signal.ITIMER_REAL, alarm)
            jobs.write(answers, jobs.frame(_render(job)))
        else:
            for path in job.paths:
                signal.setitimer(signal.ITIMER_REAL, alarm)
                jobs.write(answers, jobs.frame(read(path)))
        signal.setitimer(signal.ITIMER_REAL, 0)


def _render(job: jobs.RenderJob) -> jobs.Picture | jobs.Failed:
    # Deferred: Pillow, and most workers only read.
    from mediaserver.library.pictures import render

    try:
        return render(job)
    except UnreadableMedia as error:
        return jobs.Failed(error.reason)
    except MemoryError:
        return jobs.Failed("it needs too much memory")
    except Exception as error:  # decoders raise anything at broken files
        return jobs.Failed(f"{type(error).__name__}: {error}")


def _limit(memory: int) -> None:
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Data, not address space: libraries and thread stacks reserve far more than they use.
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or memory < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


if __name__ == "__main__":
    main()
