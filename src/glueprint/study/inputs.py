"""The numbers that a study's trials were run with: typical ones, or those that draws of a fit replace."""

from __future__ import annotations

import numpy as np
import polars as pl

from glueprint.mechanism import Compound, Scenario, parameters
from glueprint.trials import ParameterDraws

__all__ = ["parameter_table"]

INTERVAL = (2.5, 50.0, 97.5)
COLUMNS = ("fitted_low", "fitted", "fitted_high")


def parameter_table(compound: Compound, draws: ParameterDraws) -> pl.DataFrame:
    """The parameters of a compound's trial, with what the draws put in the place of typical values.

    draws: those that a trial was run with, each for a replicate in turn.
    Returns the columns of `mechanism.parameters.table`, and fitted, fitted_low and fitted_high: median and
    middle 95 % of the draws for patients on this compound, missing where none replaces the typical value. One
    draw has no interval.
    Raises what `mechanism.parameters.table` raises.
    """
    table = parameters.table(Scenario(compound, draws.structure))
    names = table.get_column("name").to_list()
    scenarios = [draws.truth(row).scenario(compound) for row in range(1, len(draws.values) + 1)]
    given = [parameters.typical(scenario) for scenario in scenarios]
    values = np.array([[one[name] for name in names] for one in given])
    replaced = (values != table.get_column("typical").to_numpy()).any(axis=0)
    shown = {
        name: np.where(replaced & (len(values) > 1 or name == "fitted"), column, np.nan)
        for name, column in zip(COLUMNS, np.percentile(values, INTERVAL, axis=0), strict=True)
    }
    return table.with_columns(pl.Series(name, column).fill_nan(None) for name, column in shown.items())
