"""The command of an assay: its options from its settings, its tables from its result, the same for all."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer

from glueprint.assays.contract import AssayResult, Field, Settings
from glueprint.cli.output import Json, console, print_json, print_table
from glueprint.cli.plates import FigureFile, OutFolder, print_findings, shown, write_tables

__all__ = ["command"]

# More rows than this belong into --out.
MOST = 100
Extras = Mapping[str, tuple[Any, Callable[[Any, Path], None]]]


class Read(Protocol):
    """What a command analyses; `line` says what was read, as what."""

    @property
    def line(self) -> str: ...


def command(
    analyse: Callable[[Any, Any], AssayResult],
    settings: type[Settings],
    read: Callable[..., Read],
    *,
    extras: Extras | None = None,
) -> Callable[..., None]:
    """A command for typer: read, analyse, print the summary and the findings; 1 where something was refused.

    analyse, settings: of the assay.   read: observations from its own annotated parameters, which become
    arguments and options; its docstring is the help.   extras: further options that write a file, {name:
    (annotation, what writes it)}.
    """
    inputs = inspect.signature(read, eval_str=True).parameters
    further = extras or {}
    parameters = [
        *inputs.values(),
        *_options(settings),
        *(_parameter(name, kind) for name, (kind, _) in further.items()),
        _parameter("figure", FigureFile),
        _parameter("out", OutFolder),
        _parameter("as_json", Json, default=False),
    ]

    def run(**given: Any) -> None:
        chosen = _settings(settings, given)
        observations = read(**{name: given[name] for name in inputs})
        if observations.line and not given["as_json"]:
            console.print(observations.line, markup=False)
        result = analyse(observations, chosen)
        for name, (_, write) in further.items():
            if given[name] is not None:
                write(result, given[name])
        _show(result, given["figure"], given["out"], as_json=given["as_json"])

    run.__doc__ = read.__doc__
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
    *head, last = one.choice.allowed or ("",)
    words = f": {', '.join(head)} or {last}." if head else ""
    option = typer.Option(f"--{one.option}", help=one.choice.help + words)
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
