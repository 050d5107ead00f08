"""What a trial of a project gave, as pages show it: kept tables, figures, what it is held against."""

from __future__ import annotations

import csv as comma
import io
import math
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from glueprint import trials
from glueprint.calibration import prediction, read_observed
from glueprint.errors import GlueprintError, InputError
from glueprint.report import trial_figures
from glueprint.report.figures import drawing, predictive_band
from glueprint.report.tables import TrialTables
from glueprint.runs.store import write_file
from glueprint.trials import Protocol, kept
from glueprint.web import designs, drawn
from glueprint.web.refusals import refused

__all__ = ["Result", "hold_against", "opened"]

MOST_OBSERVED = 5000
# Refused for want of virtual trials, which a longer run has: what was observed is kept for it.
TOO_FEW = "GP-K021"


@dataclass(frozen=True)
class Result:
    """A trial that was run. place: its folder.   table: one of its tables by name, read once."""

    place: Path
    protocol: Protocol
    seed: int
    label: str
    table: Callable[[str], pl.DataFrame]

    @cached_property
    def arms(self) -> tuple[str, ...]:
        """The arms in the protocol's order."""
        return tuple(arm.name for arm in self.protocol.arms)

    @cached_property
    def replicates(self) -> int:
        """How many virtual trials there are."""
        return self.table("endpoints").get_column("replicate").n_unique()

    def tables(self) -> TrialTables:
        """The tables as the report's summaries read them, of the first virtual trial."""
        first = {name: self.first(name) for name in ("patients", "visits", "endpoints", "survival_curves")}
        return TrialTables(self.protocol.title, self.arms, **first, protocol=self.protocol)

    def first(self, name: str) -> pl.DataFrame:
        """The rows of a table that are of the first virtual trial."""
        table = self.table(name).fill_nan(None)
        return table.filter(pl.col("replicate") == pl.col("replicate").min())

    def given(self) -> trial_figures.Given:
        """The trial as its figures ask for it, with the curve that it is held against."""
        return trial_figures.Given(
            self.protocol, self.seed, self.label, self.table, observed=_curve(self.place)
        )

    def figures(self) -> dict[str, Markup]:
        """Every figure that has something to show as SVG in the colours of the page, by file stem."""
        return _drawn(self.place, _stamp(self.place))

    def chart(self, stem: str) -> Any:
        """One figure by its file stem, to be written in another form.

        Raises RefusedError GP-B007 for a stem that no figure has.
        """
        for name in trial_figures.FIGURES:
            if stem.startswith(name.replace("-", "_")):
                for _, found in trial_figures.draw(self.given(), [name]):
                    if not isinstance(found, InputError) and stem in found:
                        return found[stem]
        raise refused("GP-B007", "there is no such figure", "a figure of the page", "open the result again")

    def workbook(self) -> bytes:
        """All tables of the first virtual trial as one workbook."""
        names = ("patients", "visits", "endpoints", "survival_curves")
        with tempfile.TemporaryDirectory() as place:
            trials.write_spreadsheets({name: self.first(name) for name in names}, Path(place), "xlsx")
            return next(Path(place).glob("*.xlsx")).read_bytes()

    def scores(self) -> tuple[list[dict[str, Any]], dict[str, float], GlueprintError | None]:
        """What was observed beside the virtual trials: rows, a summary, or why there is none."""
        path = self.place / designs.OBSERVED
        if not path.is_file():
            return [], {}, None
        try:
            found = prediction.compare(self.table("endpoints"), read_observed(path), label=self.label)
        except GlueprintError as error:
            return [], {}, error
        return found.to_dicts(), prediction.total(found), None

    def curve(self) -> list[dict[str, Any]]:
        """The observed curve beside the predictive band, point by point; points beyond it are not scored."""
        observed = _curve(self.place)
        rows: list[dict[str, Any]] = []
        for row in (observed.to_dicts() if observed is not None else [])[:MOST_OBSERVED]:
            mine = self.table("survival_curves").filter(
                (pl.col("endpoint") == row["endpoint"]) & (pl.col("arm") == row["arm"])
            )
            band = predictive_band(mine, [row["time"]]).to_dicts()
            at = band[0] if band else {"low": None, "middle": None, "high": None}
            inside = at["low"] <= row["survival"] <= at["high"] if band else None
            rows.append({**row, **{name: at[name] for name in ("middle", "low", "high")}, "inside": inside})
        return rows


def opened(place: Path) -> Result:
    """The result of a trial.   Raises RefusedError GP-B007 where none is, and what `kept.load` raises."""
    run = place / designs.RUN
    if not (run / kept.FILE_NAME).is_file():
        raise refused("GP-B007", "this trial has not been run", "a finished run", "run it as a job")
    return _opened(place, _stamp(place))


def _stamp(place: Path) -> tuple[object, ...]:
    """What changes when the trial is run again or held against something else."""
    files = [place / designs.RUN / kept.FILE_NAME, place / designs.OBSERVED, place / designs.CURVE]
    return tuple((one.stat().st_mtime_ns, one.stat().st_size) if one.is_file() else None for one in files)


@lru_cache(maxsize=4)
def _opened(place: Path, _stamps: object) -> Result:
    found = kept.load(place / designs.RUN)
    return Result(place, found.protocol, found.seed, found.label, cache(found.table))


@lru_cache(maxsize=4)
def _drawn(place: Path, stamps: object) -> dict[str, Markup]:
    found: dict[str, Markup] = {}
    for _, charts in trial_figures.draw(_opened(place, stamps).given()):
        if not isinstance(charts, InputError):
            found |= {
                stem: drawn.for_page(drawing.svg(chart, prefix=f"f-{stem}")) for stem, chart in charts.items()
            }
    return found


def _curve(place: Path) -> pl.DataFrame | None:
    path = place / designs.CURVE
    return pl.read_csv(path, glob=False) if path.is_file() else None


def hold_against(result: Result, text: str, endpoint: str) -> None:
    """Keep what was observed: a table of numbers, or a curve, as its heads say.

    text: pasted from a spreadsheet or CSV. Heads arm, endpoint, value and more are numbers (docs/trials.md,
    "Compare"); arm, time (months) and survival a curve.   endpoint: of a curve without such a column.
    Raises RefusedError GP-B024 for an empty text, GP-B023 for a row of a curve that cannot be, and what
    `read_observed` and `prediction.compare` raise; nothing is then kept.
    """
    rows = [
        row for row in comma.reader(io.StringIO(text), delimiter="\t" if "\t" in text else ",") if any(row)
    ]
    if len(rows) < 2:
        raise refused(
            "GP-B024", "nothing is pasted", "a line of heads and rows", "paste a table", where="observed"
        )
    heads = [head.strip().lower() for head in rows[0]]
    if "survival" in heads:
        _keep_curve(result, [dict(zip(heads, row, strict=False)) for row in rows[1:]], endpoint)
        return
    out = io.StringIO()
    comma.writer(out, lineterminator="\n").writerows([heads, *rows[1:]])
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / designs.OBSERVED
        path.write_text(out.getvalue(), "utf-8")
        try:
            prediction.compare(result.table("endpoints"), read_observed(path), label=result.label)
        except InputError as error:
            if error.code != TOO_FEW:
                raise
    write_file(result.place / designs.OBSERVED, out.getvalue())


def _keep_curve(result: Result, rows: list[dict[str, str]], endpoint: str) -> None:
    known = set(result.table("survival_curves").get_column("endpoint").to_list())
    found: list[dict[str, Any]] = []
    for number, row in enumerate(rows[:MOST_OBSERVED], start=1):
        arm = (row.get("arm") or result.arms[0]).strip()
        of = (row.get("endpoint") or endpoint).strip()
        time, height = (_value(row, *names) for names in (("time", "time_months"), ("survival",)))
        if arm not in result.arms or of not in known or time is None or height is None or time < 0:
            raise refused(
                "GP-B023",
                f"row {number}: {', '.join(row.values())[:80]!r} is no point of a curve",
                f"an arm of {', '.join(result.arms)}, an endpoint of {', '.join(sorted(known))}, a time "
                "in months and survival from 0 to 1, or to 100 %",
                "correct the row",
                where="observed",
            )
        found.append({"endpoint": of, "arm": arm, "time": time, "survival": height})
    heights = [float(row["survival"]) for row in found]
    if min(heights) < 0 or max(heights) > 100:
        worst = min(heights) if min(heights) < 0 else max(heights)
        raise refused(
            "GP-B023", f"a survival of {worst:g}", "0 to 1, or 0 to 100 %", "correct it", where="observed"
        )
    if max(heights) > 1:  # per cent
        found = [{**row, "survival": height / 100} for row, height in zip(found, heights, strict=True)]
    write_file(result.place / designs.CURVE, pl.DataFrame(found).write_csv())


def _value(row: Mapping[str, str], *names: str) -> float | None:
    text = next((row[name] for name in names if row.get(name)), "")
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
