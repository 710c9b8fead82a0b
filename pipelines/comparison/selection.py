"""Which tracks of a study a side is of, as the command line says it: KEY=VALUE, several of them."""

from collections.abc import Sequence
from typing import Any, Final

from diffusion import Entries, SettingError

KEYS: Final = ("artist", "track", "debut", "markets")
"""What tracks can be chosen by: artist named first, id or link, days of the debut, markets of the debut."""

RANGE: Final = ".."
"""Between the first and the last day of a debut; either may be left out."""


def chosen(entries: Entries, conditions: Sequence[str]) -> Entries:
    """Return the tracks that fulfil all conditions; a key may be given several times, for one or the other value.

    Raises
    ------
    SettingError
        When a condition cannot be read.
    DataSaysNoError
        When no track fulfils them.

    Examples
    --------
    >>> import diffusion
    >>> with diffusion.open_sample() as charts:
    ...     entries = charts.entries()
    >>> chosen(entries, ["debut=2021-05-01..", "markets=SE,NO"]).cohort
    ('debut from 2021-05-01', 'debut in Sweden, Norway')
    """
    values: dict[str, list[str]] = {}
    for condition in conditions:
        key, sign, value = condition.partition("=")
        if not sign or not value or key not in KEYS:
            raise SettingError(
                f"'{condition}' is not of the form KEY=VALUE, such as artist=Robyn; keys: {', '.join(KEYS)}"
            )
        values.setdefault(key, []).append(value)
    given: dict[str, Any] = {}
    if "artist" in values:
        given["artists"] = values["artist"]
    if "track" in values:
        given["tracks"] = values["track"]
    if "debut" in values:
        given["debut"] = _days(values["debut"])
    if "markets" in values:
        given["markets"] = [name.strip() for value in values["markets"] for name in value.split(",")]
    return entries.subset(**given) if given else entries


def _days(values: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the first and the last day of a debut."""
    if len(values) > 1 or RANGE not in values[0]:
        raise SettingError(f"debut={values[-1]} is not one FROM..TO, such as debut=2019-01-01..2019-12-31")
    first, _, last = values[0].partition(RANGE)
    return first or None, last or None
