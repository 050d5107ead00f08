"""A problem of 12 conditions and 20 parameters from 100 starts, beside SciPy with libroadrunner, in CPU time.

    python -m benchmarks.workshop_speed --starts 100 --theirs 10

Both search the same residuals in the same scaled box from the same starts. SciPy's `least_squares` (trust
region reflective) takes differences of runs of libroadrunner, which has no derivatives of a fit; it runs some
of the starts, and its time is that of one start times their number. Both are judged by one objective: ours,
at the values where they ended.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from typing import Any

import antimony
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from glueprint import engine, workshop
from glueprint.workshop import Experiment, Observable, Parameter, Problem, Rows

Floats = NDArray[np.float64]
MODEL = """
model cascade
  species R = 1, C = 0, S = 0, T = 0, M = 0.1, P = 1;
  L = 0;
  J1: -> R; ksyn;            J2: R -> ; kdeg*R;
  J3: R -> C; kon*L*R;       J4: C -> R; koff*C;        J5: C -> ; kint*C;
  J6: -> S; kact*C*(1 - S)/(km1 + 1 - S);               J7: S -> ; kdea*S/(km2 + S);
  J8: -> T; kt1*S*(1 - T);   J9: T -> ; kt2*T;
  J10: -> M; k0 + kmax*T^2/(kt^2 + T^2);                J11: M -> ; kdm*M;
  J12: -> P; ktr*M;          J13: P -> ; kdp*P;
  ksyn = 0.1; kdeg = 0.1; kon = 0.5; koff = 0.2; kint = 0.05; kact = 2; km1 = 0.3; kdea = 0.4; km2 = 0.2;
  kt1 = 1; kt2 = 0.3; k0 = 0.02; kmax = 1; kt = 0.3; kdm = 0.2; ktr = 0.5; kdp = 0.1;
end
"""
NAMES = (
    *("ksyn", "kdeg", "kon", "koff", "kint", "kact", "km1", "kdea", "km2", "kt1", "kt2"),
    *("k0", "kmax", "kt", "kdm", "ktr", "kdp", "scale_c", "scale_t", "scale_p"),
)
OWN = {"scale_c": 3.0, "scale_t": 2.0, "scale_p": 0.7}
LIGANDS = (0.01, 0.03, 0.06, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 6.0, 15.0, 40.0)
TIMES = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])
NOISE = 0.05
NEAR = 0.1  # of minus log likelihood: what counts as the same optimum
TOLERANCES = {"relative_tolerance": 1e-8, "absolute_tolerance": 1e-11}
STEP = 1e-4  # of SciPy's differences, on log10


def problem() -> Problem:
    """The design, with made-up measurements."""
    model = engine.compile(MODEL)
    truth = {name: OWN.get(name) or model.defaults[name] for name in NAMES}
    count = len(LIGANDS) * 3 * TIMES.size
    base = Problem(
        "cascade",
        model,
        tuple(Parameter(name, truth[name] / 30.0, truth[name] * 30.0) for name in NAMES),
        tuple(
            Observable(name, formula, str(NOISE), "log")
            for name, formula in (
                ("c", "scale_c*C + 0.01"),
                ("t", "scale_t*T + 0.01"),
                ("p", "scale_p*P"),
            )
        ),
        tuple(Experiment(f"L {dose:g}", {"L": dose}) for dose in LIGANDS),
        Rows(
            experiment=np.repeat(np.arange(len(LIGANDS)), 3 * TIMES.size),
            observable=np.tile(np.repeat(np.arange(3), TIMES.size), len(LIGANDS)),
            time=np.tile(TIMES, 3 * len(LIGANDS)),
            value=np.ones(count),
            observable_fill=((),) * count,
            noise_fill=((),) * count,
            where=("",) * count,
        ),
    )
    data = workshop.simulate_sets(base, truth, 1, seed=7)[0]
    return replace(base, rows=replace(base.rows, value=data))


class Theirs:
    """Residuals by libroadrunner."""

    def __init__(self, data: Floats) -> None:
        import roadrunner

        antimony.clearPreviousLoads()
        antimony.loadAntimonyString(MODEL)
        self.run: Any = roadrunner.RoadRunner(antimony.getSBMLString("cascade"))
        for name, value in TOLERANCES.items():
            setattr(self.run.integrator, name, value)
        self.run.timeCourseSelections = ["C", "T", "P"]
        self.data = np.log(data)
        self.failed = 0
        self.times = [0.0, *TIMES.tolist()]

    def __call__(self, z: Floats) -> Floats:
        values = dict(zip(NAMES, (10.0**z).tolist(), strict=True))
        found = []
        for dose in LIGANDS:
            self.run.reset()
            for name in NAMES[:17]:
                self.run[name] = values[name]
            self.run["L"] = dose
            try:
                seen = np.asarray(self.run.simulate(times=self.times))[1:]
            except RuntimeError:
                self.failed += 1
                seen = np.full((TIMES.size, 3), 1e3)
            scale = [values["scale_c"], values["scale_t"], values["scale_p"]]
            found.append((seen * scale + [0.01, 0.01, 0.0]).T.ravel())
        with np.errstate(all="ignore"):
            away = (np.log(np.maximum(np.concatenate(found), 1e-12)) - self.data) / NOISE
        return np.asarray(np.nan_to_num(away, nan=1e3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=100)
    parser.add_argument("--theirs", type=int, default=10, help="how many of the starts SciPy searches from")
    parser.add_argument("--rounds", type=int, default=200)
    asked = parser.parse_args()
    made = problem()
    objective = workshop.Objective(made, accuracy=1e-7)
    low, high = made.box()
    starts = workshop.draw_starts(made, asked.starts, 1)
    objective(starts[:1])  # compiles; SciPy's side loads its model beforehand, too
    begun = time.process_time()
    settings = workshop.Settings(starts=asked.starts, seed=1, rounds=asked.rounds, with_profiles=False)
    ours = workshop.fit(made, settings, objective=objective)
    ours_s = time.process_time() - begun
    theirs = Theirs(made.rows.value)
    check = np.abs(theirs(starts[0]) - -objective.fitted(starts[:1]).residual[0]).max()
    begun, ends = time.process_time(), []
    for start in starts[: asked.theirs]:
        found = least_squares(
            theirs, start, bounds=(low, high), x_scale="jac", diff_step=STEP, max_nfev=asked.rounds
        )
        ends.append(found.x)
        print(
            f"SciPy: {time.process_time() - begun:.1f} s, cost {found.cost:.4f}, {found.nfev} steps",
            flush=True,
        )
    theirs_s = (time.process_time() - begun) * asked.starts / asked.theirs
    values = objective(np.array(ends)).value
    best = min(ours.value, float(values.min()))
    print(
        json.dumps(
            {
                "starts": asked.starts,
                "ours, CPU s": round(ours_s, 2),
                "theirs, CPU s for all starts": round(theirs_s, 1),
                "ratio of CPU s": round(theirs_s / ours_s, 1),
                "best of ours above the best of both": ours.value - best,
                "best of theirs above it": float(values.min()) - best,
                "ours that reached it": [int((ours.searched.value < best + NEAR).sum()), asked.starts],
                "theirs that reached it": [int((values < best + NEAR).sum()), asked.theirs],
                "statuses": {one: ours.searched.status.count(one) for one in set(ours.searched.status)},
                "evaluations of ours": ours.evaluations,
                "largest difference of residuals at the first start": float(check),
                "runs of libroadrunner that failed": theirs.failed,
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
