// What is chosen changes in one place; everything that shows it is drawn again.

let state = startState();
let writing = null;

function change(changes) {
  state = settled({ ...state, ...changes });
  draw();
  clearTimeout(writing);
  writing = setTimeout(() => history.replaceState(null, "", addressOf(state)), 150);
}

function addressOf(state) {
  const said = writeFragment(state);
  return said ? `#${said}` : location.pathname + location.search;
}

function chooseMarket(market) {
  change({ market, partner: -1, panel: replayed(state) ? state.panel : "market" });
}

// A pair is seen from the market that is chosen, if it is one of the two.
function choosePair(source, target) {
  const received = target >= 0 && (source < 0 || (state.market === target && source !== target));
  if (received) change({ market: target, partner: source, way: "received", panel: "pair" });
  else change({ market: source, partner: target, way: "sent", panel: "pair" });
}

function chooseTrack(track) {
  change({ track, step: 0, panel: "track" });
}

function tell(words) {
  document.getElementById("told").textContent = words;
}

// ── controls ────────────────────────────────────────────────────────────────────────────────────────────────────────

const byId = (name) => document.getElementById(name);

function fillSwitch(name, options) {
  for (const [value, words] of options) {
    const input = element("input", { type: "radio", name, value, onchange: () => change({ [name]: value, ...(name === "view" ? { zoom: null } : {}) }) });
    byId(name).append(element("label", {}, input, words));
  }
}

function fillSelect(name, options) {
  for (const [value, words] of options) byId(name).append(element("option", { value }, words));
  byId(name).addEventListener("change", (event) => change({ [name]: Number(event.target.value) }));
}

function setUp() {
  fillSwitch("view", [["map", "Map"], ["network", "Network"]]);
  fillSwitch("edges", [...EDGES].map(([name, measure]) => [name, measure.label]));
  fillSelect("q", Q_LEVELS.map((level) => [level, level === "1" ? "any" : level]));
  fillSelect("most", MOST_ARROWS.map((most) => [most, most]));
  byId("q").disabled = !beyond;
  byId("period").max = PERIODS.length;
  byId("period").addEventListener("input", (event) => change({ period: Number(event.target.value) - 1 }));
  byId("least").addEventListener("input", (event) => change({ least: Math.max(Math.floor(Number(event.target.value)) || 0, 0) }));
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  byId("step").addEventListener("input", (event) => change({ step: Number(event.target.value) }));
  const buttons = {
    closer: () => zoomBy(1.6),
    farther: () => zoomBy(1 / 1.6),
    europe: zoomToEurope,
    whole: () => change({ zoom: null }),
    back: () => stepBy(-1),
    on: () => stepBy(1),
    play: playOrPause,
    png: savePicture,
    csv: saveTable,
    link: copyLink,
  };
  for (const [name, act] of Object.entries(buttons)) byId(name).addEventListener("click", act);
  setUpTabs();
  document.addEventListener("keydown", playerKeys);
  svg.call(zooming).on("dblclick.zoom", null);
  byId("about").textContent = aboutWords();
}

function aboutWords() {
  const { chart, first_date, last_date, markets, tracks: number, cohort } = ABOUT;
  const whose = cohort.length ? ` Of a cohort: ${cohort.join("; ")}.` : "";
  return `Chart ${chart}, ${first_date} to ${last_date}: ${many(markets, "market")}, ${many(number, "track")}.${whose}`;
}

function setUpTabs() {
  const words = { leaders: "Leaders", market: "Market", pair: "Pair", track: "Track" };
  for (const panel of PANELS) {
    const tab = element("button", { type: "button", role: "tab", id: `tab-${panel}`, "aria-controls": "panel" }, words[panel]);
    tab.addEventListener("click", () => change({ panel }));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = PANELS[(PANELS.indexOf(panel) + step + PANELS.length) % PANELS.length];
      change({ panel: next });
      byId(`tab-${next}`).focus();
    });
    byId("tabs").append(tab);
  }
}

// While a journey is shown, the space bar plays it and the arrow keys step, unless they mean something where the focus is.
function playerKeys(event) {
  if (!replayed(state) || event.target.closest("input, select, button, [role=button], [tabindex]")) return;
  const act = { " ": playOrPause, ArrowLeft: () => stepBy(-1), ArrowRight: () => stepBy(1) }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

async function copyLink() {
  history.replaceState(null, "", addressOf(state));
  const field = byId("address");
  field.hidden = false;
  field.value = location.href;
  field.select();
  const copied = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
  tell(copied ? "Link copied." : "Copy the link from the field.");
}

// ── drawing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

const PANEL_OF = { leaders: leaderPanel, market: marketPanel, pair: pairPanel, track: trackPanel };

function drawControls(state) {
  for (const name of ["view", "edges"]) {
    for (const input of byId(name).querySelectorAll("input")) input.checked = input.value === state[name];
  }
  byId("period").value = state.period + 1;
  byId("period").disabled = PERIODS.length < 2;
  byId("period-name").textContent = state.period < 0 ? "whole time" : periodWords(state.period);
  byId("period").setAttribute("aria-valuetext", byId("period-name").textContent);
  byId("q").value = String(state.q);
  byId("most").value = String(state.most);
  if (document.activeElement !== byId("least")) byId("least").value = state.least;
  byId("europe").hidden = state.view !== "map";
  for (const panel of PANELS) {
    byId(`tab-${panel}`).setAttribute("aria-selected", String(panel === state.panel));
    byId(`tab-${panel}`).tabIndex = panel === state.panel ? 0 : -1;
  }
  byId("panel").setAttribute("aria-labelledby", `tab-${state.panel}`);
}

// The panel is made again when something that it shows has changed; the focus stays where it was.
const PAIR_PARTS = ["market", "partner", "way", "period", "q", "least", "edges", "sort"];
const PANEL_PARTS = { leaders: ["market", "measure", "leaders"], market: PAIR_PARTS, pair: PAIR_PARTS, track: ["track", "step"] };

let panelShown = "";
function drawPanel(state) {
  const key = JSON.stringify([isNarrow(), state.panel, ...PANEL_PARTS[state.panel].map((name) => state[name])]);
  if (key === panelShown) return;
  panelShown = key;
  const panel = byId("panel");
  const focus = panel.contains(document.activeElement) ? placeIn(panel, document.activeElement) : null;
  panel.replaceChildren(...PANEL_OF[state.panel](state));
  if (focus) nodeAt(panel, focus)?.focus();
}

function placeIn(panel, node) {
  return node.id ? { id: node.id } : { text: node.textContent.replace(/ [▲▼]$/, ""), kind: node.tagName };
}

function nodeAt(panel, { id, text, kind }) {
  if (id) return document.getElementById(id);
  return [...panel.querySelectorAll(kind)].find((node) => node.textContent.replace(/ [▲▼]$/, "") === text);
}

function draw() {
  measureStage(state);
  drawControls(state);
  drawPlayer(state);
  const seen = drawFigure(state);
  byId("caption").textContent = captionOf(state, seen);
  drawLegend(legendOf(state, seen.rows));
  byId("placebo").textContent = placeboLine(EDGES.get(state.edges).tests);
  byId("placebo").hidden = replayed(state);
  drawPanel(state);
}

setUp();
state = readFragment(location.hash);
draw();
addEventListener("hashchange", () => {
  state = readFragment(location.hash);
  draw();
});
new ResizeObserver(() => {
  if (box.clientWidth !== stage.width) draw();
}).observe(box);
