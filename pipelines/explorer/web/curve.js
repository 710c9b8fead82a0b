// The lag curve of a pair: share of the exposed tracks that entered by each day, its band, and the numbers at risk.

// Points of the curve, up to the end of the pair's follow-up.
function lagCurve(pair) {
  const { days, parts } = DATA.curves;
  const last = whole("followed_to")[pair];
  return days
    .map((day, place) => ({ day, at: pair * days.length + place }))
    .filter(({ day }) => day <= last)
    .map(({ day, at }) => ({
      day,
      atRisk: curves("at_risk")[at],
      share: curves("share")[at] / parts,
      low: curves("low")[at] / parts,
      high: curves("high")[at] / parts,
    }));
}

function curveWords(pair) {
  const [source, target] = [nameOf(sourceOf(pair)), nameOf(targetOf(pair))];
  return (
    `Share of the tracks exposed in ${source} that entered ${target} by each day, over the whole time, with a 95 % band ` +
    "by artist for each single day; dashed: the opposite direction. Below: tracks still followed and not yet entered."
  );
}

function curveFigure(pair, back) {
  const points = lagCurve(pair);
  const label = curveWords(pair);
  if (!points.length) return element("p", { class: "note" }, "No track was exposed, so there is no lag curve.");
  const reverse = lagCurve(back);
  const [width, ticks] = isNarrow() ? [350, 5] : [560, 8];
  const [height, left, right, top, bottom] = [270, 52, 18, 12, 62];
  const most = Math.max(d3.max(points, (one) => one.share) * 1.6, d3.max(reverse, (one) => one.share) || 0, 0.005);
  const x = d3.scaleLinear([0, Math.max(DATA.curves.days.at(-1), 1)], [left, width - right]);
  const y = d3.scaleLinear([0, Math.min(most, 1)], [height - bottom, top]).nice(4).clamp(true);
  const figure = d3
    .create("svg")
    .attr("viewBox", `0 0 ${width} ${height}`)
    .attr("width", "100%")
    .attr("role", "img")
    .attr("aria-label", label)
    .attr("id", "curve");
  const area = d3.area(({ day }) => x(day), (one) => y(one.low), (one) => y(one.high)).curve(d3.curveStepAfter);
  const line = d3.line(({ day }) => x(day), (one) => y(one.share)).curve(d3.curveStepAfter);
  figure.append("path").attr("class", "band").attr("d", area(points));
  figure.append("path").attr("class", "reverse").attr("d", line(reverse));
  figure.append("path").attr("class", "line").attr("d", line(points));
  drawAxes(figure, x, y, { height, bottom, left, ticks });
  drawAtRisk(figure, points, x, ticks, height - 8);
  return figure.node();
}

function drawAxes(figure, x, y, { height, bottom, left, ticks }) {
  figure
    .append("g")
    .attr("class", "axis")
    .attr("transform", `translate(0 ${height - bottom})`)
    .call(d3.axisBottom(x).tickValues(x.ticks(ticks)).tickFormat(String));
  figure
    .append("g")
    .attr("class", "axis")
    .attr("transform", `translate(${left} 0)`)
    .call(d3.axisLeft(y).ticks(4).tickFormat(percent));
  const words = figure.append("g").attr("class", "axis");
  words.append("text").attr("x", x.range()[1]).attr("y", height - 30).attr("text-anchor", "end").text("days after the entry into the source");
  words.append("text").attr("x", 2).attr("y", height - 30).text("at risk:");
}

// The numbers at risk on the days of the axis, or on the first day after that the page holds.
function drawAtRisk(figure, points, x, ticks, y) {
  const numbers = x.ticks(ticks).map((tick) => points.find(({ day }) => day >= tick)).filter(Boolean);
  figure
    .append("g")
    .attr("class", "axis")
    .selectAll("text")
    .data(numbers)
    .join("text")
    .attr("x", ({ day }) => x(day))
    .attr("y", y)
    .attr("text-anchor", "middle")
    .text(({ atRisk }) => count(atRisk));
}
