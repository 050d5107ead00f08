"""Twins by protocol: from a truth and a seed to the files that a laboratory would have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from glueprint.assays.twins import blot, document, elisa, fp, growth
from glueprint.assays.twins.document import TwinFile
from glueprint.assays.twins.draws import Draws
from glueprint.assays.twins.refusals import no_protocol
from glueprint.documents import Document
from glueprint.errors import InputError
from glueprint.runs.store import write_file

__all__ = ["PROTOCOLS", "Protocol", "Twin", "simulate", "write"]

TRUTH, README = "truth.toml", "README.txt"


@dataclass(frozen=True)
class Protocol:
    """One protocol of the guides: its settings, simulator and files, and what analyses them."""

    title: str
    model: type[Document]
    make: Callable[[Any, Draws], Any]
    files: Callable[[Any, str], dict[str, bytes]]
    commands: Callable[[Any], tuple[str, ...]]


def _blot_commands(truth: blot.Truth) -> tuple[str, ...]:
    numbers = range(1, truth.experiments + 1)
    tables = " ".join(f"blot-{n}/bands.csv" for n in numbers)
    return (
        *(f"glueprint assay blot membrane-{n}.tif --boxes boxes-{n}.toml --out blot-{n}" for n in numbers),
        f"glueprint assay degradation {tables} --figure degradation.svg",
    )


PROTOCOLS: Mapping[str, Protocol] = MappingProxyType(
    {
        "fp": Protocol(
            "fluorescence polarisation: compounds compete with a tracer for cereblon",
            fp.Truth, fp.make, fp.files,
            lambda _: ("glueprint assay binding plate.txt --layout layout.toml --figure curves.svg",),
        ),
        "elisa": Protocol(
            "TNF-alpha ELISA of stimulated PBMC of several donors",
            elisa.Truth, elisa.make, elisa.files,
            lambda _: ("glueprint assay elisa plate.txt --layout layout.toml --figure plate.svg",),
        ),
        "blot": Protocol(
            "blots of targets over dose and time of a degrader",
            blot.Truth, blot.make, blot.files, _blot_commands,
        ),
        "growth": Protocol(
            "luminescence of growing cultures under a compound, with plates of time zero",
            growth.Truth, growth.make, growth.files,
            lambda _: ("glueprint assay growth plate.txt --layout layout.toml --figure growth.svg",),
        ),
    }
)  # fmt: skip


@dataclass(frozen=True)
class Twin:
    """A simulated experiment: `truth` as given, `drawn` by the seed, `files` by name with their bytes.

    commands: what analyses the files, run in their folder.
    """

    protocol: str
    seed: int
    truth: Document
    drawn: Mapping[str, Any]
    files: Mapping[str, bytes]
    commands: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """All but the bytes, by name, for `--json`."""
        return {
            "simulated": True,
            "protocol": self.protocol,
            "seed": self.seed,
            "truth": self.truth.model_dump(mode="json", exclude_none=True),
            "drawn": dict(self.drawn),
            "files": {name: len(content) for name, content in self.files.items()},
            "commands": list(self.commands),
        }


def simulate(
    protocol: str, *, seed: int | None = None, truth: str | Path | None = None, changes: Iterable[str] = ()
) -> Twin:
    """The files of one simulated experiment.

    protocol: "fp", "elisa", ...   seed: None takes that of the truth file, or 1.   truth: a TOML file as
    `truth.toml` of a twin; None: the defaults.   changes: "name=value", after the file.
    Returns `Twin`; the same arguments give the same bytes.
    Raises InputError GP-A180 to GP-A187.
    Source: docs/twins.md.
    """
    if protocol not in PROTOCOLS:
        raise no_protocol(protocol, PROTOCOLS)
    chosen = PROTOCOLS[protocol]
    told = _told(protocol, truth)
    number = told.seed if seed is None else seed
    if number < 0:
        raise InputError(
            "GP-A187",
            f"{number}",
            where="seed",
            expected="a whole number of zero or more",
            next_step="correct the seed",
        )
    where = str(truth) if truth is not None else f"twin {protocol}"
    data = document.changed(told.truth, chosen.model, changes)
    settings = document.settings(chosen.model, data, where)
    made = chosen.make(settings, Draws(number, protocol))
    mark = f"yes, by glueprint assay twin {protocol}, seed {number}, not measured"
    file = TwinFile(
        kind="glueprint-twin",
        version=1,
        protocol=protocol,
        seed=number,
        truth=settings.model_dump(mode="json", exclude_none=True),
        drawn=made.drawn,
    )
    files = chosen.files(made, mark) | {TRUTH: document.text(file).encode()}
    commands = chosen.commands(settings)
    files[README] = _readme((protocol, number), chosen.title, (files, commands)).encode()
    return Twin(protocol, number, settings, made.drawn, MappingProxyType(files), commands)


def write(twin: Twin, folder: Path) -> tuple[Path, ...]:
    """Write the files of a twin into a folder, made if absent; files of the same name are replaced.

    Returns their paths.   Raises EnvironmentProblemError GP-R001, GP-R002.
    """
    for name, content in twin.files.items():
        write_file(folder / name, content)
    return tuple(folder / name for name in twin.files)


def _told(protocol: str, truth: str | Path | None) -> TwinFile:
    if truth is None:
        return TwinFile(kind="glueprint-twin", version=1, protocol=protocol)
    told = document.read(truth)
    if told.protocol != protocol:
        raise InputError(
            "GP-A186",
            f'the truth of a twin "{told.protocol[:40]}", asked for is "{protocol}"',
            where=f"{truth}, protocol",
            expected="one protocol",
            next_step=f"`glueprint assay twin {told.protocol[:40]}`, or another truth",
        )
    return told


def _readme(which: tuple[str, int], title: str, told: tuple[Iterable[str], Iterable[str]]) -> str:
    (protocol, seed), (files, commands) = which, told
    lines = [
        "SIMULATED DATA. Nothing in this folder was measured.",
        "",
        f"{title[0].upper()}{title[1:]}.",
        f"Made by: glueprint assay twin {protocol} --seed {seed} (settings in {TRUTH}).",
        f"Files: {', '.join(files)}.",
        "",
        "Analyse it in this folder with",
        "",
        *(f"    {command}" for command in commands),
        "",
        f"and compare with {TRUTH}. No raw pomalidomide data of these assays are public.",
    ]
    return "\n".join(lines) + "\n"
