// Abstaining (coverage against accuracy), predicted against true, and the plane of arousal and valence.

function drawAbstain(app) {
  const { data, view } = app, here = app.places.abstain, a = modelOf(data, view);
  here.hidden = !a.confidence || !data.state.emotion || view.tab !== "matrix";
  if (here.hidden) return;
  const { curve } = app, key = JSON.stringify([view.model, view.filters, view.outcome, view.other]); // moving the slider keeps it
  if (curve.key !== key) {
    const rows = (view.threshold ? passing(data, view, false) : app.rows).filter((row) => data.state.emotion[row] >= 0), right = isRight(data, a);
    let good = 0;
    curve.key = key;
    curve.sorted = rows.filter((row) => a.confidence[row] !== null).sort((i, j) => a.confidence[j] - a.confidence[i]);
    curve.points = curve.sorted.map((row, i) => (good += right(row), [(i + 1) / rows.length, good / (i + 1)]));
  }
  const { points, sorted } = curve, answered = sorted.filter((row) => a.confidence[row] >= view.threshold).length;
  const at = answered ? points[answered - 1] : [0, NaN];
  const words = `answers ${percent(at[0])}, right in ${percent(at[1], 1)} of them`;
  app.threshold.value = view.threshold;
  app.threshold.setAttribute("aria-valuetext", `confidence ${percent(view.threshold)}: ${words}`);
  app.told.textContent = `${percent(view.threshold)}: ${words}`;
  curve.draw = (pen, width, height) => {
    const ink = inkOf(here, "--ink"), accent = inkOf(here, "--hue"), x = (share) => 42 + share * (width - 62), y = (share) => 6 + (1 - share) * (height - 26);
    axes(pen, ink, [0, 0.5, 1], [0, 0.5, 1], x, y, percent);
    pen.strokeStyle = accent;
    pen.lineWidth = 2;
    pen.beginPath();
    const sure = (i) => a.confidence[sorted[i]]; // no threshold parts those that are equally sure
    points.forEach(([share, accuracy], i) => { if (sure(i) !== sure(i + 1)) pen.lineTo(x(share), y(accuracy)); });
    pen.stroke();
    pen.fillStyle = accent;
    if (answered) pen.fillRect(x(at[0]) - 4, y(at[1]) - 4, 8, 8);
  };
  curve.redraw();
}

function axes(pen, ink, across, down, x, y, words) {
  pen.fillStyle = pen.strokeStyle = ink;
  pen.font = "11px system-ui, sans-serif";
  pen.lineWidth = 0.5;
  pen.globalAlpha = 0.35;
  pen.beginPath();
  for (const one of across) { pen.moveTo(x(one), y(down[0])); pen.lineTo(x(one), y(down.at(-1))); }
  for (const one of down) { pen.moveTo(x(across[0]), y(one)); pen.lineTo(x(across.at(-1)), y(one)); }
  pen.stroke();
  pen.globalAlpha = 1;
  pen.textAlign = "center";
  for (const one of across) pen.fillText(words(one), x(one), y(down[0]) + 14);
  pen.textAlign = "right";
  for (const one of down) pen.fillText(words(one), x(across[0]) - 4, y(one) + 4);
}

// CCC (Lin 1989, population moments), RMSE and mean residual of the rows that have both numbers.
function agreement(xs, ys) {
  const n = xs.length, mean = (all) => all.reduce((a, b) => a + b, 0) / n, mx = mean(xs), my = mean(ys);
  const cov = mean(xs.map((one, i) => (one - mx) * (ys[i] - my))), vx = mean(xs.map((one) => (one - mx) ** 2)), vy = mean(ys.map((one) => (one - my) ** 2));
  return { ccc: 2 * cov / (vx + vy + (mx - my) ** 2), rmse: Math.sqrt(mean(xs.map((one, i) => (one - ys[i]) ** 2))), bias: my - mx };
}

function drawDimensions(app) {
  const { data, view } = app, here = app.places.dimensions, { state } = data;
  const dim = state.dimensions.find((one) => one.name === view.dimension), has = (name) => state.dimensions.find((one) => one.name === name);
  const [xs, ys] = plotted(data, view, false), both = app.rows.filter((row) => xs?.[row] != null && ys?.[row] != null);
  const told = both.length ? agreement(both.map((row) => xs[row]), both.map((row) => ys[row])) : {};
  const words = `${view.model}, ${view.dimension}: CCC ${number(told.ccc, 3)}, RMSE ${number(told.rmse)}, mean residual ${signed(told.bias ?? NaN, 2)}, ${many(both.length)} utterances.`;
  const plots = [scatter(app, false, dim, dim, `true ${dim.name}`, `predicted ${dim.name}`)];
  if (has("valence") && has("arousal")) plots.push(scatter(app, true, has("valence"), has("arousal"), `valence, ${view.plane}`, `arousal, ${view.plane}`));
  put(here, h("p", { text: words, "aria-live": "polite" }), h("div.columns", {}, plots),
    view.box ? button("No rectangle", () => app.update({ box: null })) : h("p.quiet.small", {}, "Click a dot, or drag a rectangle around some; by keyboard: the residual's limits."));
}

function scatter(app, plane, across, down, xName, yName) {
  const { data, view } = app, [xs, ys] = plotted(data, view, plane), height = 300, { state } = data;
  const ends = ({ low, high }) => [low - 0.03 * (high - low), high + 0.03 * (high - low)], [x0, x1] = ends(across), [y0, y1] = ends(down);
  const x = (value) => 34 + (value - x0) / (x1 - x0) * (picture.node.clientWidth - 48), y = (value) => 6 + (1 - (value - y0) / (y1 - y0)) * (height - 40);
  const rows = app.rows.filter((row) => xs?.[row] != null && ys?.[row] != null), middle = ({ low, high }) => [low, (low + high) / 2, high];
  let from = null;
  const value = (event) => {
    const box = picture.node.getBoundingClientRect();
    return [x0 + (event.clientX - box.left - 34) / (box.width - 48) * (x1 - x0), y0 + (1 - (event.clientY - box.top - 6) / (height - 40)) * (y1 - y0)];
  };
  const picture = canvas(height, (pen, width) => {
    const ink = inkOf(picture.node, "--ink"), accent = inkOf(picture.node, "--hue");
    axes(pen, ink, middle(across), middle(down), x, y, (one) => number(one, 1));
    pen.textAlign = "center";
    pen.fillText(`${xName} → , ${yName} ↑`, width / 2, height - 4);
    if (!plane) {
      pen.beginPath();
      pen.moveTo(x(x0), y(x0));
      pen.lineTo(x(x1), y(x1));
      pen.stroke();
    }
    pen.globalAlpha = rows.length > 2000 ? 0.25 : 0.6;
    for (const row of rows) {
      const k = state.emotion?.[row] ?? -1;
      pen.fillStyle = k >= 0 && plane ? state.colors[k] : accent;
      pen.fillRect(x(xs[row]) - 2.5, y(ys[row]) - 2.5, 5, 5);
    }
    pen.globalAlpha = 1;
    const row = openRow(app), open = row >= 0 && xs?.[row] != null && ys?.[row] != null;
    pen.strokeStyle = ink;
    pen.lineWidth = 2;
    if (open) pen.strokeRect(x(xs[row]) - 6, y(ys[row]) - 6, 12, 12);
    if (view.box && view.box.plane === plane) {
      const [a, b] = view.box.x, [c, d] = view.box.y;
      pen.strokeRect(x(a), y(d), x(b) - x(a), y(c) - y(d));
    }
  }, `${xName} across, ${yName} up, ${rows.length}`, {
    onpointerdown: (event) => { from = value(event); event.target.setPointerCapture(event.pointerId); },
    onpointerup: (event) => {
      const to = value(event);
      if (!from) return;
      const [a, b] = [from[0], to[0]].sort((i, j) => i - j), [c, d] = [from[1], to[1]].sort((i, j) => i - j);
      if (Math.abs(x(a) - x(b)) > 6 && Math.abs(y(c) - y(d)) > 6) return app.update({ box: { x: [a, b], y: [c, d], plane } });
      let best = -1, least = 144; // within 12 pixels
      for (const row of rows) {
        const far = (x(xs[row]) - x(to[0])) ** 2 + (y(ys[row]) - y(to[1])) ** 2;
        if (far < least) [best, least] = [row, far];
      }
      if (best >= 0) app.open(best, true);
    },
  });
  return h("figure.scatter", {}, h("figcaption", {}, plane ? "Arousal and valence" : "Predicted against true"), picture.node);
}
