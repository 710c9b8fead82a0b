// What is seen as a picture: the figure with its title, caption, legend and placebos, in a PNG.

const COPIED = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "paint-order", "opacity", "font-size", "font-weight", "display"];
const SHARPNESS = 2;
const LINE = 18;
const SWATCH = 30;

// A copy of the figure whose styles stand in it.
function styledCopy(original) {
  const copy = original.cloneNode(true);
  const pairs = d3.zip([...original.querySelectorAll("*")], [...copy.querySelectorAll("*")]);
  for (const [from, to] of pairs) {
    const styles = getComputedStyle(from);
    to.removeAttribute("style");
    for (const name of COPIED) to.setAttribute(name, styles.getPropertyValue(name));
  }
  return copy;
}

function wrapped(text, width) {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (widthOf(longer) * 1.12 <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.filter(Boolean);
}

// The entries of the legend, side by side as far as they fit: each with its lines, its place from the left and its row.
function legendPlaces(width) {
  let [x, row, below] = [0, 0, 0];
  return [...document.querySelectorAll("#legend li")].map((item) => {
    const lines = wrapped(item.textContent, width - SWATCH);
    const wide = SWATCH + 1.12 * d3.max(lines, widthOf);
    if (x > 0 && x + wide > width) [x, row] = [0, below];
    const place = { item, lines, x, row };
    x += wide + 14;
    below = Math.max(below, row + lines.length);
    return place;
  });
}

// What stands below the figure: the caption, the legend, the placebos where the page shows them, and the source.
function pictureWords(width) {
  const placebo = document.getElementById("placebo");
  const source = `${ABOUT.chart}, ${ABOUT.first_date} to ${ABOUT.last_date}. Order in time is not cause.`;
  return {
    above: wrapped(document.getElementById("caption").textContent, width),
    legend: legendPlaces(width),
    below: [...(placebo.hidden ? [] : [placebo.textContent]), source].flatMap((text) => wrapped(text, width)),
  };
}

function pictureSvg() {
  const { width, height } = stage;
  const { above, legend, below } = pictureWords(width - 20);
  const rows = d3.max(legend, (place) => place.row + place.lines.length) ?? 0;
  const styles = getComputedStyle(document.body);
  const [paper, ink] = [styles.backgroundColor, styles.color];
  const copy = d3.select(styledCopy(svg.node()));
  if (state.view === "map") copy.node().prepend(...styledCopy(world.node()).children);
  const total = height + 40 + (above.length + rows + below.length) * LINE + 14;
  copy.attr("xmlns", "http://www.w3.org/2000/svg").attr("viewBox", `0 -40 ${width} ${total}`).attr("width", SHARPNESS * width).attr("height", SHARPNESS * total);
  copy.attr("font-family", "system-ui, sans-serif");
  copy.insert("rect", ":first-child").attr("y", -40).attr("width", width).attr("height", total).attr("fill", paper);
  const text = (words, x, y, size = 12, weight = 400) =>
    copy.append("text").attr("x", x).attr("y", y).attr("fill", ink).attr("font-size", size).attr("font-weight", weight).text(words);
  const lineAt = (number) => height + 20 + number * LINE;
  text(ABOUT.title, 10, -14, 17, 700);
  above.forEach((words, number) => text(words, 10, lineAt(number)));
  for (const { item, lines, x, row } of legend) {
    const icon = styledCopy(item.querySelector("svg"));
    d3.select(icon).attr("x", 10 + x).attr("y", lineAt(above.length + row) - 11);
    copy.append(() => icon);
    lines.forEach((words, number) => text(words, 10 + x + SWATCH, lineAt(above.length + row + number)));
  }
  below.forEach((words, number) => text(words, 10, lineAt(above.length + rows + number)));
  return { text: new XMLSerializer().serializeToString(copy.node()), width: SHARPNESS * width, height: SHARPNESS * total };
}

async function pictureBlob() {
  const { text, width, height } = pictureSvg();
  const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = element("canvas", { width, height });
    canvas.getContext("2d").drawImage(image, 0, 0);
    return await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  } finally {
    URL.revokeObjectURL(address);
  }
}

function save(name, blob) {
  const address = URL.createObjectURL(blob);
  const anchor = element("a", { href: address, download: name });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

async function savePicture() {
  tell("Drawing the picture …");
  save("explorer.png", await pictureBlob());
  tell("Picture saved.");
}

// ── tables of what is seen ──────────────────────────────────────────────────────────────────────────────────────────

const COUNTS = ["tracks", "joint", "exposed", "followed_to", "rate", "rate_low", "rate_high", "rate_if_ties", "lag_median"];
const TESTS = ["observed", "expected", "lift", "lift_low", "lift_high", "q", "q_order"];

function pairCsv(pairs, period) {
  const names = ["source", "source_name", "target", "target_name", "debut", ...COUNTS];
  const tests = beyond ? TESTS.map((name) => `whole_time_${name}`) : [];
  const rows = pairs.map((pair) => {
    const [source, target] = [MARKETS[sourceOf(pair)], MARKETS[targetOf(pair)]];
    const counts = COUNTS.map((name) => counted(name, pair, period)).map((value, at) => (COUNTS[at] === "followed_to" && value < 0 ? NaN : value));
    const lifts = beyond ? TESTS.map((name) => tested(beyond, name, pair)) : [];
    return [source.market, source.name, target.market, target.name, periodWords(period), ...counts, ...lifts, verdict(pair)];
  });
  return csvOf([...names, ...tests, "whole_time_direct"], rows);
}

function journeyCsv(track) {
  const { debut, steps } = journeyOf(track);
  const names = ["track_id", "title", "artist", "step", "date", "days", "market", "name", "rank", "left_censored"];
  const rows = steps.flatMap((step, number) =>
    step.entries.map((entry) => [
      DATA.tracks.id[track], DATA.tracks.title[track], DATA.tracks.artist[track], number + 1, dateOf(debut + step.days), step.days,
      MARKETS[entry.market].market, nameOf(entry.market), entry.rank, String(entry.unsure),
    ]),
  );
  return csvOf(names, rows);
}

function leaderCsv(measure) {
  const names = ["score", "low", "high", "q", "rank", "rank_low", "rank_high", "artists"];
  const rows = leaderRows(measure).map((row) => {
    const market = MARKETS[leaders("market")[row]];
    return [measure, market.market, market.name, ...names.map((name) => leaders(name)[row])];
  });
  return csvOf(["measure", "market", "name", ...names], rows);
}

// The table beside the figure: a journey, the leaders, or the pairs that pass the filters.
function seenCsv(state) {
  if (replayed(state)) return ["journey.csv", journeyCsv(state.track)];
  if (state.panel === "leaders" && state.market < 0 && DATA.leaders.measures.length) return ["leaders.csv", leaderCsv(state.measure)];
  if (state.panel === "pair" && chosenPair(state) >= 0) return ["pair.csv", pairCsv([chosenPair(state)], state.period)];
  return ["pairs.csv", pairCsv(pairsOf(state).map(({ pair }) => pair), state.period)];
}

function saveTable() {
  const [name, text] = seenCsv(state);
  save(name, new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
  tell(`${name} saved.`);
}
