// Numbers and sentences.

const COUNT = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

function count(value) {
  return Number.isNaN(value) ? "–" : COUNT.format(value);
}

function percent(share) {
  return Number.isNaN(share) ? "–" : `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
}

function ratio(value) {
  if (Number.isNaN(value)) return "–";
  return value >= 100 ? count(value) : value >= 10 ? value.toFixed(0) : value.toFixed(value >= 1 ? 1 : 2);
}

function score(value) {
  if (Number.isNaN(value)) return "–";
  return Math.abs(value) >= 100 || Number.isInteger(value) ? count(value) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3);
}

function share(q) {
  return Number.isNaN(q) ? "–" : q < 0.001 ? "<0.001" : q.toFixed(3);
}

function between(low, high, form) {
  return Number.isNaN(low) || Number.isNaN(high) ? "" : ` (${form(low).replace(" %", "")}–${form(high)})`;
}

function dateOf(day) {
  return new Date(day * 864e5).toISOString().slice(0, 10);
}

function many(number, thing) {
  return `${count(number)} ${thing}${number === 1 ? "" : "s"}`;
}

function nameOf(market) {
  return MARKETS[market].name;
}

function periodWords(period) {
  return period < 0 ? `${ABOUT.first_date} to ${ABOUT.last_date}` : PERIODS[period].name;
}

function debutWords(period) {
  return period < 0 ? "all tracks" : `the ${many(PERIODS[period].tracks, "track")} that debut in ${PERIODS[period].name}`;
}

const FOUND = new Map([
  ["edges", "Pairs beyond the baseline"],
  ["ordered", "More one way than the other"],
  ["direct", "Direct pairs"],
  ["groups", "Groups of leaders told apart"],
]);

// What one test found here, and what it finds in charts without influence.
function placeboWords(test) {
  const found = (kind) => {
    const rows = DATA.placebo.filter((row) => row.kind === kind && row[test] !== null);
    return rows.map((row) => count(row[test])).join(", ") || "not made";
  };
  return `${FOUND.get(test)}: ${found("charts")} here; drawn ${found("baseline")}; exchanged ${found("permutation")}`;
}

// The line beside tested measures.
function placeboLine(tests) {
  if (!DATA.placebo.length) {
    const why = DATA.not_made.placebo ? ` (${DATA.not_made.placebo})` : "";
    return `Placebos: none were made${why}, so it is not shown how often the tests here find what is not there.`;
  }
  return (
    `Found by the tests, and by the same tests in placebos. ${tests.map(placeboWords).join(". ")}. ` +
    "Drawn: charts drawn so that no market follows another. Exchanged: charts with their markets exchanged at random."
  );
}

const MEASURES = new Map([
  ["lead_excess", "lead beyond the baseline"],
  ["net_flow", "net flow (tracks)"],
  ["out_share", "share sent"],
  ["pagerank", "PageRank"],
  ["hub", "hub"],
  ["authority", "authority"],
  ["springrank", "SpringRank"],
  ["bradley_terry", "Bradley–Terry"],
  ["closeness", "closeness (per day)"],
  ["betweenness", "betweenness"],
]);

function measureWords(measure) {
  return MEASURES.get(measure) ?? measure.replaceAll("_", " ");
}
