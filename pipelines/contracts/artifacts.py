"""Every artifact that is a table, with its contract."""

from collections.abc import Mapping
from typing import Final

from diffusion.contracts import (
    ARTISTS,
    AVAILABILITY,
    COVERAGE,
    DAMAGE,
    ENTRIES,
    LAGS,
    OBSERVATIONS,
    QUARANTINE,
    RECORDINGS,
    TRACKS,
    TRUE_BACKGROUND,
    TRUTH,
    WITHHELD,
    Contract,
)
from graphs import contracts as graphs
from pipelines.contracts import auxiliary, raw, recovery
from survival.contracts import CURVES, SUMMARY

ENTERED_TRACKS: Final = Contract(
    "entered_tracks",
    "one track with an entry",
    (*ENTRIES.pick("track_id"), *TRACKS.pick("title", "artist")),
    ENTRIES.key[:1],
)

_STAR: Final = {
    "observations/year=*/*.parquet": OBSERVATIONS,
    "tracks.parquet": TRACKS,
    "artists.parquet": ARTISTS,
    "availability.parquet": AVAILABILITY,
    "recordings.parquet": RECORDINGS,
    "quarantine.parquet": QUARANTINE,
    "row_accounting.csv": raw.ROW_ACCOUNTING,
}

ARTIFACTS: Final[Mapping[str, Mapping[str, Contract]]] = {
    "entries": {
        "entries.parquet": ENTRIES,
        "coverage.parquet": COVERAGE,
        "withheld.parquet": WITHHELD,
        "tracks.parquet": ENTERED_TRACKS,
    },
    "graph": {
        "edges.parquet": graphs.EDGES,
        "markets.parquet": graphs.MARKETS,
        "lags.parquet": LAGS,
        "periods.parquet": graphs.PERIODS,
    },
    "leaders": {
        "leaders.parquet": graphs.LEADERS,
        "agreement.parquet": graphs.AGREEMENT,
        "rolling.parquet": graphs.ROLLING,
        "validity.parquet": graphs.VALIDITY,
        "validity_pairs.parquet": graphs.VALIDITY_PAIRS,
    },
    "structure": {
        "backbone.parquet": graphs.BACKBONE,
        "infomap.parquet": graphs.INFOMAP,
        "communities.parquet": graphs.COMMUNITIES,
        "community_agreement.parquet": graphs.COMMUNITY_AGREEMENT,
        "mantel.parquet": graphs.MANTEL,
        "mrqap.parquet": graphs.MRQAP,
        "gravity.parquet": graphs.GRAVITY,
    },
    "direct": {
        "influence.parquet": graphs.INFLUENCE,
        "credits.parquet": graphs.CREDITS,
        "background.parquet": graphs.BACKGROUND,
        "clout.parquet": graphs.CLOUT,
    },
    "survival": {"survival.parquet": CURVES, "survival_summary.parquet": SUMMARY},
    "ingest": {
        "slim/year=*/*.parquet": raw.SLIM,
        "damaged.parquet": QUARANTINE,
        "distinct_values.parquet": raw.DISTINCT_VALUES,
        "row_accounting.csv": raw.ROW_ACCOUNTING,
        "profile_overview.csv": raw.PROFILE_OVERVIEW,
        "profile_null_rates.csv": raw.NULL_RATES,
        "source_schema.csv": raw.SOURCE_SCHEMA,
        "aux_profile.csv": auxiliary.AUX_PROFILE,
    },
    "ingest --join-aux": {"slim/year=*/*.parquet": raw.SLIM_JOINED},
    "clean": {**_STAR, "accounting_by_file.csv": raw.ACCOUNTING_BY_FILE},
    "auxiliary": {
        "countries_reference_clean.parquet": auxiliary.COUNTRIES,
        "cultural_distance_long.parquet": auxiliary.LONG,
        "cultural_distance_top5.parquet": auxiliary.TOP5,
        "holidays.parquet": auxiliary.HOLIDAYS,
        "aux_profile.csv": auxiliary.AUX_PROFILE,
    },
    "simulate": {
        "truth.parquet": TRUTH,
        "background.parquet": TRUE_BACKGROUND,
        "damage.parquet": DAMAGE,
        **{f"charts/{name}": contract for name, contract in _STAR.items()},
    },
    "recovery": {
        "recovery_edges.csv": recovery.RECOVERY_EDGES,
        "recovery_advantage.csv": recovery.RECOVERY_ADVANTAGE,
        "recovery_coverage.csv": recovery.RECOVERY_COVERAGE,
        "cells/*_scores.parquet": recovery.CELL_SCORES,
        "cells/*_coverage.parquet": recovery.CELL_COVERAGE,
    },
}
"""Step of a study, or command → name or pattern of its artifacts that are tables → contract.

Two kinds of table have none: ``full/`` of ingest and ``charts/charts.csv`` of simulate, whose columns are a source's.
"""
