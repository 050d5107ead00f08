"""What a model of the bar is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Case"]


@dataclass(frozen=True)
class Case:
    """text: Antimony.   times: outputs.   truth: output name to values at times, or None where `rates` and
    `start` give the right-hand side of all `outputs`.   smallest: values below this need no relative
    accuracy, here and in the reference.
    """

    name: str
    text: str
    times: tuple[float, ...]
    truth: Callable[[np.ndarray], dict[str, np.ndarray]] | None = None
    outputs: tuple[str, ...] = ()
    rates: Callable[[float, np.ndarray], list[float]] | None = None
    start: tuple[float, ...] = ()
    method: str = "Radau"
    smallest: float = 0.0
