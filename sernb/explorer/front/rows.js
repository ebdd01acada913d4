// A view applied to the state: which rows pass, which cells they lie in, in which order they are listed.
// Rows are numbers, 0 to n − 1. The rules stand here and nowhere else: Python is told the rows
// (sernb/explorer/view.py).

import { modelOf } from "./view.js";

const OUTCOMES = { // whether the first model is right, and the other
  both: [true, true],
  only_a: [true, false],
  only_b: [false, true],
  neither: [false, false],
};

// Rows that pass everything but the choice of cells. `threshold` false leaves abstaining out, for its own
// curve.
export function passing(data, view, threshold = true) {
  const ofTab = view.tab === "dimensions" ? ratingTests(data, view) : classTests(data, view, threshold);
  const tests = [...filterTests(data, view), ...ofTab];
  const rows = [];
  for (let row = 0; row < data.state.n; row++) {
    if (tests.every((test) => test(row))) rows.push(row);
  }
  return rows;
}

function filterTests(data, view) {
  const tests = [];
  for (const [name, wanted] of Object.entries(view.filters)) {
    const column = data.columns.get(name);
    if (name === "text") {
      if (wanted) tests.push(hasWords(data, wanted));
    } else if (name === "confidence") {
      tests.push(between(modelOf(data, view).confidence, wanted));
    } else if (column.kind === "number") {
      tests.push(between(column.values, wanted));
    } else if (wanted.length) {
      const open = new Set(wanted.map((value) => column.values.indexOf(value)));
      tests.push((row) => column.codes[row] >= 0 && open.has(column.codes[row]));
    }
  }
  return tests;
}

// The matrix and the quiz ask for a class from each model that is looked at, sure enough, as they agree.
function classTests(data, view, threshold) {
  const model = modelOf(data, view);
  const other = data.models.get(view.other);
  const tests = [hasClass(model)];
  if (other) tests.push(hasClass(other));
  if (other && view.outcome) {
    const [first, second] = OUTCOMES[view.outcome];
    const right = isRight(data, model);
    const otherRight = isRight(data, other);
    tests.push((row) => hasTruth(data, row) && right(row) === first && otherRight(row) === second);
  }
  if (threshold && view.threshold > 0 && model.confidence) {
    tests.push(between(model.confidence, [view.threshold, null]));
  }
  return tests;
}

// The tab of dimensions asks for a predicted value, within the residuals and the box.
function ratingTests(data, view) {
  const predicted = modelOf(data, view).dimensions[view.dimension] ?? null;
  const tests = [(row) => predicted !== null && predicted[row] !== null];
  if (view.residual.some((end) => end !== null)) tests.push(between(residuals(data, view), view.residual));
  if (view.box) {
    const [x, y] = plotted(data, view, view.box.plane);
    tests.push(between(x, view.box.x), between(y, view.box.y));
  }
  return tests;
}

function hasWords(data, words) {
  const lower = (texts) => texts.map((text) => (text ?? "").toLowerCase());
  data.lower ??= [lower(data.state.utterance), lower(data.state.text ?? [])];
  const [ids, texts] = data.lower;
  const query = words.toLowerCase();
  return (row) => ids[row].includes(query) || (texts[row] ?? "").includes(query);
}

function hasClass(model) {
  return (row) => model.predicted !== null && model.predicted[row] >= 0;
}

export function hasTruth(data, row) {
  const { emotion } = data.state;
  return emotion !== null && emotion[row] >= 0;
}

export function isRight(data, model) {
  const { emotion } = data.state;
  return (row) => model.predicted !== null && hasTruth(data, row) && emotion[row] === model.predicted[row];
}

// Both limits included; null is no limit, and a value that is not known lies nowhere.
function between(values, [low, high]) {
  return (row) => values !== null && values[row] !== null
    && (low === null || values[row] >= low) && (high === null || values[row] <= high);
}

// Ratings of a dimension, by row: true ones, or the model's; null where there are none.
function ratings(data, view, name, kind) {
  const truth = data.state.dimensions.find((dimension) => dimension.name === name)?.truth;
  return (kind === "true" ? truth : modelOf(data, view).dimensions[name]) ?? null;
}

export function residuals(data, view) {
  const [truth, predicted] = plotted(data, view, false);
  if (!truth || !predicted) return null;
  return predicted.map((value, row) => (value === null || truth[row] === null ? null : value - truth[row]));
}

// What lies across and up: true and predicted values, or (the plane) valence and arousal.
export function plotted(data, view, plane) {
  if (plane) return ["valence", "arousal"].map((name) => ratings(data, view, name, view.plane));
  return ["true", "predicted"].map((kind) => ratings(data, view, view.dimension, kind));
}

// Axis names of one of the matrices: that of the model, of the other model, or (two of them) of their
// difference.
function axesOf(view, which) {
  const columns = which === "other" && view.columns === "predicted" ? "other" : view.columns;
  return [view.rows, columns];
}

// An axis: its values, and of each row the number of its own (null or below 0: missing).
function axisOf(data, view, name) {
  const { classes, emotion } = data.state;
  if (name === "emotion") return { values: classes, codes: emotion, title: "true emotion" };
  if (name === "predicted" || name === "other") {
    const model = name === "other" ? view.other : view.model;
    const codes = data.models.get(model)?.predicted ?? null;
    return { values: classes, codes, title: `predicted by ${model}` };
  }
  const column = data.columns.get(name);
  return { values: column?.values ?? [], codes: column?.codes ?? null, title: name };
}

// Where a row stands on an axis; what is missing comes after all values.
function placeOf(axis, row) {
  return axis.codes && axis.codes[row] >= 0 ? axis.codes[row] : axis.values.length;
}

// The matrix of some rows: values in their order ("" = missing, last), counts, and how many of them are
// known and right.
export function matrixOf(data, view, rows, which = "model") {
  const [down, across] = axesOf(view, which).map((name) => axisOf(data, view, name));
  const right = isRight(data, data.models.get(which === "other" ? view.other : view.model));
  const height = down.values.length + 1;
  const width = across.values.length + 1;
  const [cells, ofDown, ofAcross] = [height * width, height, width].map(tally);
  for (const row of rows) {
    const i = placeOf(down, row);
    const j = placeOf(across, row);
    const known = hasTruth(data, row);
    const good = right(row);
    count(cells, i * width + j, known, good);
    count(ofDown, i, known, good);
    count(ofAcross, j, known, good);
  }

  // Of two class axes the columns stand as the rows do.
  const is = ordered(view, down, ofDown, ofDown);
  const js = ordered(view, across, ofAcross, down.values === across.values ? ofDown : ofAcross);
  const cell = (i, j) => is[i] * width + js[j];
  return {
    down: is.map((i) => down.values[i] ?? ""),
    across: js.map((j) => across.values[j] ?? ""),
    titles: [down.title, across.title],
    all: rows.length,
    count: (i, j) => cells.all[cell(i, j)],
    known: (i, j) => cells.known[cell(i, j)],
    right: (i, j) => cells.right[cell(i, j)],
    rowTotal: (i) => ofDown.all[is[i]],
    columnTotal: (j) => ofAcross.all[js[j]],
  };
}

function tally(size) {
  return { all: new Int32Array(size), known: new Int32Array(size), right: new Int32Array(size) };
}

function count(tallied, at, known, right) {
  tallied.all[at]++;
  tallied.known[at] += known;
  tallied.right[at] += right;
}

// Places of an axis's values in the view's order; `errors` is the tally that tells how many are wrong.
function ordered(view, { values }, tallied, errors) {
  const places = values.map((_, place) => place);
  const wrong = (i) => (errors.known[i] ? 1 - errors.right[i] / errors.known[i] : -1);
  if (view.order === "name") places.sort((i, j) => (values[i] < values[j] ? -1 : 1));
  if (view.order === "confusion") places.sort((i, j) => wrong(j) - wrong(i) || i - j);
  return tallied.all[values.length] ? [...places, values.length] : places;
}

// A test of rows: does it lie in one of the chosen cells? Of the difference: in one matrix, but not in both?
function inCells(data, view) {
  const inside = (which) => {
    const [down, across] = axesOf(view, which).map((name) => axisOf(data, view, name));
    const at = (axis, value) => (value === "" ? axis.values.length : axis.values.indexOf(value));
    const chosen = new Set(view.cells.map(([row, column]) => `${at(down, row)},${at(across, column)}`));
    return (row) => chosen.has(`${placeOf(down, row)},${placeOf(across, row)}`);
  };
  if (view.which !== "difference") return inside(view.which);
  const [first, second] = [inside("model"), inside("other")];
  return (row) => first(row) !== second(row);
}

// The list: passing rows, of the chosen cells, or likely label errors, or those with a note or with sound;
// sorted.
export function listed(data, view, notes, rows = passing(data, view)) {
  if (view.tab === "matrix" && view.cells.length) rows = rows.filter(inCells(data, view));
  if (view.list === "noted") rows = rows.filter((row) => Object.hasOwn(notes, data.state.utterance[row]));
  if (view.list === "heard") rows = rows.filter((row) => heard({ data }, row));
  if (view.list === "errors") {
    const passed = new Set(rows);
    rows = (modelOf(data, view).errors?.rows ?? []).filter((row) => passed.has(row));
  }

  const keys = sortKeys(data, view);
  if (!keys) return rows;
  return [...rows].sort((i, j) => {
    const [x, y] = [keys(i), keys(j)];
    if (x === null || y === null) return (x === null) - (y === null) || i - j; // what is not known comes last
    return x - y || i - j;
  });
}

// row -> what the list is sorted by, the smallest first; null where the order is as they come.
function sortKeys(data, view) {
  const { confidence } = modelOf(data, view);
  const length = data.columns.get("length");
  const same = (value) => value;
  const largest = (values, size = same) => (row) => (values[row] === null ? null : -size(values[row]));
  if (view.sort === "confidence" && confidence) return largest(confidence);
  if (view.sort === "unsure" && confidence) return (row) => confidence[row];
  if (view.sort === "length" && length?.kind === "number") return largest(length.values);
  const off = view.sort === "residual" ? residuals(data, view) : null;
  return off && largest(off, Math.abs);
}

// Whether its sound can be had: there is a recording, and in a saved page it is one of those that fitted.
export function heard({ data }, row) {
  data.within ??= data.state.embedded && new Set(data.state.embedded);
  return Boolean(data.state.sound?.[row]) && (!data.within || data.within.has(row));
}
