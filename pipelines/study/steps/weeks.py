"""The charts of one date a week among a fixed set of markets: how alike, how lasting, how local."""

from typing import Any

from pipelines.contracts.published import CHART_WEEKS
from pipelines.eda.published.fixed_markets import fixed_markets
from pipelines.eda.published.weekly import WeeklyCharts, weekly_table
from pipelines.study.results import Results
from pipelines.study.settings import Study
from pipelines.study.step import Gaps, Output, Step


def _make(study: Study, results: Results) -> Output:
    entries, gaps = results.entries, Gaps()
    markets = fixed_markets(entries)

    def table() -> dict[str, Any]:
        return {"chart_weeks": weekly_table(WeeklyCharts.of(results.charts(), entries, markets))}

    return Output(gaps.take("chart_weeks", table), notes={"markets": markets}, not_made=gaps)


WEEKS = Step(
    name="weeks",
    title="Charts week by week",
    doing="comparing the charts of every week",
    version=1,
    tables={"chart_weeks": CHART_WEEKS},
    make=_make,
    needs=("entries",),
    reads_charts=True,
)
