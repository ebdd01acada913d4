// A view applied to the state: which rows pass, which cells they lie in, in which order they are listed.
// sernb/explorer/view.py does the same in Python; a test in the browser holds the two against each other.

const SHOWS = { count: "counts", row: "% of the row", column: "% of the column", all: "% of all", right: "% right" };
const ORDERS = { given: "the kit's order", name: "by name", confusion: "most errors first" };
const SORTS = { given: "as they come", confidence: "surest first", unsure: "least sure first", length: "longest first",
  residual: "largest residual first" };

function prepare(state) {
  return {
    state,
    number: new Map(state.utterance.map((id, row) => [id, row])),
    columns: new Map(state.columns.map((column) => [column.name, column])),
    models: new Map(state.models.map((model) => [model.name, model])),
    lower: null,
  };
}

function modelOf(data, view) {
  return data.models.get(view.model);
}

// Names of the models that are looked at, one or two.
function compared({ view }) {
  return [view.model, view.other].filter(Boolean);
}

function defaultView(data) {
  const { models, dimensions } = data.state;
  return {
    tab: models.some((model) => model.predicted) ? "matrix" : "dimensions", model: models[0].name, other: null,
    rows: "emotion", columns: "predicted", show: "count", order: "given", filters: {}, outcome: null, threshold: 0,
    cells: [], which: "model", list: "cells", sort: "given", dimension: dimensions[0]?.name ?? null,
    residual: [null, null], box: null, plane: "true", utterance: null, quiz: { size: 10, seed: 1 },
  };
}

// Views come from other people, too: what is not known here is left at its default.
function completeView(data, given) {
  const view = defaultView(data);
  for (const [name, value] of pairs(given ?? {})) {
    if (name in view && value !== undefined) view[name] = value;
  }
  if (!data.models.has(view.model)) view.model = data.state.models[0].name;
  if (!data.models.has(view.other) || view.other === view.model) view.other = null;
  view.filters = Object.assign(Object.create(null), view.filters); // a column may be called "constructor"
  for (const name of Object.keys(view.filters)) {
    if (!["text", "confidence"].includes(name) && !data.columns.has(name)) delete view.filters[name];
  }
  if (!view.other) {
    view.outcome = null;
    view.which = "model";
    if (view.columns === "other") view.columns = "predicted";
    if (view.rows === "other") view.rows = "emotion";
  }
  return view;
}

function between(values, [low, high]) {
  return (row) => values !== null && values[row] !== null && (low === null || values[row] >= low)
    && (high === null || values[row] <= high);
}

function isRight(data, model) {
  const { emotion } = data.state;
  return (row) => emotion !== null && model.predicted !== null && emotion[row] >= 0 && emotion[row] === model.predicted[row];
}

// Ratings of a dimension, by row: true ones, or the model's; null where there are none.
function ratings(data, view, name, kind) {
  return (kind === "true" ? data.state.dimensions.find((one) => one.name === name)?.truth : modelOf(data, view).dimensions[name]) ?? null;
}

function residuals(data, view) {
  const [truth, said] = plotted(data, view, false);
  return truth && said ? said.map((value, row) => (value === null || truth[row] === null ? null : value - truth[row])) : null;
}

// What lies across and up: true and predicted values, or (the plane) valence and arousal.
function plotted(data, view, plane) {
  return (plane ? [["valence", view.plane], ["arousal", view.plane]] : [[view.dimension, "true"], [view.dimension, "predicted"]])
    .map((pair) => ratings(data, view, ...pair));
}

function filterTests(data, view) {
  const tests = [], a = modelOf(data, view), b = data.models.get(view.other);
  for (const [name, wanted] of pairs(view.filters)) {
    if (name === "text") {
      if (!wanted) continue;
      data.lower ??= [data.state.utterance, data.state.text ?? []].map((all) => all.map((one) => (one ?? "").toLowerCase()));
      const [ids, texts] = data.lower, query = wanted.toLowerCase();
      tests.push((row) => ids[row].includes(query) || (texts[row] ?? "").includes(query));
    } else if (name === "confidence") {
      tests.push(between(a.confidence, wanted));
    } else if (data.columns.get(name).kind === "category") {
      if (!wanted.length) continue;
      const { codes, values } = data.columns.get(name), open = new Set(wanted.map((value) => values.indexOf(value)));
      tests.push((row) => codes[row] >= 0 && open.has(codes[row]));
    } else {
      tests.push(between(data.columns.get(name).values, wanted));
    }
  }
  if (b && view.tab !== "dimensions") {
    tests.push((row) => b.predicted !== null && b.predicted[row] >= 0);
  }
  if (view.outcome && b && view.tab !== "dimensions") {
    const rightA = isRight(data, a), rightB = isRight(data, b);
    const [needA, needB] = { both: [true, true], only_a: [true, false], only_b: [false, true], neither: [false, false] }[view.outcome];
    tests.push((row) => data.state.emotion?.[row] >= 0 && rightA(row) === needA && rightB(row) === needB);
  }
  return tests;
}

// Rows that pass everything but the choice of cells. `threshold` false leaves abstaining out, for its own curve.
function passing(data, view, threshold = true) {
  const tests = filterTests(data, view), a = modelOf(data, view);
  if (view.tab === "dimensions") {
    const said = a.dimensions[view.dimension] ?? null;
    tests.push((row) => said !== null && said[row] !== null);
    if (view.residual[0] !== null || view.residual[1] !== null) tests.push(between(residuals(data, view), view.residual));
    if (view.box) {
      const [x, y] = plotted(data, view, view.box.plane);
      tests.push(between(x, view.box.x), between(y, view.box.y));
    }
  } else {
    tests.push((row) => a.predicted !== null && a.predicted[row] >= 0);
  }
  if (threshold && view.threshold > 0 && a.confidence && view.tab !== "dimensions") tests.push(between(a.confidence, [view.threshold, null]));
  const rows = [];
  next: for (let row = 0; row < data.state.n; row++) {
    for (const test of tests) if (!test(row)) continue next;
    rows.push(row);
  }
  return rows;
}

function axisOf(data, view, name) {
  const { classes, emotion } = data.state;
  if (name === "emotion") return { values: classes, codes: emotion, title: "true emotion" };
  if (name === "predicted") return { values: classes, codes: modelOf(data, view).predicted, title: `predicted by ${view.model}` };
  if (name === "other") return { values: classes, codes: data.models.get(view.other)?.predicted ?? null, title: `predicted by ${view.other}` };
  const column = data.columns.get(name);
  return { values: column?.values ?? [], codes: column?.codes ?? null, title: name };
}

// Axis names of one of the matrices: that of the model, of the other model, or (two of them) of their difference.
function axesOf(view, which) {
  return which === "other" ? [view.rows, view.columns === "predicted" ? "other" : view.columns] : [view.rows, view.columns];
}

// The matrix of some rows: values in their order ("" = missing, last), counts and how many of them are right.
function matrixOf(data, view, rows, which = "model") {
  const [down, across] = axesOf(view, which).map((name) => axisOf(data, view, name));
  const zeros = (length) => [new Int32Array(length), new Int32Array(length)], height = down.values.length + 1, width = across.values.length + 1;
  const [counts, rights] = zeros(height * width), [downAll, downWrong] = zeros(height), [acrossAll, acrossWrong] = zeros(width), truth = [new Int32Array(height), new Int32Array(width)];
  const right = isRight(data, data.models.get(which === "other" ? view.other : view.model)), knowns = new Int32Array(height * width);
  const code = (axis, row) => (axis.codes && axis.codes[row] >= 0 ? axis.codes[row] : axis.values.length);
  for (const row of rows) {
    const r = code(down, row), c = code(across, row), good = right(row), known = data.state.emotion?.[row] >= 0;
    counts[r * width + c]++;
    rights[r * width + c] += good;
    knowns[r * width + c] += known;
    downAll[r]++;
    downWrong[r] += known && !good;
    acrossAll[c]++;
    acrossWrong[c] += known && !good;
    truth[0][r] += known;
    truth[1][c] += known;
  }
  const errors = (wrong, all) => (i) => (all[i] ? wrong[i] / all[i] : -1), ofDown = errors(downWrong, truth[0]);
  const sorted = ({ values }, all, wrong) => {
    const order = values.map((_, i) => i);
    if (view.order === "name") order.sort((i, j) => (values[i] < values[j] ? -1 : 1));
    if (view.order === "confusion") order.sort((i, j) => wrong(j) - wrong(i) || i - j);
    return all[values.length] ? [...order, values.length] : order;
  };
  const is = sorted(down, downAll, ofDown), js = sorted(across, acrossAll, down.values === across.values ? ofDown : errors(acrossWrong, truth[1]));
  return {
    down: is.map((i) => down.values[i] ?? ""), across: js.map((j) => across.values[j] ?? ""),
    titles: [down.title, across.title], all: rows.length,
    count: (i, j) => counts[is[i] * width + js[j]], right: (i, j) => rights[is[i] * width + js[j]], known: (i, j) => knowns[is[i] * width + js[j]],
    rowTotal: (i) => downAll[is[i]], columnTotal: (j) => acrossAll[js[j]],
  };
}

// A test of rows: does it lie in one of the chosen cells?
function inCells(data, view) {
  const inside = (which) => {
    const [down, across] = axesOf(view, which).map((name) => axisOf(data, view, name));
    const code = (axis, row) => (axis.codes && axis.codes[row] >= 0 ? axis.codes[row] : -1);
    const key = (r, c) => `${r},${c}`, at = (axis, value) => (value === "" ? -1 : axis.values.indexOf(value));
    const chosen = new Set(view.cells.filter(([r, c]) => (r === "" || at(down, r) >= 0) && (c === "" || at(across, c) >= 0))
      .map(([r, c]) => key(at(down, r), at(across, c))));
    return (row) => chosen.has(key(code(down, row), code(across, row)));
  };
  if (view.which !== "difference") return inside(view.which);
  const a = inside("model"), b = inside("other");
  return (row) => a(row) !== b(row);
}

// The list: passing rows, of the chosen cells, or likely label errors, or those with a note; sorted.
function listed(data, view, notes, rows = passing(data, view)) {
  const a = modelOf(data, view);
  if (view.tab === "matrix" && view.cells.length) rows = rows.filter(inCells(data, view));
  if (view.list === "noted") rows = rows.filter((row) => Object.hasOwn(notes, data.state.utterance[row]));
  if (view.list === "heard") rows = rows.filter((row) => heard({ data }, row));
  if (view.list === "errors") {
    const passed = new Set(rows);
    rows = (a.errors?.rows ?? []).filter((row) => passed.has(row));
  }
  const length = data.columns.get("length"), off = residuals(data, view);
  const keys = {
    confidence: a.confidence && ((row) => (a.confidence[row] === null ? null : -a.confidence[row])),
    unsure: a.confidence && ((row) => a.confidence[row]),
    length: length?.kind === "number" && ((row) => (length.values[row] === null ? null : -length.values[row])),
    residual: off && ((row) => (off[row] === null ? null : -Math.abs(off[row]))),
  };
  const key = keys[view.sort];
  if (!key) return rows;
  return [...rows].sort((i, j) => {
    const x = key(i), y = key(j);
    return x === null || y === null ? (x === null) - (y === null) || i - j : x - y || i - j;
  });
}
