// Arrows between markets: where they go, how wide they are, and what they look like.

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
