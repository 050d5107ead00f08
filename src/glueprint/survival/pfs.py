"""Progression-free survival by the rule of an estimand: what ends it, what censors it, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from glueprint.errors import InputError
from glueprint.survival._check import Flags, Floats, Integers, as_floats, place, same_shape

__all__ = ["EMA", "FDA", "Pfs", "PfsRule", "pfs", "pfs_table"]

STRATEGIES = {"censor": "hypothetical", "ignore": "treatment policy", "event": "composite"}


@dataclass(frozen=True)
class PfsRule:
    """How progression-free survival is counted.

    new_therapy: what a new therapy before the event does: "censor" at the last assessment before it, "ignore"
    it, or be an "event" itself.   missed: assessments in a row that may be missed before an event for it to
    count; with more, the patient is censored at the last assessment before them; None: any number.
    needs_baseline: whether a patient without an assessment at baseline is censored at randomisation.
    """

    name: str
    new_therapy: str = "censor"
    missed: int | None = 1
    needs_baseline: bool = True

    def __post_init__(self) -> None:
        """Raises InputError GP-V007."""
        bad = self.new_therapy not in STRATEGIES or (self.missed is not None and not self.missed >= 0)
        if bad:
            raise InputError(
                "GP-V007",
                f"new_therapy {self.new_therapy!r} and missed {self.missed!r} are no rule",
                where="rule",
                expected='new_therapy of "censor", "ignore" or "event", and a number of visits or None',
                next_step="take FDA or EMA, or one of these with another field",
            )

    @property
    def strategy(self) -> str:
        """What the rule does with a new therapy, in the words of ICH E9 (R1)."""
        return STRATEGIES[self.new_therapy]


# Source: FDA, Clinical Trial Endpoints for the Approval of Cancer Drugs and Biologics, 2018, appendix 3,
# table A: new therapy, and events after two missed assessments or more, are censored at the last one before.
FDA = PfsRule("FDA", "censor", 1)
# Source: EMA/CHMP/27994/2008/Rev.1, 2012: events count as they happened, whatever was given or missed before.
EMA = PfsRule("EMA", "ignore", None, needs_baseline=False)


@dataclass(frozen=True)
class Pfs:
    """Times (n,) and events (n,) by a rule, and what ended each: "progression", "death", "new therapy" (event
    or censored by it), "missed assessments", "no event", "no assessment", "no baseline"."""

    rule: PfsRule
    time: Floats
    event: Flags
    reason: NDArray[np.str_]

    def counts(self) -> dict[str, int]:
        """Patients by what ended them."""
        names, numbers = np.unique(self.reason, return_counts=True)
        return dict(zip(names.tolist(), numbers.tolist(), strict=True))


def pfs(
    progression: ArrayLike,
    death: ArrayLike,
    new_therapy: ArrayLike,
    assessments: tuple[ArrayLike, ArrayLike],
    *,
    every: float,
    window: float = 0.0,
    rule: PfsRule = FDA,
    baseline: ArrayLike | None = None,
) -> Pfs:
    """Progression-free survival of each patient by one rule.

    progression, death, new_therapy: (n,) times from randomisation, any unit, NaN for none.   assessments:
    (k,) position of the patient, 0 to n - 1, and (k,) time of each adequate assessment after baseline.
    every: planned distance of assessments.   window: how much later than planned one may be.
    baseline: (n,) 1 for a patient whose disease was assessed at baseline; None: all.
    Returns Pfs. A patient without an event is censored at the last assessment, or at 0 without any.
    Raises InputError GP-V002 and GP-V003 for arrays, GP-V007 for options, GP-V044 for dates at odds.
    Source: see FDA and EMA above; ICH E9 (R1), 2019, for the strategies.
    """
    progressed, died, treated = _times(progression, death, new_therapy)
    n = progressed.size
    if not (np.isfinite(every) and every > 0 and np.isfinite(window) and window >= 0):
        raise InputError(
            "GP-V007",
            f"assessments every {every!r} with a window of {window!r}",
            where="every",
            expected="a distance above 0 and a window of 0 or more, in the unit of the times",
            next_step="take the schedule of the protocol",
        )
    who, when = _assessments(assessments, n, died)
    first = np.minimum(progressed, died)
    seen = np.isfinite(first)
    # Progression and death at one time are a progression.
    reason = np.where(progressed <= died, "progression", "death").astype("<U18")
    before = _last(who, when, n, np.where(seen, first, np.inf), strict=True)
    time, event = first.copy(), seen.copy()
    if rule.missed is not None:
        gap = np.where(seen, first - before - window, 0.0)
        # Visits planned every so often after the last one, which could have been held before the event.
        skipped = np.ceil(gap / every - 1e-9) - 1
        late = seen & (skipped > rule.missed)
        _end(late, before, "missed assessments", (time, event, reason))
    last = _last(who, when, n, np.full(n, np.inf), strict=False)
    _end(~seen, last, "no event", (time, event, reason))
    if rule.new_therapy != "ignore":
        turned = treated < first
        if rule.new_therapy == "event":
            time[turned], event[turned], reason[turned] = treated[turned], True, "new therapy"
        else:
            until = _last(who, when, n, treated, strict=False)
            _end(
                turned & (until <= np.where(event, np.inf, time)), until, "new therapy", (time, event, reason)
            )
    reason[(reason == "no event") & (time == 0)] = "no assessment"
    if baseline is not None and rule.needs_baseline:
        without = as_floats(baseline, "baseline") == 0
        same_shape(without, progressed.shape, "baseline")
        _end(without, np.zeros(n), "no baseline", (time, event, reason))
    return Pfs(rule, time, event, reason)


def _end(who: Flags, at: Floats, why: str, found: tuple[Floats, Flags, NDArray[np.str_]]) -> None:
    """Censor some patients."""
    time, event, reason = found
    time[who], event[who], reason[who] = at[who], False, why


def _last(who: Integers, when: Floats, n: int, until: Floats, *, strict: bool) -> Floats:
    """Each patient's last assessment by, or if `strict` before, a time; 0 without any."""
    use = when < until[who] - 1e-9 if strict else when <= until[who] + 1e-9
    last = np.zeros(n)
    np.maximum.at(last, who[use], when[use])
    return last


def _times(*columns: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Times of progression, death and new therapy, infinite for none."""
    names = ("progression", "death", "new_therapy")
    found: list[Floats] = []
    for name, column in zip(names, columns, strict=True):
        values = as_floats(column, name)
        if found:
            same_shape(values, found[0].shape, name)
        values = np.where(np.isnan(values), np.inf, values)
        bad = np.flatnonzero(values < 0)
        if bad.size:
            raise _odd(name, int(bad[0]), f"{values[bad[0]]:g} lies before randomisation")
        found.append(values)
    progressed, died, treated = found
    for name, values in (("progression", progressed), ("new_therapy", treated)):
        bad = np.flatnonzero(np.isfinite(values) & (values > died))
        if bad.size:
            at = int(bad[0])
            raise _odd(name, at, f"{values[at]:g} lies after death at {died[at]:g}")
    return progressed, died, treated


def _assessments(given: tuple[ArrayLike, ArrayLike], n: int, died: Floats) -> tuple[Integers, Floats]:
    who = np.asarray(given[0]).reshape(-1)
    when = np.asarray(given[1], dtype=np.float64).reshape(-1)
    if who.size != when.size or (who.size and not (int(who.min()) >= 0 and int(who.max()) < n)):
        raise InputError(
            "GP-V003",
            f"{who.size} patients and {when.size} times of assessments of {n} patients",
            where="assessments",
            expected="a position from 0 to n - 1 and a time for each assessment",
            next_step="take both columns from the same rows",
        )
    bad = np.flatnonzero(~(np.isfinite(when) & (when >= 0) & (when <= died[who.astype(np.int64)] + 1e-9)))
    if bad.size:
        at = int(bad[0])
        raise _odd("assessments", at, f"{when[at]:g} lies outside the life of its patient")
    return who.astype(np.int64), when


def _odd(name: str, index: int, said: str) -> InputError:
    return InputError(
        "GP-V044",
        said,
        where=place(name, (index,)),
        expected="times from randomisation to death, NaN for what did not happen",
        next_step="look whether the columns have one unit and one origin, or correct the dates",
    )


def pfs_table(
    patients: Any,
    assessments: Any,
    *,
    every: float,
    window: float = 0.0,
    rules: Sequence[PfsRule] = (FDA, EMA),
    columns: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """Progression-free survival by several rules side by side.

    patients: a table of one row a patient with `patient`, `progression`, `death`, `new_therapy`, empty for
    none, and `baseline` if it is known.   assessments: a table of `patient` and `time`.   columns: our names
    for columns called otherwise, {ours: theirs}; `time` is that of the assessments.   every, window: as in
    `pfs`.   rules: the first is what others are told apart from.
    Returns a table of patient, and for each rule NAME_time, NAME_event, NAME_reason.
    Raises InputError GP-V030 for columns and patients, and what `pfs` raises.
    Source: `pfs`.
    """
    called = {name: name for name in ("patient", "progression", "death", "new_therapy", "baseline", "time")}
    called |= dict(columns or {})
    people, looks = pl.DataFrame(patients), pl.DataFrame(assessments)
    for table, names in (
        (people, ("patient", "progression", "death", "new_therapy")),
        (looks, ("patient", "time")),
    ):
        for name in names:
            if called[name] not in table.columns:
                raise _table(f'no column "{called[name]}"', f"one of the columns {', '.join(table.columns)}")
    labels = people[called["patient"]].to_list()
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise _table(f"patient {twice} has two rows", "one row a patient")
    position = {label: k for k, label in enumerate(labels)}
    owners = looks[called["patient"]].to_list()
    strange = [label for label in owners if label not in position]
    if strange:
        raise _table(f"assessments of {strange[0]}, who is no patient", "patients of the first table")
    progression, death, new_therapy = (
        people[called[name]].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        for name in ("progression", "death", "new_therapy")
    )
    when = looks[called["time"]].cast(pl.Float64).to_numpy()
    baseline = people[called["baseline"]].to_numpy() if called["baseline"] in people.columns else None
    found: dict[str, Any] = {"patient": labels}
    for rule in rules:
        by = pfs(
            progression,
            death,
            new_therapy,
            (np.array([position[label] for label in owners], dtype=np.int64), when),
            every=every,
            window=window,
            rule=rule,
            baseline=baseline,
        )
        found |= {
            f"{rule.name}_time": by.time,
            f"{rule.name}_event": by.event,
            f"{rule.name}_reason": by.reason,
        }
    return pl.DataFrame(found)


def _table(said: str, expected: str) -> InputError:
    next_step = "see docs/survival.md, Progression-free survival by rule"
    return InputError("GP-V030", said, where="table of patients", expected=expected, next_step=next_step)
