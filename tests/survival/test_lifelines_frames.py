"""Waits as frames for lifelines: its fitters take them as they are and agree."""

import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter

import diffusion
import survival
from diffusion import SettingError
from tests.random_charts import study

ROUNDING = 1e-9
"""Difference between two ways to add up the same numbers."""


@pytest.fixture(scope="module")
def entries() -> Iterator[diffusion.Entries]:
    """Entries of forty tracks; Norway's charts begin late, so waits for it are delayed."""
    observed = {"DE": range(90), "NO": range(40, 90), "SE": range(90), "US": range(90)}
    rng = np.random.default_rng(3)
    entered = {}
    for number in range(40):
        debut = int(rng.integers(3, 60))
        first, *others = rng.permutation(["DE", "SE", "US", "NO"]).tolist()
        days = {market: debut + int(rng.integers(1, 30)) for market in others[: int(rng.integers(0, 4))]}
        own = {first: debut} | days
        entered[f"t{number:02}"] = {market: day for market, day in own.items() if market != "NO" or day >= 42}
    drawn = study(observed, {track: own for track, own in entered.items() if own}, washout=2).open()
    artists = pd.DataFrame({"track_id": drawn.tracks()["track_id"]})
    artists["artist"] = [f"artist {number % 15}" for number in range(len(artists))]
    yield diffusion.Entries.from_frame(drawn.to_pandas(), calendar=drawn.calendar, washout=2, tracks=artists)


@pytest.mark.parametrize("way", ["entries", "waits"])
def test_the_curve_of_lifelines_is_that_of_breakthrough(entries: diffusion.Entries, way: str) -> None:
    frame = entries.waits(horizon=40, as_="lifelines") if way == "entries" else waits(entries).to_lifelines()
    assert (frame["entry"] > 0).any()
    assert (frame["entry"] < frame["duration"]).all()
    curve = KaplanMeierFitter().fit(frame["duration"], frame["event"], entry=frame["entry"])
    ours = survival.breakthrough(entries, horizon=40).curves
    np.testing.assert_allclose(curve.predict(ours["days"]), ours["survival"], rtol=0, atol=ROUNDING)


def waits(entries: diffusion.Entries) -> survival.Waits:
    """Return the waits up to day 40."""
    return survival.waits(entries, horizon=40)


def test_both_frames_are_the_same_waits(entries: diffusion.Entries) -> None:
    one, other = entries.waits(horizon=40, as_="lifelines"), waits(entries).to_lifelines(("footprint", "debut_year"))
    pd.testing.assert_frame_equal(one, other[list(one)], check_dtype=False)


def test_the_model_of_lifelines_is_that_of_cox_with_errors_by_artist(entries: diffusion.Entries) -> None:
    frame = waits(entries).to_lifelines(("distance_km", "continent_match"))
    assert set(frame["continent_match"].unique()) == {0.0, 1.0}
    frame["distance_km"] /= 1000
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of lifelines, on robust errors
        fit = CoxPHFitter().fit(frame, "duration", "event", entry_col="entry", cluster_col="cluster")
    ours = survival.cox(waits(entries), "I(distance_km / 1000) + continent_match").summary
    np.testing.assert_allclose(fit.summary["coef"], ours["coef"], rtol=0, atol=1e-5)


def test_texts_are_no_covariates(entries: diffusion.Entries) -> None:
    with pytest.raises(SettingError, match=r"the covariate 'continent' has texts, such as '.+'; lifelines needs"):
        waits(entries).to_lifelines(("continent",))
    with pytest.raises(SettingError, match="waits are a 'table' or for 'lifelines', not 'R'"):
        entries.waits(as_="R")  # type: ignore[arg-type]
