"""Who is enrolled: the case-mix of each trial's protocol, as a table of distributions with their origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from glueprint.report.tables import TrialTables
from glueprint.trials import case_mix

__all__ = ["Enrolled", "Line", "case_mixes"]


@dataclass(frozen=True)
class Line:
    """One covariate, or two that go together: their distribution in words, and where that comes from."""

    names: tuple[str, ...]
    distribution: str
    evidence: str
    why: str


@dataclass(frozen=True)
class Enrolled:
    """The case-mix of one trial."""

    trial: str
    lines: tuple[Line, ...]


def case_mixes(trials: Mapping[str, TrialTables]) -> tuple[Enrolled, ...]:
    """The case-mix of each trial that has a protocol, in the order of the page."""
    return tuple(_enrolled(trial) for trial in trials.values() if trial.protocol)


def _enrolled(trial: TrialTables) -> Enrolled:
    assert trial.protocol is not None
    mix = trial.protocol.case_mix
    alone = [_line((name,), getattr(mix, name)) for name in mix.names]
    pairs = [_line(pair.between, pair) for pair in mix.correlations]
    return Enrolled(trial.title.split(":")[0], (*alone, *pairs))


def _line(names: tuple[str, ...], given: case_mix.Quantity | case_mix.Levels | case_mix.Correlation) -> Line:
    return Line(names, _in_words(given), ", ".join(given.sources), _assumed(given))


def _assumed(given: case_mix.Quantity | case_mix.Levels | case_mix.Correlation) -> str:
    return f"assumed: {given.assumed}" if given.assumed else ""


def _in_words(given: case_mix.Quantity | case_mix.Levels | case_mix.Correlation) -> str:
    if isinstance(given, case_mix.Levels):
        shares = (f"{name.replace('_', ' ')} {100 * share:g} %" for name, share in given.shares.items())
        return ", ".join(shares)
    if isinstance(given, case_mix.Correlation):
        return f"correlation {given.value:g}".replace("-", "−")
    limits = f"{given.low:g} to {given.high:g}"
    if isinstance(given, case_mix.Normal):
        return f"mean {given.mean:g}, SD {given.sd:g}, normal, {limits}"
    kind = "whole numbers" if isinstance(given, case_mix.Count) else "log-normal"
    return f"median {given.median:g}, SD of the logarithm {given.log_sd:g}, {kind}, {limits}"
