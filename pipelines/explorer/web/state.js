// What is chosen, and the fragment of the address that holds it. What a fragment says that cannot be is ignored.

const choice = (...allowed) => (text) => (allowed.includes(text) ? text : undefined);
const wholeNumber = (most) => (text) => (/^\d{1,9}$/.test(text) && Number(text) <= most ? Number(text) : undefined);
const marketCode = (text) => NUMBER_OF.get(text);
const TRACK_NUMBER = new Map(DATA.tracks.id.map((id, number) => [id, number]));

function zoomOf(text) {
  const parts = text.split(",").map(Number);
  const [scale, x, y] = parts;
  const sound = parts.length === 3 && parts.every(Number.isFinite) && scale >= 1 && scale <= MOST_ZOOM;
  return sound && x >= 0 && x <= 1 && y >= 0 && y <= 1 ? parts : undefined;
}

const MOST_ZOOM = 16;
const Q_LEVELS = ["1", "0.2", "0.1", "0.05", "0.01", "0.001"];
const MOST_ARROWS = ["20", "40", "80", "160", "320"];
const PANELS = ["leaders", "market", "pair", "track"];
const PAIR_SORTS = ["partner", "tracks", "rate", "ties", "lag", "lift", "q", "direct"];
const LEADER_SORTS = ["market", "score", "q", "rank", "artists"];
const sorted = (columns) => choice(...columns, ...columns.map((name) => `-${name}`));

// Name in the fragment → what it is where nothing is said, how it is read, and how it is written.
const FIELDS = new Map([
  ["view", { start: "map", read: choice("map", "network"), write: String }],
  ["edges", { start: "tracks", read: choice(...EDGES.keys()), write: String }],
  ["period", { start: -1, read: (text) => known(PERIODS.findIndex((one) => one.name === text)), write: (at) => PERIODS[at].name }],
  ["q", { start: 1, read: (text) => (Q_LEVELS.includes(text) ? Number(text) : undefined), write: String }],
  ["least", { start: 0, read: wholeNumber(999999999), write: String }],
  ["most", { start: 40, read: (text) => (MOST_ARROWS.includes(text) ? Number(text) : undefined), write: String }],
  ["market", { start: -1, read: marketCode, write: (at) => MARKETS[at].market }],
  ["partner", { start: -1, read: marketCode, write: (at) => MARKETS[at].market }],
  ["way", { start: "sent", read: choice("sent", "received"), write: String }],
  ["panel", { start: "leaders", read: choice(...PANELS), write: String }],
  ["sort", { start: "", read: sorted(PAIR_SORTS), write: String }],
  ["measure", { start: startMeasure(), read: choice(...DATA.leaders.measures), write: String }],
  ["leaders", { start: "-score", read: sorted(LEADER_SORTS), write: String }],
  ["track", { start: -1, read: (text) => TRACK_NUMBER.get(text), write: (at) => DATA.tracks.id[at] }],
  ["step", { start: 0, read: wholeNumber(99999), write: String }],
  ["zoom", { start: null, read: zoomOf, write: (parts) => parts.map((part) => Number(part.toFixed(4))).join(",") }],
]);

function known(place) {
  return place >= 0 ? place : undefined;
}

function startState() {
  return Object.fromEntries([...FIELDS].map(([name, field]) => [name, field.start]));
}

// The state without what cannot stand together: a partner that is the market itself, a step that the track has not.
function settled(state) {
  const kept = { ...state };
  if (kept.market < 0 || kept.partner === kept.market) kept.partner = -1;
  kept.step = kept.track < 0 ? 0 : Math.min(kept.step, journeyOf(kept.track).steps.length - 1);
  return kept;
}

function readFragment(fragment) {
  const state = startState();
  for (const [name, text] of new URLSearchParams(fragment.replace(/^#/, ""))) {
    const value = FIELDS.get(name)?.read(text);
    if (value !== undefined) state[name] = value;
  }
  return settled(state);
}

function writeFragment(state) {
  const said = new URLSearchParams();
  for (const [name, field] of FIELDS) {
    if (state[name] !== field.start) said.set(name, field.write(state[name]));
  }
  return said.toString();
}
