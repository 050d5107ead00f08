"""The solver in machine code: one call per thread, patients handed out one by one."""

from __future__ import annotations

import ctypes
import os
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glueprint.engine.batch import Batch, Settings
from glueprint.engine.emit_llvm import module_text
from glueprint.engine.infusions import infused
from glueprint.engine.layout import Context, Workspace
from glueprint.engine.program import Program, build
from glueprint.engine.system import System
from glueprint.formulas.cache import Cache, default_cache
from glueprint.formulas.compiler import Machine, host, load, source_digest

__all__ = ["CompiledSolver"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ALIGNMENT = 64  # bytes of the widest vector
# Entries of the machine code: run(context, workspace) integrates; check(n, state, params, time, bits,
# workspace) tells which triggers hold.
POINTER = ctypes.c_void_p
ENTRIES = {"run": (POINTER, POINTER), "check": (ctypes.c_int64, *[POINTER] * 5)}
PATIENTS_PER_THREAD = 16  # fewer are not worth starting another thread for


@dataclass(frozen=True, eq=False)
class _Code:
    """A program, the memory that each thread needs for it, and its machine code."""

    program: Program
    workspace: Workspace
    machine: Machine


class CompiledSolver:
    """Integrates batches of one system; compiles when first asked to run."""

    def __init__(
        self, system: System, key: str, cache: Cache | None = None, *, width: int | None = None
    ) -> None:
        """width: doubles per vector, by default what the processor holds."""
        self.system, self.key = system, key
        self.cache = cache or default_cache()
        self.width = width or host().width
        self._codes: dict[bool, _Code] = {}
        self._infused: dict[tuple[str, ...], CompiledSolver] = {}
        self._lock = threading.Lock()

    @property
    def program(self) -> Program:
        """What the machine code computes."""
        return self._any.program

    @property
    def machine(self) -> Machine:
        """The machine code."""
        return self._any.machine

    @property
    def _any(self) -> _Code:
        """Whichever code there is already; what does not integrate is the same in both."""
        return next(iter(self._codes.values()), None) or self._code(fine=True)

    def _code(self, *, fine: bool) -> _Code:
        """The code that reckons with rounding (`Settings.is_fine`), or the one that need not."""
        with self._lock:
            if fine not in self._codes:
                kind = "fine" if fine else "coarse"
                key = f"engine/{self.key}/{self.width}/{kind}/{source_digest(Path(__file__).parent)}"
                program = build(self.system, fine=fine)
                machine = load(key, lambda: module_text(program, self.width), self.cache, ENTRIES)
                self._codes[fine] = _Code(program, Workspace.of(program), machine)
            return self._codes[fine]

    def run(self, batch: Batch, settings: Settings) -> None:
        """Take every patient through its stops; changes `batch` in place."""
        arrays = _contiguous(batch)
        counter = np.zeros(1, dtype=np.int64)
        context = Context(
            patients=len(batch.time),
            next=counter.ctypes.data,
            step_limit=settings.step_limit,
            tolerance=settings.tolerance,
            floor=settings.floor,
            longest=settings.longest_step,
            outputs=len(batch.grid),
            recorded=len(batch.columns),
            between=settings.between,
            **{name: array.ctypes.data for name, array in arrays.items()},
        )
        wished = settings.threads or processors()
        threads = max(1, min(wished, len(batch.time) // PATIENTS_PER_THREAD))
        code = self._code(fine=settings.is_fine)
        run, address = code.machine.functions["run"], ctypes.addressof(context)

        memories = [self._memory(code) for _ in range(threads)]
        # This thread works as well: starting one less counts where calls are short and many.
        others = [threading.Thread(target=run, args=(address, place)) for _, place in memories[1:]]
        for other in others:
            other.start()
        run(address, memories[0][1])
        for other in others:
            other.join()

    def infused(self, targets: tuple[str, ...]) -> CompiledSolver:
        """The solver of the same system with rates of infusion into `targets`, compiled once."""
        with self._lock:
            if targets not in self._infused:
                system = infused(self.system, targets)
                self._infused[targets] = CompiledSolver(
                    system, f"{self.key}/{'/'.join(targets)}", self.cache, width=self.width
                )
            return self._infused[targets]

    def triggers(self, state: Floats, params: Floats, time: Floats) -> Integers:
        """Which triggers hold, one bit each, (n,); for rows of (n, states), (n, parameters), (n,)."""
        bits = np.zeros(time.size, dtype=np.int64)
        code = self._any
        memory, place = self._memory(code)
        rows = [np.ascontiguousarray(array) for array in (state, params, time)]
        addresses = [array.ctypes.data for array in rows]
        code.machine.functions["check"](time.size, *addresses, bits.ctypes.data, place)
        del memory
        return bits

    def _memory(self, code: _Code) -> tuple[Floats, int]:
        """A thread's workspace and its aligned address; the array must outlive the call."""
        memory = np.zeros(code.workspace.vectors * self.width + ALIGNMENT // 8)
        return memory, -(-memory.ctypes.data // ALIGNMENT) * ALIGNMENT


def processors() -> int:
    """Processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _contiguous(batch: Batch) -> dict[str, np.ndarray]:
    """The arrays in the order that the machine code reads; all must be in C order already."""
    stops = batch.stops
    arrays = {
        "state": batch.state,
        "largest": batch.largest,
        "params": batch.params,
        "time": batch.time,
        "step": batch.step,
        "status": batch.status,
        "stop_start": stops.start,
        "cursor": batch.cursor,
        "horizon": batch.horizon,
        "bits": batch.bits,
        "stop_time": stops.time,
        "stop_record": stops.record,
        "stop_target": stops.target,
        "stop_amount": stops.amount,
        "records": batch.records,
        "steps": batch.steps,
        "smallest": batch.smallest,
        "grid": batch.grid,
        "output": batch.output,
        "columns": batch.columns,
    }
    for name, array in arrays.items():
        assert array.flags.c_contiguous, name
    return arrays
