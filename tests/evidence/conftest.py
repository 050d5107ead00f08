from __future__ import annotations

import pytest

from glueprint.evidence import Claim, Claims, load

BLANK = Claim(
    id="X-001",
    quantity="Kd",
    value=1.0,
    text="",
    low=None,
    high=None,
    interval_kind="",
    qualifier="",
    unit="nM",
    n=None,
    compound="pomalidomide",
    target="",
    system="",
    assay="",
    conditions="",
    topic="binding",
    endpoint="",
    trial="",
    arm="",
    subgroup="",
    analysis="",
    structure="",
    citation="somebody 2020",
    source="doi:10.1/x",
    place="table 1",
    grade="A",
    role="context",
    same_as="",
    guide="",
    note="",
)


@pytest.fixture
def blank():
    """A claim that no check complains about."""
    return BLANK


@pytest.fixture(scope="session")
def claims() -> Claims:
    return load()
