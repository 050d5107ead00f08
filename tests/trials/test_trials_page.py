"""The examples of docs/trials.md run as written."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from glueprint.cli.app import app

PAGE = Path(__file__).parents[2] / "docs" / "trials.md"
TEXT = PAGE.read_text(encoding="utf-8")
# The example with a glue of one's own is run by tests/study/test_own_glue.py, in its order.
OWN_GLUE = TEXT[TEXT.index("## Your own glue") : TEXT.index("## Patients")]
REST = TEXT.replace(OWN_GLUE, "")
TEMPLATE, MINE = "glueprint trial template my_trial.toml", Path("my_trial.toml")
# The trial that the reader writes has a third of the patients here, and figures are drawn of fewer of
# them, all in this process. A comparison needs its 40 trials.
FEWER = {
    "--replicates 24": "--replicates 3",
    "--workers 2 ": "",
    "--format pdf": "--format pdf --only km,vpc",
}
LINES = REST.replace("\\\n", "").splitlines()
COMMANDS = [line[2:] for line in LINES if line.startswith(("$ glueprint trial", "$ glueprint model"))]


def test_python_examples():
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), {})


def test_console_examples(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```csv\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "observed.csv").write_text(example, encoding="utf-8")
    assert {"template", "run", "compare"} <= {command.split()[2] for command in COMMANDS}
    assert TEMPLATE in COMMANDS
    assert all(any(asked in command for command in COMMANDS) for asked in FEWER)
    for command in COMMANDS:
        for asked, fewer in FEWER.items():
            command = command.replace(asked, fewer)
        result = CliRunner().invoke(app, shlex.split(command)[1:])
        assert result.exit_code == 0, f"{command}\n{result.output}"
        if command == TEMPLATE:
            text = MINE.read_text(encoding="utf-8")
            assert "patients = 60" in text
            MINE.write_text(text.replace("patients = 60", "patients = 20"), encoding="utf-8")


@pytest.mark.parametrize(
    "section", ["arms", "randomisation", "visits", "follow_up", "case_mix", "measurement"]
)
def test_every_section_of_a_protocol_is_explained(section):
    assert f"`{section}" in TEXT
