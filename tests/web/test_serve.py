"""The command that serves."""

from __future__ import annotations

import pytest

from glueprint.cli import serve
from glueprint.errors import EnvironmentProblemError


def test_without_the_extra_the_command_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(serve, "find_spec", lambda _name: None)
    with pytest.raises(EnvironmentProblemError, match="GP-B001") as caught:
        serve.command(tmp_path / "projects")
    assert "glueprint[workbench]" in caught.value.next_step
    assert not (tmp_path / "projects").exists()
