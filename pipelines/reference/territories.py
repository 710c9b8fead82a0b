"""Names of countries in auxiliary sources, also with years after the name."""

import re
from collections.abc import Iterable, Sequence
from functools import cache

from diffusion import UnknownMarketError, market_names, resolve
from diffusion.markets import chart_markets

_YEARS = re.compile(r"\s*\(?(?<!\d)(?:19|20)\d\d\s*[-–]\s*(?:19|20)\d\d\)?$")


def country_name(text: str) -> str:
    """Return a country's name without white space around it and without a span of years after it.

    Examples
    --------
    >>> country_name(" Czech  Rep.1981-2014")
    'Czech Rep.'
    """
    return _YEARS.sub("", " ".join(text.split()))


@cache
def territory(name: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of a territory, as `diffusion.resolve` does; None if the name is not known.

    An aggregate such as ``Global`` is not a territory.

    Examples
    --------
    >>> [territory(name) for name in ("Czech republic", "Trinidad and tobago", "Bosnia", "NA", "NAM", "Hebei")]
    ['CZ', 'TT', 'BA', 'NA', 'NA', None]
    """
    try:
        code = resolve(name)
    except UnknownMarketError:
        return None
    return None if code == "Global" else code


def territory_key(name: str) -> str:
    """Return a key that is equal for names of one territory: the code, or the name in lower case if not known."""
    return territory(name) or f"\N{BULLET}{name.casefold()}"


def market_codes(markets: Sequence[str] | None = None) -> list[str]:
    """Return the codes of markets (names or codes) in order, without aggregates; None gives the 69 of public charts.

    Raises
    ------
    UnknownMarketError
        When a name is not a known market.
    """
    if markets is None:
        return chart_markets()
    return sorted({resolve(market) for market in markets} - {"Global"})


def named(codes: Iterable[str]) -> dict[str, str]:
    """Return code → English name, in order of code."""
    return dict(sorted(market_names(codes).items()))
