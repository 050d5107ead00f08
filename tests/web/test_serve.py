"""The command that serves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from glueprint.cli import serve
from glueprint.errors import EnvironmentProblemError

# 493 when this was written, most of them of the command line; 2,412 with all pages loaded at once.
MOST_MODULES = 650
HEAVY = ("numpy", "polars", "scipy", "pint", "rdkit", "altair", "glueprint.study")
STARTED = """
import json, sys
from pathlib import Path
import uvicorn
from glueprint.cli import main
from glueprint.web import Choices, bench_of
from tests.web.client import HOST, Browser

def run(server, sockets):
    bench = bench_of(Choices(Path(sys.argv[2])), int(HOST.partition(":")[2]))
    page = Browser(bench).enter().get("/")
    Path(sys.argv[2], "loaded.json").write_text(json.dumps([page.status, sorted(sys.modules)]))

uvicorn.Server.run = run
main()
"""


def test_without_the_extra_the_command_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(serve, "find_spec", lambda _name: None)
    with pytest.raises(EnvironmentProblemError, match="GP-B001") as caught:
        serve.command(tmp_path / "projects")
    assert "glueprint[workbench]" in caught.value.next_step
    assert not (tmp_path / "projects").exists()


def test_the_first_page_is_there_before_any_science_is_loaded(tmp_path):
    root = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", STARTED, "serve", str(tmp_path)], check=True, cwd=root, capture_output=True
    )
    status, loaded = json.loads((tmp_path / "loaded.json").read_text())
    assert status == 200
    assert [name for name in HEAVY if name in loaded] == []
    assert len(loaded) < MOST_MODULES
