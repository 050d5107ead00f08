"""What a protocol comes to: words and names decide nothing, every number does."""

from __future__ import annotations

import pytest

from glueprint import trials
from glueprint.mechanism import compounds
from glueprint.trials.protocol.content import content_of
from glueprint.trials.protocol.loading import protocol_from_text

TEXT = trials.source("mm003")
MM003 = trials.load_protocol("mm003")
POMALIDOMIDE = compounds.load("pomalidomide")


def changed(old: str, new: str) -> str:
    assert old in TEXT, "the protocol has changed; choose another text to spoil"
    return content_of(protocol_from_text(TEXT.replace(old, new, 1), where="my.toml"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "mm003"', 'name = "own"'),
        ('title = "', 'title = "My '),
        ("# MM-003", "# mine"),
        ('sources = ["CL118"]', 'sources = ["CL118", "CL117"]'),
        ('assumed = "the entry limit"', 'assumed = "my limit"'),
        # A default says the same where it is left out.
        ("confirmation_after_days = 7 ", "# "),
        ("ctcae_version = 4\n", ""),
    ],
)
def test_words_decide_nothing(old, new):
    assert changed(old, new) == content_of(MM003)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("dose_mg = 4\n", "dose_mg = 3\n"),
        ('days = "1-21"', 'days = "1-14"'),
        ("mean = 64, sd = 10", "mean = 65, sd = 10"),
        ("window_days = 3", "window_days = 2"),
        ("blocks_of = 6", "blocks_of = 3"),
        ('rules = "pomalidomide-us-label"', 'rules = "none"'),
        ("anc_log_sd = 0.424", "anc_log_sd = 0.4"),
        ("confirmation_after_days = 7", "confirmation_after_days = 8"),
        ("maximum_months = 23.5", "maximum_months = 23"),
        ("value = -0.49", "value = -0.48"),
    ],
)
def test_every_number_does(old, new):
    assert changed(old, new) != content_of(MM003)


def dosing(compound):
    arms = tuple(
        arm.model_copy(
            update={
                "drugs": tuple(
                    drug.model_copy(update={"compound": compound}) if drug.glue else drug
                    for drug in arm.drugs
                )
            }
        )
        for arm in MM003.arms
    )
    return MM003.model_copy(update={"arms": arms})


def test_a_compound_counts_by_its_numbers():
    copy = POMALIDOMIDE.model_copy(update={"name": "copy"})
    assert content_of(dosing(copy)) == content_of(MM003)
    kd = POMALIDOMIDE.kd().model_copy(update={"typical": 263.0})
    other = POMALIDOMIDE.pharmacology.model_copy(update={"kd_nm": kd})
    assert content_of(dosing(POMALIDOMIDE.model_copy(update={"pharmacology": other}))) != content_of(MM003)


def test_rules_count_by_what_they_say(tmp_path):
    (tmp_path / "mine.toml").write_text(
        trials.rules_text("pomalidomide-us-label").replace(
            'compounds = ["pomalidomide"]', 'compounds = ["any"]'
        )
    )
    (tmp_path / "trial.toml").write_text(TEXT.replace('"pomalidomide-us-label"', '"mine.toml"'))
    assert content_of(trials.load_protocol(tmp_path / "trial.toml")) == content_of(MM003)
