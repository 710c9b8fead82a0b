// Tables of the panel, and the panels of a market and of a pair.

function element(kind, properties = {}, ...children) {
  const made = document.createElement(kind);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// A text of strangers keeps its direction to itself.
function isolated(text) {
  return element("bdi", {}, text);
}

// Columns: name, label, number (aligned right), value (for sorting), show. The first column names the row.
function tableOf({ about, columns, rows, sort, resort, choose, rowClass, over }) {
  const head = columns.map((column) => headCell(column, sort, resort));
  const body = sortedRows(rows, columns, sort).map((row) => {
    const cells = columns.map((column, at) => bodyCell(column, row, at === 0 ? choose : null));
    const line = element("tr", { class: rowClass(row) }, ...cells);
    line.addEventListener("mouseenter", () => over(row));
    line.addEventListener("focusin", () => over(row));
    line.addEventListener("mouseleave", () => over(null));
    return line;
  });
  return element(
    "div",
    { class: "scroll" },
    element(
      "table",
      {},
      element("caption", {}, about),
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...body),
    ),
  );
}

function headCell(column, sort, resort) {
  const own = sort.replace("-", "") === column.name;
  const falling = sort.startsWith("-");
  const cell = element("th", { scope: "col", class: column.number ? "number" : "" });
  cell.setAttribute("aria-sort", own ? (falling ? "descending" : "ascending") : "none");
  const mark = own ? (falling ? " ▼" : " ▲") : "";
  const next = own ? (falling ? column.name : `-${column.name}`) : column.number ? `-${column.name}` : column.name;
  cell.append(element("button", { type: "button", onclick: () => resort(next) }, column.label + mark));
  return cell;
}

function bodyCell(column, row, choose) {
  const shown = column.show(row);
  if (!choose) return element("td", { class: column.number ? "number" : "" }, shown);
  return element("th", { scope: "row" }, element("button", { type: "button", onclick: () => choose(row) }, shown));
}

function sortedRows(rows, columns, sort) {
  const { value } = columns.find((column) => column.name === sort.replace("-", "")) ?? columns[0];
  const sign = sort.startsWith("-") ? -1 : 1;
  const missing = (key) => key === null || Number.isNaN(key);
  return [...rows].sort((a, b) => {
    const [first, second] = [value(a), value(b)];
    if (missing(first) || missing(second)) return missing(first) - missing(second);
    return sign * (first < second ? -1 : first > second ? 1 : 0);
  });
}

// ── one market ──────────────────────────────────────────────────────────────────────────────────────────────────────

const SORT_OF = { tracks: "-tracks", rate: "-rate", lift: "-lift", direct: "-direct" };

function verdict(pair) {
  if (!direct || Number.isNaN(tested(direct, "q_joint", pair))) return "not tested";
  if (direct("direct")[pair] !== 1) return "no";
  return direct("ordered")[pair] === 1 ? "ordered" : "yes";
}

function pairColumns(state) {
  const { period } = state;
  const number = true;
  const of = (name) => (pair) => counted(name, pair, period);
  const band = (pair) => between(of("rate_low")(pair), of("rate_high")(pair), percent);
  const liftBand = (pair) => between(tested(beyond, "lift_low", pair), tested(beyond, "lift_high", pair), ratio);
  const shown = [
    {
      name: "tracks",
      label: "tracks / exposed",
      number,
      value: of("tracks"),
      show: (pair) => `${count(of("tracks")(pair))} / ${count(of("exposed")(pair))}`,
    },
    { name: "rate", label: "rate (95 %)", number, value: of("rate"), show: (pair) => percent(of("rate")(pair)) + band(pair) },
    {
      name: "ties",
      label: "if ties (ties)",
      number,
      value: of("rate_if_ties"),
      show: (pair) => `${percent(of("rate_if_ties")(pair))} (${count(of("joint")(pair))})`,
    },
    { name: "lag", label: "median days", number, value: of("lag_median"), show: (pair) => ratio(of("lag_median")(pair)) },
    {
      name: "lift",
      label: "lift (95 %)",
      number,
      value: (pair) => tested(beyond, "lift", pair),
      show: (pair) => ratio(tested(beyond, "lift", pair)) + liftBand(pair),
    },
    { name: "q", label: "q", number, value: (pair) => tested(beyond, "q", pair), show: (pair) => share(tested(beyond, "q", pair)) },
  ];
  const rank = (pair) => ["not tested", "no", "yes", "ordered"].indexOf(verdict(pair));
  return direct ? [...shown, { name: "direct", label: "direct", number: false, value: rank, show: verdict }] : shown;
}

function marketSelect(id, label, chosen, choose) {
  const select = element("select", { id, onchange: (event) => choose(Number(event.target.value)) });
  select.append(element("option", { value: -1 }, "choose a market"));
  const order = d3.range(MARKETS.length).sort((a, b) => d3.ascending(nameOf(a), nameOf(b)));
  for (const market of order) select.append(element("option", { value: market }, nameOf(market)));
  select.value = chosen;
  return element("div", { class: "field" }, element("label", { for: id }, label), select);
}

function switchOf(name, label, options, chosen, choose) {
  const set = element("fieldset", { class: "switch" }, element("legend", {}, label));
  for (const [value, words] of options) {
    const input = element("input", { type: "radio", name, value, onchange: () => choose(value) });
    input.checked = value === chosen;
    set.append(element("label", {}, input, words));
  }
  return set;
}

function marketPanel(state) {
  if (state.market < 0) {
    return [
      element("div", { class: "row" }, marketSelect("market", "Market", -1, chooseMarket)),
      element("p", { class: "note" }, "Choose a market here or in the figure to see whom it sends to and receives from."),
    ];
  }
  const sums = totals(state.period)[state.market];
  const facts = MARKETS[state.market];
  const words =
    `${facts.name} sends ${count(sums.sent)} and receives ${count(sums.received)} tracks, each counted once per pair ` +
    `(${debutWords(state.period)}). Its charts: ${facts.first_date} to ${facts.last_date}, ${many(facts.debuts, "timed debut")}` +
    `${facts.community === null ? "" : `; community ${facts.community}`}.`;
  const ways = [["sent", "Sends to"], ["received", "Receives from"]];
  return [
    element("h2", {}, facts.name),
    element(
      "div",
      { class: "row" },
      marketSelect("market", "Market", state.market, chooseMarket),
      switchOf("way", "Direction", ways, state.way, (way) => change({ way, partner: -1 })),
    ),
    element("p", {}, words),
    pairTable(state),
    ...testNotes(state),
  ];
}

function pairTable(state) {
  const sent = state.way === "sent";
  const own = d3.range(PAIR_COUNT).filter((pair) => (sent ? sourceOf(pair) : targetOf(pair)) === state.market);
  const other = sent ? targetOf : sourceOf;
  const least = Math.max(state.least, 0);
  const rows = own.filter(
    (pair) => counted("tracks", pair, state.period) >= least && !(state.q < 1 && !(qOf(pair, state.edges) <= state.q)),
  );
  const partner = {
    name: "partner",
    label: sent ? "to" : "from",
    number: false,
    value: (pair) => nameOf(other(pair)),
    show: (pair) => nameOf(other(pair)),
  };
  const period = state.period < 0 ? "" : ` Counts, rates and days of ${PERIODS[state.period].name}; lift, q and direct of the whole time.`;
  return tableOf({
    about: `${sent ? "From" : "To"} ${nameOf(state.market)}: ${many(rows.length, "market")}. Pale: fewer than ${ABOUT.least_exposed} exposed.${period}`,
    columns: [partner, ...pairColumns(state)],
    rows,
    sort: state.sort || SORT_OF[state.edges],
    resort: (sort) => change({ sort }),
    choose: (pair) => choosePair(sourceOf(pair), targetOf(pair)),
    rowClass: (pair) => [isFew(pair, state.period) && "pale", pair === chosenPair(state) && "chosen"].filter(Boolean).join(" "),
    over: (pair) => highlight(pair === null ? -1 : other(pair)),
  });
}

function testNotes(state) {
  const notes = [
    `Rate: share of the exposed tracks within ${ABOUT.window} days (Kaplan–Meier), its interval by artist. If ties: the rate ` +
      "if all ties had gone this way; the truth lies between the two. Counts and rates describe.",
  ];
  if (beyond) {
    notes.push(
      "Lift: tracks in observed order over those that the baseline expects. Direct: more than the baseline, and more " +
        "than by way of other markets; ordered: also more this way than the other. These are tested.",
    );
  } else {
    notes.push(`Lift and q: none, because ${DATA.not_made.lifts}.`);
  }
  if (!direct && DATA.not_made.influence) notes.push(`Direct: none, because ${DATA.not_made.influence}.`);
  const line = placeboLine(["edges", "ordered", "direct"]);
  return [...notes.map((words) => element("p", { class: "note" }, words)), element("p", { class: "placebo" }, line)];
}

// ── one pair ────────────────────────────────────────────────────────────────────────────────────────────────────────

function pairPanel(state) {
  const pair = chosenPair(state);
  const sent = state.way === "sent";
  const [from, to] = sent ? [state.market, state.partner] : [state.partner, state.market];
  const ends = element(
    "div",
    { class: "row" },
    marketSelect("from", "From", from, (market) => choosePair(market, to)),
    marketSelect("to", "To", to, (market) => choosePair(from, market)),
    element("button", { type: "button", onclick: () => choosePair(to, from) }, "Other direction"),
  );
  if (pair < 0) {
    return [ends, element("p", { class: "note" }, "Choose two markets here, an arrow, or a line of a market's table to see the lag curve.")];
  }
  const back = pairOf(to, from);
  return [
    element("h2", {}, `${nameOf(from)} → ${nameOf(to)}`),
    ends,
    curveFigure(pair, back),
    element("p", { class: "note" }, curveWords(pair)),
    pairFacts(state, pair, back),
    ...testNotes(state),
  ];
}

function pairFacts(state, pair, back) {
  const { period } = state;
  const of = (name) => (one) => counted(name, one, period);
  const test = (name) => (one) => tested(beyond, name, one);
  const rows = [
    ["tracks that followed", (one) => count(of("tracks")(one))],
    ["exposed tracks", (one) => count(of("exposed")(one))],
    ["followed up to, days", (one) => (of("followed_to")(one) >= 0 ? count(of("followed_to")(one)) : "–")],
    ["rate (95 %)", (one) => percent(of("rate")(one)) + between(of("rate_low")(one), of("rate_high")(one), percent)],
    ["rate if all ties went this way", (one) => percent(of("rate_if_ties")(one))],
    ["ties, which count for no direction", (one) => count(of("joint")(one))],
    ["median lag, days", (one) => ratio(of("lag_median")(one))],
  ];
  const tests = [
    ["observed and expected tracks", (one) => `${count(test("observed")(one))} and ${ratio(test("expected")(one))}`],
    ["lift (95 %)", (one) => ratio(test("lift")(one)) + between(test("lift_low")(one), test("lift_high")(one), ratio)],
    ["q", (one) => (Number.isNaN(test("q")(one)) ? "not tested: less than one expected" : share(test("q")(one)))],
    ["lift that would have been found", (one) => ratio(test("detectable")(one))],
    ["q of more this way than the other", (one) => share(test("q_order")(one))],
    ["direct (ordered: and more this way)", verdict],
  ];
  const when = period < 0 ? "whole time" : PERIODS[period].name;
  return element(
    "div",
    { class: "scroll" },
    element(
      "table",
      { class: "facts" },
      element("thead", {}, element("tr", {}, ...["", arrowWords(pair), arrowWords(back)].map((words) => element("th", { scope: "col" }, words)))),
      element("tbody", {}, groupRow(`Counts and rates: ${when}`), ...rows.map((row) => factRow(row, pair, back))),
      ...(beyond ? [element("tbody", {}, groupRow("Tests: whole time"), ...tests.map((row) => factRow(row, pair, back)))] : []),
    ),
  );
}

function arrowWords(pair) {
  return `${MARKETS[sourceOf(pair)].market} → ${MARKETS[targetOf(pair)].market}`;
}

function groupRow(words) {
  return element("tr", {}, element("th", { scope: "colgroup", colspan: 3 }, element("b", {}, words)));
}

function factRow([words, show], pair, back) {
  return element("tr", {}, element("th", { scope: "row" }, words), element("td", {}, show(pair)), element("td", {}, show(back)));
}
