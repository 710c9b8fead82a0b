// The stage of the figure: its layers, where markets are on the map and on the circle, and which part is seen.

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
  return group === 99 ? "in no community" : `community ${group}`;
}

// Markets in a circle, group by group, the largest of a group first; a gap between groups.
function circlePlaces(width, height) {
  const room = isNarrow() ? 42 : 118;
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

function isNarrow() {
  return stage.width < 600;
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
    zoom: [k, (x + scale * EUROPE.x) / stage.width, (y + scale * EUROPE.y) / stage.height],
  });
}
