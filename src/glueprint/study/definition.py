"""A study as a TOML file: which compound, which trials, how many runs, which seed."""

from __future__ import annotations

import os
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator

from glueprint import trials
from glueprint.calibration import LEAST_REPLICATES
from glueprint.documents import Codes, Document, is_file, read, validate
from glueprint.errors import InputError, nearest
from glueprint.mechanism import Compound, compounds
from glueprint.runs.executor import Choice, Kind
from glueprint.trials import Protocol

__all__ = [
    "REQUEST",
    "ExecutorRequest",
    "PlatesRequest",
    "ProfileRequest",
    "Study",
    "TrialRequest",
    "available",
    "executor_of",
    "load",
]

REQUEST = "study.json"  # what was asked for, in the folder of a finished study

CODES = Codes(
    unreadable="GP-S002",
    syntax="GP-S003",
    header="GP-S004",
    field="GP-S005",
    help="docs/studies.md shows a whole study file",
)


class TrialRequest(Document):
    """One trial of a study. protocol: name or path; counterfactual: every patient also without later therapy;
    both as for `glueprint trial run`."""

    protocol: Annotated[str, Field(min_length=1)]
    replicates: Annotated[int, Field(ge=1, le=100_000)] = 1
    counterfactual: bool = False


class ProfileRequest(Document):
    """Virtual patients followed through their first cycle for the profile figures."""

    patients: Annotated[int, Field(ge=20, le=100_000)] = 500
    days: Annotated[int, Field(ge=1, le=365)] = 28


class PlatesRequest(Document):
    """Simulated raw files of these protocols, analysed: the way from the plate, without a measurement."""

    protocols: Annotated[tuple[Literal["fp", "elisa", "blot", "growth"], ...], Field(min_length=1)] = (
        "fp", "elisa", "blot", "growth",
    )  # fmt: skip

    @field_validator("protocols")
    @classmethod
    def _once(cls, protocols: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(protocols)) < len(protocols):
            raise ValueError("each protocol once")
        return protocols


class ExecutorRequest(Document):
    """Where the virtual trials are computed; it changes the time they take, never the numbers.

    workers: processes of our own, one per processor if left out.   address: a Dask scheduler.
    """

    kind: Literal["serial", "processes", "dask"] = "processes"
    workers: Annotated[int, Field(ge=1, le=10_000)] | None = None
    address: Annotated[str, Field(min_length=1)] | None = None


class Study(Document):
    """What a study asks for."""

    kind: Literal["glueprint-study"]
    version: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]
    title: Annotated[str, Field(min_length=1)]
    compound: Annotated[str, Field(min_length=1)]
    # The reference whose guide the study is set beside; none if left out.
    reference: Annotated[str, Field(min_length=1)] | None = None
    seed: Annotated[int, Field(ge=0)] = 1
    # Draws of the shipped posterior of this structure for each virtual trial; its most probable if left out.
    posterior: Literal["burden", "claret", "two-clone"] | None = None
    trials: Annotated[tuple[TrialRequest, ...], Field(min_length=1)]
    profiles: ProfileRequest = ProfileRequest()
    plates: PlatesRequest | None = None
    executor: ExecutorRequest | None = None
    # Where relative paths in the file begin; no part of what was asked for.
    _folder: Path = PrivateAttr(default=Path())

    def load_compound(self) -> Compound:
        """The compound that the study is about, by name or by path from the study's file.

        Raises what `compounds.load` raises.
        """
        return compounds.load(self.compound, folder=self._folder)

    def load_protocol(self, asked: TrialRequest) -> Protocol:
        """The protocol of one of its trials, by name or by path from the study's file.

        Raises what `trials.load_protocol` raises.
        """
        named = asked.protocol in trials.available()
        return trials.load_protocol(asked.protocol if named else self._folder / asked.protocol)

    @model_validator(mode="after")
    def _enough_replicates(self) -> Study:
        few = [trial.protocol for trial in self.trials if trial.replicates < LEAST_REPLICATES]
        if self.posterior and few:
            raise ValueError(
                f"a posterior needs {LEAST_REPLICATES} replicates or more of each trial, as a 95 % "
                f"prediction interval does; {', '.join(few)} has fewer"
            )
        return self


def available() -> tuple[str, ...]:
    """Names of the studies that come with Glueprint."""
    names = (entry.name for entry in _folder().iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def source(name_or_path: str | Path) -> Path | Traversable:
    """The file of a study: the package's own by name, or a user's by path.

    Raises InputError GP-S001 if there is neither.
    """
    text = str(name_or_path)
    if text in available():
        return _folder() / f"{text}.toml"
    if not text.endswith(".toml") and not is_file(text):
        raise InputError(
            "GP-S001",
            f'unknown study "{text}"{nearest(text, available())}',
            expected=f"one of {', '.join(available())}, or the path of a .toml file",
            next_step="see docs/studies.md for how to write one",
        )
    return Path(text)


def load(name_or_path: str | Path) -> Study:
    """The study of this name, or the one in this TOML file.

    Raises InputError GP-S001 (unknown name), GP-S002 (unreadable), GP-S003 (not TOML), GP-S004 (not a
    study, or of a newer version), GP-S005 (a field).

    >>> load("pomalidomide").compound
    'pomalidomide'
    """
    path = source(name_or_path)
    plan = validate(Study, read(path, CODES), CODES, where=str(path))
    if isinstance(path, Path) and str(name_or_path) not in available():
        plan._folder = path.parent
    return plan


def executor_of(
    plan: Study,
    kind: Kind | None = None,
    workers: int | None = None,
    address: str | None = None,
    *,
    trust_scheduler: bool = False,
) -> Choice:
    """Where a study is computed: what is said here, else what its file says, else on this process alone.

    trust_scheduler: whether the address in the study's file may be used; who runs a scheduler can run code as
    its users, and the file may be somebody else's.
    Raises InputError GP-R010 for a choice that no executor fits, GP-R020 for an address elsewhere without
    TLS, GP-S013 for an address of the file that nobody trusts.
    """
    asked = plan.executor
    if asked and asked.address and kind in (None, asked.kind) and not (address or trust_scheduler):
        raise InputError(
            "GP-S013",
            f'the study file names a scheduler, "{asked.address}", which could run programs as you',
            where=f"{plan.name}, executor.address",
            expected="an address that you give or trust yourself",
            next_step="--trust-scheduler if it is yours, --address for your own, or --executor processes",
        )
    if address and not kind:
        kind = "dask"
    if kind is None and asked is None:
        kind = "serial" if workers in (None, 1) else "processes"
    if asked and kind in (None, asked.kind):
        kind = asked.kind
        workers, address = workers or asked.workers, address or asked.address
    # What is asked of a serial run beyond one worker is refused by `Choice`, not dropped.
    return Choice(kind or "serial", workers or (1 if kind == "serial" else os.cpu_count() or 1), address)


def _folder() -> Traversable:
    return files("glueprint.study") / "studies"
