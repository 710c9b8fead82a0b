"""What the SpringRank package (PyPI, version 0.0.10, GPL) answers; our code is compared with it.

    pip install SpringRank==0.0.10 && python springrank.py

Writes springrank_flows.csv (`source`, `target`, `tracks` of 14 markets) and springrank_ranks.csv
(`market`, and its rank for regularisation 0, 0.5, 1 and 20). The package solves iteratively; it is told to go on to
1e-13.
"""

from pathlib import Path

import numpy as np
from springrank import SpringRank

FOLDER = Path(__file__).parent
ALPHAS = (0.0, 0.5, 1.0, 20.0)


def main() -> None:
    """Write both files."""
    rng = np.random.default_rng(2018)
    flows = rng.poisson(rng.gamma(0.4, 30, (14, 14))) * (rng.random((14, 14)) < 0.6)
    np.fill_diagonal(flows, 0)
    source, target = np.nonzero(flows)
    lines = [f"{a},{b},{flows[a, b]}" for a, b in zip(source, target, strict=True)]
    (FOLDER / "springrank_flows.csv").write_text("\n".join(["source,target,tracks", *lines, ""]))
    ranks = [SpringRank(alpha=alpha, rtol=1e-13).fit(flows.astype(float)).ranks for alpha in ALPHAS]
    rows = [",".join(map(str, (market, *map(float, own)))) for market, own in enumerate(np.transpose(ranks))]
    head = ",".join(("market", *(f"alpha_{alpha:g}" for alpha in ALPHAS)))
    (FOLDER / "springrank_ranks.csv").write_text("\n".join([head, *rows, ""]))


if __name__ == "__main__":
    main()
