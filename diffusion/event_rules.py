"""Rules for what counts as an event, and when it is timed."""

from dataclasses import dataclass

from diffusion.conventions import LONGEST, WASHOUT
from diffusion.display import Displayed
from diffusion.errors import SettingError
from diffusion.recordings import Identity


@dataclass(frozen=True, slots=True, repr=False)
class EventRules(Displayed):
    """Rules for what counts as an event and when it is timed; fields as the parameters of `Charts.entries`.

    Examples
    --------
    >>> EventRules("top200", top=50, washout=14)
    <EventRules of top200: first appearance at rank ≤ 50, washout 14 days>
    """

    chart: str
    top: int | None = None
    min_periods: int = 1
    washout: int = WASHOUT
    identity: Identity = "track"

    def __post_init__(self) -> None:
        if self.top is not None and self.top < 1:
            raise SettingError(f"top is {self.top}, but ranks begin at 1")
        if self.min_periods < 1:
            raise SettingError(f"min_periods is {self.min_periods}, but an event lasts at least one chart")
        if not 0 <= self.washout <= LONGEST:
            raise SettingError(f"washout is {self.washout} days; it must be between 0 and {LONGEST:,}")
        if self.identity not in ("track", "recording"):
            raise SettingError(f"identity is '{self.identity}'; allowed are 'track' and 'recording'")

    def _facts(self) -> str:
        return f" of {self.chart}: {self}"

    def __str__(self) -> str:
        rank = "any rank" if self.top is None else f"rank ≤ {self.top}"
        stay = "" if self.min_periods == 1 else f" for {self.min_periods} charts in a row"
        joined = "" if self.identity == "track" else ", ids of one recording count as one track"
        return f"first appearance at {rank}{stay}, washout {self.washout} days{joined}"
