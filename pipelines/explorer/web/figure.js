// The figure: markets as dots on a map or a circle, arrows between them, names, and what the pointer and keys do there.

const svg = d3.select("#figure");
const box = document.getElementById("box");

const LARGEST_DOT = 9;
const SMALLEST_DOT = 2.5;
const WIDEST = 5;
const BEND = 0.2;
const NORTH = -1330;
const SOUTH = 1060;
const WORLD_WIDTH = 5440;
const EUROPE = { x: 160, y: -940, width: 1120, height: 560 };

// The land has a layer of its own, which is not painted again when only arrows and dots change.
const world = d3.select("#world");
const land = world.append("g");
land.append("path").attr("class", "globe").attr("d", DATA.world.globe);
land.append("path").attr("class", "land").attr("d", DATA.world.land);

const drawn = Object.fromEntries(["arrows", "names", "markets"].map((name) => [name, svg.append("g").attr("class", name)]));
const clip = svg.append("defs").append("clipPath").attr("id", "globe").append("path").attr("d", DATA.world.globe);

const stage = { width: 0, height: 0, places: [], transform: d3.zoomIdentity, fit: null };

// ── places ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function mapFit(width, height) {
  const scale = Math.min(width / WORLD_WIDTH, height / (SOUTH - NORTH));
  return { scale, x: width / 2, y: height / 2 - (scale * (NORTH + SOUTH)) / 2 };
}

function mapPlaces(fit) {
  return MARKETS.map((market) =>
    market.x === null ? null : { x: fit.x + fit.scale * market.x, y: fit.y + fit.scale * market.y },
  );
}

const CONTINENTS = [...new Set(MARKETS.map((market) => market.continent))].sort();
const HAS_COMMUNITIES = MARKETS.some((market) => market.community !== null);

function groupOf(market) {
  return HAS_COMMUNITIES ? (MARKETS[market].community ?? 99) : CONTINENTS.indexOf(MARKETS[market].continent);
}

function groupWords(group) {
  if (!HAS_COMMUNITIES) return CONTINENTS[group] ?? "continent not known";
  return group === 99 ? "in no community" : `community ${group + 1}`;
}

// Markets in a circle, group by group, the largest of a group first; a gap between groups.
function circlePlaces(width, height) {
  const room = width < 600 ? 42 : 118;
  const sums = totals(-1);
  const size = (market) => sums[market].sent + sums[market].received;
  const order = d3.range(MARKETS.length).sort((a, b) => groupOf(a) - groupOf(b) || size(b) - size(a) || a - b);
  const groups = new Set(order.map(groupOf)).size;
  const slots = MARKETS.length + (groups > 1 ? groups : 0);
  const radius = Math.max(Math.min(width, height) / 2 - room, 40);
  const places = [];
  let slot = 0;
  order.forEach((market, at) => {
    if (at > 0 && groupOf(order[at - 1]) !== groupOf(market)) slot += 1;
    const angle = (2 * Math.PI * slot++) / slots - Math.PI / 2;
    places[market] = { x: width / 2 + radius * Math.cos(angle), y: height / 2 + radius * Math.sin(angle), angle };
  });
  return places;
}

function at(market) {
  const place = stage.places[market];
  return place && { ...place, x: stage.transform.applyX(place.x), y: stage.transform.applyY(place.y) };
}

function measureStage(state) {
  stage.width = Math.max(box.clientWidth, 240);
  const tall = state.view === "map" ? 0.5 * stage.width : Math.min(stage.width, 700);
  stage.height = Math.round(Math.max(tall, 260));
  svg.attr("height", stage.height).attr("viewBox", `0 0 ${stage.width} ${stage.height}`);
  world.attr("viewBox", `0 0 ${stage.width} ${stage.height}`);
  stage.fit = mapFit(stage.width, stage.height);
  stage.places = state.view === "map" ? mapPlaces(stage.fit) : circlePlaces(stage.width, stage.height);
  zooming.extent([[0, 0], [stage.width, stage.height]]).translateExtent([[0, 0], [stage.width, stage.height]]);
  stage.transform = transformOf(state.zoom);
  svg.property("__zoom", stage.transform);
}

// ── zoom ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const zooming = d3
  .zoom()
  .scaleExtent([1, MOST_ZOOM])
  .filter(isGesture)
  .on("zoom", (event) => change({ zoom: zoomPart(event.transform) }));

// The wheel and one finger scroll the page, unless a key is held or the map is enlarged.
function isGesture(event) {
  if (event.type === "wheel") return event.ctrlKey || event.metaKey;
  if (event.type === "touchstart") return event.touches.length > 1 || stage.transform.k > 1;
  return !event.button && !event.ctrlKey;
}

// Scale, and the middle of what is seen as shares of width and height; null for the whole.
function zoomPart({ k, x, y }) {
  return k <= 1.0001 ? null : [k, (stage.width / 2 - x) / k / stage.width, (stage.height / 2 - y) / k / stage.height];
}

function transformOf(zoom) {
  if (!zoom) return d3.zoomIdentity;
  const [k, x, y] = zoom;
  const kept = (middle) => Math.min(Math.max(middle, 0.5 / k), 1 - 0.5 / k);
  return d3.zoomIdentity
    .translate(stage.width / 2 - k * kept(x) * stage.width, stage.height / 2 - k * kept(y) * stage.height)
    .scale(k);
}

function zoomBy(factor) {
  const [k, x, y] = state.zoom ?? [1, 0.5, 0.5];
  const scale = Math.min(k * factor, MOST_ZOOM);
  change({ zoom: scale <= 1.0001 ? null : [scale, x, y] });
}

function zoomToEurope() {
  const { scale, x, y } = stage.fit;
  const k = Math.min(stage.width / (scale * EUROPE.width), stage.height / (scale * EUROPE.height), MOST_ZOOM);
  change({
    view: "map",
    zoom: [k, (x + scale * (EUROPE.x)) / stage.width, (y + scale * EUROPE.y) / stage.height],
  });
}

// ── arrows ──────────────────────────────────────────────────────────────────────────────────────────────────────────

// Where an arrow goes: one curve, or two across the meridian of 180°, each up to the edge of the globe.
function routes(source, target, view) {
  const [a, b] = [at(source), at(target)];
  const far = view === "map" ? MARKETS[source].longitude - MARKETS[target].longitude : 0;
  if (Math.abs(far) <= 180) return [[a, b]];
  const shift = (market) => Math.sign(far) * 2 * MARKETS[market].half * stage.fit.scale * stage.transform.k;
  return [
    [a, { ...b, x: b.x + shift(target) }],
    [{ ...a, x: a.x - shift(source) }, b],
  ];
}

// On the circle an arrow bends towards the middle, the more the longer it is.
function control(a, b, view) {
  const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
  const bend = view === "map" ? BEND : BEND / 2;
  const bent = { x: middle.x - bend * (b.y - a.y), y: middle.y + bend * (b.x - a.x) };
  if (view === "map") return bent;
  const centre = { x: stage.transform.applyX(stage.width / 2), y: stage.transform.applyY(stage.height / 2) };
  const pull = Math.min(Math.hypot(b.x - a.x, b.y - a.y) / (stage.transform.k * stage.height), 0.6);
  return { x: bent.x + pull * (centre.x - middle.x), y: bent.y + pull * (centre.y - middle.y) };
}

// Shaft and head of an arrow that ends at the edge of the target's dot.
function arrowPaths(source, target, width, view, radius) {
  const shafts = [];
  let head = "";
  for (const [a, b] of routes(source, target, view)) {
    const c = control(a, b, view);
    const length = Math.hypot(b.x - c.x, b.y - c.y) || 1;
    const [ux, uy] = [(b.x - c.x) / length, (b.y - c.y) / length];
    const size = 5 + 1.6 * width;
    const tip = { x: b.x - ux * (radius + 1), y: b.y - uy * (radius + 1) };
    const neck = { x: tip.x - ux * size, y: tip.y - uy * size };
    const wing = { x: -uy * size * 0.45, y: ux * size * 0.45 };
    shafts.push(`M${point(a)}Q${point(c)} ${point(neck)}`);
    head = `M${point(tip)}L${point({ x: neck.x + wing.x, y: neck.y + wing.y })}L${point({ x: neck.x - wing.x, y: neck.y - wing.y })}Z`;
  }
  return { shaft: shafts.join(""), head };
}

function point({ x, y }) {
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}

function arrowsOf(found, state) {
  const { value } = EDGES.get(state.edges);
  const placed = found.filter(({ pair }) => stage.places[sourceOf(pair)] && stage.places[targetOf(pair)]);
  const rows = placed.slice(0, state.most);
  const chosen = chosenPair(state);
  const missing = placed.find(({ pair }) => pair === chosen);
  if (missing && !rows.includes(missing)) rows.push(missing);
  const values = rows.map((row) => ({ ...row, value: value(row.pair, state.period) || 0 }));
  const most = d3.max(values, (row) => row.value) || 1;
  return values.map((row) => ({ ...row, width: Math.max((WIDEST * row.value) / most, 0.8) })).reverse();
}

function chosenPair(state) {
  if (state.market < 0 || state.partner < 0) return -1;
  return state.way === "sent" ? pairOf(state.market, state.partner) : pairOf(state.partner, state.market);
}

function arrowClass(row, state) {
  const chosen = chosenPair(state);
  const received = state.market >= 0 && targetOf(row.pair) === state.market;
  const onlyDirect = state.edges === "direct" && tested(direct, "ordered", row.pair) !== 1;
  const role = row.pair === chosen ? "chosen" : row.other || (chosen >= 0 && state.panel === "pair") ? "aside" : "";
  return ["arrow", row.pale && "pale", received && "received", onlyDirect && "direct", role].filter(Boolean).join(" ");
}

function drawArrows(rows, state, radii) {
  drawn.arrows.attr("clip-path", state.view === "map" ? "url(#globe)" : null);
  const groups = drawn.arrows
    .selectAll("g")
    .data(rows, (row) => row.pair)
    .join((enter) => {
      const group = enter.append("g").on("click", (event, row) => choosePair(sourceOf(row.pair), targetOf(row.pair)));
      group.append("title");
      group.append("path").attr("class", "hit");
      group.append("path").attr("class", "shaft");
      group.append("path").attr("class", "head");
      return group;
    })
    .order()
    .attr("class", (row) => arrowClass(row, state));
  groups.each(function (row) {
    const [source, target] = [sourceOf(row.pair), targetOf(row.pair)];
    const { shaft, head } = arrowPaths(source, target, row.width, state.view, radii[target]);
    const [title, hit, line, tip] = this.children;
    title.textContent = `${nameOf(source)} → ${nameOf(target)}: ${EDGES.get(state.edges).form(row.value)}`;
    hit.setAttribute("d", shaft);
    hit.setAttribute("stroke-width", Math.max(row.width, 8));
    line.setAttribute("d", shaft);
    line.setAttribute("stroke-width", row.width);
    tip.setAttribute("d", head);
  });
}

// ── markets ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function radiiOf(state) {
  const grown = Math.pow(stage.transform.k, 0.35) * (stage.width < 600 ? 0.65 : 1);
  if (replayed(state)) return MARKETS.map(() => 6 * grown);
  const sums = totals(state.period).map((one) => one.sent + one.received);
  const most = d3.max(sums) || 1;
  return sums.map((sum) => Math.max(LARGEST_DOT * Math.sqrt(sum / most), SMALLEST_DOT) * grown);
}

function replayed(state) {
  return state.panel === "track" && state.track >= 0;
}

function marketClass(market, state) {
  const roles = ["market"];
  if (replayed(state)) roles.push(...journeyRoles(state, market));
  else if (state.panel === "leaders") roles.push(...leaderRoles(state, market));
  if (market === state.market && !replayed(state)) roles.push("chosen");
  return roles.join(" ");
}

function marketLabel(market, state) {
  if (replayed(state)) return `${nameOf(market)}: ${journeyLabel(state, market)}`;
  const sums = totals(state.period)[market];
  return `${nameOf(market)}: sends ${count(sums.sent)}, receives ${count(sums.received)} tracks`;
}

function drawMarkets(state, radii) {
  const placed = d3.range(MARKETS.length).filter((market) => stage.places[market]);
  const coloured = state.view === "network" && state.panel !== "leaders" && !replayed(state);
  const first = placed.includes(state.market) ? state.market : placed[0];
  drawn.markets
    .selectAll("g")
    .data(placed, (market) => market)
    .join((enter) => {
      const group = enter.append("g").attr("role", "button");
      group.on("click", (event, market) => chooseMarket(market)).on("keydown", moveOrChoose);
      group.append("title");
      group.append("circle");
      return group;
    })
    .attr("class", (market) => marketClass(market, state))
    .attr("tabindex", (market) => (market === first ? 0 : -1))
    .attr("aria-label", (market) => marketLabel(market, state))
    .attr("aria-pressed", (market) => String(market === state.market))
    .each(function (market) {
      const place = at(market);
      this.children[0].textContent = marketLabel(market, state);
      const dot = this.children[1];
      dot.setAttribute("cx", place.x.toFixed(1));
      dot.setAttribute("cy", place.y.toFixed(1));
      dot.setAttribute("r", radii[market].toFixed(1));
      dot.style.fill = coloured && market !== state.market ? `var(--group-${groupOf(market) % 8})` : "";
    });
}

const ARROW_KEYS = new Map([
  ["ArrowLeft", [-1, 0]],
  ["ArrowRight", [1, 0]],
  ["ArrowUp", [0, -1]],
  ["ArrowDown", [0, 1]],
]);

// Arrow keys go to the nearest market in that direction; Enter and the space bar choose.
function moveOrChoose(event, market) {
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    event.stopPropagation();
    chooseMarket(market);
  }
  const way = ARROW_KEYS.get(event.key);
  if (!way) return;
  event.preventDefault();
  event.stopPropagation();
  const from = at(market);
  const distance = (other) => {
    const [dx, dy] = [at(other).x - from.x, at(other).y - from.y];
    const [along, aside] = [dx * way[0] + dy * way[1], Math.abs(dx * way[1]) + Math.abs(dy * way[0])];
    return along > 0 ? along + 2 * aside : Infinity;
  };
  const others = d3.range(MARKETS.length).filter((other) => other !== market && stage.places[other]);
  const next = d3.least(others, distance);
  if (next !== undefined && distance(next) < Infinity) focusMarket(next);
}

function marketNode(market) {
  return drawn.markets.selectAll("g").filter((other) => other === market);
}

function focusMarket(market) {
  drawn.markets.selectAll("g").attr("tabindex", (other) => (other === market ? 0 : -1));
  marketNode(market).node().focus();
}

function highlight(market) {
  drawn.markets.selectAll("g").classed("lit", (other) => other === market);
}

// ── names ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const pen = document.createElement("canvas").getContext("2d");
pen.font = "11px system-ui, sans-serif";
const widths = new Map();
function widthOf(text) {
  if (!widths.has(text)) widths.set(text, pen.measureText(text).width);
  return widths.get(text);
}

const SIDES = [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [-1, -1], [1, 1], [-1, 1]];

// The most important markets first; a name goes to the first free place around its dot, else its code, else nothing.
function namePlaces(order, radii) {
  const taken = [];
  for (const market of order) {
    const { x, y } = at(market);
    taken.push([x - radii[market], y - radii[market], x + radii[market], y + radii[market]]);
  }
  const found = [];
  for (const market of order) {
    const place = at(market);
    const put = firstFree(market, place, radii[market], taken);
    if (put) {
      taken.push(put.bounds);
      found.push({ market, text: put.text, x: put.x, y: put.y });
    }
  }
  return found;
}

function firstFree(market, { x, y }, radius, taken) {
  for (const text of new Set([nameOf(market), MARKETS[market].market])) {
    const [width, height] = [widthOf(text) * (market === state.market ? 1.12 : 1) + 4, 12];
    for (const [dx, dy] of SIDES) {
      const left = x + dx * (radius + 3) - (dx === 0 ? width / 2 : dx < 0 ? width : 0);
      const top = y + dy * (radius + 2) - (dy === 0 ? height / 2 : dy < 0 ? height : 0);
      const bounds = [left, top, left + width, top + height];
      if (isFree(bounds, taken)) return { text, bounds, x: left + 1, y: top + 9.5 };
    }
  }
  return null;
}

function isFree([left, top, right, bottom], taken) {
  const inside = left >= 2 && top >= 2 && right <= stage.width - 2 && bottom <= stage.height - 2;
  return inside && !taken.some(([l, t, r, b]) => left < r && right > l && top < b && bottom > t);
}

function drawNames(state, radii, rows) {
  const placed = d3.range(MARKETS.length).filter((market) => stage.places[market]);
  const linked = new Set(rows.flatMap((row) => [sourceOf(row.pair), targetOf(row.pair)]));
  const urgent = (market) =>
    market === state.market ? 3 : market === state.partner || isNow(state, market) ? 2 : linked.has(market) ? 1 : 0;
  const order = placed.sort((a, b) => urgent(b) - urgent(a) || radii[b] - radii[a] || a - b);
  const seen = order.filter((market) => isFree([at(market).x, at(market).y, at(market).x, at(market).y], []));
  const names = state.view === "map" ? namePlaces(seen, radii) : circleNames(seen, radii);
  drawn.names
    .selectAll("text")
    .data(names, (one) => one.market)
    .join("text")
    .attr("class", (one) => (one.market === state.market ? "name chosen" : "name"))
    .attr("x", (one) => one.x)
    .attr("y", (one) => one.y)
    .attr("text-anchor", (one) => one.anchor ?? "start")
    .attr("transform", (one) => one.turn ?? null)
    .text((one) => one.text);
}

function circleNames(order, radii) {
  const narrow = stage.width < 600;
  return order.map((market) => {
    const { x, y, angle } = at(market);
    const left = Math.cos(angle) < -1e-9;
    const degrees = (angle * 180) / Math.PI + (left ? 180 : 0);
    const out = radii[market] + 4;
    return {
      market,
      text: narrow ? MARKETS[market].market : nameOf(market),
      x: x + out * Math.cos(angle),
      y: y + out * Math.sin(angle),
      anchor: left ? "end" : "start",
      turn: `rotate(${degrees.toFixed(1)} ${(x + out * Math.cos(angle)).toFixed(1)} ${(y + out * Math.sin(angle)).toFixed(1)}) translate(0 4)`,
    };
  });
}

// ── all of it ───────────────────────────────────────────────────────────────────────────────────────────────────────

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
