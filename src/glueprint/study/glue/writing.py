"""A new project: `glue.toml`, folders for raw files, and for a made-up glue the files themselves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from glueprint import references, trials
from glueprint.chemistry import structures
from glueprint.documents import parse, validate
from glueprint.errors import InputError
from glueprint.mechanism import compounds
from glueprint.runs.store import disk_errors, write_file
from glueprint.study.glue import twin as twins
from glueprint.study.glue.project import BORROWED, CODES, FILE, RAW, Project, load

__all__ = ["new"]

KINDS = ("fp", "elisa", "blot", "degradation", "growth", "table")
# What an entry of each kind looks like, for people who begin without files.
EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "fp": ('files = ["raw/fp/plate.txt"]', 'layout = "raw/fp/layout.toml"'),
    "elisa": ('files = ["raw/elisa/plate.txt"]', 'layout = "raw/elisa/layout.toml"'),
    "blot": (
        'files = ["raw/blot/membrane-1.tif"]',
        'boxes = ["raw/blot/boxes-1.toml"]',
        'cells = "MM1S"',
    ),
    "degradation": ('files = ["raw/degradation/lanes.csv"]', 'cells = "MM1S"'),
    "growth": ('files = ["raw/growth/plate.txt"]', 'layout = "raw/growth/layout.toml"'),
    "table": ('files = ["raw/table/measured.csv"]',),
}
BLOT_IMAGE, LAYOUT, PLATE = "membrane-", "layout.toml", "plate.txt"


@dataclass(frozen=True)
class _Plan:
    """What the file of a new project says beside its compound."""

    protocol: str
    dose_mg: float
    doses_mg: tuple[float, ...]
    pk: str | None
    assays: tuple[str, ...]


def new(
    folder: str | Path,
    *,
    compound: str,
    smiles: str,
    reference: str | None = compounds.REFERENCE,
    protocol: str | None = None,
    twin: bool = False,
    seed: int = 1,
) -> Project:
    """Begin a project in a new or empty folder.

    compound: name of the glue.   smiles: its structure.   reference: the compound that stands on its plates
    and whose trials are known; None for plates without one.   protocol: name of the trial to predict; the
    largest of the reference's trials if None.   twin: fill it with simulated raw files of a glue drawn by the
    seed and of the reference, its PK and its regimen, the truth beside them in truth/.
    Returns the project, as `load` reads it.
    Raises InputError GP-S025 (the folder holds something), GP-S023 (a name), GP-H002 (SMILES), and what
    `runs.store.write_file` raises.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> new(folder, compound="GLX-1", smiles="O=C1CCC(N2Cc3c(cccc3N)C2=O)C(=O)N1").compound
    'GLX-1'
    """
    target = Path(folder)
    with disk_errors(target):
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise InputError(
                "GP-S025",
                "is there already, and holds something",
                where=str(target),
                expected="a new or an empty folder",
                next_step=f"choose another name; `glueprint glue status` looks at a project with {FILE}",
            )
    structure = structures.from_smiles(smiles, name=compound, where="--smiles")
    name = protocol or _largest()
    _, drug = trials.glue_of(trials.load_protocol(name))
    files: Mapping[str, bytes] = {}
    plan = _Plan(name, drug.dose_mg, (), None, ())
    if twin:
        beside = compounds.load(reference or compounds.REFERENCE)
        _check(_text(compound, smiles, reference, seed, plan, simulated=True), target)
        mass = structure.average_mass_g_per_mol
        made = twins.make(compound, smiles, mass, beside, (drug.dose_mg, seed))
        files = made.files
        plan = _Plan(name, made.dose_mg, made.doses_mg, "pk.toml", _entries(files))
    text = _text(compound, smiles, reference, seed, plan, simulated=twin)
    _check(text, target)
    _write(target, files, text)
    return load(target)


def _largest() -> str:
    """The largest trial of the reference."""
    names = references.default().trials.values()
    return max(names, key=lambda name: trials.load_protocol(name).patients)


def _check(text: str, folder: Path) -> None:
    """Raise what is wrong with a project file before anything is written."""
    validate(Project, parse(text, CODES, where=FILE), CODES, where=str(folder / FILE))


def _write(folder: Path, files: Mapping[str, bytes], text: str) -> None:
    """Raw files first: a folder with a project file has all that it names."""
    with disk_errors(folder):
        for kind in KINDS:
            (folder / RAW / kind).mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write_file(folder / name, content)
    write_file(folder / FILE, text)


def _entries(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """The [[assay]] entries of simulated files, one a protocol."""
    found = []
    for kind in KINDS:
        mine = sorted(name for name in files if name.startswith(f"{RAW}/{kind}/"))
        if not mine:
            continue
        lines = ["[[assay]]", f'name = "{kind}-1"', f'kind = "{kind}"']
        if kind == "blot":
            images = [name for name in mine if BLOT_IMAGE in name]
            lines += [f"files = {json.dumps(images)}"]
            lines += [f"boxes = {json.dumps([name for name in mine if name not in images])}"]
            lines += [f'cells = "{twins.LINE}"']
        else:
            lines += [f'files = ["{RAW}/{kind}/{PLATE}"]', f'layout = "{RAW}/{kind}/{LAYOUT}"']
        found.append("\n".join(lines))
    return tuple(found)


def _examples() -> Iterable[str]:
    """Every kind of entry, commented out."""
    yield "# One entry an assay. Take the marks away and put your files' names in."
    for kind, lines in EXAMPLES.items():
        yield "\n".join(
            f"# {line}" for line in ("[[assay]]", f'name = "{kind}-1"', f'kind = "{kind}"', *lines)
        )


def _text(
    compound: str, smiles: str, reference: str | None, seed: int, plan: _Plan, *, simulated: bool
) -> str:
    """The project file."""
    mark = (
        "# SIMULATED, not measured: a made-up glue; truth/ holds what is behind the files.\n"
        if simulated
        else ""
    )
    beside = (
        f"reference = {json.dumps(reference)}   # stands on the same plates; its trials are known"
        if reference
        else f"# reference = {json.dumps(compounds.REFERENCE)}   # if it stands on the same plates"
    )
    head = [
        f"{mark}# The project of one glue; docs/your-glue.md explains it. Paths begin in this folder.",
        'kind = "glueprint-glue"',
        "version = 1",
        f"compound = {json.dumps(compound)}",
        f"smiles = {json.dumps(smiles)}",
        beside,
        f"seed = {seed}",
        *(["simulated = true"] if simulated else []),
    ]
    return "\n\n".join(["\n".join(head), *(plan.assays or _examples()), *_patients(plan)]) + "\n"


def _patients(plan: _Plan) -> Iterable[str]:
    """What a trial needs: pharmacokinetics, a regimen, doses to compare."""
    known = plan.pk is not None
    mark = "" if known else "# "
    source = plan.pk or "pk.toml"
    if not known:
        yield (
            "# Without pharmacokinetics there is no trial: your own file, or those of the reference, marked "
            f'as borrowed\n# (source = "{BORROWED}").'
        )
    yield f"{mark}[pk]\n{mark}source = {json.dumps(source)}"
    yield "\n".join(
        mark + line
        for line in (
            "[trial]",
            f"protocol = {json.dumps(plan.protocol)}   # its patients, visits and partner drug; or a path",
            f"dose_mg = {plan.dose_mg:g}   # of your glue; days and dose rules as the arm has them",
            "patients = 100   # of each virtual trial",
            "replicates = 60   # virtual trials, each with a draw of what is not known",
        )
    )
    doses = plan.doses_mg or tuple(plan.dose_mg * times for times in twins.SWEPT)
    yield "\n".join(
        mark + line
        for line in (
            "[sweep]",
            f"doses_mg = [{', '.join(f'{dose:g}' for dose in doses)}]",
            "orr_above_percent = 30   # how likely is a response rate above it?",
            "neutropenia_limit_percent = 50   # at which dose does grade 3/4 pass it?",
        )
    )
