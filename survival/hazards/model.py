"""A hazard model before it is fitted: checks, columns, and where to start."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import pandas as pd

from diffusion import DataSaysNoError, SettingError
from diffusion.arrays import Floats, Ints
from survival.counting.checks import check_list, check_source
from survival.counting.counted import CLUSTERS, Cluster, CountedWaits, WaitSource
from survival.counting.formula import Design, variables_of
from survival.hazards.baseline import Baseline, BaselineName
from survival.hazards.columns import Layout
from survival.hazards.likelihood import LINKS, Exposure, Likelihood, Link
from survival.hazards.maximum import Maximum

SEPARATED: Final = 1e3
"""Standard error of the effect of a covariate's whole range, from which on its coefficient has no maximum.

Newton's method stops where a step gains 1e-10. There, a coefficient that runs to infinity has a standard error of 1e5.
"""


@dataclass(frozen=True, slots=True)
class Model:
    """A hazard model and the counted waits that it is fitted to."""

    waits: CountedWaits
    layout: Layout
    likelihood: Likelihood

    @classmethod
    def of(
        cls,
        source: WaitSource,
        formula: str,
        *,
        link: Link = "cloglog",
        baseline: BaselineName | Sequence[int],
        by_period: Sequence[str] = (),
        effects: Sequence[str] = (),
        cluster: Cluster,
    ) -> Self:
        """Count the waits and lay out the columns.

        Raises
        ------
        SettingError
            When an option is unknown.
        """
        if link not in LINKS:
            raise SettingError(f"unknown link '{link}'; it is one of {', '.join(LINKS)}")
        if cluster not in CLUSTERS:
            raise SettingError(f"unknown cluster '{cluster}'; it is one of {', '.join(CLUSTERS)}")
        check_list("effects", effects)
        check_list("by_period", by_period)
        twice = [name for name in effects if name in variables_of(formula) or list(effects).count(name) > 1]
        if twice:
            raise SettingError(
                f"'{twice[0]}' cannot be an effect twice, or an effect and in the formula; leave out one"
            )
        variables = tuple(dict.fromkeys([*variables_of(formula), *effects]))
        check_source(source)
        waits = source.counted(variables, cluster=cluster)
        design = Design.of(formula, waits.values)
        layout = Layout.of(design, by_period, _levels(effects, waits.values), Baseline.of(baseline, waits))
        columns = layout.columns(waits.values, design.matrix)
        return cls(waits, layout, Likelihood(columns, Exposure.of(waits, layout.baseline), link))

    def start(self) -> Floats:
        """Return coefficients to start from: no effect of anything, and one rate on all days."""
        exposure, baseline = self.likelihood.exposure, self.layout.baseline
        days = exposure.survived.sum() + exposure.count[exposure.event] @ exposure.days
        level = np.full(len(baseline.columns), np.log(exposure.count.sum() / days))
        coefs = np.zeros(len(self.layout.names))
        coefs[self.places("baseline")] = np.linalg.lstsq(baseline.columns, level)[0]
        return coefs

    def places(self, kind: str) -> Ints:
        """Return the places of the columns of one kind."""
        return np.flatnonzero(np.array(self.layout.kinds) == kind)

    def spread(self) -> Floats:
        """Return, (p,), the standard deviation over waits of the values that each coefficient multiplies."""
        cells = self.likelihood.columns.cells
        weight = self.waits.opened.sum(axis=1) / self.waits.opened.sum()
        mean = cells.T @ weight
        variance = np.maximum(cells.power(2).T @ weight - mean**2, 0.0)
        spread: Floats = np.sqrt(variance)[self.layout.cell_of]
        return spread

    def check_separation(self, found: Maximum) -> None:
        """Refuse a coefficient that runs to infinity."""
        matrix = self.layout.design.matrix
        whole = np.concatenate([[1.0], np.ptp(matrix, axis=0), np.ones(len(found.coefs))])[self.layout.cell_of]
        error = np.sqrt(np.diag(found.inverse)) * whole
        for kind in ("covariate", "baseline"):
            places = self.places(kind)
            if len(places) and error[places].max() > SEPARATED:
                name = self.layout.names[places[int(np.argmax(error[places]))]]
                raise DataSaysNoError(
                    f"nothing bounds the coefficient of '{name}': entries happen only at one end of it, or on one "
                    f"combination of covariates; leave it out, merge its classes, or set a penalizer"
                )


def _levels(effects: Sequence[str], values: pd.DataFrame) -> dict[str, pd.Index]:
    """Return the values of each variable with effects."""
    levels = {name: pd.Index(pd.factorize(values[name], sort=True)[1]) for name in effects}
    for name, found in levels.items():
        if len(found) < 2:
            raise SettingError(f"the effect '{name}' has the single value '{found[0]}'; leave it out")
    return levels
