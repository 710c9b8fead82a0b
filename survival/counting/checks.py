"""Checks of settings that several functions take."""

from collections.abc import Sequence

import numpy as np

from diffusion import SettingError
from diffusion.arrays import Ints


def check_whole(name: str, value: object) -> None:
    """Refuse a setting that is no whole number."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise SettingError(f"{name} is {value!r}; it must be a whole number")


def check_list(name: str, value: Sequence[str] | None) -> None:
    """Refuse one text where a list of names is expected: its letters would be taken for names."""
    if isinstance(value, str):
        raise SettingError(f"{name} is '{value}'; it must be a list of names, such as ['{value}']")


def check_penalizer(penalizer: float) -> None:
    """Refuse a penalizer that is negative or not finite."""
    if not isinstance(penalizer, int | float | np.number) or not 0 <= penalizer < np.inf:
        raise SettingError(f"the penalizer is {penalizer!r}; it must be 0 or more, and finite")


def check_source(source: object) -> None:
    """Refuse what is no source of waits."""
    if not hasattr(source, "counted"):
        raise SettingError(
            f"{type(source).__name__} are no waits; make them by survival.waits(entries), or of a frame by "
            f"survival.frame_waits(frame, days=..., entered=...)"
        )


def whole_days(times: Sequence[int]) -> Ints:
    """Return days as whole numbers, 0 or more."""
    days = np.asarray(times)
    if days.ndim != 1 or (len(days) and days.dtype.kind not in "iuf") or not (days == np.round(days)).all():
        raise SettingError(f"times are {times!r}; they must be a list of whole days, 0 or more")
    if not (np.isfinite(days) & (days >= 0)).all():
        raise SettingError(f"times go from {days.min():g} to {days.max():g}; they must be whole days, 0 or more")
    return days.astype(np.int64)
