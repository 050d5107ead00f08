"""Estimates looked up by arm and endpoint, and how numbers are written on the page."""

from __future__ import annotations

import math
from dataclasses import dataclass

import polars as pl

__all__ = ["Estimate", "interval", "number", "p_number", "p_value", "percent", "pick", "pick_comparison"]


@dataclass(frozen=True)
class Estimate:
    """One value with its interval; None where the analysis gave none."""

    value: float | None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    unit: str = ""
    method: str = ""


def pick(endpoints: pl.DataFrame, arm: str, endpoint: str, replicate: int) -> Estimate | None:
    """The estimate of one arm (or comparison "A vs B") and endpoint, or None where the table has none."""
    found = endpoints.filter(
        (pl.col("arm") == arm) & (pl.col("endpoint") == endpoint) & (pl.col("replicate") == replicate)
    )
    if found.is_empty():
        return None
    row = found.row(0, named=True)
    return Estimate(
        _finite(row["value"]), _finite(row["low"]), _finite(row["high"]), _finite(row["p_value"]),
        str(row["unit"] or ""), str(row["method"] or ""),
    )  # fmt: skip


def pick_comparison(
    endpoints: pl.DataFrame, arms: tuple[str, ...], endpoint: str, replicate: int
) -> Estimate | None:
    """The estimate of the first arm against the second, or None."""
    if len(arms) < 2:
        return None
    return pick(endpoints, f"{arms[0]} vs {arms[1]}", endpoint, replicate)


def _finite(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def number(value: float | None, digits: int = 3) -> str:
    """A value with `digits` significant digits (0: as given), without exponent from 0.001 to 1e6."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if digits == 0:
        return f"{value:.6g}".replace("-", "−")
    mantissa, power = f"{value:.{digits - 1}e}".split("e")
    exponent = int(power)
    if exponent >= 6 or exponent < -3:
        return f"{mantissa}×10{_superscript(exponent)}".replace("-", "−")
    decimals = max(0, digits - 1 - exponent)
    return f"{value:,.{decimals}f}".replace(",", "\u2009").replace("-", "−")


def _superscript(exponent: int) -> str:
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def percent(part: float, whole: float, decimals: int = 0) -> str:
    """part of whole in per cent, a dash where there is nothing to divide by."""
    return f"{100 * part / whole:.{decimals}f}" if whole else "–"


def fixed(value: float | None, decimals: int) -> str:
    """A value with a fixed number of decimals, a dash for a missing one."""
    return "–" if value is None else f"{value:.{decimals}f}".replace("-", "−")


def interval(estimate: Estimate | None, decimals: int = 1, unreached: str = "not reached") -> str:
    """ "4.0 (3.6–4.7)"; a missing bound reads NR, a missing value as `unreached`."""
    if estimate is None:
        return "–"
    if estimate.value is None:
        return unreached
    text = fixed(estimate.value, decimals)
    if estimate.low is None and estimate.high is None:
        return text
    low = "NR" if estimate.low is None else fixed(estimate.low, decimals)
    high = "NR" if estimate.high is None else fixed(estimate.high, decimals)
    return f"{text} ({low}–{high})"


def p_value(value: float | None) -> str:
    """ "p = 0.028" or "p < 0.0001"; empty for a missing one."""
    text = p_number(value)
    return "" if value is None else f"p {text}" if text.startswith("<") else f"p = {text}"


def p_number(value: float | None) -> str:
    """ "0.028", "0.0005" or "< 0.0001": two digits, four decimals at most."""
    if value is None:
        return "–"
    if value < 1e-4:
        return "< 0.0001"
    return f"{value:.4f}" if value < 1e-3 else number(value, 2)
