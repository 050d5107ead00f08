"""The hierarchical fit: what it uses, the posterior that ships, and what it says of every claim."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest
from scipy import stats
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint import evidence
from glueprint.calibration import in_vitro
from glueprint.calibration.in_vitro import claims, fitting, likelihood
from glueprint.calibration.in_vitro.parameters import COORDINATES, beliefs, free, values
from glueprint.calibration.in_vitro.potencies import PARTS
from glueprint.cli.app import app
from glueprint.errors import InputError
from glueprint.experiments import forward
from glueprint.mechanism import Scenario
from glueprint.report.figures import posterior as figure

GUIDE = (
    "G1-kd-spr", "G1-ki-fp", "G1-ic50-fp", "G1-ic50-mm1s", "G1-ic50-rpmi8226", "G1-ic50-opm2", "G1-ic50-treg",
    "G2-tnf-pbmc", "G2-tnf-blood",
)  # fmt: skip


@pytest.fixture(scope="module")
def short():
    """The shortest fit that there is, and a tenth of its draws turned into parameters."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "SUMMARISED", fitting.SUMMARISED // 10)
        return in_vitro.fit(steps=50, seed=4)


def test_every_in_vitro_claim_is_used_or_says_why_not():
    table = in_vitro.uses(evidence.load())
    assert table.height > 130
    assert table.filter(pl.col("why") == "not decided").is_empty()
    assert set(table["use"]) == {"likelihood", "prior", "held out", "same number", "left out"}
    by_id = {row["claim_id"]: row["use"] for row in table.iter_rows(named=True)}
    assert {claim_id: by_id[claim_id] for claim_id in GUIDE} == dict.fromkeys(GUIDE[:-1], "likelihood") | {
        "G2-tnf-blood": "held out"
    }
    assert by_id["IMM-001"] == "same number"


def test_data_are_the_claims_on_their_scale():
    data = claims.data(evidence.load())
    spr, rpmi, loss = data["G1-kd-spr"], data["G1-ic50-rpmi8226"], data["DEG-004"]
    assert (spr.value, spr.error) == (pytest.approx(np.log10(264)), pytest.approx(0.5 * np.log10(282 / 246)))
    assert (rpmi.value, rpmi.error) == (pytest.approx(np.log10(8000)), 0.15)
    # 90.4 % lost of what 9.6 % is left.
    assert loss.value == pytest.approx(np.log10(90.4 / 9.6))


def test_a_missing_claim_is_refused():
    with pytest.raises(InputError, match="GP-K004"):
        claims.data(claim for claim in evidence.load() if claim.id != "BIN-004")


def test_the_objective_is_the_density_written_out():
    """Binding and lenalidomide by scipy's densities, potencies by the solved capacities."""
    data = claims.data(evidence.load())
    vectors = np.zeros((2, len(COORDINATES)))
    vectors[:, : len(free())] = 0.3 * np.random.default_rng(2).normal(size=(2, len(free())))
    vectors[:, len(free()) :] = [2.43, 2.2, 2.0, 3.4, 2.1, 3.8, 3.9, 1.1, 3.0]
    found = values(vectors)
    log = stats.norm.logpdf(vectors[:, : len(free())]).sum(axis=1)
    kd, tau = np.log10(found["kd_nm"]), found["tau_log10"]
    for name in ("spr", "fp_ki", "fp_ic50", "bead"):
        log += stats.norm.logpdf(found[f"assay:{name}"], kd, tau)
    for name, log10_value, slope in likelihood.solved(found):
        prior = beliefs()[name]
        log += stats.norm.logpdf(log10_value, np.log10(prior.middle), prior.spread) + np.log(np.abs(slope))
    half = found["fp_tracer_kd_nm"]
    shown = {
        "G1-kd-spr": found["assay:spr"],
        "G1-ki-fp": found["assay:fp_ki"],
        "G1-ic50-fp": forward.fp_competition(
            {"ki_nm": 10 ** found["assay:fp_ic50"], "protein_nm": found["fp_protein_nm"], "tracer_nm": half,
             "tracer_kd_nm": half}
        ),
        "BIN-004": found["assay:bead"],
        "BIN-005": np.log10(found["lenalidomide_kd_nm"]) + found["assay:bead"] - kd,
        "DEG-004": np.log10(found["lenalidomide_rho"] / (1 + found["lenalidomide_kd_nm"] / 1e4)),
    }  # fmt: skip
    shown |= {part.claim_id: found[f"potency:{part.name}"] for part in PARTS}
    for claim_id, model in shown.items():
        log += stats.norm.logpdf(data[claim_id].value, model, data[claim_id].error)
    cost = likelihood.minus_log_posterior(vectors, data)
    assert np.isfinite(cost).all()
    # Up to the constant that the normal densities carry.
    assert cost[1] - cost[0] == pytest.approx(log[0] - log[1], rel=1e-9)


def test_the_same_seed_gives_the_same_bits():
    first, again = (in_vitro.fit(steps=50, seed=4) for _ in range(2))
    assert first.draws.equals(again.draws)
    assert first.parameters.equals(again.parameters)


def test_nothing_but_the_seed_decides_a_fit(monkeypatch):
    """All of a fit but its density, which is computed twice; the whole of it takes twenty times as long."""
    data = claims.data(evidence.load())
    vectors = fitting._starts(data, data, 4)[:, :12].reshape(24, -1)
    costs = [likelihood.minus_log_posterior(vectors, data) for _ in range(2)]
    assert np.isfinite(costs[0]).all()
    assert (costs[0] == costs[1]).all()

    def near(vectors, _):
        return 0.5 * (((vectors - middle) / 0.05) ** 2).sum(axis=1)

    middle = vectors[0]
    monkeypatch.setattr(fitting, "minus_log_posterior", near)
    monkeypatch.setattr(fitting, "SUMMARISED", 60)
    first, again, other = (in_vitro.fit(steps=50, seed=seed) for seed in (4, 4, 5))
    assert first.draws.equals(again.draws)
    assert first.parameters.equals(again.parameters)
    assert not first.draws.equals(other.draws)


def test_a_short_fit_says_that_it_is_short(short):
    assert short.status == "not converged"
    assert "take more steps" in short.reason


@pytest.mark.parametrize("options", [{"steps": 10}, {"seed": -1}])
def test_options_that_cannot_be_used(options):
    with pytest.raises(InputError, match="GP-K003"):
        in_vitro.fit(**options)


def test_what_is_saved_comes_back(short, tmp_path):
    for path in in_vitro.save(short, tmp_path):
        assert path.exists()
    back = in_vitro.load(tmp_path)
    assert back.draws.equals(short.draws)
    assert back.parameters.equals(short.parameters)
    assert back.status == "not converged"
    assert back.comparison().equals(short.comparison())
    text = (tmp_path / "in_vitro_posterior.toml").read_text()
    (tmp_path / "in_vitro_posterior.toml").write_text(text.replace(short.digest, "0" * 64))
    assert in_vitro.load(tmp_path).status == "stale"
    (tmp_path / "in_vitro_posterior.toml").write_text('kind = "compound"\nversion = 1\n')
    with pytest.raises(InputError, match="GP-K005"):
        in_vitro.load(tmp_path)
    with pytest.raises(InputError, match="GP-K005"):
        in_vitro.load(tmp_path / "nowhere")


def test_the_shipped_posterior_is_converged_and_fresh():
    found = in_vitro.posterior()
    # Stale: a prior or claim was changed; run
    # `glueprint calibrate in-vitro --out src/glueprint/calibration/data`.
    assert found.status == "ok", found.reason
    assert found.diagnostics["r_hat"].max() < 1.02
    assert found.diagnostics["effective_draws"].min() > 2000
    assert found.settings == {"steps": 800, "seed": 1, "ensembles": 2, "walkers": 96}


def test_a_short_fit_agrees_with_the_shipped_one(short):
    shipped = in_vitro.posterior()
    for name in (
        "kd_nm",
        "tau_log10",
        "MM1S_rho",
        "monocyte_rho",
        "treg_power_of_ligase",
        "lenalidomide_rho",
    ):
        mine, theirs = (np.log10(p.draws[name].to_numpy().astype(float)) for p in (short, shipped))
        assert abs(np.median(mine) - np.median(theirs)) < 0.7 * theirs.std()


def test_every_number_of_guide_tables_1_and_2_is_met():
    table = in_vitro.posterior().comparison().filter(pl.col("claim_id").is_in(GUIDE))
    assert table.height == len(GUIDE)
    assert table["met"].all()
    assert table["covered"].all()
    labels = dict(table.select("claim_id", "label").iter_rows())
    assert labels == dict.fromkeys(GUIDE[:-1], "calibrated") | {"G2-tnf-blood": "predicted"}


def test_where_a_typical_assay_does_not_fit_is_said():
    table = in_vitro.posterior().comparison()
    assert set(table.filter(~pl.col("typical_met"))["claim_id"]) == {
        "G1-kd-spr", "G1-ki-fp", "G1-ic50-fp", "BIN-004", "BIN-005", "IMM-003"
    }  # fmt: skip


def test_one_set_of_parameters_shows_every_potency_forwards():
    """The experiments, not the fit, read the potencies of one single set."""
    found = in_vitro.posterior()
    chosen = found.one_set()
    potencies = {"G1-ic50-treg": forward.treg(taken(chosen, "treg", "treg_power_of_ligase"))}
    for part in PARTS:
        if part.output == "cells":
            own = taken(chosen, part.name, f"{part.name}_rho") | {"rho": chosen[f"{part.name}_rho"]}
            potencies[part.claim_id] = forward.proliferation(own, Scenario.of(line=part.line))
        elif part.output == "tnf":
            own = taken(chosen, part.name, "monocyte_rho") | {"rho": chosen["monocyte_rho"]}
            potencies["G2-tnf-pbmc"] = forward.tnf_alpha(own)
            potencies["G2-tnf-blood"] = forward.tnf_alpha(own, system="whole blood")
    table = {row["claim_id"]: row for row in found.comparison().iter_rows(named=True)}
    assert len(potencies) == 6
    for claim_id, log10_nm in potencies.items():
        assert abs(log10_nm[0] - np.log10(table[claim_id]["published"])) < 0.3, claim_id


def taken(chosen, part_name, solved):
    (part,) = (p for p in PARTS if p.name == part_name)
    own = {name: np.array([chosen[given]]) for name, given in part.shared.items()}
    return own | ({solved: np.array([chosen[solved]])} if solved == part.solved else {})


def test_what_the_claims_do_not_teach_is_said():
    table = in_vitro.posterior().parameters
    verdict = dict(table.select("name", "verdict").iter_rows())
    # Rates that only change when a culture reacts, and not at which dose.
    for name in ("myc_per_h", "death_delay_h", "death_per_h", "tnf_per_h", "myc_hill"):
        assert verdict[name] == "not identified"
    for name in ("kd_nm", "tau_log10", "MM1S_rho", "OPM2_rho", "monocyte_rho", "irf4_ikzf50"):
        assert verdict[name] == "identified"
    assert table["contraction"].max() < 1


def test_one_kd_is_wide_and_its_scatter_as_reml_finds_it():
    found = in_vitro.posterior()
    row = found.parameters.filter(pl.col("name") == "kd_nm").row(0, named=True)
    assert 200 < row["median"] < 700
    assert row["high_95"] / row["low_95"] > 5
    # Three disagreeing assays: REML gives 0.68 (docs/calibration.md); the prior pulls it down a little.
    tau = found.parameters.filter(pl.col("name") == "tau_log10").row(0, named=True)
    assert tau["low_95"] < 0.68 < tau["high_95"]
    middle, low, high = found.another_assay()
    assert low < row["low_95"] < middle < row["high_95"] < high


def test_capacities_of_lines_are_tied_through_their_common_threshold():
    pairs = {(one, other): r for one, other, r in in_vitro.posterior().correlations().iter_rows()}
    assert pairs["RPMI8226_rho", "OPM2_rho"] > 0.8
    assert pairs["irf4_ikzf50", "MM1S_rho"] < -0.3
    values_ = list(map(abs, pairs.values()))
    assert values_ == sorted(values_, reverse=True)


def test_the_prediction_of_one_claim():
    found = in_vitro.predictive("G2-tnf-blood")
    assert found.label == "predicted"
    assert found.low < 25.0 < found.high
    assert dataclasses.asdict(found)["note"]
    with pytest.raises(InputError, match="GP-K006") as caught:
        in_vitro.predictive("G2-tnf-bloot")
    assert 'did you mean "G2-tnf-blood"?' in str(caught.value)


def test_the_command_shows_the_shipped_posterior(tmp_path):
    run = CliRunner().invoke(app, ["calibrate", "in-vitro", "--shipped", "--json"])
    assert run.exit_code == 0, run.output
    told = payload(run.stdout)
    assert {row["claim_id"] for row in told["claims"]} >= set(GUIDE)
    assert told["status"] == "ok"
    drawn = tmp_path / "posterior.svg"
    run = CliRunner().invoke(app, ["calibrate", "in-vitro", "--shipped", "--figure", str(drawn)])
    assert run.exit_code == 0, run.output
    assert "not identified" in run.stdout
    assert "typical assay" in run.stdout
    assert drawn.read_text().startswith("<svg")


def test_the_command_says_what_became_of_claims():
    run = CliRunner().invoke(app, ["calibrate", "in-vitro", "--claims", "--json"])
    assert run.exit_code == 0, run.output
    assert {"claim_id", "use", "why"} <= set(payload(run.stdout)[0])
    assert "held out" in CliRunner().invoke(app, ["calibrate", "in-vitro", "--claims"]).stdout


def test_figures_refuse_a_table_that_lacks_a_column():
    found = in_vitro.posterior()
    with pytest.raises(InputError, match="GP-P001"):
        figure.learnt(found.parameters.drop("contraction"))
    with pytest.raises(InputError, match="GP-P001"):
        figure.predictions(found.comparison().drop("typical"))
