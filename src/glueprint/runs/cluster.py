"""The executor of a Dask cluster: a scheduler's address, or a local cluster of our own on loopback.

Workers write their units themselves, so the folder lies on a file system that all of them see. A worker that
dies is Dask's to replace, and its units are done again; a scheduler that dies ends the run, and the next run
goes on from what was kept.
"""

from __future__ import annotations

import importlib
import logging
import signal
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from glueprint.errors import EnvironmentProblemError, GlueprintError
from glueprint.runs import answers
from glueprint.runs.executor import Answers, Failure, attempt, lost
from glueprint.runs.processes import pin

__all__ = ["Dask", "connect"]

LOOPBACK = "127.0.0.1"
CONNECT_S = 10
CLOSE_S = 30  # for a cluster of our own to end its processes
LOOK_S = 1.0  # between two looks at whether the scheduler is still there
ALONE_S = 60.0  # that a cluster may be without any worker
# Of a local cluster. Each of these took processors from the work itself, see docs/runs.md.
QUIET = {
    # Dask has the C library hand back whatever is freed (64 kB), so that every array of patients came as new
    # pages: up to twice the processor time of a unit. None leaves the C library its own rule.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
    # Clocks, monitors and the profiler of idle processes: a tenth of a processor, now a hundredth.
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "2s",
}
AHEAD = 3  # units in the scheduler's hands for each thread of a worker, so that none waits for us

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@contextmanager
def connect(workers: int, address: str | None) -> Iterator[Dask]:
    """A client of the scheduler at `address`, or of a cluster of `workers` processes here.

    The address is one that the user trusts: whoever runs a scheduler can run code as its users.
    Raises EnvironmentProblemError GP-R009 if Dask is not installed or the scheduler does not answer.
    """
    try:
        distributed: Any = importlib.import_module("distributed")
    except ImportError as error:
        raise _unavailable("Dask is not installed", 'pip install "glueprint[cluster]"') from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        # Dask warns that a port it wanted is taken and that a worker it lost is lost; both are handled here.
        warnings.simplefilter("ignore")
        cluster = None if address else _local(distributed, workers)
        try:
            client = _client(distributed)(
                address or cluster,
                timeout=CONNECT_S,
                set_as_default=False,
                direct_to_workers=False,
                # What workers return is bytes of ours (`answers`): nothing of it is taken as a pickle.
                deserializers=["msgpack"],
            )
        except (OSError, TimeoutError, ValueError, TypeError) as error:
            raise _unavailable(
                f'no Dask scheduler answers at "{address}"',
                "start one with `dask scheduler`, or correct the address",
            ) from error
        try:
            if cluster is not None:
                client.register_plugin(_share_of_processors(distributed, workers))
            yield Dask(distributed, client)
        finally:
            # What ended the run is told, and not that a busy machine took long to close.
            with suppress(OSError, TimeoutError):
                client.close(timeout=CONNECT_S)
            if cluster is not None:
                with suppress(OSError, TimeoutError):
                    cluster.close(timeout=CLOSE_S)


def _client(distributed: Any) -> Any:
    """The class of a client that is closed at once where no scheduler answers.

    Dask's own closes itself when it is collected, which may be while the next one starts and holds the lock
    of all loops: that one then waits for ever.
    """

    class Client(distributed.Client):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            try:
                super().__init__(*arguments, **options)
            except BaseException:
                with suppress(OSError, TimeoutError):
                    self.close()
                raise

    return Client


def _local(distributed: Any, workers: int) -> Any:
    """A cluster whose processes share the processors, and that nobody outside this machine can reach."""
    config: Any = importlib.import_module("dask.config")
    with config.set(QUIET):
        return distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host=LOOPBACK,
            dashboard_address=None,
            worker_dashboard_address=None,
            silence_logs=logging.CRITICAL,
        )


def _share_of_processors(distributed: Any, workers: int) -> Any:
    """A plugin with which every worker of a local cluster, also a later one, takes its share."""

    class Share(distributed.WorkerPlugin):  # type: ignore[misc]
        name = "share of processors"

        def setup(self, worker: Any) -> None:
            with suppress(ValueError):  # not the main thread
                # Ctrl-C goes to the whole group; the client decides what it means.
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            pin(int(worker.name) if str(worker.name).isdigit() else 0, workers)

    return Share()


class Dask:
    """Work through a Dask client."""

    def __init__(self, dask: Any, client: Any) -> None:
        self._dask, self._client = dask, client
        self._looked, self._wanted = -LOOK_S, 0

    @property
    def hands(self) -> int:
        """Threads of the workers that are there now. Raises as `run`."""
        return max(self._threads(), 1)

    def run(self, work: Callable[[Item], Answer], items: Iterable[Item]) -> Answers[Answer]:
        """See `Executor.run`. Raises EnvironmentProblemError GP-R008, GP-R009 (the scheduler is gone)."""
        task, fresh = partial(_answered, work), enumerate(items)
        places: dict[Any, int] = {}
        ended: SimpleQueue[Any] = SimpleQueue()
        try:
            while True:
                for place, item in islice(fresh, self._room(len(places))):
                    future = self._client.submit(task, item, pure=False)
                    places[future] = place
                    future.add_done_callback(ended.put)
                if not places:
                    return
                future = self._next(ended)
                place = places.pop(future)
                yield place, self._answer(future, place)
                future.release()
        finally:
            with suppress(Exception):  # the cluster may be gone, and then nothing is left to cancel
                self._client.cancel(list(places))

    def _room(self, held: int) -> int:
        """Items that the scheduler should be given; how many workers it has is asked once a second."""
        if time.monotonic() > self._looked + LOOK_S:
            self._looked, self._wanted = time.monotonic(), AHEAD * self.hands
        return max(self._wanted - held, 0)

    def _threads(self) -> int:
        """Threads of all workers."""
        try:
            return sum(int(threads) for threads in self._client.nthreads().values())
        except (OSError, TimeoutError) as error:
            raise _gone() from error

    def _next(self, ended: SimpleQueue[Any]) -> Any:
        """The next future that is done."""
        alone_since: float | None = None
        while True:
            with suppress(Empty):
                return ended.get(timeout=LOOK_S)
            if self._client.status != "running":
                raise _gone()
            if self._threads():
                alone_since = None
                continue
            alone_since = alone_since or time.monotonic()
            if time.monotonic() - alone_since > ALONE_S:
                raise _unavailable(
                    f"the Dask scheduler has had no worker for {ALONE_S:.0f} s",
                    "start workers and run again: what was done is kept",
                )

    def _answer(self, future: Any, place: int) -> Any:
        try:
            answer = future.result(timeout=CONNECT_S)
        except self._dask.KilledWorker as error:
            raise lost(place, "killed") from error
        except (CancelledError, OSError, TimeoutError) as error:
            raise _gone() from error
        except TypeError:  # a pickle in place of our bytes was refused
            answer = None
        known = answers.decode(answer)
        if isinstance(known, GlueprintError):
            raise known
        return known


def _answered(work: Callable[[Item], Answer], item: Item) -> bytes:
    """On a worker: the answer or the error, as data."""
    answer = attempt(lambda one: answers.encode(work(one)), item)
    return answers.encode(answer.error) if isinstance(answer, Failure) else answer


def _gone() -> EnvironmentProblemError:
    return _unavailable("the Dask scheduler is gone", "start it and run again: what was done is kept")


def _unavailable(what: str, remedy: str) -> EnvironmentProblemError:
    return EnvironmentProblemError(
        "GP-R009", what, where="executor dask", expected="a Dask scheduler with workers", next_step=remedy
    )
