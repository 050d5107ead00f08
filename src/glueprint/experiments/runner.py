"""One runner for all experiments: settings, compound, bench, protocol, and what they gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from glueprint.experiments import lab
from glueprint.experiments.cultures import Wells
from glueprint.experiments.description import Bench, Description
from glueprint.experiments.experiment import Experiment
from glueprint.experiments.settings import prepared

__all__ = ["carry_out"]


def carry_out(
    described: Description,
    compound: str | Path,
    settings: Mapping[str, Any],
    values: Mapping[str, float],
    noted: Callable[[Wells], None] | None = None,
) -> Experiment:
    """Run a described experiment on a compound.

    compound: built-in name or TOML path.   settings: of `described.all_settings`, others at their defaults.
    values: parameters of its model by name.   noted: told of all wells that are simulated.
    Raises InputError GP-L002 for a setting, NotSupportedError GP-L003 for numbers that the compound lacks,
    and what loading compounds and lines raises.
    """
    given = {name: setting.checked(name, settings) for name, setting in described.all_settings.items()}
    error = lab.Error(given["noise_percent"], given["replicates"], given["seed"])
    in_place = {name: given.get(name) for name in ("rho", "fraction_unbound")}
    glue, said = prepared(compound, described.needs, kd_nm=given.get(described.affinity), **in_place)
    own = {**values, **({} if given.get("rho") is None else {"rho": given["rho"]})}
    defaults = {name: setting.default for name, setting in described.all_settings.items()}
    found = described.protocol(Bench(described, glue, given, own, error, noted))
    # Without measurement error the model itself is asked, which has no limit.
    limits = {} if error.exact else described.detection
    return Experiment(
        name=described.name,
        title=described.title,
        question=described.question,
        compound=glue.name,
        table=found.table.select(described.columns),
        readings=tuple(reading.detected(limits) for reading in found.readings),
        assumptions=(
            *(said if described.through_cereblon else ()),
            *(text.format_map(given) for text in described.assumptions),
            *found.assumptions,
            error.said,
        ),
        settings={**defaults, **settings, **values, **found.settings},
        panels=found.panels,
        parameters=lab.sources(found.behind),
        tables=found.tables,
    )
