"""The charts of a study, opened once for all steps of a run that read their rows."""

from contextlib import ExitStack
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Self

from diffusion import Charts, open_charts
from pipelines.folders.lock import reading
from pipelines.folders.manifest import MANIFEST
from pipelines.study.settings import SAMPLE, Study


def charts_path(study: Study) -> Path | str:
    """Return where the charts of a study are."""
    if study.path == SAMPLE:
        return Path(str(resources.files("diffusion").joinpath("data", "top50_daily_2021.parquet")))
    return study.path


class HeldCharts:
    """Charts that no run of this tool may change in this block, opened when a step first asks for them.

    Parameters
    ----------
    study
        Where they are and how they are read.
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._charts: Charts | None = None
        self._held = ExitStack()

    def __enter__(self) -> Self:
        place = Path(charts_path(self._study))
        if (place / MANIFEST).is_file():
            self._held.enter_context(reading(place))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self._held.close()

    def opened(self) -> Charts:
        """Return the charts; they stay open until `close`."""
        if self._charts is None:
            self._charts = open_charts(
                charts_path(self._study), open_engine=self._study.open_engine, **self._study.reading
            )
        return self._charts

    def close(self) -> None:
        """Free the memory and files of the charts; they are opened again when asked for."""
        if self._charts is not None:
            self._charts.close()
            self._charts = None
