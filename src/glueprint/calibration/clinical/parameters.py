"""Every free parameter of the clinical calibration, and the way from standard normal numbers to a trial.

The fit works on numbers that are standard normal under the prior. The first of them are whitened coordinates
of the in-vitro posterior: what the assays say of a compound, with its correlations, is the prior here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint import references
from glueprint.calibration import in_vitro
from glueprint.calibration.beliefs import Belief, of_quantity
from glueprint.calibration.in_vitro.parameters import beliefs as in_vitro_beliefs
from glueprint.mechanism import Scenario, parameters
from glueprint.trials import ParameterDraws

__all__ = ["SCOPES", "STRUCTURES", "TRIALS", "Free", "free"]

Floats = NDArray[np.float64]
# The first is taken where none is named: patients differ in it where real ones do.
STRUCTURES = ("burden", "claret", "two-clone")
TRIALS = tuple(references.default().trials.values())
# What is fitted: the trials whole; their arms without the hazard ratios between them, so that these can be
# predicted; or one trial alone, so that the others can.
SCOPES = ("trials", "arms", *TRIALS)
STUDY = "study_death_ratio"
# Structures whose effects of covariates are taken from published prognosis, and drawn beside what is fitted.
CARRYING = ("burden",)
SOURCE = "calibration/data/clinical.toml"


@dataclass(frozen=True)
class Free:
    """The free parameters of one structure of the tumour, in the order of the coordinates.

    assays: names of the in-vitro posterior's columns.   centre, root: mean (a) of their logarithms and a
    Cholesky factor (a, a) of their covariance.   beliefs: of all parameters, those of assays first.
    sets: what each sets in the trial model.   study: what differs between trials -> its SD (log10), or the
    name of the parameter that is it.   carried: beliefs that the trials cannot narrow, effects of covariates:
    not fitted, but drawn beside every draw.   begun: parameters that a search begins with elsewhere than in
    the middle of their priors.
    """

    structure: str
    assays: tuple[str, ...]
    centre: Floats
    root: Floats
    beliefs: tuple[Belief, ...]
    sets: Mapping[str, tuple[str, ...]]
    study: Mapping[str, float | str]
    carried: tuple[Belief, ...] = ()
    begun: Mapping[str, float] = field(default_factory=dict)

    @property
    def start(self) -> Floats:
        """(p,) coordinates that a search begins with."""
        found = np.zeros(len(self.names))
        for k, belief in enumerate(self.beliefs):
            if belief.name in self.begun:
                found[k] = float(belief.standard(np.asarray(self.begun[belief.name])))
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coordinates: assays, beliefs of the trials, then the effects of each trial."""
        return (*(b.name for b in self.beliefs), *self.effects)

    @property
    def effects(self) -> tuple[str, ...]:
        """Names of the effects of each trial."""
        return tuple(f"{ratio}:{trial}" for ratio in self.study for trial in TRIALS)

    @property
    def study_sd_log10(self) -> float:
        """Spread of the hazard of death between trials (log10); the root mean square where it is believed."""
        sd = self.study[STUDY]
        return sd if isinstance(sd, float) else next(b.spread for b in self.beliefs if b.name == sd)

    def values(self, z: Floats) -> dict[str, Floats]:
        """Parameters (n,) in their units, by name, of coordinates (n, p)."""
        a = len(self.assays)
        layer = np.exp(self.centre + z[:, :a] @ self.root.T)
        found = {name: layer[:, k] for k, name in enumerate(self.assays)}
        found |= {b.name: b.value(z[:, a + k]) for k, b in enumerate(self.beliefs[a:])}
        for k, name in enumerate(self.effects):
            found[name] = self.effect(name.partition(":")[0], found, z[:, len(self.beliefs) + k])
        return found

    def effect(self, ratio: str, values: Mapping[str, Floats], normal: Floats) -> Floats:
        """(n,) an effect of trials at standard normal numbers (n,), as wide as these parameters (n,) say."""
        sd = self.study[ratio]
        return np.asarray(10.0 ** ((sd if isinstance(sd, float) else values[sd]) * normal))

    def carried_values(self, normal: Floats) -> dict[str, Floats]:
        """What is carried (n,), by name, at standard normal numbers (n, c)."""
        return {b.name: b.value(normal[:, k]) for k, b in enumerate(self.carried)}

    def overrides(self, values: Mapping[str, Floats], trial: str) -> dict[str, Floats]:
        """What parameters (n,) set in the model of one trial, by the trial model's names."""
        given = {name: values[b.name] for b in self.beliefs for name in self.sets[b.name]}
        given |= {b.name: values[b.name] for b in self.carried if b.name in values}
        return given | {ratio: values[f"{ratio}:{trial}"] for ratio in self.study}

    def draws(self, values: Mapping[str, Floats], trial: str, label: str = "") -> ParameterDraws:
        """Parameters (n,) as draws that `trials.run` takes for one trial."""
        sets = self.overrides(values, trial)
        return ParameterDraws(tuple(sets), np.stack(list(sets.values()), axis=1), self.structure, label)


@lru_cache(maxsize=4)
def free(structure: str = STRUCTURES[0]) -> Free:
    """The free parameters of a structure, with the in-vitro posterior that comes with Glueprint as their
    prior."""
    settings = _settings()
    layer: Mapping[str, list[str]] = settings["in_vitro"]
    draws = in_vitro.posterior().draws.select(list(layer)).to_numpy().astype(np.float64)
    logs = np.log(draws)
    own = {
        name: body
        for name, body in settings["beliefs"].items()
        if structure in body.get("structures", STRUCTURES)
    }
    beliefs = [_of_assays(name, logs[:, k]) for k, name in enumerate(layer)]
    sets = {name: tuple(targets) for name, targets in layer.items()}
    for name, body in own.items():
        content = {key: value for key, value in body.items() if key not in ("sets", "structures")}
        content["evidence"] = tuple(content.get("evidence", ()))
        beliefs.append(Belief(name=name, source=SOURCE, **content))
        sets[name] = tuple(body.get("sets", (name,)))
    return Free(
        structure=structure,
        assays=tuple(layer),
        centre=logs.mean(axis=0),
        root=np.linalg.cholesky(np.cov(logs.T)),
        beliefs=tuple(beliefs),
        sets=sets,
        study=settings.get(f"study_of_{structure}")
        or {STUDY: float(settings["study"]["death_ratio_sd_log10"])},
        carried=_carried(structure, sets) if structure in CARRYING else (),
        begun=settings.get(f"start_of_{structure}", {}),
    )


def _carried(structure: str, sets: Mapping[str, tuple[str, ...]]) -> tuple[Belief, ...]:
    """Effects of covariates with the priors of their file, but for what is fitted."""
    fitted = {name for names in sets.values() for name in names}
    known = parameters.quantities(Scenario.of(structure=structure))
    return tuple(
        of_quantity(name, quantity, "mechanism/data/parameters.toml")
        for name, (section, quantity) in known.items()
        if section == "prognosis" and name not in fitted and name not in parameters.STUDY_RATIOS
    )


def _of_assays(name: str, logs: Floats) -> Belief:
    """The margin of one parameter of the in-vitro posterior."""
    known = in_vitro_beliefs()[name]
    return Belief(
        name=name,
        unit=known.unit,
        shape="lognormal",
        middle=float(np.exp(logs.mean())),
        spread=float(logs.std(ddof=1) / np.log(10.0)),
        source="in-vitro posterior",
        why="what the assays say",
    )


@lru_cache(maxsize=1)
def _settings() -> dict[str, Any]:
    text = (files("glueprint.calibration") / "data" / "clinical.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
