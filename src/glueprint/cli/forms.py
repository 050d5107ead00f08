"""`--format` for every command that has `--json`, and the name of a command for what it prints."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperGroup

from glueprint.cli import choices
from glueprint.errors import nearest

__all__ = ["purpose", "shaped"]

FLAG = "--format"
HELP = "How tables are printed; json is the same as --json."


def shaped(command: Any, path: str) -> Any:
    """`command` with `--format`, known as `path` in what it prints; of a group, each of its commands.

    A command with a `--format` of its own, for files, keeps it. Its help is plain text, as the root's is.
    """
    command.rich_markup_mode = None
    command.short_help = command.short_help or purpose(command)  # which a list of commands then shows in full
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            shaped(inner, f"{path} {name}")
    if command.callback is not None:
        command.callback = _shaped(command.callback, path)
        options = {option for parameter in command.params for option in parameter.opts}
        if "--json" in options and FLAG not in options:
            command.params.append(_option())
    return command


def purpose(command: Any) -> str:
    """What a command is for: the first paragraph of its help, on one line."""
    return " ".join(str(command.help or "").split("\n\n")[0].split())


def _shaped(function: Callable[..., Any], path: str) -> Callable[..., Any]:
    @wraps(function)
    def call(**given: Any) -> Any:
        before = choices.command.set(path)
        try:
            if choices.form.get() == "json" and "as_json" in given:
                given["as_json"] = True
            return function(**given)
        finally:
            choices.command.reset(before)

    return call


def _option() -> Any:
    """The option as typer makes it of a function's signature."""
    app = typer.Typer(add_completion=False)
    app.command()(_signature)
    return next(parameter for parameter in typer.main.get_command(app).params if FLAG in parameter.opts)


def _chosen(context: typer.Context, word: str) -> str:
    if word not in choices.FORMATS:
        known = ", ".join(choices.FORMATS)
        raise typer.BadParameter(f'"{word}" is none of {known}{nearest(word, choices.FORMATS)}', ctx=context)
    # It holds for this command alone, also where one process runs several.
    context.call_on_close(partial(choices.form.reset, choices.form.set(word)))
    return word


def _signature(
    form: Annotated[
        str,
        typer.Option(
            FLAG, metavar="|".join(choices.FORMATS), help=HELP, callback=_chosen, expose_value=False
        ),
    ] = choices.FORMATS[0],
) -> None:
    """A command that has the option and nothing else."""
