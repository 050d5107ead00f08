"""Cells in culture under many doses at once: one lane a well, any parameter changed by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint import engine
from glueprint.engine import Settings
from glueprint.errors import InputError, nearest
from glueprint.experiments import provenance
from glueprint.experiments.experiment import Label
from glueprint.mechanism import Compound, Line, Quantity, Scenario, culture, models

__all__ = ["LPS", "Culture", "Later", "Wells", "before", "grow"]

Floats = NDArray[np.float64]
# What is done to all wells later: (hour, parameter, value), in order of time.
Later = Sequence[tuple[float, str, float]]
# Guide 1, TNF-alpha assay: 1 to 2 h with drug, then LPS. Cells are unstimulated until then.
LPS: Later = ((1.5, "lps", 1.0),)
# Tight enough that the solver's error is far below any assay's, and a root found on it is smooth.
ACCURACY = 1e-6
# Short names that stand for several parameters of a model.
TOGETHER: Mapping[str, tuple[str, ...]] = {
    "rho": ("ikzf1_rho", "ikzf3_rho"),
    "binds": ("ikzf1_binds", "ikzf3_binds"),
    "kdeg_per_h": ("ikzf1_kdeg_per_h", "ikzf3_kdeg_per_h"),
}


@dataclass(frozen=True, eq=False)
class Wells:
    """Wells of a culture that were simulated.

    doses_nm, until_h: (n,) total drug and last time.   outputs: what was read.   values: (n,) by engine name.
    later: as of `Culture.at`.
    """

    cells: Culture
    doses_nm: Floats
    until_h: Floats
    outputs: tuple[str, ...]
    values: Mapping[str, Floats]
    later: Later


@dataclass(frozen=True, eq=False)
class Culture:
    """A compiled culture model with where its numbers come from.

    quantities: every parameter by engine name.   line: None for cells that are followed without cereblon.
    scenario: what it was grown for.   noted: told of all wells that are asked for.
    """

    name: str
    model: engine.Model
    quantities: Mapping[str, Quantity]
    glue: Compound
    line: Line | None
    scenario: Scenario
    noted: Callable[[Wells], None] | None = None

    @property
    def worth(self) -> Label:
        """What a reading of these cells is worth that nothing of the evidence stands beside."""
        return provenance.of_compound(self.glue)

    def expanded(self, values: Mapping[str, ArrayLike]) -> dict[str, Floats]:
        """Values by engine name, short names such as "rho" written out.

        Raises InputError GP-L004 for a name that is no parameter of the model.
        """
        found: dict[str, Floats] = {}
        for name, value in values.items():
            for full in TOGETHER.get(name, (name,)):
                if full not in self.quantities:
                    raise _unknown(name, self)
                found[full] = np.asarray(value, dtype=np.float64)
        return found

    def typical(self, name: str) -> float:
        """The value of a parameter before anything is changed."""
        return self.quantities[name].typical

    @property
    def behind(self) -> dict[str, Quantity]:
        """Every number that an experiment on these cells rests on: parameters, and the line's assay day."""
        days = self.line.assay_days if self.line else None
        return {**self.quantities, **({"assay_days": days} if days else {})}

    def at(
        self,
        doses_nm: ArrayLike,
        hours: ArrayLike,
        outputs: Sequence[str],
        values: Mapping[str, ArrayLike] | None = None,
        *,
        later: Later = (),
    ) -> dict[str, Floats]:
        """Quantities of every well at one time.

        doses_nm: (n,) total drug at time 0.   hours: scalar or (n,), after the last of `later`.
        values: parameters by name, scalar or (n,).   later: parameters changed on the way.
        Returns (n,) by output; NaN where a well could not be integrated.
        """  # fmt: skip
        wells = self._wells(doses_nm, values, later)
        self._note(doses_nm, hours, outputs, values, later)
        for hour, name, value in later:
            wells.advance(hour)
            wells.set(name, value)
        good = wells.advance(hours).status == 0
        return {name: np.where(good, wells[name], np.nan) for name in outputs}

    def over(
        self,
        doses_nm: ArrayLike,
        times_h: ArrayLike,
        outputs: Sequence[str],
        values: Mapping[str, ArrayLike] | None = None,
        *,
        later: Later = (),
    ) -> Floats:
        """Quantities of every well over time; arguments as in `at`, times_h (times,) rising.

        Returns (n, times, outputs); a time at which something is changed is read before the change.
        """  # fmt: skip
        times = np.asarray(times_h, dtype=np.float64)
        wells = self._wells(doses_nm, values, later)
        self._note(doses_nm, times.max(initial=0.0), outputs, values, later)
        found, done = np.full((len(wells), times.size, len(outputs)), np.nan), 0
        for hour, name, value in (*later, (np.inf, "", 0.0)):
            here = slice(done, int(np.searchsorted(times, hour, side="right")))
            if here.stop > here.start:
                found[:, here] = wells.simulate(times[here], outputs=list(outputs)).values
            done = here.stop
            if name:
                wells.advance(hour)
                wells.set(name, value)
        return found

    def _note(
        self,
        doses_nm: ArrayLike,
        until_h: ArrayLike,
        outputs: Sequence[str],
        values: Mapping[str, ArrayLike] | None,
        later: Later,
    ) -> None:
        if self.noted is None:
            return
        doses = np.atleast_1d(np.asarray(doses_nm, dtype=np.float64))
        each = {name: np.broadcast_to(one, doses.shape) for name, one in self.expanded(values or {}).items()}
        until = np.broadcast_to(np.asarray(until_h, dtype=np.float64), doses.shape)
        self.noted(Wells(self, doses, until, tuple(outputs), each, tuple(later)))

    def _wells(
        self, doses_nm: ArrayLike, values: Mapping[str, ArrayLike] | None, later: Later
    ) -> engine.ensemble.Ensemble:
        doses = np.atleast_1d(np.asarray(doses_nm, dtype=np.float64))
        lanes: dict[str, ArrayLike] = {**before(later), "dose_nm": doses, **self.expanded(values or {})}
        settings = Settings.coarse(ACCURACY, stop_at_outputs=True)
        return self.model.ensemble(lanes, patients=doses.size, settings=settings)


def before(later: Later) -> dict[str, float]:
    """Values at time 0 that follow from what is changed later: a stimulus that comes is not there before."""
    return {name: 0.0 for _, name, _ in later if name in ("lps", "stimulus")}


@lru_cache(maxsize=64)
def grow(name: str, scenario: Scenario) -> Culture:
    """A culture model by name with its compound and line, kept: a sampler asks for one thousands of times.

    Refuses as `models.build`.
    """
    cells = culture.line_of(name, scenario.line)
    model, quantities = models.build(name, scenario), models.quantities(name, scenario)
    return Culture(name, model, quantities, scenario.compound, cells, scenario)


def _unknown(name: str, cells: Culture) -> InputError:
    known = sorted({*cells.quantities, *TOGETHER})
    return InputError(
        "GP-L004",
        f'"{name}" is no parameter of {cells.name}{nearest(name, known)}',
        where=f"model {cells.name}",
        expected="one of " + ", ".join(known),
        next_step="correct the name; `glueprint experiment list` names the settings",
    )
