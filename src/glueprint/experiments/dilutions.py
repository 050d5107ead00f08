"""The protocol that most experiments are: dilution series of some conditions, each read at one time from a
fitted curve."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from glueprint import curves
from glueprint.curves import Potency, Reason
from glueprint.curves.potency import Kind
from glueprint.experiments import lab, provenance
from glueprint.experiments.cultures import Culture
from glueprint.experiments.description import Bench, Measured
from glueprint.experiments.experiment import Label, Mark, Measure, Panel, Reading
from glueprint.mechanism import Quantity

__all__ = [
    "LOGGED",
    "Asked",
    "Besides",
    "Curve",
    "Dilutions",
    "Drawing",
    "HalfDose",
    "Series",
    "Signal",
    "far_plateau",
    "largest_inhibition",
    "top_dose",
]

PERCENT = 100.0
# The number of cells is integrated as its logarithm.
LOGGED = "log_cells"


@dataclass(frozen=True)
class Signal:
    """What the wells give: an output of the model under its name in the table.

    scale: of the output as it is measured, such as the light of untreated wells.   of_vehicle: the number
    that stands for the mean of the vehicle's wells (1, or 100 for per cent); None where the output is kept
    as it is.   raw: column of the measurement itself, where it is kept beside the share.
    """

    output: str
    column: str
    scale: float = 1.0
    of_vehicle: float | None = None
    raw: str = ""


@dataclass(frozen=True, eq=False)
class Series:
    """One dilution series: cells under a condition, read at one time.

    shown: its name.   hours: of exposure.   values: parameters by name.   keys: columns that tell it from
    the others in the table.   about: what its readings speak to in data/claims.toml, `shown` if None.
    drawn: its name in a panel, `shown` if "".
    """

    shown: str
    cells: Culture
    hours: float
    signal: Signal
    values: Mapping[str, ArrayLike]
    keys: Mapping[str, object] = field(default_factory=dict)
    about: str | None = None
    drawn: str = ""

    def model(self, doses_nm: lab.Floats) -> lab.Floats:
        """What the model gives at these doses (n,), without error, as the table has it."""
        of_vehicle, output = self.signal.of_vehicle, self.signal.output
        if of_vehicle is None:
            found = self.cells.at(doses_nm, self.hours, [output], self.values)[output]
            return self.signal.scale * found
        both = lab.doses(doses_nm)
        found = self.cells.at(both, self.hours, [output], self.values)[output]
        shares = np.exp(found[1:] - found[0]) if output == LOGGED else found[1:] / found[0]
        return of_vehicle * np.asarray(shares)

    def wells(self, tested: lab.Floats, error: lab.Error, experiment: str) -> pl.DataFrame:
        """Every well: keys, dose_nm, replicate and what was measured."""
        signal = self.signal
        measured = signal.raw or signal.column
        plain = pl.DataFrame({"dose_nm": tested, measured: self.model(tested)})
        if signal.raw:
            plain = plain.with_columns(pl.col(measured) * (signal.scale / (signal.of_vehicle or 1.0)))
        found = lab.wells(plain, [measured], error, f"{experiment}/{self.shown}")
        if signal.of_vehicle is not None:
            vehicle = pl.col(measured).filter(pl.col("dose_nm") == 0.0).mean()
            found = found.with_columns((signal.of_vehicle * pl.col(measured) / vehicle).alias(signal.column))
        return found.with_columns(**{name: pl.lit(value) for name, value in self.keys.items()})


@dataclass(frozen=True, eq=False)
class Curve:
    """The wells of a series with the four-parameter curve through all of them."""

    series: Series
    wells: pl.DataFrame
    bench: Bench

    @property
    def column(self) -> str:
        """The column that is read."""
        return self.series.signal.column

    @cached_property
    def fits(self) -> curves.Fits:
        """The fitted curve."""
        return curves.fit("4pl", self.wells["dose_nm"].to_numpy(), self.wells[self.column].to_numpy())

    def at(self, dose_nm: float) -> lab.Floats:
        """What the wells at a dose gave (replicates,)."""
        near = (pl.col("dose_nm") - dose_nm).abs() <= 1e-9 * dose_nm
        return self.wells.filter(near)[self.column].to_numpy()

    def own(self, dose_nm: float) -> lab.Floats:
        """The same, each over its own replicate's vehicle where vehicle counts: its error is theirs."""
        of_vehicle = self.series.signal.of_vehicle
        return self.at(dose_nm) if of_vehicle is None else of_vehicle * self.at(dose_nm) / self.at(0.0)

    @property
    def highest_nm(self) -> float:
        """The highest dose."""
        return float(self.wells["dose_nm"].to_numpy().max())

    def potency(self, kind: Kind, level: float | None = None) -> Potency:
        """The dose with half of the effect, or (`level`, a share of vehicle) that reaches this."""
        if level is None:
            return curves.relative(self.fits, kind)[0]
        control = float(self.at(0.0).mean())
        return curves.absolute(self.fits, level * control, kind, control=control)[0]

    def named(self, ask: Asked | HalfDose) -> str:
        """The name of the reading that answers."""
        return ask.name.format(self.series.shown, **self.bench.given)

    def claims(self, ask: Asked | HalfDose) -> tuple[str, ...]:
        """The evidence that an answer speaks to."""
        about = self.series.shown if self.series.about is None else self.series.about
        return self.bench.claims(ask.claims.format(about))

    def label(self, ask: Asked | HalfDose) -> Label:
        """What the answer is worth."""
        return ask.label or self.bench.label(self.claims(ask), self.series.cells.behind)


@dataclass(frozen=True)
class Asked:
    """A question to every curve of an experiment.

    name: of the reading; {} is the series, a name in braces a setting.   measure: how a curve answers.
    claims: its name in data/claims.toml, likewise.   label: where it does not follow from the numbers behind
    the curve.
    """

    name: str
    measure: Callable[[Curve], Measure | None]
    unit: str
    claims: str = ""
    label: Label | None = None
    note: str = ""

    def read(self, curve: Curve) -> Reading:
        """The answer of a curve; "none" where the curve has none."""
        measure = self.measure(curve)
        note = self.note if measure else "; ".join(curve.fits.reasons)
        return Reading.measured(
            curve.named(self),
            measure,
            self.unit,
            curve.label(self),
            claims=curve.claims(self),
            note=note,
        )


@dataclass(frozen=True)
class HalfDose:
    """Asks at which dose half of the effect is there, or (`level`) this share of vehicle is left.

    Others as in `Asked`.
    """

    name: str
    kind: Kind = "IC50"
    level: float | None = None
    claims: str = ""
    label: Label | None = None
    note: str = ""

    def read(self, curve: Curve) -> Reading:
        """The dose with its interval; "none" where the curve ends before the level."""
        potency = curve.potency(self.kind, self.level)
        reading = Reading.of(
            curve.named(self), potency, curve.label(self), claims=curve.claims(self), note=self.note
        )
        never = _never(curve, self.level, potency) if self.level and potency.relation == ">" else ""
        if never:
            return replace(reading, value=None, relation="none", low=None, high=None, note=never)
        return curve.bench.error.read(reading)


def _never(curve: Curve, level: float, potency: Potency) -> str:
    """Why no dose leaves this share of vehicle, "" where higher ones might."""
    if Reason.NO_EFFECT in potency.reasons:
        return f"no effect at any dose up to {curve.highest_nm:g} nM (F test)"
    plateau, control = far_plateau(curve), float(curve.at(0.0).mean())
    if plateau is None or (plateau[0] if plateau[1] is None else plateau[1]) <= level * control:
        return ""
    return f"{plateau[0] / control:.0%} of vehicle are left at any dose (far plateau)"


def top_dose(curve: Curve) -> Measure | None:
    """What the wells at the highest dose gave."""
    return lab.mean_of(curve.own(curve.highest_nm), curve.bench.error)


def far_plateau(curve: Curve) -> Measure | None:
    """Where the fitted curve ends."""
    return lab.of_fit(curve.fits, _back, curve.bench.error)


def largest_inhibition(curve: Curve) -> Measure | None:
    """How much of the vehicle's signal the fitted curve loses, %."""
    return lab.of_fit(curve.fits, _lost, curve.bench.error)


def _back(plateaus: lab.Floats) -> tuple[float, lab.Floats]:
    return float(plateaus[1]), np.array([0.0, 1.0])


def _lost(plateaus: lab.Floats) -> tuple[float, lab.Floats]:
    front, back = plateaus
    return PERCENT * float(1.0 - back / front), PERCENT * np.array([back / front**2, -1.0 / front])


@dataclass(frozen=True)
class Drawing:
    """A panel of dilution series: wells as points, the model as lines.

    title: with settings in braces.   scale: of the column.   where: keys of the series that are drawn, all
    if empty.
    """

    title: str
    y_title: str
    scale: float = 1.0
    where: Mapping[str, object] = field(default_factory=dict)

    def panel(self, bench: Bench, curves_of: Sequence[Curve], marks: tuple[Mark, ...]) -> Panel:
        """The panel; marks: published values of all series."""
        shown = [c for c in curves_of if all(c.series.keys[n] == v for n, v in self.where.items())]
        fine = lab.grid(shown[0].wells["dose_nm"].unique().sort().to_numpy())
        names = [curve.series.drawn or curve.series.shown for curve in shown]
        points = {
            n: (c.wells["dose_nm"], self.scale * c.wells[c.column]) for n, c in zip(names, shown, strict=True)
        }
        lines = {n: (fine, self.scale * c.series.model(fine)) for n, c in zip(names, shown, strict=True)}
        return Panel(
            self.title.format_map(bench.given),
            "dose",
            self.y_title.format_map(bench.given),
            lab.points(points),
            lab.points(lines),
            marks,
        )


@dataclass(frozen=True)
class Besides:
    """What an experiment measures beside its dilution series; table: rows with the same columns."""

    readings: tuple[Reading, ...] = ()
    panels: tuple[Panel, ...] = ()
    assumptions: tuple[str, ...] = ()
    table: pl.DataFrame | None = None


def _nothing(_: Bench, __: Sequence[Curve]) -> Besides:
    return Besides()


@dataclass(frozen=True)
class Dilutions:
    """Dilution series of some conditions under the doses of the setting doses_nm, and vehicle.

    series: the conditions.   asks: what every curve answers.   drawings: its panels.   besides: what is
    measured otherwise.   also: a setting with a dose that is tested even if doses_nm lacks it.
    """

    series: Callable[[Bench], Sequence[Series]]
    asks: tuple[Asked | HalfDose, ...]
    drawings: tuple[Drawing, ...]
    besides: Callable[[Bench, Sequence[Curve]], Besides] = _nothing
    also: str = ""

    def __call__(self, bench: Bench) -> Measured:
        """Measure, fit and read all series."""
        name, columns = bench.description.name, bench.description.columns
        extra = [bench[self.also]] if self.also else []
        tested = lab.doses(np.union1d(bench["doses_nm"], extra))
        measured = [Curve(one, one.wells(tested, bench.error, name), bench) for one in self.series(bench)]
        besides = self.besides(bench, measured)
        marks = tuple(mark for curve in measured for mark in self._marks(curve))
        rows = [curve.wells.select(columns) for curve in measured]
        return Measured(
            table=pl.concat([*rows, *([] if besides.table is None else [besides.table.select(columns)])]),
            readings=(*(ask.read(curve) for curve in measured for ask in self.asks), *besides.readings),
            panels=(*(d.panel(bench, measured, marks) for d in self.drawings), *besides.panels),
            behind=_behind([curve.series.cells for curve in measured]),
            assumptions=besides.assumptions,
        )

    def _marks(self, curve: Curve) -> tuple[Mark, ...]:
        drawn = curve.series.drawn or curve.series.shown
        halves = [ask for ask in self.asks if isinstance(ask, HalfDose)]
        return tuple(mark for ask in halves for mark in provenance.marks(drawn, curve.claims(ask)))


def _behind(grown: Sequence[Culture]) -> dict[str, Mapping[str, Quantity]]:
    """The numbers behind cells that differ in line or in compound, by what they differ in."""
    distinct = list(dict.fromkeys(grown))
    if len(distinct) == 1:
        return {"culture": distinct[0].behind}
    by_line = len({cells.line.name for cells in distinct if cells.line}) > 1
    return {c.line.name if by_line and c.line else c.glue.name: c.behind for c in distinct}
