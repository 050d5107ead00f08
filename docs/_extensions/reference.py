"""The reference of the site, out of the code: public names of every room, commands with their options."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docstrings import rendered
from pygments.lexers.special import TextLexer

# Rooms by floor, from the wells to the page.
ROOMS = (
    "evidence",
    "assays",
    "assays.intake",
    "assays.polarization",
    "assays.elisa",
    "assays.blot",
    "assays.degradation",
    "assays.growth",
    "assays.quality",
    "assays.twins",
    "curves",
    "chemistry",
    "mechanism",
    "experiments",
    "engine",
    "workshop",
    "calibration",
    "trials",
    "survival",
    "study",
    "runs",
    "report",
)
FOLDER = "reference"


def write(app: Any) -> None:
    """Write the pages before the site is read; they are no sources and stay out of the repository."""
    folder = Path(app.srcdir) / FOLDER
    folder.mkdir(exist_ok=True)
    pages = {"python.md": "".join(_python()), "commands.md": "".join(_commands())}
    for name in ROOMS:
        pages[f"{name}.rst"] = _room(name)
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def _python() -> Iterator[str]:
    yield "# Rooms\n\n`import glueprint` gives every room by its name.\n\n```{toctree}\n:maxdepth: 1\n\n"
    yield from (f"{name}\n" for name in ROOMS)
    yield "```\n"


def _room(name: str) -> str:
    full = f"glueprint.{name}"
    # A module that is shown by its room has pages of its own, or is what the room's names come from.
    names = getattr(importlib.import_module(full), "__all__", ())
    shown = [one for one in names if not inspect.ismodule(_of(full, one))]
    body = "\n".join(f"   {one}" for one in shown)
    lines = [full, "=" * len(full), "", f".. automodule:: {full}", "", f".. py:currentmodule:: {full}", ""]
    for one in shown:
        value = _of(full, one)
        kind = "class" if inspect.isclass(value) else "function" if callable(value) else "data"
        lines += [f".. auto{kind}:: {full}.{one}"]
        lines += ["   :members:", "   :exclude-members: __init__"] if kind == "class" else []
        lines += ["   :no-value:"] if kind == "data" else []
        lines += [""]
    return "\n".join(lines) if body else "\n".join(lines[:4]) + "\n"


def _of(full: str, name: str) -> Any:
    return getattr(importlib.import_module(full), name)


def _commands() -> Iterator[str]:
    import typer.main

    from glueprint.cli.app import app

    root = typer.main.get_command(app)
    context = root.make_context("glueprint", [], resilient_parsing=True)
    yield "# Commands\n\nEvery command explains itself with `--help`.\n"
    for name in root.list_commands(context):
        command: Any = root.get_command(context, name)
        real = getattr(command, "commands", None)
        yield f"\n## glueprint {name}\n\n{_paragraphs(command.help)}\n"
        if real:
            for inner, one in real.items():
                yield f"\n### glueprint {name} {inner}\n\n{_paragraphs(one.help)}\n{_options(one)}"
        else:
            yield _options(command)


def _options(command: Any) -> str:
    rows = []
    for one in command.params:
        if getattr(one, "hidden", False) or one.name == "help":
            continue
        if one.param_type_name == "argument":
            names = f"`{(one.metavar or one.name).strip('{}').upper()}`"
        else:
            names = ", ".join(f"`{opt}`" for opt in (*one.opts, *one.secondary_opts))
        what = " ".join(str(getattr(one, "help", "") or "").split()).replace("|", "\\|")
        rows.append(f"| {names} | {what}{' (required)' if one.required else ''} |")
    return "\n| option | what it does |\n|---|---|\n" + "\n".join(rows) + "\n" if rows else ""


def _paragraphs(text: Any) -> str:
    return "\n\n".join(" ".join(part.split()) for part in str(text or "").split("\n\n"))


def _docstring(_app: Any, what: str, _name: str, value: Any, _options: Any, lines: list[str]) -> None:
    """Turn a docstring of the house into a list of its arguments."""
    if what == "data":
        # A constant has the docstring of its type.
        lines.clear()
        return
    names: list[str] = []
    try:
        if what == "class":
            names = [*getattr(value, "__dataclass_fields__", {}), *inspect.signature(value).parameters]
        elif callable(value):
            names = list(inspect.signature(value).parameters)
    except (TypeError, ValueError):
        pass
    lines[:] = rendered(lines, names)


def setup(app: Any) -> dict[str, Any]:
    """Join the site's build."""
    app.add_lexer("csv", TextLexer)
    app.connect("builder-inited", write)
    app.connect("autodoc-process-docstring", _docstring)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
