"""Projects: the list, a new one, one out of a zip, one brought back."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from glueprint.web.context import of
from glueprint.web.refusals import refused
from glueprint.web.render import page
from glueprint.web.requests import Form
from glueprint.web.workspace import Entry

__all__ = ["home", "imported", "made", "restored"]

EXAMPLE = "O=C1CCC(N2Cc3c(cccc3N)C2=O)C(=O)N1"


def home(request: Request) -> Response:
    """The list of projects."""
    bench = of(request)
    projects = bench.workspace.projects()
    return page(
        request,
        "home.html.j2",
        projects=projects,
        trash=bench.workspace.put_away_names(),
        free=_free(projects),
        example=EXAMPLE,
        folder=str(bench.workspace.folder),
    )


def _free(projects: tuple[Entry, ...]) -> str:
    """A name for the first project of somebody who tries it."""
    taken = {one.name for one in projects}
    return next(name for n in range(len(taken) + 1) if (name := f"glue-{n + 1}") not in taken)


def made(request: Request, form: Form) -> Response:
    """A new project, empty or with simulated plates."""
    bench = of(request)
    twin = form.text("twin") == "yes"
    seed = form.number("seed", 1.0)
    if seed is None or not 0 <= seed < 2**31 or seed != int(seed):
        raise refused(
            "GP-B023",
            "the seed is no whole number",
            "a whole number of 0 or more",
            "correct it",
            where="seed",
        )
    bench.workspace.new(
        form.text("name"),
        compound=form.text("compound") or "GLX-1",
        smiles=form.text("smiles") or EXAMPLE,
        twin=twin,
        seed=int(seed),
    )
    return RedirectResponse(f"/p/{form.text('name')}", 303)


def imported(request: Request, form: Form) -> Response:
    """A project out of a zip."""
    if len(form.files) != 1:
        raise refused(
            "GP-B020", f"{len(form.files)} files", "one packed project", "choose a file", where="file"
        )
    of(request).workspace.unpack(form.files[0].content, form.text("name"))
    return RedirectResponse(f"/p/{form.text('name')}", 303)


def restored(request: Request, form: Form) -> Response:
    """Undo a deletion, or empty what was deleted for good."""
    workspace = of(request).workspace
    if form.text("empty") == "yes":
        workspace.empty_trash()
        return RedirectResponse("/", 303)
    return RedirectResponse(f"/p/{workspace.fetch_back(form.text('ticket')).name}", 303)
