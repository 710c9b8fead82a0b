"""Contracts of all artifacts that are tables."""

from collections.abc import Mapping
from typing import Final

from diffusion.contracts import DAMAGE, QUARANTINE, TRUE_BACKGROUND, TRUTH, Contract
from pipelines.contracts import audit, auxiliary, backtest, raw, recovery, regression
from pipelines.study.steps import STEPS

ARTIFACTS: Final[Mapping[str, Mapping[str, Contract]]] = {
    **{step.name: {f"{name}.parquet": table for name, table in step.tables.items()} for step in STEPS if step.tables},
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
    "clean": raw.CLEANED,
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
        **{f"charts/{name}": contract for name, contract in raw.STAR.items()},
    },
    "inspect": {"wholeness.parquet": raw.INSPECTED},
    "audit": {"audit.parquet": audit.AUDIT},
    "backtest": {
        "predictions/*.parquet": backtest.BACKTEST_PREDICTIONS,
        "backtest_scores.parquet": backtest.BACKTEST_SCORES,
        "backtest_calibration.parquet": backtest.BACKTEST_CALIBRATION,
        "backtest_markets.parquet": backtest.BACKTEST_MARKETS,
        "backtest_learning.parquet": backtest.BACKTEST_LEARNING,
        "backtest_ablation.parquet": backtest.BACKTEST_ABLATION,
        "backtest_importance.parquet": backtest.BACKTEST_IMPORTANCE,
    },
    "backtest --protocol-truth": {"predictions*.parquet": backtest.PREDICTIONS},
    "recovery": {
        "recovery.parquet": recovery.RECOVERY,
        "simulations/claims-*/*.parquet": recovery.RECOVERY_CLAIMS,
        "simulations/intervals-*/*.parquet": recovery.RECOVERY_INTERVALS,
    },
    "regress": {
        **{f"{contract.name}.parquet": contract for contract in regression.REGRESSION},
        **{f"{contract.name}.csv": contract for contract in regression.AS_CSV},
    },
}
"""Step of a study, or command → name or pattern of its tables → contract.

``full/`` of ingest and ``charts/charts.csv`` of simulate have no contract: they have the columns of a source.
"""
