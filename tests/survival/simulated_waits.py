"""Waits drawn in continuous time with a known truth, seen on daily or weekly charts."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from survival import frame_waits
from survival.counting.frame import FrameWaits

END = 90


@dataclass(frozen=True)
class World:
    """Waits of tracks by artists. Rates are per day: a Weibull baseline, times exp(coefficients × covariates).

    `artists` is the number of artists; artist a has a share of the tracks ∝ 1 / (a + 5). `alike` is the standard
    deviation of the logarithm of a factor that an artist's tracks share; `frailty` the variance of a gamma factor that
    a track's waits share. `cadence` is the number of days between charts. Every third market misses two charts.
    """

    artists: int = 60
    tracks: int = 300
    markets: int = 6
    alike: float = 0.0
    frailty: float = 0.0
    own: float = 0.0
    pair: float = 0.5
    cadence: int = 1
    shape: float = 0.6
    scale: float = 400.0

    def draw(self, seed: int) -> pd.DataFrame:
        """Return one row per wait: artist, track, market, `own` (by artist) and `pair` (by wait), and its times."""
        rng = np.random.default_rng(seed)
        shares = 1 / (np.arange(self.artists) + 5)
        of_track = np.sort(rng.choice(self.artists, self.tracks, p=shares / shares.sum()))
        own = rng.permutation(np.arange(self.artists) % 2)
        factor = np.exp(rng.normal(0.0, self.alike, self.artists))[of_track]
        if self.frailty:
            factor = factor * rng.gamma(1 / self.frailty, self.frailty, self.tracks)
        track = np.repeat(np.arange(self.tracks), self.markets)
        market = np.tile(np.arange(self.markets), self.tracks)
        artist = of_track[track]
        pair = rng.integers(0, 2, len(track))
        rate = factor[track] * np.exp(self.own * own[artist] + self.pair * pair)
        time = self.scale * (rng.exponential(size=len(track)) / rate) ** (1 / self.shape)
        frame = pd.DataFrame({"artist": artist, "track": track, "market": market, "own": own[artist], "pair": pair})
        return self._seen(frame, time, rng)

    def _seen(self, frame: pd.DataFrame, time: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        """Return the waits as charts show them: late starts, two missed charts, and the end of the data."""
        charts = np.arange(0, END + 1, self.cadence)
        start = rng.choice(charts[: len(charts) // 2], len(frame)) * (rng.random(len(frame)) < 0.3)
        end = rng.choice(charts[len(charts) // 2 :], len(frame))
        missed = np.isin(charts, charts[len(charts) // 3 :][:2])
        seen = np.where(frame["market"].to_numpy()[:, None] % 3 == 0, ~missed, True)
        seen = seen | (charts == start[:, None]) | (charts == end[:, None])
        at = np.where(seen & (charts >= time[:, None]), charts, 10 * END).min(axis=1)
        before = np.where(seen & (charts < time[:, None]), charts, 0).max(axis=1)
        entered = at <= end
        frame = frame.assign(start=start, days=np.where(entered, at, end), after=before, entered=entered)
        return frame[(time > start) & (frame["days"] > start)].reset_index(drop=True)


def counted(frame: pd.DataFrame, cluster: str | None = "artist") -> FrameWaits:
    """Return the waits of a simulated frame."""
    return frame_waits(frame, days="days", entered="entered", start="start", after="after", cluster=cluster)


def with_effects(seed: int, deviation: float, markets: int = 30, tracks: int = 200) -> tuple[pd.DataFrame, np.ndarray]:
    """Return waits of markets with normal effects, and the effects; every second market has `region` 1."""
    generator = np.random.default_rng(seed)
    effect = generator.normal(0, deviation, markets)
    track, market = np.repeat(np.arange(tracks), markets), np.tile(np.arange(markets), tracks)
    pair = generator.integers(0, 2, len(track))
    rate = np.exp(effect[market] + 0.5 * pair - 1)
    days = np.ceil(400 * (generator.exponential(size=len(track)) / rate) ** (1 / 0.6)).astype(int)
    frame = pd.DataFrame({"artist": track % 100, "market": market, "region": market % 2, "pair": pair, "start": 0})
    last = np.minimum(days, 30)
    return frame.assign(days=last, after=last - 1, entered=days <= 30), effect
