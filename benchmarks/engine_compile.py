"""From text to running code against the number of states, on networks of two kinds.

`python -m benchmarks.engine_compile --json`. A ring of conversions in which any state may drive the
production of another fills the matrix as it is eliminated; a chain with feedback to neighbours hardly does.
Seconds are of processor time, with nothing kept on disk.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

from glueprint import engine
from glueprint.engine.compiled import CompiledSolver
from glueprint.formulas.cache import Cache
from glueprint.formulas.compiler import host

STATES = (10, 20, 50, 100, 200, 300, 500)


def ring(states: int) -> str:
    """Production driven from far away."""
    return _network(states, [(7 * i + 3) % states for i in range(states)])


def chain(states: int) -> str:
    """Production driven by the state three places on."""
    return _network(states, [min(i + 3, states - 1) for i in range(states)], closed=False)


def _network(states: int, drives: list[int], *, closed: bool = True) -> str:
    lines = []
    for i, far in enumerate(drives):
        onward = f"s{(i + 1) % states}" if closed or i + 1 < states else ""
        lines.append(
            f"species s{i} = 1; k{i} = {0.5 + 0.01 * i}; d{i} = {0.1 + 0.001 * i}; "
            f"A{i}: s{i} -> {onward}; k{i}*s{i}; B{i}: -> s{i}; d{i}*s{far}/(1 + s{far}); "
            f"C{i}: s{i} -> ; d{i}*s{i};"
        )
    return "\n".join(lines)


def row(kind: str, states: int) -> dict[str, float | str]:
    """Seconds of one model, by part."""
    text = {"ring": ring, "chain": chain}[kind](states)
    start = time.process_time()
    model = engine.compile(text)
    read = time.process_time()
    solver = CompiledSolver(model.system, model.hash, Cache(None))
    size = solver.machine.size
    end = time.process_time()
    updates = sum(len(columns) for _, _, columns in solver.program.elimination.updates)
    return {
        "kind": kind,
        "states": states,
        "updates": updates,
        "read_s": read - start,
        "compile_s": end - read,
        "total_s": end - start,
        "code_kb": size / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON (otherwise a table)")
    parser.add_argument("--most", type=int, default=STATES[-1], help="states of the largest model")
    options = parser.parse_args()
    host()
    rows = [row(kind, n) for kind in ("chain", "ring") for n in STATES if n <= options.most]
    if options.json:
        json.dump(rows, sys.stdout, indent=2)
        print()
        return
    for found in rows:
        print(
            "  ".join(f"{key} {value:.4g}" if key != "kind" else str(value) for key, value in found.items())
        )


if __name__ == "__main__":
    main()
