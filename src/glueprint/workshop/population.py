"""Virtual populations: vectors of parameters that are plausible, chosen and weighted so that outputs are
distributed as published.

Vectors are drawn evenly from ranges; those whose outputs are plausible remain. How dense these lie is told by
their nearest neighbours, and each is accepted with a probability that follows the ratio of the published
density to theirs (Allen, Rieger and Musante 2016, doi:10.1002/psp4.12063). The same ratio is a weight of
every plausible vector, its prevalence (Rieger et al. 2018, doi:10.1016/j.pbiomolbio.2018.06.002, compares
such ways).
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import ndtr

from glueprint.errors import InputError
from glueprint.frames import Framed, in_notebook
from glueprint.runs.store import read_table, write_tables
from glueprint.runs.streams import uniforms
from glueprint.workshop.asked import Told
from glueprint.workshop.questions import Question

__all__ = ["Drawing", "Population", "Target", "load_population", "populate"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
KIND = "population"
FEWEST = 100  # plausible vectors: of fewer, no density can be told
FEWEST_ACCEPTED = 2  # patients: of one there is no spread
SCALINGS = np.geomspace(1e-4, 1e4, 161)  # of the probability to be accepted, in units of 1/mean ratio


@dataclass(frozen=True)
class Target:
    """What is published of an output.

    output, summary: as of `Question`.   mean, sd: of the value, or of its natural logarithm where `log`.
    low, high: beyond which no patient is plausible.
    """

    output: str
    summary: str
    mean: float
    sd: float
    log: bool = False
    low: float = -np.inf
    high: float = np.inf

    @property
    def name(self) -> str:
        """Of its column."""
        return f"{self.output}_{self.summary}"


@dataclass(frozen=True)
class Drawing:
    """candidates: how many vectors are drawn.   seed: the same seed gives the same bits.   neighbours: how
    many tell a density; 0 means the square root of what is plausible.
    """

    candidates: int = 10_000
    seed: int = 1
    neighbours: int = 0


@dataclass(frozen=True, eq=False)
class Population(Framed):
    """Plausible vectors.

    table: one row each, with the parameters, the outputs of the targets, `weight` (sums to 1) and
    `accepted`.   names: of the parameters.   targets: what was aimed at.   candidates: how many were drawn.
    failed: how many could not be run.
    """

    table: pl.DataFrame = field(repr=False)
    names: tuple[str, ...]
    targets: tuple[Target, ...]
    candidates: int
    failed: int

    @property
    def weights(self) -> Floats:
        """(n,) prevalence of each vector."""
        return self.table["weight"].to_numpy()

    @property
    def effective(self) -> float:
        """How many equally weighted patients the weights are worth, (sum w)^2 / sum w^2."""
        return float(1.0 / (self.weights**2).sum())

    @cached_property
    def fits(self) -> pl.DataFrame:
        """One row a target: published, weighted and accepted mean and SD, and the largest distance of the
        accepted distribution from the published one (Kolmogorov and Smirnov).
        """
        accepted = self.table["accepted"].to_numpy()
        rows = []
        for one in self.targets:
            y = _moved(one, self.table[one.name].to_numpy())
            mean = float(self.weights @ y)
            rows.append(
                {
                    "target": one.name,
                    "published_mean": one.mean,
                    "published_sd": one.sd,
                    "weighted_mean": mean,
                    "weighted_sd": float(np.sqrt(self.weights @ (y - mean) ** 2)),
                    "accepted_mean": float(y[accepted].mean()),
                    "accepted_sd": float(y[accepted].std(ddof=1)),
                    "distance": _distance(one, y[accepted]),
                }
            )
        return pl.DataFrame(rows)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that decides who is drawn: parameters and weights."""
        columns = [self.table[name].to_numpy().tobytes().hex() for name in (*self.names, "weight")]
        return hashlib.sha256(repr((self.names, columns)).encode()).hexdigest()

    def drawn(self, share: Floats) -> dict[str, Floats]:
        """Values by parameter, (n,) each, of patients drawn by weight.   share: (n,) in (0, 1)."""
        held = self.table.filter(pl.col("weight") > 0.0)
        edges = np.cumsum(held["weight"].to_numpy())
        places = np.minimum(np.searchsorted(edges, share * edges[-1], side="right"), held.height - 1)
        return {name: held[name].to_numpy()[places] for name in self.names}

    def patients(self, count: int, seed: int = 1) -> dict[str, Floats]:
        """Values of `count` patients by parameter, drawn by weight; `Model.ensemble` takes them."""
        return self.drawn(uniforms(seed, "patients of a population", np.arange(count), 1)[:, 0])

    def to_table(self) -> pl.DataFrame:
        """The plausible vectors."""
        return self.table

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write three tables into a folder. Raises as `runs.store.write_tables`."""
        targets = pl.DataFrame([vars(one) for one in self.targets])
        about = pl.DataFrame(
            {"parameter": list(self.names), "candidates": self.candidates, "failed": self.failed}
        )
        write_tables(Path(path), {KIND: self.table, "targets": targets, "parameters": about})

    def as_dict(self) -> dict[str, Any]:
        """Everything but the vectors, for JSON."""
        return {
            "candidates": self.candidates,
            "failed": self.failed,
            "plausible": self.table.height,
            "accepted": int(self.table["accepted"].sum()),
            "effective": self.effective,
            "targets": self.fits.to_dicts(),
        }

    def _repr_html_(self) -> str:
        return in_notebook(repr(self), self.fits)

    def __repr__(self) -> str:
        accepted = int(self.table["accepted"].sum())
        return (
            f"<population: {self.table.height} plausible of {self.candidates}, {accepted} accepted, weights "
            f"worth {self.effective:.0f}>"
        )


def load_population(path: str | os.PathLike[str]) -> Population:
    """A population that `save` wrote. Raises as `runs.store.read_table`."""
    folder = Path(path)
    read = partial(read_table, otherwise="give the folder that `glueprint model population --out` wrote")
    about = read(folder / "parameters.parquet", "parameters")
    targets = read(folder / "targets.parquet", "targets").to_dicts()
    return Population(
        read(folder / f"{KIND}.parquet", KIND),
        tuple(about["parameter"].to_list()),
        tuple(Target(**one) for one in targets),
        int(about["candidates"][0]),
        int(about["failed"][0]),
    )


def populate(
    question: Question,
    targets: tuple[Target, ...],
    drawing: Drawing | None = None,
    *,
    folder: Path | None = None,
    told: Told | None = None,
) -> Population:
    """Find a population.

    question: ranges, times, doses and model; its outputs and summary are those of the targets.
    folder: where candidates are kept as they are computed, and taken from; others of another question are
    not touched.   told: hears how far it is.
    Raises InputError GP-W037 (targets or numbers that cannot be used), GP-W038 (too few are plausible).
    """
    drawing = drawing or Drawing()
    _check(targets, drawing)
    low, high = question.box()
    share = uniforms(drawing.seed, "candidates", np.arange(drawing.candidates), low.size)
    plain = question.scales.plain(low + share * (high - low))
    values = _computed(question, targets, plain, folder, told)
    fine = np.isfinite(values).all(axis=1)
    limits = np.array([[one.low, one.high] for one in targets])
    with np.errstate(invalid="ignore"):
        kept = fine & ((values >= limits[:, 0]) & (values <= limits[:, 1])).all(axis=1)
    for k, one in enumerate(targets):
        kept &= (values[:, k] > 0.0) | (not one.log)
    if kept.sum() < FEWEST:
        raise InputError(
            "GP-W038",
            f"{int(kept.sum())} of {fine.size} candidates are plausible, {int((~fine).sum())} failed",
            where="ranges",
            expected=f"at least {FEWEST}",
            next_step="narrow the ranges to where the outputs are plausible, or draw more candidates",
        )
    moved = np.stack([_moved(one, values[kept, k]) for k, one in enumerate(targets)], axis=1)
    ratio = _ratios(targets, moved, drawing.neighbours)
    chance = uniforms(drawing.seed, "acceptance", np.arange(ratio.size), 1)[:, 0]
    with np.errstate(invalid="ignore"):
        accepted = _accepted(targets, moved, ratio / ratio.mean(), chance)
    if accepted.sum() < FEWEST_ACCEPTED:
        nearest = np.abs(moved - [one.mean for one in targets]).min(axis=0) / [one.sd for one in targets]
        k = int(nearest.argmax())
        raise InputError(
            "GP-W038",
            f"{int(accepted.sum())} of {ratio.size} plausible candidates can be accepted: the nearest value "
            f"of {targets[k].name} lies {nearest[k]:.3g} published SDs from the mean of {targets[k].mean:g}",
            where="ranges",
            expected="ranges whose outputs reach what is published",
            next_step="widen the ranges, or correct the target: its unit, or log for a mean of logarithms",
        )
    columns = {one.name: plain[kept, k] for k, one in enumerate(question.ranges)}
    columns |= {one.name: values[kept, k] for k, one in enumerate(targets)}
    table = pl.DataFrame({**columns, "weight": ratio / ratio.sum(), "accepted": accepted})
    names = tuple(one.name for one in question.ranges)
    return Population(table, names, targets, drawing.candidates, int((~fine).sum()))


def _check(targets: tuple[Target, ...], drawing: Drawing) -> None:
    names = [one.name for one in targets]
    bad = [one.name for one in targets if not _possible(one)]
    for wrong, message in (
        (not targets, "no target"),
        (len(set(names)) < len(names), "a target is there twice"),
        (bool(bad), f"{bad[:1]} has a mean, SD or limits that cannot be used"),
        (drawing.candidates < FEWEST, f"{drawing.candidates} candidates"),
        (drawing.neighbours < 0 or drawing.seed < 0, "a negative number of neighbours, or seed"),
    ):
        if wrong:
            raise InputError(
                "GP-W037",
                message,
                where="population",
                expected="targets with an SD above 0 and a mean within their limits, which are in order; "
                f"{FEWEST} candidates or more",
                next_step="correct it; docs/workshop.md has an example",
            )


def _possible(one: Target) -> bool:
    """Whether a target has a middle within its plausible limits, and a spread."""
    middle = np.exp(one.mean) if one.log else one.mean
    return bool(
        np.isfinite(one.mean) and one.sd > 0.0 and one.low <= middle <= one.high and one.low < one.high
    )


def _computed(
    question: Question,
    targets: tuple[Target, ...],
    plain: Floats,
    folder: Path | None,
    told: Told | None,
) -> Floats:
    """Outputs (n, targets) of all candidates, a question for each summary."""
    found = np.empty((plain.shape[0], len(targets)))
    every = []
    for summary in dict.fromkeys(one.summary for one in targets):
        outputs = tuple(dict.fromkeys(one.output for one in targets if one.summary == summary))
        every.append(replace(question, outputs=outputs, summary=summary))
        # One vector, so that what the model has not is refused before the work on the summaries before it.
        every[-1].computed(plain[:1])
    for asked in every:
        seen = asked.quantities(plain, folder=folder, told=told)
        for k, one in enumerate(targets):
            if one.summary == asked.summary:
                found[:, k] = seen[:, asked.outputs.index(one.output)]
    return found


def _moved(one: Target, values: Floats) -> Floats:
    return np.log(values) if one.log else values


def _ratios(targets: tuple[Target, ...], moved: Floats, neighbours: int) -> Floats:
    """Published density over that of the plausible, (n,), up to a factor.

    The second is k over the volume of the ball that holds the k nearest, in units of the published SDs.
    """
    z = np.stack([(moved[:, k] - one.mean) / one.sd for k, one in enumerate(targets)], axis=1)
    k = neighbours or max(10, round(np.sqrt(z.shape[0])))
    distance = cKDTree(z).query(z, k=min(k + 1, z.shape[0]))[0][:, -1]
    ratio = np.exp(-0.5 * (z**2).sum(axis=1)) * distance ** z.shape[1]
    return np.asarray(ratio, dtype=np.float64)


def _accepted(targets: tuple[Target, ...], moved: Floats, ratio: Floats, chance: Floats) -> Bools:
    """Who is accepted, with the scaling of the ratio that brings outputs nearest to what is published."""
    best, lowest = chance < ratio, np.inf
    for scaling in SCALINGS:
        accepted = chance < scaling * ratio
        count = int(accepted.sum())
        if count < FEWEST:
            continue
        # Few patients miss a distribution by chance alone: their expected distance is that of a sample.
        far = sum(_distance(one, moved[accepted, k]) for k, one in enumerate(targets)) + 1.0 / np.sqrt(count)
        if far < lowest:
            best, lowest = accepted, far
    return best


def _distance(one: Target, values: Floats) -> float:
    """Of an empirical distribution from the published normal one."""
    ordered = ndtr((np.sort(values) - one.mean) / one.sd)
    steps = np.arange(1, ordered.size + 1) / ordered.size
    return float(np.maximum(np.abs(steps - ordered), np.abs(steps - 1.0 / ordered.size - ordered)).max())
