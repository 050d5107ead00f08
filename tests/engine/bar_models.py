"""The bar that the engine's accuracy is held to: models as people write them, each with its truth.

A case has a closed form (`bar_closed`), or right-hand sides in plain Python (`bar_numeric`) whose solution
`python tests/engine/bar_models.py` computes with scipy (`method`) at a relative tolerance of 1e-12 and writes
to bar_references.json.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from bar_closed import CLOSED, WINDOWS
from bar_numeric import NUMERIC

REFERENCES = Path(__file__).with_name("bar_references.json")

CASES = [*WINDOWS, *CLOSED, *NUMERIC]


def truth_of(case):
    """Output name to values at the times of a case."""
    if case.truth is not None:
        return {
            name: np.asarray(values, dtype=float) for name, values in case.truth(np.array(case.times)).items()
        }
    stored = json.loads(REFERENCES.read_text(encoding="utf-8"))[case.name]
    return {name: np.array(values) for name, values in stored.items()}


def main():
    """Compute the references at a relative tolerance of 1e-12, and print how far 1e-9 is from that."""
    from scipy.integrate import solve_ivp

    found = json.loads(REFERENCES.read_text(encoding="utf-8")) if REFERENCES.exists() else {}
    for case in NUMERIC:
        if case.name in found:
            continue
        runs = []
        for rtol in (1e-9, 1e-12):
            done = solve_ivp(
                case.rates,
                (0.0, case.times[-1]),
                case.start,
                method=case.method,
                t_eval=case.times,
                rtol=rtol,
                atol=case.smallest * 1e-2 or 1e-30,
            )
            assert done.success, case.name
            runs.append(done.y)
        size = np.maximum(np.abs(runs[1]), 1e-3 * np.abs(runs[1]).max(axis=1, keepdims=True))
        print(f"{case.name}: {np.max(np.abs(runs[0] - runs[1]) / np.maximum(size, 1e-300)):.1e}", flush=True)
        found[case.name] = dict(zip(case.outputs, runs[1].tolist(), strict=True))
        REFERENCES.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
