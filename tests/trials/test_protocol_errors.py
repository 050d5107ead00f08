"""What is wrong with a protocol file is said with code, place, what was expected and the next step."""

from __future__ import annotations

import pytest

from glueprint import trials
from glueprint.errors import EnvironmentProblemError, InputError, NotSupportedError
from glueprint.trials.protocol.loading import protocol_from_text

TEMPLATE = trials.template()


def refusal(old, new, count=1):
    assert old in TEMPLATE, "the template has changed; choose another text to spoil"
    with pytest.raises(InputError) as caught:
        protocol_from_text(TEMPLATE.replace(old, new, count), where="my.toml")
    error = caught.value
    assert error.where.startswith("my.toml")
    assert error.message
    assert error.expected
    assert error.next_step
    return error


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        ("dose_mg = 4\n", "dose_mg = -4\n", "GP-T007", "arms[0].drugs[0].dose_mg"),
        ("dose_mg = 4\n", "dose_mg = inf\n", "GP-T007", "arms[0].drugs[0].dose_mg"),
        ("dose_mg = 4\n", "", "GP-T004", "arms[0].drugs[0].dose_mg"),
        ("dose_mg = 4\n", 'dose_mg = "4 mg"\n', "GP-T006", "arms[0].drugs[0].dose_mg"),
        ("patients = 60", "patients = 60.5", "GP-T006", "arms[0].patients"),
        ("patients = 60", 'patients = "60"', "GP-T006", "arms[0].patients"),
        ("patients = 60", "patients = 0", "GP-T007", "arms[0].patients"),
        ('title = "', 'titel = "', "GP-T004", "title"),
        ("window_days = 3", "window_day = 3", "GP-T005", "visits.window_day"),
        ("keep_current = false", 'keep_current = "no"', "GP-T006", "arms[1].after_progression.keep_current"),
        ("version = 1", "version = 2", "GP-T003", "version"),
        ('kind = "glueprint-trial"', 'kind = "study"', "GP-T003", "kind"),
        ("male = 0.549", "male = 0.6", "GP-T010", "case_mix.sex"),
        ("share_of_progressed = 0.3", "share_of_progressed = 30", "GP-T007", "share_of_progressed"),
        ('days = "1-21"', 'days = "1-21x"', "GP-T009", "arms[0].drugs[0].days"),
        ('days = "1-21"', 'days = "1-29"', "GP-T009", "arms[0].drugs[0].days"),
        ('compound = "dexamethasone"', 'compound = "dexametasone"', "GP-T008", "arms[0].drugs[1].compound"),
        ("pomalidomide-us-label", "pomalidomide-label", "GP-T015", "arms[0].drugs[0].rules"),
        ('name = "POM 2 mg"', 'name = "POM 4 mg"', "GP-T016", "arms"),
        ("ratio = [1, 1]", "ratio = [2, 1]", "GP-T017", "randomisation"),
        ("ratio = [1, 1]", "ratio = [1, 1, 2]", "GP-T017", "randomisation"),
        ('covariate = "age_y"', 'covariate = "age"', "GP-T018", "randomisation.strata[0].covariate"),
        ("cuts = [75] ", "", "GP-T018", "randomisation.strata[0].cuts"),
        ('name = "POM 2 mg"', 'name = "pom  4 MG"', "GP-T016", "arms"),
        ("cuts = [75] ", "cuts = [150] ", "GP-T018", "randomisation.strata[0]"),
        ("cuts = [75] ", "cuts = [33, 75] ", "GP-T018", "randomisation.strata[0]"),
        ("cuts = [75] ", "cuts = [75, 60] ", "GP-T018", "randomisation.strata[0]"),
        ("standard = 0.75, high = 0.25", "standard = 1, high = 0", "GP-T018", "randomisation.strata[1]"),
        ("immunofixation_g_per_l = 0.1", "immunofixation_g_per_l = 5", "GP-T105", "immunofixation_g_per_l"),
        ("detection_g_per_l = 0.5", "detection_g_per_l = 50", "GP-T106", "m_protein_detection_g_per_l"),
        ("anc_log_sd = 0.424", "anc_log_sd = 42.4", "GP-T007", "measurement.anc_log_sd"),
        ("m_protein_cv = 0.0633", "m_protein_cv = 6.33", "GP-T007", "measurement.m_protein_cv"),
        ("median = 20, log_sd = 0.6", "median = 20, log_sd = 60", "GP-T007", "m_protein_g_per_l.log_sd"),
        ("window_days = 3", "window_days = 4", "GP-T011", "visits"),
        ("assessment_every_days = 28", "assessment_every_days = 700", "GP-T011", "visits"),
        (
            "assessment_every_days = 28",
            "assessment_every_days = 0",
            "GP-T007",
            "visits.assessment_every_days",
        ),
        ("median_months = 12", "median_months = 25", "GP-T011", "follow_up"),
        ("low = 34, high = 88", "low = 88, high = 34", "GP-T012", "case_mix.age_y"),
        (', sources = ["CL117"]', "", "GP-T013", "case_mix.age_y"),
        ('age_y = { kind = "normal"', 'age_y = { kind = "gamma"', "GP-T007", "case_mix.age_y"),
        ("ctcae_version = 4", "ctcae_version = 3", "GP-T020", "measurement.ctcae_version"),
        ('name = "my-trial"', 'name = "My Trial"', "GP-T007", "name"),
        ("landmark_months = [6, 12]", "landmark_months = [6, 99]", "GP-T091", "landmark_months"),
        ("landmark_months = [6, 12]", "landmark_months = [6, 6]", "GP-T091", "landmark_months"),
    ],
)
def test_bad_fields(old, new, code, field):
    error = refusal(old, new)
    assert error.code == code
    assert field in error.where


def test_a_dose_of_nothing_is_a_dose():
    plan = protocol_from_text(TEMPLATE.replace("dose_mg = 4\n", "dose_mg = 0\n", 1), where="my.toml")
    assert plan.arms[0].drugs[0].dose_mg == 0


def test_malformed_toml_names_line_and_column():
    error = refusal("[visits]", "[visits")
    line = TEMPLATE[: TEMPLATE.index("[visits]")].count("\n") + 1
    assert error.code == "GP-T002"
    assert f"line {line}, column 8" in error.where


def test_an_unfinished_file_says_so():
    with pytest.raises(InputError, match=r"GP-T002 my\.toml, (line|end of file)"):
        protocol_from_text('kind = "glueprint-trial"\nname = "abc', where="my.toml")


def test_unknown_drug_offers_the_nearest_and_lists_all():
    error = refusal('compound = "dexamethasone"', 'compound = "dexametasone"')
    assert 'did you mean "dexamethasone"' in error.message
    assert "pomalidomide" in error.expected


def test_an_unknown_field_offers_the_nearest():
    assert (
        'did you mean "window_days"'
        in refusal("window_days = 3", "window_day = 3").message
        + refusal("window_days = 3", "window_day = 3").next_step
    )


def test_several_findings_come_together_but_not_twice():
    error = refusal("dose_mg = 4\n", "dose_mg = -4\n", count=-1)
    assert "arms[1].after_progression.drugs[0].dose_mg" in error.message
    assert "at least 1 item" not in error.message


def test_a_drug_given_twice():
    error = refusal('compound = "dexamethasone"', 'compound = "pomalidomide"')
    assert error.code == "GP-T019"


def test_a_compound_without_trial_numbers_is_not_supported():
    text = TEMPLATE.replace('compound = "pomalidomide"', 'compound = "thalidomide"')
    with pytest.raises(NotSupportedError, match="GP-M005"):
        protocol_from_text(text, where="my.toml")


def test_unknown_trial_offers_the_nearest():
    with pytest.raises(InputError, match=r'GP-T001 unknown trial "mm03" \(did you mean "mm003"\?\)'):
        trials.load_protocol("mm03")


def test_unreadable_files(tmp_path):
    with pytest.raises(InputError, match="GP-T014"):
        trials.load_protocol(tmp_path / "absent.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="GP-T014"):
        trials.load_protocol(binary)


def test_the_template_is_written_once(tmp_path):
    path = tmp_path / "mine.toml"
    trials.write_template(path)
    assert trials.load_protocol(path).name == "my-trial"
    with pytest.raises(InputError, match="GP-T022"):
        trials.write_template(path)
    with pytest.raises(EnvironmentProblemError, match="GP-T023"):
        trials.write_template(tmp_path / "absent" / "mine.toml")


@pytest.mark.parametrize("option", [{"replicates": 0}, {"replicates": 1.5}, {"workers": 0}, {"seed": -1}])
def test_numbers_of_a_run(option):
    with pytest.raises(InputError, match="GP-T021"):
        trials.run("mm003", **option)


@pytest.mark.parametrize("name", trials.available())
def test_shipped_protocols_say_where_each_distribution_comes_from(name):
    protocol = trials.load_protocol(name)
    for covariate in protocol.case_mix.names:
        distribution = getattr(protocol.case_mix, covariate)
        assert distribution.sources or distribution.assumed
    assert protocol.registry.startswith("NCT")
