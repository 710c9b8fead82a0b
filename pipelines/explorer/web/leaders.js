// The leaders: a table of one measure that sorts, and their colours in the figure.

function isTested(measure) {
  return measure === "lead_excess";
}

const leaderRowsMade = new Map();
function leaderRows(measure) {
  if (!DATA.leaders.measures.length) return [];
  if (!leaderRowsMade.has(measure)) {
    const number = DATA.leaders.measures.indexOf(measure);
    leaderRowsMade.set(measure, d3.range(leaders("measure").length).filter((row) => leaders("measure")[row] === number));
  }
  return leaderRowsMade.get(measure);
}

// Whether there are artists enough for an interval.
function isSaid(row) {
  return !Number.isNaN(leaders("low")[row]);
}

function hasIntervals(measure) {
  return leaderRows(measure).some(isSaid);
}

// A measure that describes shows bare scores where no market has an interval; the tested one shows none without.
function isShown(measure, row) {
  return isSaid(row) || (!isTested(measure) && !hasIntervals(measure));
}

// The first measure that says something, so that the page does not open on a table without a number.
function startMeasure() {
  const { measures } = DATA.leaders;
  return measures.find(hasIntervals) ?? measures.find((measure) => !isTested(measure)) ?? measures[0] ?? "";
}

function leaderRoles(state, market) {
  const row = leaderRows(state.measure).find((one) => leaders("market")[one] === market);
  if (row === undefined || !isSaid(row)) return ["open"];
  if (!isTested(state.measure)) return leaders("rank")[row] <= 10 ? ["leads"] : [];
  if (!(leaders("q")[row] <= ABOUT.level)) return [];
  return [leaders("score")[row] > 0 ? "leads" : "led"];
}

function leaderLegend(state) {
  if (!leaderRows(state.measure).length) return [];
  const open = { swatch: "dot open", words: "too few artists to say" };
  if (!hasIntervals(state.measure)) return [open];
  if (!isTested(state.measure)) {
    return [{ swatch: "dot leads", words: `the ten highest by ${measureWords(state.measure)}, which describes` }, open];
  }
  return [
    { swatch: "dot leads", words: `leads beyond the baseline (q at most ${ABOUT.level})` },
    { swatch: "dot led", words: "is led" },
    { swatch: "dot", words: "neither is shown" },
    open,
  ];
}

function leaderColumns(measure) {
  const number = true;
  const of = (name) => (row) => leaders(name)[row];
  const band = (row) => between(of("low")(row), of("high")(row), score);
  const ranks = (row) =>
    Number.isNaN(of("rank")(row))
      ? "–"
      : isTested(measure) && !Number.isNaN(of("rank_low")(row))
        ? `${count(of("rank")(row))} (${count(of("rank_low")(row))} to ${count(of("rank_high")(row))})`
        : count(of("rank")(row));
  const name = (row) => nameOf(leaders("market")[row]);
  const columns = [
    { name: "market", label: "market", number: false, value: name, show: name },
    {
      name: "score",
      label: hasIntervals(measure) ? "score (95 %)" : "score",
      number,
      value: (row) => (isShown(measure, row) ? of("score")(row) : NaN),
      show: (row) => (isShown(measure, row) ? score(of("score")(row)) + band(row) : "too few artists"),
    },
    { name: "rank", label: isTested(measure) ? "rank (95 %)" : "rank", number, value: of("rank"), show: ranks },
    { name: "artists", label: "artists", number, value: of("artists"), show: (row) => count(of("artists")(row)) },
  ];
  if (isTested(measure)) columns.splice(2, 0, { name: "q", label: "q", number, value: of("q"), show: (row) => share(of("q")(row)) });
  return columns;
}

function describingWords(measure) {
  const words = ["This measure describes: it is held against nothing, and large markets tend to come first or last by it."];
  if (!hasIntervals(measure)) words.push("Too few artists for an interval: the scores may be chance.");
  const unsaid = DATA.leaders.measures.find((one) => isTested(one) && !hasIntervals(one));
  if (unsaid) words.push(`Of the measure that is tested, ${measureWords(unsaid)}, nothing can be said here: too few artists.`);
  return words.join(" ");
}

function leaderWords(measure) {
  if (!isTested(measure)) return describingWords(measure);
  const known = leaderRows(measure).filter((row) => !Number.isNaN(leaders("q")[row]));
  const sure = known.filter((row) => leaders("q")[row] <= ABOUT.level);
  const lead = sure.filter((row) => leaders("score")[row] > 0).length;
  if (!known.length) return "This measure is tested, but of no market can it be said whether it leads.";
  return (
    `This measure is tested: ${lead} of ${many(known.length, "market")} lead beyond the baseline and ${sure.length - lead} are led ` +
    `(q at most ${ABOUT.level}). The score is moves beyond the expected share per move, with partners with which an order is established.`
  );
}

function leaderPanel(state) {
  if (!DATA.leaders.measures.length) {
    const why = DATA.not_made.leaders ? `: ${DATA.not_made.leaders}` : "";
    return [element("p", { class: "note" }, `Leaders were not made${why}.`)];
  }
  const select = element("select", { id: "measure", onchange: (event) => change({ measure: event.target.value }) });
  for (const measure of DATA.leaders.measures) {
    const kind = isTested(measure) ? "tested" : "describes";
    select.append(element("option", { value: measure }, `${measureWords(measure)} (${kind})`));
  }
  select.value = state.measure;
  const columns = leaderColumns(state.measure);
  const sort = columns.some((column) => column.name === state.leaders.replace("-", "")) ? state.leaders : "-score";
  return [
    element("h2", {}, "Leaders"),
    element("div", { class: "row" }, element("div", { class: "field" }, element("label", { for: "measure" }, "Measure"), select)),
    element("p", {}, leaderWords(state.measure)),
    ...(isTested(state.measure) ? [element("p", { class: "placebo" }, placeboLine(["groups"]))] : []),
    tableOf({
      about: `Markets by ${measureWords(state.measure)}, whole time; artists: effective number behind the score.`,
      columns,
      rows: leaderRows(state.measure),
      sort,
      resort: (next) => change({ leaders: next }),
      choose: (row) => chooseMarket(leaders("market")[row]),
      rowClass: (row) => [!isSaid(row) && "pale", leaders("market")[row] === state.market && "chosen"].filter(Boolean).join(" "),
      over: (row) => highlight(row === null ? -1 : leaders("market")[row]),
    }),
  ];
}
