"""The named worlds: what is on in each, and what that means in one line."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal

RhythmName = Literal["steady", "surges", "season", "christmas", "fridays"]
Taste = Literal["none", "language", "across"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """One world; by default markets differ in size alone, tracks are alike and nobody influences anybody.

    Attributes
    ----------
    meaning
        What the world is, in one line.
    decay
        Days: hazards fall with age as exp(−age / decay); None where they do not fall.
    shapes
        Whether age shapes differ by market: decays of 4 to 60 days, and onsets of 1 to 20 days.
    steps
        Expected entries after the debut within 180 days, counting markets already entered as still at risk.
    popularity
        Shape of the gamma distribution (mean 1) that multiplies a track's hazards; None where tracks are alike.
    sizes
        Largest size of a market over the smallest.
    rhythm
        What changes with time.
    taste
        Hidden taste of each track: for languages, or for groups of markets that cut across languages.
    homes
        Whether artists have a home market, and tastes of their own.
    giant
        Share of all tracks that one artist has.
    reissues
        Share of tracks that come out again under a second id.
    late, half
        Whether a market's charts begin late, whether one market's chart has half the rows.
    gaps
        Share of markets with a gap of 50 days.
    cadence
        Days from one chart to the next.
    density
        Share of ordered pairs with influence.
    alpha
        Least and largest α of those.
    """

    meaning: str
    decay: float | None = None
    shapes: bool = False
    steps: float = 2.0
    popularity: float | None = None
    sizes: float = 5.0
    rhythm: RhythmName = "steady"
    taste: Taste = "none"
    homes: bool = False
    giant: float = 0.0
    reissues: float = 0.0
    late: bool = False
    half: bool = False
    gaps: float = 0.0
    cadence: int = 1
    density: float = 0.0
    alpha: tuple[float, float] = (0.05, 0.3)

    @property
    def exchangeable(self) -> bool:
        """Whether markets differ in size alone, so that with one size no market leads another."""
        watched = self.late or self.half or self.gaps > 0
        return not (self.shapes or watched or self.rhythm == "christmas" or self.taste != "none" or self.density)


_SPARSE: Final = Recipe(
    "12 % of pairs have influence, α .05 to .3; popularity differs and hazards fall with age",
    decay=10,
    popularity=0.7,
    density=0.12,
)

WORLDS: Final[Mapping[str, Recipe]] = MappingProxyType(
    {
        "flat": Recipe("constant hazards"),
        "falling": Recipe("hazards fall with age as exp(−age / 10)", decay=10),
        "popularity": Recipe("tracks differ in popularity, gamma of shape .7", popularity=0.7),
        "popularity-falling": Recipe("popularity differs and hazards fall with age", decay=10, popularity=0.7),
        "surges": Recipe("every track has one surge, the same in all markets", rhythm="surges"),
        "season": Recipe("all hazards have a season of 120 days", rhythm="season"),
        "christmas": Recipe("half the markets are five times as busy around Christmas", decay=30, rhythm="christmas"),
        "fridays": Recipe("releases and entries are mostly on Fridays", decay=10, rhythm="fridays"),
        "sizes": Recipe("the largest market is 40 times the smallest; hazards fall with age", decay=10, sizes=40.0),
        "shapes": Recipe("some markets take tracks early, others late", shapes=True, popularity=0.7),
        "taste-language": Recipe("each track has a hidden taste by language", decay=20, taste="language"),
        "taste-across": Recipe("each track has a hidden taste that cuts across languages", decay=20, taste="across"),
        "homes": Recipe("artists have a home market, and release albums", decay=20, homes=True, popularity=0.7),
        "giant-artist": Recipe("one artist has a third of all tracks", decay=20, giant=1 / 3, popularity=0.7),
        "reissues": Recipe("a fifth of tracks come out again under a second id", decay=20, reissues=0.2),
        "late-launch": Recipe("the charts of one market begin late", decay=30, popularity=0.7, late=True),
        "half-depth": Recipe("the chart of one market has half the rows", decay=20, popularity=0.7, half=True),
        "gaps": Recipe("a third of the markets have a gap of 50 days", decay=30, popularity=0.7, gaps=1 / 3),
        "weekly": Recipe("weekly charts, so that many entries are tied", decay=10, popularity=0.7, cadence=7),
        "influence-sparse": _SPARSE,
        "influence-dense": Recipe(
            "35 % of pairs have influence, α .05 to .2", decay=30, popularity=0.7, density=0.35, alpha=(0.05, 0.2)
        ),
        "influence-extra": Recipe(
            "few entries of their own: most steps are there because of influence, 15 % of pairs, α .1 to .4",
            steps=0.6,
            density=0.15,
            alpha=(0.1, 0.4),
        ),
        "influence-taste": replace(
            _SPARSE, meaning="12 % of pairs have influence, and tracks a hidden taste by language", taste="language"
        ),
    }
)
"""The worlds by name: those without influence, then those with it."""
