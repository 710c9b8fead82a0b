// Which pairs are drawn, and how: what the arrows can show.

const isFew = (pair, period) => counted("exposed", pair, period) < ABOUT.least_exposed;

// q of the tests that stand behind what the arrows show.
function qOf(pair, edges) {
  const q = tested(beyond, "q", pair);
  return edges === "direct" ? Math.max(q, tested(direct, "q_joint", pair)) : q;
}

const EDGES = new Map([
  [
    "tracks",
    {
      label: "Tracks",
      width: "tracks",
      form: count,
      value: (pair, period) => counted("tracks", pair, period),
      rank: (pair, period) => counted("tracks", pair, period),
      pale: isFew,
      paleWords: `fewer than ${ABOUT.least_exposed} exposed tracks`,
      said: (period) =>
        `Arrows count the tracks that entered the target within ${ABOUT.window} days after the source, in observed ` +
        `order (${debutWords(period)}). They are held against nothing: large markets have many.`,
      tests: ["edges"],
      whole: false,
    },
  ],
  [
    "rate",
    {
      label: "Rate",
      width: "rate",
      form: percent,
      value: (pair, period) => counted("rate", pair, period),
      rank: (pair, period) => counted("rate", pair, period),
      pale: isFew,
      paleWords: `fewer than ${ABOUT.least_exposed} exposed tracks`,
      said: (period) =>
        `Arrows show what share of the exposed tracks enters the target within ${ABOUT.window} days after the source ` +
        `(Kaplan–Meier; ${debutWords(period)}). Ties count for no direction; tables give the rate if all ties did.`,
      tests: ["edges"],
      whole: false,
    },
  ],
  [
    "lift",
    {
      label: "Lift",
      width: "lift",
      form: ratio,
      value: (pair) => tested(beyond, "lift", pair),
      rank: (pair) => tested(beyond, "lift_low", pair),
      pale: (pair) => !(tested(beyond, "q", pair) <= ABOUT.level),
      paleWords: `not shown to go beyond the baseline (q above ${ABOUT.level}, or too little expected to test)`,
      said: () =>
        "Arrows show how many times as many tracks followed as the baseline expects if no market followed another; " +
        "those with the highest lower bound come first. Beyond the baseline is not yet influence: an unknown taste " +
        "that two markets share looks the same.",
      tests: ["edges", "ordered"],
      whole: true,
    },
  ],
  [
    "direct",
    {
      label: "Direct",
      width: "entries attributed",
      form: ratio,
      value: (pair) => tested(direct, "credits", pair),
      rank: (pair) => tested(direct, "beta_low", pair),
      pale: () => false,
      paleWords: "",
      said: () =>
        "Arrows are pairs that follow each other more than the baseline expects, and more than by way of other " +
        `markets (both q at most ${ABOUT.level}); width shows the entries attributed.`,
      tests: ["direct", "ordered"],
      whole: true,
    },
  ],
]);

function isDrawn(pair, state) {
  const tracks = counted("tracks", pair, state.period);
  if (!(tracks >= Math.max(state.least, 1))) return false;
  if (state.q < 1 && !(qOf(pair, state.edges) <= state.q)) return false;
  if (state.edges === "direct") return tested(direct, "direct", pair) === 1;
  return !Number.isNaN(EDGES.get(state.edges).value(pair, state.period));
}

// Whether a pair of the chosen market goes the other way than the one looked at.
function isOtherWay(pair, state) {
  return state.market >= 0 && (targetOf(pair) === state.market) !== (state.way === "received");
}

// The pairs that pass the filters, of one market if one is chosen: those of the other way and pale ones last, then by rank.
function pairsOf(state) {
  const { rank, pale } = EDGES.get(state.edges);
  const found = [];
  for (let pair = 0; pair < PAIR_COUNT; pair++) {
    const own = state.market < 0 || sourceOf(pair) === state.market || targetOf(pair) === state.market;
    if (own && isDrawn(pair, state)) {
      const [other, few] = [isOtherWay(pair, state), pale(pair, state.period)];
      found.push({ pair, other, pale: few, rank: rank(pair, state.period) || 0 });
    }
  }
  return found.sort((a, b) => a.other - b.other || a.pale - b.pale || b.rank - a.rank || a.pair - b.pair);
}

function emptyWords(state) {
  if (!PAIR_COUNT) return "There is one market, so there is no pair.";
  if (state.edges === "lift" && !beyond) return `No pair was held against the baseline: ${DATA.not_made.lifts}.`;
  if (state.edges === "direct" && !direct) return `Direct influence was not fitted: ${DATA.not_made.influence}.`;
  if (state.edges === "direct" && !direct("direct").some(Boolean)) {
    const tried = direct("q_joint").filter((q) => !Number.isNaN(q)).length;
    return `Of ${many(tried, "tested pair")} none is shown to be direct.`;
  }
  return "No pair passes the filters.";
}
