"""The command of an assay: its options from its settings, its tables from its result, the same for all."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

import typer

from glueprint.assays import blot, degradation, elisa, growth, polarization
from glueprint.assays.contract import AssayResult, Field, Settings
from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.cli.plates import (
    Columns,
    FigureFile,
    LayoutFile,
    OutFolder,
    ReaderName,
    SheetName,
    names_of,
    print_findings,
    shown,
    write_tables,
)
from glueprint.runs.store import write_file

__all__ = ["COMMANDS"]

# More rows than this belong into --out.
MOST = 100
# Options of what reads an assay's files, by its parameters, and what an option's text becomes.
INPUTS: dict[str, Any] = {
    "layout": LayoutFile,
    "reader": ReaderName,
    "sheet": SheetName,
    "names": Columns,
    "time0": Annotated[Path | None, typer.Option(help="Plate of time zero, where it is another file.")],
    "boxes": Annotated[
        list[Path] | None, typer.Option(help="Lanes, bands and what is in them (TOML); one a membrane.")
    ],
    "reference_image": Annotated[
        Path | None, typer.Option(help="A second picture of the membrane, such as total protein.")
    ],
    "time0_layout": Annotated[Path | None, typer.Option(help="Its layout, if not that of the plate.")],
}
WRITE_BOXES = Annotated[
    Path | None,
    typer.Option(help="Write the lanes and bands used, to correct and annotate; one file a membrane."),
]
BECOMES: dict[str, Callable[[Any], Any]] = {"names": names_of}


def command(assay: Any, file: str, boxes: bool = False) -> Callable[..., None]:
    """A command for typer: read, analyse, print the summary and the findings; 1 where something was refused.

    assay: a room with `read`, `Settings` and `analyse`, whose first sentence is the help.   file: help of
    what is read.   boxes: whether the result has boxes to write.
    """
    first, *others = inspect.signature(assay.read).parameters.values()
    several = first.kind is Parameter.VAR_POSITIONAL
    kind: Any = list[Path] if several else Path
    argument = Annotated[kind, typer.Argument(help=file)]
    inputs = [one.name for one in others]
    chosen_too = {one.name for one in assay.Settings.fields()}
    parameters = [
        Parameter(first.name, Parameter.POSITIONAL_OR_KEYWORD, annotation=argument),
        *(_parameter(name, INPUTS[name]) for name in inputs if name not in chosen_too),
        *_options(assay.Settings),
        *([_parameter("write_boxes", WRITE_BOXES)] if boxes else []),
        _parameter("figure", FigureFile),
        _parameter("out", OutFolder),
        _parameter("as_json", Json, default=False),
    ]

    def run(**given: Any) -> None:
        chosen = _settings(assay.Settings, given)
        files = given[first.name] if several else [given[first.name]]
        beside = {name: BECOMES.get(name, lambda value: value)(given[name]) for name in inputs}
        observations = assay.read(*files, **beside)
        if observations.line and not given["as_json"]:
            console.print(observations.line, markup=False)
        result = assay.analyse(observations, chosen)
        if given.get("write_boxes"):
            _write_boxes(result, given["write_boxes"])
        _show(result, given["figure"], given["out"], as_json=given["as_json"])

    run.__doc__ = str(assay.analyse.__doc__).partition("\n\n")[0]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


def _show(result: AssayResult, figure: Path | None, out: Path | None, *, as_json: bool) -> None:
    if figure is not None:
        # Drawing costs an import that numbers need not pay.
        from glueprint.report import figures

        figures.save(result.plot(), figure)
    if out is not None:
        write_tables(out, result.files())
    if as_json:
        print_json(result.as_dict())
    else:
        for title, table in result.summary().items():
            if table.height:
                cut = f", first {MOST} of {table.height}" if table.height > MOST else ""
                rows = table.head(MOST).rows()
                cells = [[shown(cell, result.DIGITS) for cell in row] for row in rows]
                print_table(title + cut, table.columns, cells)
        print_findings(result.findings)
    if result.refused:
        raise typer.Exit(1)


def _parameter(name: str, annotation: Any, default: Any = None) -> Parameter:
    return Parameter(name, Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _options(settings: type[Settings]) -> Iterator[Parameter]:
    """An option for every field; parts of settings have theirs, and so have the parts of an amount."""
    for one in settings.fields():
        if isinstance(one.kind, type) and issubclass(one.kind, Settings):
            yield from _options(one.kind)
        elif hasattr(one.kind, "PARTS"):
            for part, text in one.kind.PARTS.items():
                option = typer.Option(f"--{one.option}-{part}", help=f"{one.choice.help} {text}")
                yield _parameter(f"{one.name}_{part}", Annotated[float | None, option])
        else:
            yield _option(one)


def _option(one: Field) -> Parameter:
    option = typer.Option(f"--{one.option}", help=one.choice.text)
    if one.many == 0:
        return _parameter(one.name, Annotated[list[one.kind] | None, option])  # type: ignore[name-defined]
    if one.many is not None:
        default = None if one.default is None else ",".join(f"{end:g}" for end in one.default)
        return _parameter(one.name, Annotated[str | None, option], default)
    kind = one.kind | None if one.optional else one.kind
    return _parameter(one.name, Annotated[kind, option], one.default)


def _settings(settings: type[Settings], given: Mapping[str, Any]) -> Settings:
    values: dict[str, Any] = {}
    for one in settings.fields():
        if isinstance(one.kind, type) and issubclass(one.kind, Settings):
            values[one.name] = _settings(one.kind, given)
        elif hasattr(one.kind, "PARTS"):
            parts = {part: given[f"{one.name}_{part}"] for part in one.kind.PARTS}
            values[one.name] = one.kind.of_parts(one.name, parts)
        elif one.many == 0:
            values[one.name] = tuple(given[one.name] or ())
        elif one.many is not None and given[one.name] is not None:
            values[one.name] = _numbers(settings, one, given[one.name])
        else:
            values[one.name] = given[one.name]
    return settings(**values)


def _numbers(settings: type[Settings], one: Field, text: str) -> tuple[Any, ...]:
    try:
        return tuple(one.kind(part) for part in text.split(","))
    except ValueError as error:
        expected = f"{one.many} numbers with commas between"
        raise settings.refusal(f"--{one.option}", f'"{text}"', expected) from error


def _write_boxes(result: Any, path: Path) -> None:
    """The boxes; of several membranes each in a file with its name behind that of `path`."""
    for part in result.membranes:
        name = f"{path.stem}-{part.boxes.file.membrane}{path.suffix}" if result.parts else path.name
        write_file(path.with_name(name), blot.boxes_writing.text(part.boxes))


COMMANDS = {
    "binding": command(polarization, "A plate reader's file, or a tidy CSV file."),
    "blot": command(blot, "The blot: TIFF or PNG, 16 bit as the camera counted.", boxes=True),
    "degradation": command(degradation, "Tidy CSV or TSV files, one row a lane; several are joined."),
    "elisa": command(elisa, "A plate reader's file, or a tidy CSV file."),
    "growth": command(growth, "A plate reader's file, or a tidy table, one row a well."),
}
