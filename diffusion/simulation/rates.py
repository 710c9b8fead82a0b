"""Rates of the simulation, each with the real charts it was measured on.

*Sample* is the packaged Top 50 of 67 countries, daily, spring 2021; *viral weekly* the Viral 50 of 63 countries,
2017–2020; *weekly* the Top 200 of 9 countries, 2016–2019; *US* the daily Top 200 of the United States, 2017–2022. Only
the sample is packaged. A timed track has a debut that is not left-censored (washout of 28 days).
"""

from typing import Final

CHARTS: Final = ("top200", "viral50")
"""Charts that can be simulated, in the order in which they are written."""

DEPTHS: Final = {"top200": 200, "viral50": 50}
"""Rows of a full chart: of all charts of the weekly sets except micro-states."""

SHALLOW: Final = {"top200": (30, 70), "viral50": (45, 45)}
"""Rows of the shallowest charts, smallest markets first (Luxembourg's Top 200 has 30, Estonia's 70)."""

SHALLOW_SHARE: Final = 2 / 69
"""Share of markets with a shallow chart."""

FOOTPRINT_SHARE: Final = 0.15
"""Share of timed tracks released in several markets at once. Sample: .16 have several markets on their first date, some
of them followers within a day; weekly .24, viral weekly .19."""

FOOTPRINT_SIZES: Final = (
    (0.0, 2),
    (0.36, 2),
    (0.62, 3),
    (0.70, 4),
    (0.76, 6),
    (0.82, 11),
    (0.90, 17),
    (0.95, 28),
    (1.0, 66),
)
"""Quantiles of the number of markets on the first date, for sample tracks with several; 67 markets in all."""

FOOTPRINT_MARKETS: Final = 67
"""Number of markets in the data of `FOOTPRINT_SIZES`."""

FRIDAYS: Final = ((1, 0.48), (2, 0.72), (5, 0.76), (11, 0.97))
"""Least number of markets of a debut, and the share of such debuts on a Friday (sample, per Friday and per other day,
on dates whose day before is observed too)."""

LATE_MARKETS: Final = 6 / 63
"""Share of markets that launch after the first date (viral weekly: 6 of 63; weekly: 1 of 9)."""

LAUNCHES: Final = (0.21, 0.70)
"""Earliest and latest launch as a share of the time observed (viral weekly: 2017-08-31 and 2019-02-28 of 2017-01-05
to 2020-01-23)."""

GAP_SHARE: Final = {1: 9 / 98, 7: 4 / 160}
"""Cadence in days → share of dates without any chart (sample: 9 of 98; viral weekly: 4 of 160)."""

GAP_RUNS: Final = (1, 1, 1, 1, 2, 3)
"""Lengths, in charts, of the runs of missing dates (sample)."""

STAYS: Final = {
    ("top200", 1): (6.5, 1.65),
    ("top200", 7): (20.0, 1.5),
    ("viral50", 1): (7.0, 1.2),
    ("viral50", 7): (7.0, 1.2),
}
"""By chart and cadence: median days from entry to leaving, and standard deviation of their log (US: 6 and 1.75; sample
quartiles, cut off by its end: 2, 7, 21; weekly: 1, 3, 9 charts; viral weekly: 61 % one chart, .9 quantile 4 charts; the
daily viral chart was not available)."""

DEBUTS_MOST: Final = 2.0
"""Most debuts of a market, as a multiple of the mean (prior study: Germany 8,332 first-day entries, mean 3,959)."""

STREAMS_SLOPE: Final = 0.58
"""Decrease of log streams per unit of log rank (weekly: .45 to .64 by country, correlation −.78 to −.96; US .50)."""

STREAMS_BY_POPULATION: Final = (-2.79, 0.75)
"""Intercept and slope of mean log daily streams on log population (weekly, 9 countries)."""

STREAMS_MARKET_SPREAD: Final = 0.6
"""Standard deviation of a market's mean log streams around that line (weekly: .95, most of it Japan)."""

STREAMS_SPREAD: Final = 0.13
"""Standard deviation over dates of log streams at one rank (US: .12 to .14 at ranks 50 to 200)."""

STREAMS_LEAST: Final = 1001
"""Least number of streams on a chart."""

SEVERAL_IDS: Final = 0.053
"""Share of pairs of title and first artist with several ids (sample .056, viral weekly .040)."""

SAME_TITLE: Final = 0.02
"""Share of tracks with the title of a track of other artists (sample, without ids of one recording)."""

TRACKS_PER_ARTIST: Final = 3.0
"""Tracks per first artist; with the guests, 1.5 to 2 per artist string (sample 1.49; prior study 2.06)."""

GUESTS: Final = (0.59, 0.27, 0.10, 0.04)
"""Shares of tracks credited to 1, 2, 3 and 4 artists (sample: .41 to several)."""

OUT_STRENGTH: Final = 0.30
"""Mean α summed over targets: entries elsewhere caused by one entry; with the background, as in the sample."""

LEAD_SPREAD: Final = 1.0
"""Standard deviation of the log of a market's out-strength; markets that send more have fewer debuts."""

ALPHA_MOST: Final = 0.35
"""Largest mean α of an edge when few edges share `OUT_STRENGTH`."""

LAG_MEDIAN: Final = 3.0
"""Days: typical median lag of a pair (sample: later entries have quartiles 2, 4 and 9 days after the debut)."""

BACKGROUND_AGES: Final = (0, 7, 28, 90, 365)
"""Days after the debut at which the background hazard changes."""

BACKGROUND_ENTRIES: Final = (0.0016, 0.0012, 0.0006, 0.00020, 0.00005)
"""Background entries per track and day at these ages, over all markets. With α they give the later entries of the
sample (.24 per track that debuts in one market, quartiles 2, 4 and 9 days) and the late entries of the prior study:
12 % of later entries after 90 to 365 days, 8 % after more."""

YEAR_ONLY: Final = 0.0156
"""Share of tracks whose release date is a year (prior study)."""

NO_METADATA: Final = 0.0116
"""Share of tracks without catalogue fields in the raw layout: id, album, audio features (prior study)."""

BOTH_CHARTS: Final = (0.347, 0.248, 0.405)
"""Shares of tracks on the Top 200 only, on both charts, on the Viral 50 only (prior study: 117,876 and 129,275 of
198,077)."""
