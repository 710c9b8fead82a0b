"""Entries in parts: every row is in one of them, they are balanced, and their counts add up to those of the whole."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from diffusion import DataSaysNoError, Entries, open_sample
from diffusion.contracts import WITHHELD
from diffusion.engine import Tables
from diffusion.entry_pairs import artist_transitions, lag_band_of, lag_bands_of
from diffusion.pairs.counts import cluster_transitions
from diffusion.pairs.curves import lag_bands
from diffusion.parts import as_tables, divided, in_parts, summed
from graphs import market_graph
from graphs.journeys.stream import period_edges, period_edges_of
from tests.divided import Divided
from tests.random_charts import EXAMPLES, Study, examples, studies

ADDED = 1e-12
"""Relative: a sum over clusters is added in another order."""

PARTS = st.sampled_from([1, 2, 3, 7, 50])
"""Numbers of parts; random charts have eight tracks at most."""

ARTISTS = st.one_of(
    st.lists(st.sampled_from([None, "A", "A, B", " a", "B", "C"]), min_size=8, max_size=8),
    st.just(["A", "A", "A", "A", "A", "A", None, "B"]),
)
"""Artists of the tracks of random charts; None where not known."""


@pytest.fixture(scope="module")
def sample() -> Entries:
    """Entries of the packaged charts."""
    with open_sample() as charts:
        return charts.entries()


def entries_of(drawn: Study, artists: list[str | None], *, withheld: bool = False) -> Entries:
    """Return random entries with artists and, if so, licences that the first track lacks."""
    entries = drawn.open()
    ids = sorted(entries.table["track_id"].unique().to_pylist())
    given = pa.table({"track_id": ids, "artist": pa.array(artists[: len(ids)], pa.string())})
    lacks = [{"track_id": ids[0], "market": market} for market in entries.calendar.markets] if withheld else []
    return replace(entries, described=given, withheld=pa.Table.from_pylist(lacks, schema=WITHHELD.schema))


def agree(found: pa.Table, expected: pa.Table) -> None:
    """Check that two tables have the same rows: floats within `ADDED`, all else exactly."""
    assert found.schema.equals(expected.schema)
    pd.testing.assert_frame_equal(found.to_pandas(), expected.to_pandas(), check_exact=False, rtol=ADDED, atol=0)
    for name, column in zip(expected.column_names, expected.columns, strict=True):
        if not pa.types.is_floating(column.type):
            assert found[name].equals(column)


# ── how entries are divided ──────────────────────────────────────────────────────────────────────────────────────────


@EXAMPLES
@given(drawn=studies(), artists=ARTISTS, parts=PARTS, withheld=st.booleans())
def test_every_row_is_in_one_part_and_whole_artists_too(
    drawn: Study, artists: list[str | None], parts: int, withheld: bool
) -> None:
    entries = entries_of(drawn, artists, withheld=withheld)
    found = divided(entries, parts)
    for name in ("table", "withheld", "described"):
        rows = [str(row) for part in found for row in part[name].to_pylist()]
        assert Counter(rows) == Counter(str(row) for row in getattr(entries, name).to_pylist())
    cluster = dict(zip(entries.timelines.track_ids, entries.timelines.cluster.tolist(), strict=True))
    clusters = [{cluster[track] for track in part["table"]["track_id"].to_pylist()} for part in found]
    assert all(clusters) and sum(map(len, clusters)) == len(set(cluster.values()))
    assert len(found) == min(parts, len(set(cluster.values())))
    sizes = Counter(cluster[track] for track in entries.table["track_id"].to_pylist())
    assert max(part["table"].num_rows for part in found) <= len(entries) / len(found) + max(sizes.values())


def test_parts_are_balanced(sample: Entries) -> None:
    sizes = [part["table"].num_rows for part in divided(sample, 7)]
    assert sum(sizes) == len(sample)
    assert max(sizes) - min(sizes) <= 1  # most artists have one entry, the largest 312


# ── sums over parts ──────────────────────────────────────────────────────────────────────────────────────────────────


def shapes(part: Entries) -> dict[str, Any]:
    """Return an array of each shape about the entries of a part."""
    rows = len(part)
    return {"number": np.array(rows), "row": np.array([rows, 0.5]), "none": np.zeros((2, 0), np.int32)}


def tracks_of(part: Entries) -> Tables:
    """Return the tracks of a part."""
    return {"tracks": pa.table({"track_id": part.table["track_id"].unique()})}


def count_rows(tables: Tables) -> Tables:
    """Return the number of tracks in the tables of `tracks_of`."""
    return as_tables({"tracks": np.array(tables["tracks"].num_rows)})


def refused(part: Entries) -> Tables:
    """Raise an error of ours that names the part's entries."""
    raise DataSaysNoError(f"{len(part)} entries are too few")


@pytest.mark.parametrize("parts", [1, 3, 10**6])
def test_arrays_of_all_shapes_add_up(sample: Entries, parts: int) -> None:
    few = sample.subset(debut=("2021-06-25", None))
    divisions = in_parts(replace(few, workers=Divided(parts)))
    total, each = divisions.summed(shapes), divisions.results(tracks_of)
    if divisions.parts is None:
        tracks = summed([count_rows(tables) for tables in each])["tracks"]
    else:
        with divisions.kept(tracks_of) as kept:
            tracks = summed(kept.results(count_rows))["tracks"]
    assert total["number"] == len(few) and total["number"].shape == () and total["number"].dtype == np.int64
    assert total["row"].tolist() == [len(few), 0.5 * len(each)]
    assert total["none"].shape == (2, 0) and total["none"].dtype == np.int32
    assert len(each) == min(parts, len(set(few.timelines.cluster.tolist())))
    assert tracks == sum(tables["tracks"].num_rows for tables in each) == len(few.tracks())


def test_without_workers_the_one_part_is_the_entries_themselves(sample: Entries) -> None:
    seen: list[Entries] = []
    parts = in_parts(sample)
    assert parts.summed(lambda part: seen.append(part) or {"n": np.array(1)}) == {"n": np.array(1)}
    assert seen[0] is sample


def test_an_error_in_a_part_is_raised(sample: Entries) -> None:
    parts = in_parts(replace(sample, workers=Divided(3)))
    with pytest.raises(DataSaysNoError, match="are too few"):
        parts.results(refused)


# ── pairs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@examples(25)
@given(
    drawn=studies(), artists=ARTISTS, parts=PARTS, window=st.sampled_from([1, 7, 30, 60, 120]), grouped=st.booleans()
)
def test_pairs_of_parts_add_up_to_those_of_the_whole(
    drawn: Study, artists: list[str | None], parts: int, window: int, grouped: bool
) -> None:
    entries = entries_of(drawn, artists)
    if grouped and {"SE", "FI"} <= set(entries.calendar.markets):
        try:
            entries = entries.group_markets({"North": ["SE", "FI"]})
        except DataSaysNoError:  # never in coverage together
            assume(False)
    divisions = replace(entries, workers=Divided(parts))
    agree(divisions.arrow("transitions", window=window), entries.arrow("transitions", window=window))
    for name, settings in (("lags", {"window": window}), ("ties", {})):
        assert divisions.arrow(name, **settings).equals(entries.arrow(name, **settings))
    found, expected = (
        artist_transitions(divisions, window=window),
        cluster_transitions(entries.timelines, window=window),
    )
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    for part in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(found, part), getattr(expected, part))


@examples(25)
@given(drawn=studies(), artists=ARTISTS, parts=PARTS, window=st.sampled_from([1, 7, 30, 120]))
def test_lag_curves_of_parts_are_those_of_the_whole(
    drawn: Study, artists: list[str | None], parts: int, window: int
) -> None:
    entries = entries_of(drawn, artists)
    divisions = replace(entries, workers=Divided(parts))
    found, expected = (dict(lag_bands_of(each, window=window)) for each in (divisions, entries))
    assert found.keys() == expected.keys()
    for source, bands in expected.items():
        assert found[source].keys() == bands.keys() == lag_bands(entries.timelines, source, window=window).keys()
        for target, band in bands.items():
            pd.testing.assert_frame_equal(found[source][target], band, check_exact=False, rtol=ADDED, atol=0)
            alone = lag_band_of(divisions, source, target, window=window)
            pd.testing.assert_frame_equal(alone, band, check_exact=False, rtol=ADDED, atol=0)


@examples(25)
@given(drawn=studies(), artists=ARTISTS, parts=PARTS, window=st.sampled_from([1, 7, 60]))
def test_periods_of_parts_add_up_to_those_of_the_whole(
    drawn: Study, artists: list[str | None], parts: int, window: int
) -> None:
    entries = entries_of(drawn, artists)
    divisions = replace(entries, workers=Divided(parts))
    try:
        expected = period_edges(entries.timelines, window, "month")
    except DataSaysNoError as error:
        with pytest.raises(DataSaysNoError) as raised:
            period_edges_of(divisions, window, "month")
        assert str(raised.value) == str(error)
        return
    pd.testing.assert_frame_equal(period_edges_of(divisions, window, "month"), expected, check_exact=True)


@pytest.mark.parametrize("parts", [2, 7])
def test_the_graph_of_parts_is_that_of_the_whole(sample: Entries, parts: int) -> None:
    whole, found = market_graph(sample), market_graph(replace(sample, workers=Divided(parts)))
    agree(pa.Table.from_pandas(found.edges), pa.Table.from_pandas(whole.edges))
    pd.testing.assert_frame_equal(found.nodes, whole.nodes, check_exact=True)
    pd.testing.assert_frame_equal(found.lags, whole.lags, check_exact=True)
    pd.testing.assert_frame_equal(found.periods(), whole.periods(), check_exact=True)
    tables = [graph.bootstrap(replicates=5).table for graph in (found, whole)]
    pd.testing.assert_frame_equal(*tables, check_exact=True)
