"""Public holidays by market and date, from the package `holidays` (extra ``calendar``)."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from diffusion import SettingError
from pipelines.contracts.auxiliary import HOLIDAYS
from pipelines.reference.territories import market_codes


@dataclass(frozen=True, slots=True)
class Holidays:
    """Public holidays, and the markets and years without any.

    Attributes
    ----------
    table
        One row per market and date, in that order; columns as in `HOLIDAYS`.
    unknown
        Codes of markets that the package does not have.
    notes
        First and last date, the `version` of the package (other versions may have other holidays), `unknown`, and
        `empty_years`: market → years without holidays in the package.
    """

    table: pa.Table
    unknown: tuple[str, ...]
    notes: Mapping[str, Any]


def public_holidays(markets: Sequence[str] | None, first_date: date, last_date: date) -> Holidays:
    """Return the public holidays of whole countries, without those of regions only.

    Parameters
    ----------
    markets
        Names or codes; None for the 69 of Spotify's public charts. Aggregates are skipped.
    first_date, last_date
        First and last date, both included.

    Raises
    ------
    SettingError
        When the package is not installed, or the last date is before the first.
    UnknownMarketError
        When a name is not a known market.

    Examples
    --------
    >>> public_holidays(["SE"], date(2021, 6, 1), date(2021, 6, 30)).table.to_pylist()[0]
    {'market': 'SE', 'date': datetime.date(2021, 6, 6), 'name': 'National Day'}
    """
    if last_date < first_date:
        raise SettingError(f"holidays from {first_date} to {last_date}: the last date is before the first")
    package = holidays_package()
    years = range(first_date.year, last_date.year + 1)
    known = package.list_supported_countries(include_aliases=True)
    rows, unknown, empty = [], [], {}
    for market in market_codes(markets):
        if market not in known:
            unknown.append(market)
            continue
        days = _names_by_day(package, market, years)
        without = [year for year in years if all(day.year != year for day in days)]
        if without:
            empty[market] = without
        rows += [(market, day, name) for day, name in sorted(days.items()) if first_date <= day <= last_date]
    table = pa.table(dict(zip(HOLIDAYS.names, _columns(rows), strict=True)), schema=HOLIDAYS.schema)
    notes = {
        "first_date": str(first_date),
        "last_date": str(last_date),
        "version": str(package.__version__),
        "unknown": unknown,
        "empty_years": empty,
    }
    return Holidays(HOLIDAYS.conform(table), tuple(unknown), notes)


def holidays_package() -> Any:
    """Return the module `holidays`; it is imported only here.

    Raises
    ------
    SettingError
        When the package is not installed.
    """
    try:
        return importlib.import_module("holidays")
    except ImportError as error:
        raise SettingError(
            "public holidays need the package 'holidays'; install it: pip install 'chart-diffusion[calendar]'"
        ) from error


def _names_by_day(package: Any, market: str, years: range) -> dict[date, str]:
    """Return day → names of the holidays of the whole country, in order, each once."""
    country = package.country_holidays(market)
    languages = country.supported_languages
    english = next((code for code in ("en_US", "en_GB", "en") if code in languages), None)
    found = package.country_holidays(market, years=years, language=english)
    return {day: "; ".join(sorted(set(found.get_list(day)))) for day in found}


def _columns(rows: Sequence[tuple[str, date, str]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], []]
