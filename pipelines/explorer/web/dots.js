// Markets as dots, with names, and what the pointer and keys do there.

function radiiOf(state) {
  const grown = Math.pow(stage.transform.k, 0.35) * (isNarrow() ? 0.65 : 1);
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
  return order.map((market) => {
    const { x, y, angle } = at(market);
    const left = Math.cos(angle) < -1e-9;
    const degrees = (angle * 180) / Math.PI + (left ? 180 : 0);
    const out = radii[market] + 4;
    return {
      market,
      text: isNarrow() ? MARKETS[market].market : nameOf(market),
      x: x + out * Math.cos(angle),
      y: y + out * Math.sin(angle),
      anchor: left ? "end" : "start",
      turn: `rotate(${degrees.toFixed(1)} ${(x + out * Math.cos(angle)).toFixed(1)} ${(y + out * Math.sin(angle)).toFixed(1)}) translate(0 4)`,
    };
  });
}
