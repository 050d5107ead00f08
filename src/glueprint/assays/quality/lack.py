"""Lack of fit: whether doses miss their curve by more than their replicates scatter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glueprint.assays.findings import Finding
from glueprint.assays.quality.outliers import DISCOVERY, Readings, discoveries, spanned
from glueprint.curves.evidence import LackOfFit, lack_of_fit

__all__ = ["of_curve", "said"]

# Curves that a finding names before it only counts.
NAMED = 6


def of_curve(one: Readings) -> LackOfFit:
    """The F test of a fitted curve against one mean a dose, by the weights of the curve.

    Readings that a robust fit set aside do not count. Source: `curves.evidence.lack_of_fit`.
    """
    used = (one.weights > 0.0) & ~one.aside & np.isfinite(one.level)
    weights, value = one.weights[used], one.value[used]
    rss = float(np.sum(weights * (value - one.fitted[used]) ** 2))
    dof = float(value.size - spanned(one, used).shape[1])
    return lack_of_fit(one.level[used], value, rss, dof, weights)


def said(names: Sequence[str], found: Sequence[LackOfFit]) -> list[Finding]:
    """A warning that names the curves of one analysis that lack fit, at a false discovery rate."""
    flags = discoveries(np.array([one.p for one in found]), DISCOVERY)
    missed = [(name, one) for name, one, flag in zip(names, found, flags, strict=True) if flag]
    if not missed:
        return []
    missed.sort(key=lambda pair: pair[1].p)
    worst = missed[0][1]
    more = f" and {len(missed) - NAMED} more" if len(missed) > NAMED else ""
    several = f"{len(missed)} curves miss their doses" if len(missed) > 1 else "the curve misses its doses"
    return [
        Finding(
            "GP-A249",
            "warning",
            f"{several} by more than replicates scatter (F = {worst.f:.1f}, p = {worst.p:.2g})",
            ", ".join(name for name, _ in missed[:NAMED]) + more,
            "doses that lie on the curve within the scatter of their wells",
            "look at the figure: a dose off, a hook, a step, or another shape; its intervals are too narrow",
        )
    ]
