// Tracks: a search by title or artist, and the replay of a journey, one date after the other.

const MOST_FOUND = 25;
const MILLISECONDS = 900;

// Without case, accents and signs.
function plain(text) {
  return text.normalize("NFKD").replace(/\p{Mark}/gu, "").toLowerCase().replace(/[^\p{Letter}\p{Number}]+/gu, " ").trim();
}

let plainTracks = null;
function foundTracks(text) {
  const words = plain(text).split(" ").filter(Boolean);
  const exact = text.trim();
  plainTracks ??= DATA.tracks.title.map((title, track) => plain(`${title} ${DATA.tracks.artist[track]}`));
  return d3
    .range(plainTracks.length)
    .filter((track) => (words.length && words.every((word) => plainTracks[track].includes(word))) || (exact && DATA.tracks.id[track] === exact));
}

function trackWords(track) {
  const [title, artist] = [DATA.tracks.title[track], DATA.tracks.artist[track]];
  return artist ? `${title} by ${artist}` : title;
}

let begins = null;
const journeysMade = new Map();

// Entries of a track by date: steps of { days, entries: [{ market, rank, unsure }] }, in order.
function journeyOf(track) {
  if (!begins) begins = d3.cumsum([0, ...tracks("sizes")]);
  if (!journeysMade.has(track)) {
    const entries = d3.range(begins[track], begins[track + 1]).map((at) => ({
      market: tracks("market")[at],
      days: tracks("days")[at],
      rank: tracks("rank")[at],
      unsure: tracks("left_censored")[at] === 1,
    }));
    const steps = d3.groups(entries, (entry) => entry.days).map(([days, own]) => ({ days, entries: own }));
    const stepOf = new Map(steps.flatMap((step, number) => step.entries.map((entry) => [entry.market, { number, entry }])));
    journeysMade.set(track, { debut: tracks("debut")[track], steps, stepOf });
  }
  return journeysMade.get(track);
}

function journeyRoles(state, market) {
  const own = journeyOf(state.track).stepOf.get(market);
  if (!own) return ["never"];
  const role = own.number === state.step ? "now" : own.number < state.step ? "there" : "later";
  return own.entry.unsure && own.number <= state.step ? [role, "unsure"] : [role];
}

function isNow(state, market) {
  return replayed(state) && journeyOf(state.track).stepOf.get(market)?.number === state.step;
}

function journeyLabel(state, market) {
  const journey = journeyOf(state.track);
  const own = journey.stepOf.get(market);
  return own ? `entered ${dateOf(journey.debut + own.entry.days)} at rank ${own.entry.rank}` : "not entered";
}

function stepWords(state) {
  const { debut, steps } = journeyOf(state.track);
  const step = steps[state.step];
  return `${dateOf(debut + step.days)}, day ${step.days}: step ${state.step + 1} of ${steps.length}`;
}

function journeyCaption(state) {
  const { steps } = journeyOf(state.track);
  const step = steps[state.step];
  const there = d3.sum(steps.slice(0, state.step + 1), (one) => one.entries.length);
  const all = d3.sum(steps, (one) => one.entries.length);
  const names = step.entries.map((entry) => nameOf(entry.market)).join(", ");
  const tie = step.entries.length > 1 ? ` Markets of one date are a tie: no order between them was observed.` : "";
  // marks that keep the direction of a title to itself
  return (
    `\u2068${trackWords(state.track)}\u2069. ${stepWords(state)}. Enters ${names}; ${count(there)} of ${many(all, "market")} so far.${tie} ` +
    "No arrow is drawn: dates do not say whom a market followed."
  );
}

function journeyLegend() {
  return [
    { swatch: "dot now", words: "enters on this date" },
    { swatch: "dot there", words: "entered before" },
    { swatch: "dot later", words: "enters later" },
    { swatch: "dot never", words: "does not enter" },
    { swatch: "dot there unsure", words: "dashed: within the washout, true date not known" },
  ];
}

// ── panel ───────────────────────────────────────────────────────────────────────────────────────────────────────────

let searched = "";

function trackPanel(state) {
  const field = element("input", { type: "search", id: "search", value: searched, autocomplete: "off" });
  const found = element("div", { id: "found", role: "status" });
  field.addEventListener("input", () => {
    searched = field.value;
    listFound(found);
  });
  listFound(found);
  const { all, id } = DATA.tracks;
  const left = all - id.length;
  const which = left > 0 ? `the ${many(id.length, "track")} in most markets of ${count(all)}; ${count(left)} are left out` : many(id.length, "track");
  return [
    element("div", { class: "field" }, element("label", { for: "search" }, "Title or artist"), field),
    element("p", { class: "note" }, `Searched: ${which}.`),
    found,
    ...(state.track < 0 ? [] : journeyTable(state)),
  ];
}

function listFound(place) {
  const found = searched.trim() ? foundTracks(searched) : [];
  const list = found.slice(0, MOST_FOUND).map((track) => {
    const words = element("small", {}, ` ${many(tracks("sizes")[track], "market")}, from ${dateOf(tracks("debut")[track])}`);
    return element("li", {}, element("button", { type: "button", onclick: () => chooseTrack(track) }, isolated(trackWords(track)), words));
  });
  const more = found.length > MOST_FOUND ? `${count(found.length)} tracks; the first ${MOST_FOUND} are shown.` : "";
  const none = searched.trim() && !found.length ? "No track is called so." : "";
  place.replaceChildren(element("ul", { class: "found" }, ...list), more || none);
}

function journeyTable(state) {
  const { debut, steps } = journeyOf(state.track);
  const head = ["date", "day", "markets (rank)"].map((words) => element("th", { scope: "col" }, words));
  const body = steps.map((step, number) => {
    const names = step.entries.map((entry) => `${nameOf(entry.market)} (${entry.rank}${entry.unsure ? ", washout" : ""})`).join(", ");
    const go = element("button", { type: "button", onclick: () => change({ step: number }) }, dateOf(debut + step.days));
    return element(
      "tr",
      { class: number === state.step ? "chosen" : "" },
      element("th", { scope: "row" }, go),
      element("td", { class: "number" }, count(step.days)),
      element("td", { class: "said" }, names),
    );
  });
  return [
    element("h2", {}, isolated(trackWords(state.track))),
    element("p", { class: "note" }, "First dates on each market's chart. Markets in one line are a tie."),
    element("div", { class: "scroll" }, element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body))),
  ];
}

// ── player ──────────────────────────────────────────────────────────────────────────────────────────────────────────

let timer = null;

function pause() {
  clearInterval(timer);
  timer = null;
  document.getElementById("play").textContent = "Play";
}

function play() {
  const last = journeyOf(state.track).steps.length - 1;
  if (state.step >= last) change({ step: 0 });
  document.getElementById("play").textContent = "Pause";
  timer = setInterval(() => {
    if (!replayed(state) || state.step >= last) pause();
    else change({ step: state.step + 1 });
  }, MILLISECONDS);
}

function playOrPause() {
  if (timer) pause();
  else play();
}

function stepBy(steps) {
  const last = journeyOf(state.track).steps.length - 1;
  change({ step: Math.min(Math.max(state.step + steps, 0), last) });
}

function drawPlayer(state) {
  const player = document.getElementById("player");
  player.hidden = !replayed(state);
  if (player.hidden) {
    if (timer) pause();
    return;
  }
  const slider = document.getElementById("step");
  slider.max = journeyOf(state.track).steps.length - 1;
  slider.value = state.step;
  document.getElementById("step-words").textContent = stepWords(state);
  slider.setAttribute("aria-valuetext", stepWords(state));
}
