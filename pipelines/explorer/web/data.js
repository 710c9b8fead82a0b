// What the page holds, read from its JSON: columns are decoded when they are first used.

const DATA = JSON.parse(document.getElementById("data").textContent);

const KINDS = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i4: Int32Array, f4: Float32Array };

function decoded(column) {
  const text = atob(column.data);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return new KINDS[column.kind](bytes.buffer);
}

// Name → column, as a function.
function columns(held) {
  const made = new Map();
  return (name) => {
    if (!made.has(name)) made.set(name, decoded(held[name]));
    return made.get(name);
  };
}

const ABOUT = DATA.about;
const MARKETS = DATA.markets;
const PERIODS = DATA.periods;
const NUMBER_OF = new Map(MARKETS.map((market, number) => [market.market, number]));
const PAIR_COUNT = MARKETS.length * (MARKETS.length - 1);

const whole = columns(DATA.pairs);
const byPeriod = columns(DATA.period_pairs);
const beyond = DATA.beyond && columns(DATA.beyond);
const direct = DATA.direct && columns(DATA.direct);
const curves = columns(DATA.curves);
const leaders = columns(DATA.leaders);
const tracks = columns(DATA.tracks);

function pairOf(source, target) {
  return source * (MARKETS.length - 1) + target - (target > source ? 1 : 0);
}

function sourceOf(pair) {
  return Math.floor(pair / (MARKETS.length - 1));
}

function targetOf(pair) {
  const place = pair % (MARKETS.length - 1);
  return place + (place >= sourceOf(pair) ? 1 : 0);
}

// Value of a pair in a period (−1: all), NaN where missing.
function counted(name, pair, period) {
  return period < 0 ? whole(name)[pair] : byPeriod(name)[period * PAIR_COUNT + pair];
}

// Value of a tested measure, which exists for the whole time only; NaN where missing or not made.
function tested(table, name, pair) {
  return table ? table(name)[pair] : NaN;
}

// Tracks sent and received by each market in a period.
const totalsMade = new Map();
function totals(period) {
  if (!totalsMade.has(period)) {
    const sums = MARKETS.map(() => ({ sent: 0, received: 0 }));
    for (let pair = 0; pair < PAIR_COUNT; pair++) {
      const count = counted("tracks", pair, period);
      sums[sourceOf(pair)].sent += count;
      sums[targetOf(pair)].received += count;
    }
    totalsMade.set(period, sums);
  }
  return totalsMade.get(period);
}
