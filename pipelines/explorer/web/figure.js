// The figure as a whole, its caption and its legend.

function drawFigure(state) {
  const { scale, x, y } = stage.fit;
  const moved = stage.transform.translate(x, y).scale(scale);
  world.attr("display", state.view === "map" ? null : "none");
  if (land.attr("transform") !== String(moved)) {
    land.attr("transform", moved);
    clip.attr("transform", moved);
  }
  const found = replayed(state) ? [] : pairsOf(state);
  const radii = radiiOf(state);
  const rows = arrowsOf(found, state);
  drawArrows(rows, state, radii);
  drawMarkets(state, radii);
  drawNames(state, radii, rows);
  return { found, rows };
}

// ── legend and caption ──────────────────────────────────────────────────────────────────────────────────────────────

function captionOf(state, { found, rows }) {
  if (replayed(state)) return journeyCaption(state);
  const measure = EDGES.get(state.edges);
  if (!found.length) return emptyWords(state);
  const whose = state.market < 0 ? "" : ` of ${nameOf(state.market)}`;
  const drawnWords = rows.length < found.length ? `${count(rows.length)} of ${count(found.length)} pairs` : many(rows.length, "pair");
  const q = state.q < 1 ? `, q at most ${state.q}` : "";
  const least = state.least > 1 ? `, at least ${many(state.least, "track")}` : "";
  return `${measure.said(state.period)} Drawn: ${drawnWords}${whose}${least}${q}. ${wholeWords(state)}${unplacedWords(state)}`;
}

// What the page holds for the whole time only.
function wholeWords(state) {
  if (state.period < 0) return "";
  const name = PERIODS[state.period].name;
  if (EDGES.get(state.edges).whole) {
    return `Lift, q and direct pairs exist for the whole time alone: these arrows are not of ${name}; only the dots and the least number of tracks are. `;
  }
  return state.q < 1 ? `q is of the whole time, not of ${name}. ` : "";
}

function unplacedWords(state) {
  const lost = MARKETS.filter((market, number) => !stage.places[number]).map((market) => market.name);
  return lost.length ? `Not on the map, because their place is not known: ${lost.join(", ")}. ` : "";
}

function legendOf(state, rows) {
  if (replayed(state)) return journeyLegend();
  const measure = EDGES.get(state.edges);
  const items = [];
  if (rows.length) {
    const [least, most] = d3.extent(rows, (row) => row.value);
    const same = measure.form(least) === measure.form(most);
    items.push({ swatch: "line", width: WIDEST, words: `${measure.width} ${measure.form(most)}` });
    if (!same) items.push({ swatch: "line", width: 1, words: measure.form(least) });
    const received = rows.filter((row) => state.market >= 0 && targetOf(row.pair) === state.market).length;
    if (state.market >= 0 && received < rows.length) items.push({ swatch: "line", width: 3, words: `from ${nameOf(state.market)}` });
    if (received) items.push({ swatch: "line received", width: 3, words: `to ${nameOf(state.market)}` });
    if (rows.some((row) => row.pale)) items.push({ swatch: "line pale", width: 3, words: `pale: ${measure.paleWords}` });
    if (state.edges === "direct") items.push({ swatch: "line", width: 3, words: "also more this way than the other" });
    if (state.edges === "direct") items.push({ swatch: "line direct", width: 3, words: "direct, no order shown" });
  }
  items.push({ swatch: "dot", words: "area of a dot: transitions sent and received" });
  if (state.panel === "leaders") items.push(...leaderLegend(state));
  else if (state.view === "network") items.push(...groupLegend());
  return items;
}

function groupLegend() {
  const groups = d3.rollups(d3.range(MARKETS.length), (own) => own.length, groupOf).sort((a, b) => a[0] - b[0]);
  if (groups.length < 2) return [];
  return groups.map(([group, size]) => ({
    swatch: "dot",
    fill: `var(--group-${group % 8})`,
    words: `${groupWords(group)} (${size})`,
  }));
}

function swatch(item) {
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("width", 26);
  icon.setAttribute("height", 14);
  icon.setAttribute("aria-hidden", "true");
  const mark = d3.select(icon).append("g");
  if (item.swatch.startsWith("line")) {
    mark.attr("class", item.swatch.replace("line", "arrow"));
    mark.append("path").attr("class", "shaft").attr("d", "M1 7H25").attr("stroke-width", item.width);
  } else {
    mark.attr("class", `market ${item.swatch.replace("dot", "")}`);
    mark.append("circle").attr("cx", 13).attr("cy", 7).attr("r", 5).style("fill", item.fill ?? null);
  }
  return icon;
}

function drawLegend(items) {
  const list = document.getElementById("legend");
  list.replaceChildren(
    ...items.map((item) => {
      const entry = document.createElement("li");
      entry.append(swatch(item), item.words);
      return entry;
    }),
  );
}
