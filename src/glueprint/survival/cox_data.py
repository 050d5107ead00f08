"""What a fitted regression keeps of its data, for residuals, curves and tests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint.survival._check import Floats, Integers
from glueprint.survival.partial_likelihood import RiskSets
from glueprint.survival.rows import Rows


@dataclass(frozen=True)
class CoxData:
    """Rows of a regression, with covariates about the mean of their stratum in units of their spread.

    rows: Rows.   sets: RiskSets of all p covariates.   scale: (p,) units.   centre: (strata, p) means.
    strata: (strata,) labels.   cluster: (n,) codes, or None if rows stand alone.
    """

    rows: Rows
    sets: RiskSets
    scale: Floats
    centre: Floats
    strata: NDArray[Any]
    cluster: Integers | None

    def of(self, columns: Integers) -> RiskSets:
        """The risk sets with some of the covariates."""
        return replace(self.sets, covariates=self.sets.covariates[:, columns])

    def as_given(self, values: Floats) -> Floats:
        """Values of the sorted rows, (n, ...), in the order of the rows given; NaN for rows of weight 0."""
        given = np.full((self.rows.given, *values.shape[1:]), np.nan)
        given[self.rows.kept[self.sets.order]] = values
        return given

    def clusters(self) -> Integers:
        """The cluster of each sorted row, (n,)."""
        cluster = np.arange(self.sets.died.size) if self.cluster is None else self.cluster
        return cluster[self.sets.order]


def standardised(x: Floats, stratum: Integers) -> tuple[Floats, Floats, Floats]:
    """Covariates about the mean of their stratum in units of their spread, the units, and the means.

    Only differences within a stratum enter the likelihood, so no digits are spent on those between strata.
    """
    totals = np.zeros((int(stratum.max()) + 1, x.shape[1]))
    np.add.at(totals, stratum, x)
    means = totals / np.bincount(stratum)[:, None]
    centred = x - means[stratum]
    spread = centred.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    return centred / scale, scale, means
