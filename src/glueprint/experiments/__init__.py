"""Experiments: a mechanism run through a lab's protocol and read the way a lab reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from glueprint.errors import InputError, NotSupportedError, nearest
from glueprint.experiments import (
    angiogenesis,
    crbn_loss,
    degradation,
    domain,
    enantiomers,
    facts,
    forward,
    fp_competition,
    il2_ifn,
    irf4_time_course,
    neosubstrate_competition,
    nk_killing,
    proliferation,
    tnf_alpha,
    treg,
)
from glueprint.experiments.cultures import LPS, TOGETHER, Culture, Wells, grow
from glueprint.experiments.description import Description
from glueprint.experiments.experiment import Experiment, Panel, Reading
from glueprint.experiments.runner import carry_out
from glueprint.experiments.settings import at_least
from glueprint.experiments.simulated import Archived, Simulated, packed
from glueprint.mechanism import Quantity, Scenario, compounds, models

__all__ = [
    "LPS",
    "Archived",
    "Culture",
    "Experiment",
    "Panel",
    "Reading",
    "archives",
    "available",
    "described",
    "facts",
    "forward",
    "grow",
    "parameters_of",
    "run",
    "settings_of",
    "title",
    "without_error",
]

# What the protocol of an experiment sets itself.
OF_THE_PROTOCOL = ("dose_nm", "wash_per_h", "lps")
# Settings that make an experiment exact: the model as the assay would see it without error or donors.
EXACT: Mapping[str, float] = MappingProxyType(
    {"noise_percent": 0.0, "replicates": 1, "donors": 1, "donor_log10_sd": 0.0}
)
EXPERIMENTS: Mapping[str, Description] = MappingProxyType(
    {
        module.DESCRIPTION.name: module.DESCRIPTION
        for module in (
            fp_competition,
            degradation,
            enantiomers,
            neosubstrate_competition,
            proliferation,
            irf4_time_course,
            crbn_loss,
            tnf_alpha,
            il2_ifn,
            nk_killing,
            treg,
            angiogenesis,
        )
    }
)


def available() -> tuple[str, ...]:
    """The names of the experiments."""
    return tuple(EXPERIMENTS)


def described(name: str) -> Description:
    """An experiment's question, protocol, settings and assumptions.

    Raises InputError GP-L001 for an unknown name.
    """
    if name not in EXPERIMENTS:
        raise InputError(
            "GP-L001",
            f'no experiment "{name}"{nearest(name, EXPERIMENTS)}',
            expected="one of " + ", ".join(EXPERIMENTS),
            next_step="correct the name; `glueprint experiment list` has them all",
        )
    return EXPERIMENTS[name]


def title(name: str) -> str:
    """What an experiment is, in one line.   Raises InputError GP-L001 for an unknown name."""
    return described(name).title


def settings_of(name: str) -> dict[str, Any]:
    """The settings of an experiment with their defaults.   Raises InputError GP-L001 for an unknown name."""
    return {key: setting.default for key, setting in described(name).all_settings.items()}


def parameters_of(name: str) -> tuple[str, ...]:
    """Parameters of the experiment's model that `run` takes as settings, too.

    Raises InputError GP-L001 for an unknown name.
    """
    known = _quantities(name)
    return tuple(sorted({*known, *TOGETHER} - set(OF_THE_PROTOCOL))) if known else ()


@lru_cache(maxsize=32)
def _quantities(name: str) -> Mapping[str, Quantity]:
    """The numbers of the experiment's model; none where it has no cells."""
    model = described(name).model
    return models.quantities(model, Scenario.of()) if model else {}


def without_error(name: str) -> dict[str, float]:
    """Settings without measurement error, replicates and donors: readings are exact, and have no interval.

    Raises InputError GP-L001 for an unknown name.
    """
    return {key: value for key, value in EXACT.items() if key in settings_of(name)}


def run(name: str, compound: str | Path = compounds.REFERENCE, **settings: Any) -> Experiment:
    """Run an experiment on a compound.

    name: one of `available()`.   compound: built-in name or TOML path.   settings: see `settings_of`, and any
    of `parameters_of` as a number.
    Returns `Experiment`: raw table, readings with intervals, labels and claim ids, assumptions, panels,
    parameters.
    Raises InputError GP-L001 (experiment), GP-L002 and GP-L004 (setting), NotSupportedError GP-L003 (numbers
    that the compound lacks), and what loading compounds and lines raises.

    >>> run("fp_competition").name
    'fp_competition'
    """
    return _carried(name, compound, settings)


def archives(name: str, compound: str | Path = compounds.REFERENCE, **settings: Any) -> tuple[Archived, ...]:
    """The simulations of an experiment for other programs: a COMBINE archive of each condition at a middle
    and its highest dose.

    name, compound, settings: as of `run`; there is no measurement error and no donor.
    Raises NotSupportedError GP-L006 for an experiment that simulates nothing, InputError GP-L004 for a
    setting that an archive has no place for, and what `run` raises.
    """
    if not described(name).model:
        raise NotSupportedError(
            "GP-L006",
            f"{name} is a balance at equilibrium solved at each dose, and simulates nothing over time",
            where=f"experiment {name}",
            next_step="export one of " + ", ".join(one for one in EXPERIMENTS if EXPERIMENTS[one].model),
        )
    for key in settings:
        if key in (*EXACT, "seed"):
            raise InputError(
                "GP-L004",
                f'an archive of {name} has no place for "{key}": it holds the model, not its error or donors',
                where=f"experiment {name}",
                expected="settings of what is simulated",
                next_step="leave it out",
            )
    simulated = Simulated()
    _carried(name, compound, {**settings, **without_error(name)}, simulated.note)
    return tuple(packed(run) for run in simulated.chosen)


def _carried(
    name: str,
    compound: str | Path,
    settings: Mapping[str, Any],
    noted: Callable[[Wells], None] | None = None,
) -> Experiment:
    known = settings_of(name)
    single = {key: value for key, value in settings.items() if key not in known}
    for key in single:
        if key not in parameters_of(name):
            raise _unknown(name, key)
    values = {key: at_least(key, value, 0.0, most=_most(name, key)) for key, value in single.items()}
    own = {key: value for key, value in settings.items() if key in known}
    found = carry_out(described(name), compound, own, values, noted)
    designs = [one for one in EXPERIMENTS.values() if bool(one.model) == bool(described(name).model)]
    beyond = domain.outside(found.settings, values, _quantities(name), designs)
    return found.beyond(beyond)


def _most(name: str, parameter: str) -> float:
    """The largest value of a parameter: 1 of a share, as its prior says."""
    quantity = _quantities(name).get(parameter)
    prior = quantity.prior if quantity else None
    if prior is None or not (
        prior.distribution == "logit-normal" or (prior.distribution == "uniform" and prior.high <= 1.0)
    ):
        return float("inf")
    return 1.0


def _unknown(name: str, key: str) -> InputError:
    known = settings_of(name)
    return InputError(
        "GP-L004",
        f'{name} has no setting "{key}"{nearest(key, (*known, *parameters_of(name)))}',
        where=f"experiment {name}",
        expected="one of "
        + ", ".join(known)
        + (", or a parameter of its model" if parameters_of(name) else ""),
        next_step="leave it out or correct its name; `glueprint experiment list` names the settings",
    )
