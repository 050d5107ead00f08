"""What is not known of a compound and of its assays, as standard normal coordinates with their priors."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from glueprint.calibration.beliefs import Belief
from glueprint.calibration.compound import thresholds
from glueprint.calibration.compound.thresholds import Assay
from glueprint.calibration.in_vitro.parameters import beliefs

__all__ = [
    "BELIEFS",
    "COMMON",
    "CORRELATION",
    "EFFICACY",
    "RATIO",
    "SHARED",
    "SUBSTRATES",
    "Latents",
    "known_cells",
    "latents",
    "margin",
    "scores",
]

Floats = NDArray[np.float64]
SUBSTRATES = ("IKZF1", "IKZF3")
SOURCE = "calibration/data/compound.toml"


def _settings() -> tuple[Mapping[str, Belief], Mapping[str, float]]:
    """Beliefs by name, and correlations that are assumed."""
    text = (files("glueprint.calibration") / "data" / "compound.toml").read_text(encoding="utf-8")
    given = tomllib.loads(text)
    found = {name: Belief(name=name, source=SOURCE, **body) for name, body in given["beliefs"].items()}
    return found, given["assumed"]


BELIEFS, ASSUMED = _settings()
RATIO, EFFICACY = BELIEFS["kd_ratio"], BELIEFS["efficacy"]
REPEAT, RUN = BELIEFS["repeat_log10"], BELIEFS["run_log10"]
# Between the efficacies of the two substrates; and of an assay's own error between its substrates and cells.
CORRELATION, COMMON = ASSUMED["efficacies"], ASSUMED["assay_errors"]
# Columns of the in-vitro posterior that every fit shares; a trial reads all but tau.
SHARED = ("kd_nm", "tau_log10", "MM1S_rho", "monocyte_rho", "kdeg_per_h")
PLATE = ("fp_protein_nm", "fp_tracer_kd_nm")


@dataclass(frozen=True)
class Latents:
    """Coordinates of one fit.

    shared: columns of the in-vitro posterior.   assays: cultures that are read.   own: independent beliefs.
    names: of the jointly normal numbers: shared on log10, then margin and shapes of each assay.
    centre, root: their mean (a,) and a Cholesky factor (a, a) of their covariance.
    """

    shared: tuple[str, ...]
    assays: tuple[Assay, ...]
    own: tuple[Belief, ...]
    centre: Floats
    root: Floats

    @property
    def count(self) -> int:
        """How many coordinates there are."""
        return 1 + len(SUBSTRATES) + self.centre.size + len(self.own)

    def values(self, z: Floats) -> dict[str, Floats]:
        """Parameters (n,) by name, of coordinates (n, p); scores of an assay as (n, s)."""
        first, third = z[:, 1], CORRELATION * z[:, 1] + np.sqrt(1.0 - CORRELATION**2) * z[:, 2]
        found = {"kd_ratio": RATIO.value(z[:, 0])}
        found |= {f"efficacy:{s}": EFFICACY.value(x) for s, x in zip(SUBSTRATES, (first, third), strict=True)}
        begin = 1 + len(SUBSTRATES)
        end = begin + self.centre.size
        joint = self.centre + z[:, begin:end] @ self.root.T
        found |= {name: 10.0 ** joint[:, k] for k, name in enumerate(self.shared)}
        at = len(self.shared)
        for assay in self.assays:
            found[margin(assay)] = joint[:, at]
            found[scores(assay)] = joint[:, at + 1 : at + 1 + thresholds.SHAPES]
            at += 1 + thresholds.SHAPES
        found |= {b.name: b.value(z[:, end + k]) for k, b in enumerate(self.own)}
        for name in (b.name for b in self.own if b.name.endswith("_rho")):
            # Where cells are not known, their margin follows their capacity.
            for assay in self.assays:
                if f"{assay.cells}_rho" == name:
                    found[margin(assay)] = np.log10(found[name]) - found[margin(assay)]
        return found


def margin(assay: Assay) -> str:
    """Name of log10 of the cells' rho over that needed at ten Kd."""
    return f"margin:{assay.cells}:{assay.hours:g}:{assay.level}"


def scores(assay: Assay) -> str:
    """Name of the shapes of an assay's surface."""
    return f"scores:{assay.cells}:{assay.hours:g}:{assay.level}"


def known_cells(name: str) -> str | None:
    """The cells of the in-vitro posterior that are meant by a name, None for others."""
    return thresholds.CELLS.get("".join(c for c in name.upper() if c.isalnum()))


def latents(cells: Iterable[str], assays: Sequence[Assay], *, plate: bool = False) -> Latents:
    """The coordinates of a fit.

    cells: whose rho is read, by `known_cells` or names of their own.   assays: cultures that are read.
    plate: whether an IC50 of polarisation is read, which depends on protein and tracer.
    """
    return _latents(tuple(dict.fromkeys(cells)), tuple(dict.fromkeys(assays)), plate)


@lru_cache(maxsize=64)
def _latents(cells: tuple[str, ...], assays: tuple[Assay, ...], plate: bool) -> Latents:
    draws, fine = thresholds.seen(), np.ones(thresholds.SEEN, dtype=bool)
    others = [name for name in cells if name not in thresholds.CELLS.values()]
    shared = tuple(dict.fromkeys((*SHARED, *(f"{name}_rho" for name in cells if name not in others))))
    columns = [np.log10(draws[name].to_numpy()) for name in shared]
    for assay in assays:
        fine &= thresholds.surface(assay).reached
    for assay in assays:
        known = thresholds.surface(assay)
        # On the draws that all assays reach; what an unknown line needs stands in the place of its margin.
        level = np.full(thresholds.SEEN, np.nan)
        level[known.reached] = known.level
        shapes = np.full((thresholds.SEEN, thresholds.SHAPES), np.nan)
        shapes[known.reached] = known.scores
        rho = 0.0 if assay.cells in others else np.log10(draws[f"{assay.cells}_rho"].to_numpy())
        columns += [rho - level if assay.cells not in others else level, *shapes.T]
    joint = np.stack(columns, axis=1)[fine]
    own = [REPEAT, RUN]
    own += [
        replace(beliefs()["MM1S_rho"], name=f"{name}_rho", why="cells that the in-vitro fit does not know")
        for name in others
    ]
    own += [beliefs()[name] for name in PLATE] if plate else []
    covariance = np.cov(joint.T)
    return Latents(
        shared=shared,
        assays=assays,
        own=tuple(own),
        centre=joint.mean(axis=0),
        root=np.asarray(
            np.linalg.cholesky(covariance + 1e-10 * np.eye(covariance.shape[0])), dtype=np.float64
        ),
    )
