"""What an installation consists of: every part has a licence that fits ours and is listed in the bill."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
spec = importlib.util.spec_from_file_location("sbom", ROOT / "tools" / "sbom.py")
sbom = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sbom)


def test_every_part_says_its_licence_and_none_is_refused():
    said = {name: sbom.licence(part) for name, part in sbom.parts().items()}
    assert len(said) > 20
    assert [name for name, text in said.items() if not text] == []
    assert [name for name, text in said.items() if sbom.is_refused(text)] == []


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ("GPL-3.0-only", True),
        ("AGPL-3.0-or-later", True),
        ("GNU General Public License v3 (GPLv3)", True),
        ("GNU Affero General Public License", True),
        ("GPL-2.0 OR MIT", False),
        ("LGPL-2.1-or-later", False),
        ("GNU Lesser General Public License v2 (LGPLv2)", False),
        ("BSD-3-Clause AND MIT", False),
        ("LGPL-2.1 AND GPL-3.0", True),
    ],
)
def test_licences_that_cannot_be_combined_with_ours(said, refused):
    assert sbom.is_refused(said) is refused


def test_the_bill_names_all_that_we_ask_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = {sbom.canonical(re.match(r"[\w.-]+", line)[0]) for line in project["dependencies"]}
    bill = sbom.bill()
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert asked <= {part["name"] for part in bill["components"]}
    assert all(part["purl"] == f"pkg:pypi/{part['name']}@{part['version']}" for part in bill["components"])


def test_the_lock_pins_every_package_by_hash():
    for name in ("requirements.lock", "requirements-core.lock"):
        text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
        lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        assert lines
        assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []
