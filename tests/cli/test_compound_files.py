"""`glueprint compound template`: a file to begin with."""

from __future__ import annotations

from typer.testing import CliRunner

from glueprint.cli.compound import app
from glueprint.mechanism import compounds


def test_the_template_printed_is_a_file_that_loads(tmp_path):
    printed = CliRunner().invoke(app, ["template"])
    assert printed.exit_code == 0
    path = tmp_path / "my-compound.toml"
    path.write_text(printed.output, encoding="utf-8")
    assert compounds.load(path).name == "my-compound"
