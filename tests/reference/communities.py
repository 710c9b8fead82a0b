"""Makes communities_flows.csv and communities_found.csv: flows, and what other programs find in them.

python communities.py    (leidenalg 0.12, infomap 2.16, igraph 1.0, numpy, pandas)
"""

from pathlib import Path

import igraph
import infomap
import leidenalg
import numpy as np
import pandas as pd

HERE = Path(__file__).parent
SIZES = (9, 7, 5, 3)

generator = np.random.default_rng(20210401)
group = np.repeat(np.arange(len(SIZES)), SIZES)
size = generator.lognormal(0, 0.4, (2, len(group)))
mean = np.outer(*size) * np.where(group[:, None] == group, 12, 0.6)
flows = generator.poisson(mean)
np.fill_diagonal(flows, 0)
pd.DataFrame(flows).to_csv(HERE / "communities_flows.csv", index=False, header=False)

both = igraph.Graph.Weighted_Adjacency(np.triu(flows + flows.T), mode="upper")
leiden = leidenalg.find_partition(
    both, leidenalg.ModularityVertexPartition, weights="weight", n_iterations=-1, seed=1
).membership

search = infomap.Infomap("--two-level --directed --silent --seed 1 --num-trials 50")
for source, target in zip(*np.nonzero(flows), strict=True):
    search.add_link(int(source), int(target), float(flows[source, target]))
modules = search.run().modules()
table = pd.DataFrame({"leidenalg": leiden, "infomap": [modules[market] for market in range(len(group))]})
table.to_csv(HERE / "communities_found.csv", index=False)
