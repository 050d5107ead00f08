"""What can happen to one patient's integration, with the remedy in the text."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["EVENT", "REASONS", "Status"]


# Between solver and event handling only: the patient waits for its events to be carried out.
EVENT = 100


class Status(IntEnum):
    """One code per patient; 0 is fine."""

    OK = 0
    STEP_LIMIT = 1
    NOT_FINITE = 2
    STEP_TOO_SMALL = 3
    BAD_START = 4
    EVENT_STORM = 5
    BAD_DELAY = 6
    OUTSIDE_DOMAIN = 7
    ACCURACY_NOT_MET = 8
    NO_STEADY_STATE = 9


REASONS: dict[int, str] = {
    Status.OK: "",
    Status.STEP_LIMIT: (
        "the step limit was reached before the end: raise `step_limit`, or look for a parameter that makes "
        "the model much faster than the interval"
    ),
    Status.NOT_FINITE: (
        "a value became infinite or undefined however short the step: look for a division by zero, a "
        "negative base of a power or a logarithm, or unbounded growth at these parameters"
    ),
    Status.STEP_TOO_SMALL: (
        "the error of a step stays too large however short the step: a rate jumps there or has no bound; a "
        "tighter `accuracy` often passes where a looser one fails, because steps then end nearer to the "
        "jump, and a larger `smallest` where the state that jumps is near 0"
    ),
    Status.BAD_START: (
        "an initial value or a parameter is not finite: check the values given for this patient"
    ),
    Status.EVENT_STORM: (
        "events kept triggering one another without time passing: check the triggers for a loop"
    ),
    Status.BAD_DELAY: "the delay of an event is negative or undefined: check the values it is computed from",
    Status.OUTSIDE_DOMAIN: (
        "the base of a broken power or a root became negative, where the rate is undefined: check the values "
        "given for this patient, or write the rate so that the base stays positive; a tighter `accuracy` "
        "helps where the base is near 0"
    ),
    Status.ACCURACY_NOT_MET: (
        "finer runs do not agree within the wished accuracy: the model magnifies small differences (chaos, "
        "phases of an oscillator over a long time); shorten the run, or relax `accuracy`"
    ),
    Status.NO_STEADY_STATE: (
        "no steady state of the repeated dose was found: something grows from interval to interval, because "
        "nothing removes it (an area under a curve) or more is given than can be removed; leave that out of "
        "the model, or give the doses one by one"
    ),
}
