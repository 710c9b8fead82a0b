"""Distances and the tests on them against R (sna, vegan), plain loops, brute force and simulated truth."""

import io
from itertools import combinations, permutations, product

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

from diffusion import DataSaysNoError, SettingError, UnknownMarketError, pair_table
from diffusion.markets import chart_markets
from graphs.distance import (
    Distances,
    complete_markets,
    edge_matrix,
    mantel,
    mrqap,
    rate_matrix,
    symmetrised,
)
from tests.conftest import REFERENCE

Matrix = NDArray[np.float64]

AGREES = 1e-8
"""R and numpy solve the same least squares by different QR decompositions; R's answers have 15 digits."""

LOOPS = 1e-9
"""Sums of a few hundred numbers in another order."""

CODES = chart_markets()


def bare(count: int, **matrices: Matrix) -> Distances:
    """Return nothing but these distances between the first markets of the reference table."""
    distances = Distances(tuple(CODES[:count]), {}, {})
    for name, matrix in matrices.items():
        distances = distances.with_pairs(name, matrix)
    return distances


def draw(count: int, seed: int, *, symmetric: bool = False) -> Matrix:
    matrix = np.random.default_rng(seed).normal(size=(count, count))
    return symmetrised(matrix) if symmetric else matrix


def reference_matrices() -> dict[str, Matrix]:
    pairs = pd.read_csv(REFERENCE / "mrqap_matrices.csv")
    found = {}
    for name in pairs.columns[2:]:
        found[name] = np.full((16, 16), np.nan)
        found[name][pairs["source"] - 1, pairs["target"] - 1] = pairs[name]
    return found


def near_as_chance_allows(p: float, draws: int, reference: float, reference_draws: int) -> bool:
    """Return whether two p of one null are within three Monte Carlo standard errors of each other."""
    mean = (p + reference) / 2
    return abs(p - reference) <= 3 * np.sqrt(mean * (1 - mean) * (1 / draws + 1 / reference_draws)) + 1 / draws


# ── distances ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_known_distances_are_the_pair_table() -> None:
    distances = Distances.of(["sweden", "NO", "usa"])
    table = pair_table().set_index(["source", "target"])
    assert distances.markets == ("SE", "NO", "US")
    for (a, source), (b, target) in product(enumerate(distances.markets), repeat=2):
        for name in ("common_language", "cultural_distance", "language_overlap", "contiguous"):
            expected = np.nan if a == b else float(table.loc[(source, target), name])
            assert distances.matrix(name)[a, b] == pytest.approx(expected, nan_ok=True)
    assert distances.matrix("log_km")[0, 1] == pytest.approx(np.log(417.6))
    assert distances.missing().empty


LONG = "ISO_CODE_1,ISO_CODE_2,FBDist\nSE,SE,0\nSE,NO,0.25\nNO,SE,0.5\nNA,SE,0.9\nSE,ZZ9,1\n"
SQUARE = "Name,Sweden,Norway,Ruritania\nSweden,,0.25,3\nNorway,0.5,,4\nRuritania,3,4,\n"


@pytest.mark.parametrize(
    ("text", "unknown"), [(LONG, ("ZZ9",)), (SQUARE, ("Ruritania",))], ids=["long", "square with a column of names"]
)
def test_a_table_of_any_form_is_registered(text: str, unknown: tuple[str, ...]) -> None:
    table = pd.read_csv(io.StringIO(text), keep_default_na=False)
    before = Distances.of(["SE", "NO", "DK"])
    distances = before.with_pairs("culture", table)
    expected = [[np.nan, 0.25, np.nan], [0.5, np.nan, np.nan], [np.nan] * 3]
    assert np.array_equal(distances.matrix("culture"), expected, equal_nan=True)
    assert distances.unknown["culture"] == unknown
    assert "culture" not in before.matrices
    missing = distances.missing()
    assert missing.columns.tolist() == ["distance", "source", "target"]
    assert missing.to_numpy().tolist() == [
        ["culture", *p] for p in (("SE", "DK"), ("NO", "DK"), ("DK", "SE"), ("DK", "NO"))
    ]


def test_a_square_frame_with_an_index_and_extra_names() -> None:
    table = pd.DataFrame([[0, 1], [2, 0]], index=["Sweden1981-2014", "Türkiye"], columns=["Sweden1981-2014", "Türkiye"])
    distances = Distances.of(["TR", "SE"]).with_pairs("cfst", table, names={"Sweden1981-2014": "Sweden"})
    assert np.array_equal(distances.matrix("cfst"), [[np.nan, 2], [1, np.nan]], equal_nan=True)
    assert distances.unknown["cfst"] == ()


def test_each_pair_once_needs_symmetric() -> None:
    table = pd.DataFrame({"a": ["SE", "NO"], "b": ["NO", "DK"], "km": [1.0, 2.0]})
    one_way = Distances.of(["SE", "NO", "DK"]).with_pairs("x", table).matrix("x")
    both = Distances.of(["SE", "NO", "DK"]).with_pairs("x", table, symmetric=True).matrix("x")
    assert np.isnan(one_way).sum() == 7
    assert np.array_equal(both, [[np.nan, 1, np.nan], [1, np.nan, 2], [np.nan, 2, np.nan]], equal_nan=True)
    table.loc[2] = ["NO", "SE", 5.0]
    with pytest.raises(SettingError, match=r"'x' from (NO to SE|SE to NO) is not the one from"):
        Distances.of(["SE", "NO", "DK"]).with_pairs("x", table, symmetric=True)


def test_one_side_of_a_pair() -> None:
    distances = Distances.of(["SE", "NO", "DK"])
    of_source = distances.with_markets("size", {"Sweden": 1, "NO": 2}, side="source").matrix("size")
    of_target = distances.with_markets("size", {"Sweden": 1, "NO": 2}, side="target").matrix("size")
    assert np.array_equal(of_source, [[np.nan, 1, 1], [2, np.nan, 2], [np.nan] * 3], equal_nan=True)
    assert np.array_equal(of_target, of_source.T, equal_nan=True)


def test_tables_that_cannot_be_right() -> None:
    distances = Distances.of(["SE", "NO", "DK"])
    long = pd.DataFrame({"a": ["SE", "SE"], "b": ["NO", "Norway"], "x": [1.0, 2.0]})
    with pytest.raises(SettingError, match="two values for SE → NO"):
        distances.with_pairs("x", long)
    assert distances.with_pairs("x", long.assign(x=1.0)).matrix("x")[0, 1] == 1
    with pytest.raises(SettingError, match="keep_default_na=False"):
        distances.with_pairs("x", long.assign(a=["SE", None]))
    for value in (np.inf, "many"):
        with pytest.raises(SettingError, match=r"no finite number: '(inf|many)'"):
            distances.with_pairs("x", pd.DataFrame({"source": ["SE"], "target": ["NO"], "x": [value]}))
    with pytest.raises(SettingError, match="has an infinite value"):
        distances.with_pairs("x", np.full((3, 3), np.inf))
    with pytest.raises(SettingError, match=r"an array \(2, 2\); these markets need \(3, 3\)"):
        distances.with_pairs("x", np.zeros((2, 2)))
    with pytest.raises(SettingError, match="2 rows and 4 columns; it should be a square one"):
        distances.with_pairs("x", long.assign(y=1))
    with pytest.raises(SettingError, match="already"):
        distances.with_pairs("log_km", np.zeros((3, 3)))
    with pytest.raises(DataSaysNoError, match="no value for any pair of these 3 markets; unknown names: Brazzil"):
        distances.with_pairs("x", pd.DataFrame({"a": ["Brazzil"], "b": ["SE"], "x": [1.0]}))
    with pytest.raises(SettingError, match="SE twice"):
        Distances.of(["SE", "Sweden"])
    with pytest.raises(SettingError, match="found Global"):
        Distances.of(["SE", "Global"])
    with pytest.raises(SettingError, match=r"found 1$"):
        Distances.of(["SE"])
    with pytest.raises(UnknownMarketError):
        Distances.of(["SE", "Ruritania"])
    with pytest.raises(SettingError, match="no distance 'km'; there are log_km"):
        distances.matrix("km")
    with pytest.raises(SettingError, match="each once"):
        distances.select(["log_km", "log_km"])
    with pytest.raises(SettingError, match="side is source or target"):
        distances.with_markets("x", {"SE": 1}, side="left")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="read-only"):
        distances.matrix("log_km")[0, 1] = 0


# ── pairs and complete markets ───────────────────────────────────────────────────────────────────────────────────────


def test_whole_markets_missing_are_dropped_and_no_other() -> None:
    matrix = draw(10, 1)
    matrix[3], matrix[:, 7] = np.nan, np.nan
    complete = complete_markets([draw(10, 2), matrix], CODES[:10])
    assert complete.kept.tolist() == [0, 1, 2, 4, 5, 6, 8, 9]
    assert set(complete.dropped) == {CODES[3], CODES[7]}


@pytest.mark.parametrize("seed", range(8))
def test_greedy_sets_are_complete_and_cannot_grow(seed: int) -> None:
    """Against all sets of nine markets: complete, not to be enlarged, and at most one short of the largest here."""
    generator = np.random.default_rng(seed)
    matrix = np.where(generator.random((9, 9)) < 0.06, np.nan, 1.0)
    lacking = np.isnan(matrix) | np.isnan(matrix.T)
    np.fill_diagonal(lacking, False)
    complete = complete_markets([matrix], CODES[:9])
    kept = set(complete.kept.tolist())
    whole = [set(s) for n in range(10) for s in combinations(range(9), n) if not lacking[np.ix_(s, s)].any()]
    assert kept in whole
    assert not any(kept < other for other in whole)
    assert len(kept) >= max(map(len, whole)) - 1
    assert {CODES[at] for at in range(9)} == {CODES[at] for at in kept} | set(complete.dropped)


def test_too_few_complete_markets() -> None:
    matrix = draw(8, 1)
    matrix[:4] = np.nan
    with pytest.raises(DataSaysNoError, match="only 4 of 8 markets have no missing pair; 5 are needed"):
        complete_markets([matrix], CODES[:8])


def test_rates_on_scales() -> None:
    edges = pd.DataFrame(
        {
            "source": ["SE", "NO", "DK"],
            "target": ["NO", "SE", "SE"],
            "rate": [0.25, 0.0, None],
            "exposed": [9, 4, 0],
        }
    )
    markets = ["NO", "SE", "DK"]
    root, logit, log = (rate_matrix(edges, markets, scale=scale) for scale in ("root", "logit", "log"))
    assert root[1, 0] == 0.5
    assert (root[0, 1], np.isnan(root).sum()) == (0, 7)
    assert (logit[1, 0], logit[0, 1]) == pytest.approx((np.log(2.75 / 7.25), np.log(0.5 / 4.5)))
    assert log[1, 0] == pytest.approx(np.log(0.25))
    assert np.isnan(log).sum() == 8
    assert edge_matrix(edges, "exposed", markets)[2, 1] == 0
    with pytest.raises(SettingError, match="no column 'alpha'"):
        edge_matrix(edges, "alpha", markets)
    with pytest.raises(SettingError, match="scale is root, logit or log"):
        rate_matrix(edges, markets, scale="cube")  # type: ignore[arg-type]


# ── MRQAP ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("test", ["directed", "undirected"])
def test_mrqap_is_netlm(test: str) -> None:
    """sna::netlm(nullhyp = "qapspp", test.statistic = "t-value")."""
    matrices = reference_matrices()
    answers = pd.read_csv(REFERENCE / "mrqap_answers.csv").query("test == @test").reset_index(drop=True)
    terms = answers["term"].tolist()[1:]
    distances = bare(16, **{name: matrices[name] for name in terms})
    outcome = matrices["y" if test == "directed" else "undirected"]
    found = mrqap(outcome, distances, directed=test == "directed", permutations=4_000, seed=3)
    assert found["term"].tolist() == answers["term"].tolist()
    assert found["estimate"].to_numpy() == pytest.approx(answers["estimate"].to_numpy(), rel=AGREES)
    assert found["statistic"].to_numpy() == pytest.approx(answers["statistic"].to_numpy(), rel=AGREES)
    for own, other in zip(found["p"], answers["p"], strict=True):
        assert near_as_chance_allows(own, 4_000, other, 4_000)
    assert set(found["n_pairs"]) == {240 if test == "directed" else 120}


def mrqap_by_loops(outcome: Matrix, terms: list[Matrix], at: int, orders: Matrix) -> list[float]:
    """Return t of term `at`, its rest permuted, by one regression of all pairs for each permutation."""
    pairs = [(i, j) for i in range(len(outcome)) for j in range(len(outcome)) if i != j]
    y = np.array([outcome[pair] for pair in pairs])
    columns = [np.array([matrix[pair] for pair in pairs]) for matrix in terms]
    others = np.column_stack([column for k, column in enumerate(columns) if k != at])
    rest = columns[at] - others @ np.linalg.lstsq(others, columns[at])[0]
    rest_of = dict(zip(pairs, rest, strict=True))
    found = []
    for order in orders:
        moved = np.array([rest_of[order[i], order[j]] for i, j in pairs])
        x = np.column_stack((moved, others))
        coefficient, residual = np.linalg.lstsq(x, y)[:2]
        variance = residual[0] / (len(y) - x.shape[1]) * np.linalg.inv(x.T @ x)[0, 0]
        found.append(coefficient[0] / np.sqrt(variance))
    return found


def test_mrqap_is_the_plain_loop() -> None:
    outcome, a, b = draw(7, 1), draw(7, 2), draw(7, 3)
    outcome = outcome + 0.4 * a
    b = b + 0.5 * a
    found = mrqap(outcome, bare(7, a=a, b=b), permutations=60, seed=5)
    orders = np.random.default_rng(5).permuted(np.broadcast_to(np.arange(7), (60, 7)), axis=1)
    for at, row in enumerate(found.itertuples()):
        t = np.abs(mrqap_by_loops(outcome, [np.ones((7, 7)), a, b], at, orders))
        assert row.p == (1 + (t >= abs(row.statistic)).sum()) / 61
        reach = np.quantile(t, 0.95) * row.std_error
        assert (row.low, row.high) == pytest.approx((row.estimate - reach, row.estimate + reach), rel=LOOPS)


def test_mrqap_least_squares_is_scipys_with_one_term() -> None:
    outcome, a = draw(8, 1), draw(8, 2)
    off = ~np.eye(8, dtype=bool)
    known = stats.linregress(a[off], outcome[off])
    row = mrqap(outcome, bare(8, a=a), permutations=19).set_index("term").loc["a"]
    assert (row["estimate"], row["std_error"]) == pytest.approx((known.slope, known.stderr))
    assert row["r_squared"] == pytest.approx(known.rvalue**2)


def test_mrqap_drops_markets_and_says_which() -> None:
    outcome, a = draw(9, 1), draw(9, 2)
    outcome[4, :] = np.nan
    found = mrqap(outcome, bare(9, a=a), permutations=50)
    keep = np.delete(np.arange(9), 4)
    again = mrqap(outcome[np.ix_(keep, keep)], Distances(tuple(np.array(CODES)[keep]), {}, {}).with_pairs(
        "a", a[np.ix_(keep, keep)]), permutations=50)  # fmt: skip
    assert set(found["dropped"]) == {CODES[4]}
    assert (set(found["markets"]), set(found["n_pairs"])) == ({8}, {56})
    pd.testing.assert_frame_equal(found.drop(columns="dropped"), again.drop(columns="dropped"))


def test_mrqap_interval_and_p_agree() -> None:
    for seed in range(5):
        a = draw(10, seed + 50)
        found = mrqap(draw(10, seed) + 0.25 * a, bare(10, a=a, b=draw(10, seed + 90)), permutations=399, seed=seed)
        for row in found.itertuples():
            if abs(row.p - 0.05) > 0.01:
                assert (row.low <= 0 <= row.high) == (row.p > 0.05)


@pytest.mark.slow
def test_mrqap_keeps_its_level() -> None:
    """Outcome and collinear terms with strong effects of rows and columns: p ≤ 0.05 in about 5 % of 400 data sets."""
    hits = 0
    for seed in range(400):
        generator = np.random.default_rng(seed)
        base, y, x, z = (
            generator.normal(size=(20, 1)) + generator.normal(size=20) + generator.normal(size=(20, 20))
            for _ in range(4)
        )
        distances = bare(20, x=x + base, z=z + base)
        found = mrqap(y + z + base, distances, permutations=199, seed=seed)
        hits += int(found.set_index("term").loc["x", "p"] <= 0.05)
    assert 0.02 <= hits / 400 <= 0.09


def test_mrqap_settings_and_data_that_cannot_do() -> None:
    a = draw(8, 2)
    with pytest.raises(SettingError, match="18 permutations"):
        mrqap(draw(8, 1), bare(8, a=a), permutations=18)
    with pytest.raises(SettingError, match="'outcome' differs between the directions"):
        mrqap(draw(8, 1), bare(8, a=symmetrised(a)), directed=False)
    with pytest.raises(DataSaysNoError, match="'c' does not vary between the 56 pairs left"):
        mrqap(draw(8, 1), bare(8, a=a, c=np.ones((8, 8))))
    with pytest.raises(DataSaysNoError, match="'b' does not vary"):
        mrqap(draw(8, 1), bare(8, a=a, b=2 * a - 1))
    with pytest.raises(DataSaysNoError, match="without any rest"):
        mrqap(3 * a + 1, bare(8, a=a))
    with pytest.raises(DataSaysNoError, match="without any rest"):
        mrqap(np.ones((8, 8)), bare(8, a=a))
    with pytest.raises(DataSaysNoError, match="20 pairs are too few for 21 coefficients"):
        mrqap(draw(5, 1), bare(5, **{f"x{k}": draw(5, k + 10) for k in range(20)}))


# ── Mantel ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("test", "term", "given"),
    [
        ("pearson", "culture", []),
        ("spearman", "culture", []),
        ("pearson_given_km", "culture", ["km"]),
        ("spearman_given_km", "language", ["km"]),
    ],
)
def test_mantel_is_vegans(test: str, term: str, given: list[str]) -> None:
    """vegan::mantel and mantel.partial, one-sided."""
    matrices = reference_matrices()
    answers = pd.read_csv(REFERENCE / "mrqap_answers.csv").set_index("test")
    distances = bare(16, **{name: matrices[name] for name in (term, *given)})
    row = mantel(
        matrices["undirected"],
        distances,
        given=given,
        method="spearman" if "spearman" in test else "pearson",
        alternative="greater",
        permutations=4_000,
        seed=2,
    ).loc[0]
    assert row["estimate"] == pytest.approx(answers.loc[test, "estimate"], rel=AGREES)
    assert near_as_chance_allows(row["p"], 4_000, answers.loc[test, "p"], 4_000)
    assert (row["term"], row["given"], row["n_pairs"], row["markets"]) == (term, "|".join(given), 120, 16)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
@pytest.mark.parametrize("controls", [0, 1, 2])
def test_mantel_p_is_that_of_all_permutations(method: str, controls: int) -> None:
    """Five markets: all 120 permutations by plain correlation of what two regressions leave."""
    x, y, *z = (draw(5, 30 + k, symmetric=True) for k in range(2 + controls))
    low = np.tril_indices(5, -1)
    rank = stats.rankdata if method == "spearman" else np.asarray
    basis = np.column_stack([np.ones(10), *(rank(one[low]) for one in z)])

    def partial(order: tuple[int, ...]) -> float:
        sides = [rank(matrix[low]) for matrix in (x[np.ix_(order, order)], y)]
        a, b = (side - basis @ np.linalg.lstsq(basis, side)[0] for side in sides)
        return float(a @ b / np.sqrt((a @ a) * (b @ b)))

    observed = partial((0, 1, 2, 3, 4))
    exact = np.mean([abs(partial(order)) >= abs(observed) - LOOPS for order in permutations(range(5))])
    names = [f"z{k}" for k in range(controls)]
    distances = bare(5, x=x, **dict(zip(names, z, strict=True)))
    row = mantel(y, distances, terms=["x"], given=names, method=method, permutations=5_000).loc[0]  # type: ignore[arg-type]
    assert row["estimate"] == pytest.approx(observed, rel=LOOPS)
    assert near_as_chance_allows(row["p"], 5_000, exact, 10**9)


def test_mantel_sides_and_shared_markets() -> None:
    x = draw(9, 1, symmetric=True)
    y = -x + 0.5 * draw(9, 2, symmetric=True)
    y[2, 5] = y[5, 2] = np.nan
    distances = bare(9, x=x, other=draw(9, 3, symmetric=True))
    p = {side: mantel(y, distances, alternative=side)["p"][0] for side in ("less", "greater", "two-sided")}  # type: ignore[arg-type]
    assert p["less"] == 1 / 1001
    assert p["greater"] == 1
    assert p["two-sided"] < 0.01
    table = mantel(y, distances)
    assert table["term"].tolist() == ["x", "other"]
    assert set(table["dropped"]) == {CODES[5]}
    assert set(table["markets"]) == {8}


def test_mantel_settings_and_data_that_cannot_do() -> None:
    x, y = draw(8, 1, symmetric=True), draw(8, 2, symmetric=True)
    with pytest.raises(SettingError, match="'outcome' differs between the directions of a pair; symmetrise it"):
        mantel(draw(8, 3), bare(8, x=x))
    with pytest.raises(SettingError, match="'z' differs"):
        mantel(y, bare(8, x=x, z=draw(8, 3)), given=["z"])
    with pytest.raises(SettingError, match="'x' is a term and given"):
        mantel(y, bare(8, x=x), terms=["x"], given=["x"])
    with pytest.raises(SettingError, match="method is one of"):
        mantel(y, bare(8, x=x), method="kendall")  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="permutations"):
        mantel(y, bare(8, x=x), permutations=0)
    with pytest.raises(DataSaysNoError, match="'c' does not vary"):
        mantel(y, bare(8, c=np.ones((8, 8))))
    with pytest.raises(DataSaysNoError, match="'x2' does not vary between the markets left, beyond what is given"):
        mantel(y, bare(8, x=x, x2=1 - 3 * x), given=["x"])
    with pytest.raises(DataSaysNoError, match="'outcome' does not vary"):
        mantel(np.ones((8, 8)), bare(8, x=x))
