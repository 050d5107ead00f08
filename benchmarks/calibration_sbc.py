"""Simulation-based calibration of the sampler on a small version of the hierarchical fit.

    python -m benchmarks.calibration_sbc [DATASETS] [--out FILE]

True parameters are drawn from the prior, assays from the parameters, and the rank of the truth among thinned
posterior draws is counted: over many data sets all ranks are as frequent. Source: Talts et al. 2018,
arXiv:1804.06788.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import ndtri

from glueprint.calibration.in_vitro.parameters import beliefs
from glueprint.inference import sample

Floats = NDArray[np.float64]
# Four assays of one constant; errors in log10 as in the claims.
ERRORS = np.array([0.03, 0.15, 0.15, 0.15])
NAMES = ("log10 Kd", "tau", *(f"assay {k}" for k in range(1, 5)))
# Scatter that four assays with these errors can see.
SCATTER = 0.15
STEPS, WARM_UP, WALKERS, ENSEMBLES, KEPT, BINS = 600, 200, 24, 2, 99, 10


def simulated(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """True parameters (6,) from the prior, and the four assays they give."""
    kd = np.log10(beliefs()["kd_nm"].value(rng.normal(size=1))[0])
    tau = beliefs()["tau_log10"].value(rng.normal(size=1))[0]
    assays = kd + tau * rng.normal(size=4)
    return np.array([kd, tau, *assays]), assays + ERRORS * rng.normal(size=4)


def objective(data: Floats, vectors: Floats) -> Floats:
    """Minus log posterior of (z of Kd, z of tau, four constants), as the whole fit writes it."""
    known = beliefs()["kd_nm"]
    kd = np.log10(known.middle) + known.spread * vectors[:, 0]
    tau = np.maximum(beliefs()["tau_log10"].value(vectors[:, 1]), 1e-6)
    away = (vectors[:, 2:] - kd[:, None]) / tau[:, None]
    misfit = (data - vectors[:, 2:]) / ERRORS
    minus = 0.5 * ((vectors[:, :2] ** 2).sum(axis=1) + (away**2).sum(axis=1) + (misfit**2).sum(axis=1))
    return np.asarray(minus + 4 * np.log(tau))


def rank(seed: int) -> tuple[NDArray[np.int64], float, bool]:
    """Rank (6,) of the truth among KEPT draws, the true tau, and whether the fit says it converged."""
    rng = np.random.default_rng(seed)
    truth, data = simulated(rng)
    starts = rng.normal(size=(ENSEMBLES, WALKERS, 6))
    starts[..., 2:] = data + ERRORS * starts[..., 2:]
    found = sample(lambda v: objective(data, v), starts, steps=STEPS, warm_up=WARM_UP, seed=seed)
    draws = found.flat[np.linspace(0, found.flat.shape[0] - 1, KEPT).astype(int)]
    draws[:, 0] = np.log10(beliefs()["kd_nm"].value(draws[:, 0]))
    draws[:, 1] = beliefs()["tau_log10"].value(draws[:, 1])
    return (draws < truth).sum(axis=0), float(truth[1]), found.status == "ok"


def uniformity(ranks: NDArray[np.int64]) -> list[dict[str, object]]:
    """Ranks (n, 6): their bins, the chi-square p of equal bins, mean and SD as standard normal numbers."""
    rows: list[dict[str, object]] = []
    for k, name in enumerate(NAMES):
        counts, _ = np.histogram(ranks[:, k], bins=BINS, range=(0, KEPT + 1))
        z = ndtri((ranks[:, k] + 0.5) / (KEPT + 1))
        rows.append({
            "parameter": name,
            "counts": counts.tolist(),
            "p_uniform": float(stats.chisquare(counts).pvalue),
            "mean_z": float(z.mean()),
            "sd_z": float(z.std(ddof=1)),
        })  # fmt: skip
    return rows


def run(datasets: int) -> dict[str, object]:
    """Ranks of all data sets, of those whose fit converged, and of those with a scatter beyond the errors."""
    began = time.perf_counter()
    ranks, taus, good = (np.array(part) for part in zip(*(rank(k) for k in range(datasets)), strict=True))
    wide = taus > SCATTER
    return {
        "datasets": datasets,
        "converged": int(good.sum()),
        "converged_where_tau_is_wide": f"{int(good[wide].sum())} of {int(wide.sum())}",
        "seconds": round(time.perf_counter() - began, 1),
        "all": uniformity(ranks),
        "converged_alone": uniformity(ranks[good]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("datasets", type=int, nargs="?", default=300)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    text = json.dumps(run(given.datasets), indent=2)
    if given.out:
        given.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
