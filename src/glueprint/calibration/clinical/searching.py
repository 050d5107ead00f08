"""The mode: covariance matrix adaptation with common random numbers.

Source: CMA-ES, Hansen 2016, arXiv:1604.00772, as in the cma package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Search", "search"]

Floats = NDArray[np.float64]
START_SD = 0.5


@dataclass(frozen=True)
class Search:
    """Where the search ended: coordinates (p,), cost there, and the cost of the best of each generation."""

    z: Floats
    cost: float
    history: tuple[float, ...]


def search(
    costs: Callable[[Floats], Floats], start: Floats, *, generations: int, offspring: int, seed: int
) -> Search:
    """Minimise costs (n,) of coordinates (n, p), from the start (p,).

    generations, offspring: how many times how many are tried; the start itself, at its cost, where none.
    seed: the same seed gives the same bits.
    """
    if not generations:
        cost = float(costs(start[None, :])[0])
        return Search(start, cost, (cost,))
    # Here, as it takes a second to import, also matplotlib where there is one, and few commands search.
    import cma  # type: ignore[import-untyped]

    # Variances first, correlations later: a third of the way there are too few trials to tell them.
    apart = max(generations // 3, 2)
    settings = {"seed": seed + 1, "popsize": offspring, "verbose": -9, "CMA_diagonal": apart}
    strategy = cma.CMAEvolutionStrategy(start, START_SD, settings)
    history = []
    for _ in range(generations):
        tried = np.array(strategy.ask())
        found = costs(tried)
        strategy.tell(list(tried), found.tolist())
        history.append(float(found.min()))
    # The mean of the last generation, less lucky with the common random numbers than its best member.
    return Search(np.array(strategy.result.xfavorite), float(min(history)), tuple(history))
