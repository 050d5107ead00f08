"""From a conducted replicate to the tables of docs/design.md: one row per visit, one row per patient."""

from __future__ import annotations

import numpy as np
import polars as pl

from glueprint.trials.analysis.exposure import adverse_columns, treatment_columns
from glueprint.trials.analysis.outcomes import disease_columns, unconfirmed
from glueprint.trials.conduct import LABS, Action, Conducted, response
from glueprint.trials.protocol import MONTH_DAYS, NO_REGIMEN, Protocol

__all__ = ["patients_table", "visits_table"]

ACTIONS = {
    Action.NONE: "",
    Action.HOLD: "hold",
    Action.KEEP_HELD: "held",
    Action.RESUME_LOWER: "resume lower",
    Action.RESUME_SAME: "resume",
    Action.STOP: "stop",
}
ACTION_TEXTS = pl.Series([ACTIONS[action] for action in sorted(Action)])
PERIODS = pl.Series(["treatment", "second treatment", "follow-up"])
RESPONSES = pl.Series(["", *response.LABELS])
OK, FAILED = 0, 1


def visits_table(protocol: Protocol, conducted: Conducted, replicate: int) -> pl.DataFrame:
    """One row per patient and visit."""
    log, people, seen = conducted.log, conducted.people, conducted.seen
    category = unconfirmed(protocol.measurement, seen)
    label = np.where(seen.column > 0, 1 + category[log.patient, np.maximum(seen.column, 0)], 0)
    treated = log.regimen != NO_REGIMEN
    since = log.day - log.start_day
    names = pl.Series([arm.name for arm in protocol.arms])
    return pl.DataFrame(
        {
            "trial": pl.repeat(protocol.name, log.day.size, eager=True),
            "replicate": np.full(log.day.size, replicate),
            "arm": names.gather(people.arm[log.patient]),
            "patient": log.patient,
            "time_days": log.day.astype(np.float64),
            "cycle": np.where(treated, since // protocol.cycle_days + 1, 0),
            "cycle_day": np.where(treated, since % protocol.cycle_days + 1, 0),
            "period": PERIODS.gather(np.where(treated, np.where(log.line == 0, 0, 1), 2)),
            "dose_mg": log.dose_mg,
            **{name: getattr(log.labs, name) for name in reversed(LABS)},
            "gcsf": log.gcsf,
            "action": ACTION_TEXTS.gather(log.action),
            "response": RESPONSES.gather(label),
        }
    )


def patients_table(protocol: Protocol, conducted: Conducted, replicate: int) -> pl.DataFrame:
    """One row per patient: who, what was seen, what is true."""
    people, failure = conducted.people, conducted.ward.follow_up.failure
    names = np.array([arm.name for arm in protocol.arms])
    failed = failure != ""
    frame = pl.DataFrame(
        {
            "trial": np.full(people.size, protocol.name),
            "replicate": np.full(people.size, replicate),
            "arm": names[people.arm],
            "patient": people.number,
            "status": np.where(failed, FAILED, OK),
            "reason": failure.astype(str),
            "stratum": people.stratum,
            **dict(people.levels),
            **dict(people.values),
            **disease_columns(protocol, conducted),
            **treatment_columns(conducted),
            **adverse_columns(protocol, conducted),
            **({} if people.entry_day is None else {"entry_months": people.entry_day / MONTH_DAYS}),
        }
    )
    drawn = [name for name in protocol.case_mix.names if name in frame.columns]
    order = [*frame.columns[:7], *drawn, *(name for name in frame.columns[7:] if name not in drawn)]
    return frame.select(order).with_columns(pl.col(pl.Float64).fill_nan(None))
