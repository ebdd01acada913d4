// Abstaining (coverage against accuracy), predicted against true, and the plane of arousal and valence.

import { button, canvas, h, inkOf, replace } from "./dom.js";
import { openRow } from "./list.js";
import { hasTruth, isRight, passing, plotted } from "./rows.js";
import { modelOf } from "./view.js";
import { many, number, percent, signed } from "./words.js";

// The curve of all thresholds, and where on it the slider stands.
export function drawAbstain(app) {
  const { data, view, curve } = app;
  const here = app.nodes.abstain;
  const model = modelOf(data, view);
  here.hidden = !model.confidence || !data.state.emotion || view.tab !== "matrix";
  if (here.hidden) return;

  const key = JSON.stringify([view.model, view.filters, view.outcome, view.other]);
  if (curve.key !== key) { // moving the slider keeps it
    curve.key = key;
    Object.assign(curve, coverage(app, model));
  }
  const { points, sorted } = curve;
  const answered = sorted.filter((row) => model.confidence[row] >= view.threshold).length;
  const at = answered ? points[answered - 1] : [0, NaN];
  const words = `answers ${percent(at[0])}, right in ${percent(at[1], 1)} of them`;
  app.threshold.value = view.threshold;
  app.threshold.setAttribute("aria-valuetext", `confidence ${percent(view.threshold)}: ${words}`);
  app.answered.textContent = `${percent(view.threshold)}: ${words}`;

  curve.draw = (pen, width, height) => {
    const ink = inkOf(here, "--ink");
    const accent = inkOf(here, "--hue");
    const x = (share) => 42 + share * (width - 62);
    const y = (share) => 6 + (1 - share) * (height - 26);
    axes(pen, ink, [0, 0.5, 1], [0, 0.5, 1], x, y, percent);
    pen.strokeStyle = accent;
    pen.lineWidth = 2;
    pen.beginPath();
    const confidence = (i) => model.confidence[sorted[i]];
    points.forEach(([share, accuracy], i) => {
      // No threshold parts those that are equally sure.
      if (confidence(i) !== confidence(i + 1)) pen.lineTo(x(share), y(accuracy));
    });
    pen.stroke();
    pen.fillStyle = accent;
    if (answered) pen.fillRect(x(at[0]) - 4, y(at[1]) - 4, 8, 8);
  };
  curve.redraw();
}

// Rows by confidence, the surest first, and after each of them [share answered, share right of these].
function coverage({ data, view, rows }, model) {
  const all = (view.threshold ? passing(data, view, false) : rows).filter((row) => hasTruth(data, row));
  const known = all.filter((row) => model.confidence[row] !== null);
  const sorted = known.sort((i, j) => model.confidence[j] - model.confidence[i]);
  const right = isRight(data, model);
  let good = 0;
  const points = sorted.map((row, i) => {
    good += right(row);
    return [(i + 1) / all.length, good / (i + 1)];
  });
  return { sorted, points };
}

// Thin lines at some values across and up, and these values in words.
function axes(pen, ink, across, up, x, y, words) {
  pen.fillStyle = pen.strokeStyle = ink;
  pen.font = "11px system-ui, sans-serif";
  pen.lineWidth = 0.5;
  pen.globalAlpha = 0.35;
  pen.beginPath();
  for (const value of across) {
    pen.moveTo(x(value), y(up[0]));
    pen.lineTo(x(value), y(up.at(-1)));
  }
  for (const value of up) {
    pen.moveTo(x(across[0]), y(value));
    pen.lineTo(x(across.at(-1)), y(value));
  }
  pen.stroke();
  pen.globalAlpha = 1;
  pen.textAlign = "center";
  for (const value of across) pen.fillText(words(value), x(value), y(up[0]) + 14);
  pen.textAlign = "right";
  for (const value of up) pen.fillText(words(value), x(across[0]) - 4, y(value) + 4);
}

// CCC (Lin 1989, population moments), RMSE and mean residual of true and predicted values; NaN of none.
function agreement(truth, predicted) {
  const mean = (values) => values.reduce((x, y) => x + y, 0) / values.length;
  const [x, y] = [mean(truth), mean(predicted)];
  const covariance = mean(truth.map((value, i) => (value - x) * (predicted[i] - y)));
  const variance = (values, middle) => mean(values.map((value) => (value - middle) ** 2));
  return {
    ccc: 2 * covariance / (variance(truth, x) + variance(predicted, y) + (x - y) ** 2),
    rmse: Math.sqrt(mean(truth.map((value, i) => (value - predicted[i]) ** 2))),
    bias: y - x,
  };
}

export function drawDimensions(app) {
  const { data, view } = app;
  const named = (name) => data.state.dimensions.find((dimension) => dimension.name === name);
  const dimension = named(view.dimension);
  const [xs, ys] = plotted(data, view, false);
  const both = app.rows.filter((row) => isKnown(xs, row) && isKnown(ys, row));
  const { ccc, rmse, bias } = agreement(both.map((row) => xs[row]), both.map((row) => ys[row]));
  const scores = `CCC ${number(ccc, 3)}, RMSE ${number(rmse)}, mean residual ${signed(bias, 2)}`;
  const words = `${view.model}, ${view.dimension}: ${scores}, ${many(both.length)} utterances.`;

  const { name } = dimension;
  const plots = [scatter(app, false, dimension, dimension, `true ${name}`, `predicted ${name}`)];
  const [valence, arousal] = [named("valence"), named("arousal")];
  if (valence && arousal) {
    plots.push(scatter(app, true, valence, arousal, `valence, ${view.plane}`, `arousal, ${view.plane}`));
  }
  const hint = "Click a dot, or drag a rectangle around some; by keyboard: the residual's limits.";
  replace(
    app.nodes.dimensions,
    h("p", { text: words, "aria-live": "polite" }),
    h("div.columns", {}, plots),
    view.box ? button("No rectangle", () => app.update({ box: null })) : h("p.quiet.small", {}, hint),
  );
}

function isKnown(values, row) {
  return values?.[row] !== null && values?.[row] !== undefined;
}

const HEIGHT = 300;
const [LEFT, RIGHT, TOP, BOTTOM] = [34, 14, 6, 34]; // margins of a scatter plot, in pixels

// Dots to click, or to drag a rectangle around: of one dimension true against predicted, or (plane) of two
// dimensions. `across` and `up` are dimensions of the state, whose scales the axes show.
function scatter(app, plane, across, up, xName, yName) {
  const { data, view } = app;
  const [xs, ys] = plotted(data, view, plane);
  const rows = app.rows.filter((row) => isKnown(xs, row) && isKnown(ys, row));

  // Values to pixels, and back.
  const ends = ({ low, high }) => [low - 0.03 * (high - low), high + 0.03 * (high - low)];
  const [[x0, x1], [y0, y1]] = [ends(across), ends(up)];
  const span = () => picture.node.clientWidth - LEFT - RIGHT;
  const x = (value) => LEFT + (value - x0) / (x1 - x0) * span();
  const y = (value) => TOP + (1 - (value - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM);
  const valuesAt = (event) => {
    const box = picture.node.getBoundingClientRect();
    const right = (event.clientX - box.left - LEFT) / (box.width - LEFT - RIGHT);
    const down = (event.clientY - box.top - TOP) / (HEIGHT - TOP - BOTTOM);
    return [x0 + right * (x1 - x0), y0 + (1 - down) * (y1 - y0)];
  };

  const draw = (pen, width) => {
    const ink = inkOf(picture.node, "--ink");
    const accent = inkOf(picture.node, "--hue");
    const marks = ({ low, high }) => [low, (low + high) / 2, high];
    axes(pen, ink, marks(across), marks(up), x, y, (value) => number(value, 1));
    pen.textAlign = "center";
    pen.fillText(`${xName} → , ${yName} ↑`, width / 2, HEIGHT - 4);
    if (!plane) { // where both are equal
      pen.beginPath();
      pen.moveTo(x(x0), y(x0));
      pen.lineTo(x(x1), y(x1));
      pen.stroke();
    }
    pen.globalAlpha = rows.length > 2000 ? 0.25 : 0.6;
    for (const row of rows) {
      const label = data.state.emotion?.[row] ?? -1;
      pen.fillStyle = label >= 0 && plane ? data.state.colors[label] : accent;
      pen.fillRect(x(xs[row]) - 2.5, y(ys[row]) - 2.5, 5, 5);
    }
    pen.globalAlpha = 1;
    pen.strokeStyle = ink;
    pen.lineWidth = 2;
    const open = openRow(app);
    if (isKnown(xs, open) && isKnown(ys, open)) pen.strokeRect(x(xs[open]) - 6, y(ys[open]) - 6, 12, 12);
    if (view.box && view.box.plane === plane) {
      const { x: [left, right], y: [bottom, top] } = view.box;
      pen.strokeRect(x(left), y(top), x(right) - x(left), y(bottom) - y(top));
    }
  };

  let from = null;
  const pressed = (event) => {
    from = valuesAt(event);
    event.target.setPointerCapture(event.pointerId);
  };
  const released = (event) => {
    if (!from) return;
    const to = valuesAt(event);
    const [left, right] = [from[0], to[0]].sort((a, b) => a - b);
    const [bottom, top] = [from[1], to[1]].sort((a, b) => a - b);
    if (Math.abs(x(left) - x(right)) > 6 && Math.abs(y(bottom) - y(top)) > 6) {
      app.update({ box: { x: [left, right], y: [bottom, top], plane } });
      return;
    }
    const row = nearest(rows, (dot) => (x(xs[dot]) - x(to[0])) ** 2 + (y(ys[dot]) - y(to[1])) ** 2);
    if (row >= 0) app.open(row, true);
  };
  const label = `${xName} across, ${yName} up, ${rows.length}`;
  const picture = canvas(HEIGHT, draw, label, { onpointerdown: pressed, onpointerup: released });
  const caption = plane ? "Arousal and valence" : "Predicted against true";
  return h("figure.scatter", {}, h("figcaption", {}, caption), picture.node);
}

// The row with the least squared distance, -1 where none is within 12 pixels.
function nearest(rows, distance) {
  let [best, least] = [-1, 144];
  for (const row of rows) {
    const far = distance(row);
    if (far < least) [best, least] = [row, far];
  }
  return best;
}
