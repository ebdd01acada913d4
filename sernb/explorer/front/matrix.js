// The matrix, its sums, two models side by side and their difference, and who is right where.

import { chip, shade } from "./colors.js";
import { active, find, h, replace } from "./dom.js";
import { hasTruth, isRight, matrixOf, passing } from "./rows.js";
import { SHOWS, compared, modelOf } from "./view.js";
import { many, named, percent, signed } from "./words.js";

export function drawMatrix(app) {
  const { view } = app;
  const here = app.nodes.matrix;
  const { cells, which, list, sort, utterance, quiz, ...shape } = view;
  const key = JSON.stringify([shape, app.dark]);
  if (app.matrixKey !== key) { // else only the choice of cells is new, and what has the focus stays
    app.matrixKey = key;
    const focus = here.contains(active()) ? { ...active().dataset } : null;
    const scrolled = find(here, ".scroll");
    const [left, top] = [scrolled?.scrollLeft ?? 0, scrolled?.scrollTop ?? 0];
    replace(here, h("div.matrices", {}, tables(app)), comparesColumns(view) ? outcomes(app) : "");
    find(here, ".scroll").scrollTo(left, top);
    if (focus) find(here, selectorOf(focus))?.focus();
  }
  for (const grid of here.querySelectorAll("[role=grid]")) markChosen(grid, view);
}

// Whether the other model has a matrix of its own: where predictions lie across.
function comparesColumns(view) {
  return view.other && view.columns === "predicted";
}

function selectorOf({ outcome, which, cell }) {
  return outcome ? `[data-outcome=${outcome}]` : `[data-which="${which}"][data-cell="${cell}"]`;
}

function tables(app) {
  const { data, view } = app;
  const own = matrixOf(data, view, app.rows);
  const made = [table(app, own, "model", (i, j) => shownIn(view, own, i, j))];
  if (!comparesColumns(view)) return made;

  const other = matrixOf(data, view, app.rows, "other");
  made.push(table(app, other, "other", (i, j) => shownIn(view, other, i, j)));
  made.push(table(app, own, "difference", (i, j) => {
    const row = other.down.indexOf(own.down[i]);
    const column = other.across.indexOf(own.across[j]);
    const theirs = row < 0 || column < 0 ? 0 : shownIn(view, other, row, column).value || 0;
    const gap = (shownIn(view, own, i, j).value || 0) - theirs;
    return { value: gap, words: view.show === "count" ? signed(gap, 0) : `${signed(100 * gap, 0)} pts` };
  }));
  return made;
}

// Which cells are chosen, and the one cell that the tab key stops at: that with the focus, else the last
// chosen one.
function markChosen(grid, { cells, which }) {
  const nodes = [...grid.querySelectorAll("[role=gridcell]")];
  const isCell = (pair, node) => which === node.dataset.which && samePair(pair, node.pair);
  let stop = nodes[0];
  for (const node of nodes) {
    node.setAttribute("aria-selected", cells.some((pair) => isCell(pair, node)));
    node.tabIndex = -1;
    const isLast = cells.length && isCell(cells.at(-1), node);
    if (node === active() || (isLast && stop !== active())) stop = node;
  }
  if (stop) stop.tabIndex = 0;
}

function samePair(pair, other) {
  return pair[0] === other[0] && pair[1] === other[1];
}

// What a cell says: a value (for the colour), words, and a second, smaller line.
export function shownIn(view, matrix, i, j) {
  const count = matrix.count(i, j);
  const shares = {
    row: count / matrix.rowTotal(i),
    column: count / matrix.columnTotal(j),
    all: count / matrix.all,
    right: matrix.right(i, j) / matrix.known(i, j),
  };
  if (view.show === "count") {
    return { value: count, words: many(count), small: count ? percent(shares.row) : "" };
  }
  return { value: shares[view.show], words: percent(shares[view.show]), small: many(count) };
}

// One matrix; `which` is "model", "other", "difference", or "quiz" for one that is only looked at.
export function table(app, matrix, which, shown) {
  const { view } = app;
  const { down, across } = matrix;
  const title = titleOf(view, which, matrix);
  const isDifference = which === "difference"; // it has no sums
  const all = (text) => (isDifference ? null : h("th", { scope: "col", text }));

  const values = down.map((_, i) => across.map((__, j) => shown(i, j)));
  const sizes = values.flat().map(({ value }) => (Number.isFinite(value) ? Math.abs(value) : 0));
  const scale = view.show === "count" || isDifference ? Math.max(1e-9, ...sizes) : 1;

  const heads = across.map((value) => h("th", { scope: "col", role: "columnheader" }, chip(app, value)));
  const body = down.map((value, i) => h("tr", { role: "row" },
    h("th", { scope: "row", role: "rowheader" }, chip(app, value)),
    across.map((_, j) => cellNode(app, matrix, which, i, j, values[i][j], scale)),
    isDifference ? null : h("td.sum", {}, many(matrix.rowTotal(i)))));
  const foot = isDifference ? null : h("tfoot", {}, h("tr", { role: "row" },
    h("th", { scope: "row", text: "all" }),
    across.map((_, j) => h("td.sum", {}, many(matrix.columnTotal(j)))),
    h("td.sum", {}, many(matrix.all))));

  const options = {
    style: { "--n": across.length },
    role: "grid",
    label: title,
    "aria-multiselectable": "true",
    onkeydown: (event) => moved(app, event, which, down, across),
  };
  return h("figure.matrix", {},
    h("figcaption", {}, title),
    h("div.scroll", {}, h("table", options,
      h("thead", {}, h("tr", { role: "row" }, h("td"), heads, all("all"))),
      h("tbody", {}, body),
      foot)));
}

function cellNode(app, matrix, which, i, j, { value, words, small }, scale) {
  const { view } = app;
  const pair = [matrix.down[i], matrix.across[j]];
  const total = view.show === "column" ? matrix.columnTotal(j) : matrix.rowTotal(i);
  const share = which === "difference" ? "" : `${many(matrix.count(i, j))} of ${many(total)}, `;
  const where = pair.map((name, axis) => `${matrix.titles[axis]} ${named(name)}`).join(", ");
  const node = h("td", {
    role: "gridcell",
    "data-cell": `${i},${j}`,
    "data-which": which,
    className: pair[0] === pair[1] ? "cell own" : "cell",
    style: shade(app, (value || 0) / scale),
    label: `${where}: ${share}${words}`,
    onclick: (event) => choose(app, which, pair, event.shiftKey || event.ctrlKey || event.metaKey),
  }, h("b", {}, words), small ? h("small", {}, small) : null);
  node.pair = pair;
  return node;
}

function titleOf(view, which, { titles: [down, across] }) {
  if (which === "difference") return `${view.model} − ${view.other}, ${SHOWS[view.show]}`;
  return `${down} (down) × ${across} (across), ${SHOWS[view.show]}`;
}

// A click on a cell: it alone, or (more) one more or one less.
function choose(app, which, pair, more) {
  if (which === "quiz") return; // a picture
  const { view } = app;
  const others = view.cells.filter((cell) => !samePair(cell, pair));
  const isChosen = view.which === which && others.length < view.cells.length;
  let cells = [pair];
  if (isChosen && (more || view.cells.length === 1)) cells = others;
  else if (more && view.which === which) cells = [...view.cells, pair];
  app.update({ cells, which });
}

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

// Keys in a matrix: arrows, Home and End go to a cell and choose it, with Shift as one more; Enter and
// Space click.
function moved(app, event, which, down, across) {
  const at = event.target.dataset?.cell;
  if (!at) return;
  const [i, j] = at.split(",").map(Number);
  const step = STEPS[event.key];
  if (step || event.key === "Home" || event.key === "End") {
    const inside = (place, length) => Math.min(length - 1, Math.max(0, place));
    const end = event.key === "Home" ? 0 : across.length - 1;
    const to = step ? [inside(i + step[0], down.length), inside(j + step[1], across.length)] : [i, end];
    const pair = [down[to[0]], across[to[1]]];
    find(event.target.closest("table"), `[data-cell="${to}"]`).focus();
    const isChosen = app.view.which === which && app.view.cells.some((cell) => samePair(cell, pair));
    if (!isChosen) choose(app, which, pair, event.shiftKey);
    else if (!event.shiftKey) app.update({ cells: [pair], which });
  } else if (event.key === "Enter" || event.key === " ") {
    choose(app, which, [down[i], across[j]], event.shiftKey);
  } else {
    return;
  }
  event.preventDefault();
  event.stopPropagation();
}

// Two models on the same clips: who is right? Each count is a button that keeps these rows only.
function outcomes(app) {
  const { data, view } = app;
  const rows = view.outcome ? passing(data, { ...view, outcome: null }) : app.rows;
  const right = isRight(data, modelOf(data, view));
  const otherRight = isRight(data, data.models.get(view.other));
  const counts = { both: 0, only_a: 0, only_b: 0, neither: 0 };
  for (const row of rows) {
    if (!hasTruth(data, row)) continue;
    if (right(row)) counts[otherRight(row) ? "both" : "only_a"]++;
    else counts[otherRight(row) ? "only_b" : "neither"]++;
  }

  const names = {
    both: "both right",
    only_a: `only ${view.model} right`,
    only_b: `only ${view.other} right`,
    neither: "both wrong",
  };
  const buttons = Object.entries(names).map(([key, words]) => h("button", {
    "aria-pressed": String(view.outcome === key),
    "data-outcome": key,
    onclick: () => app.update({ outcome: view.outcome === key ? null : key, cells: [] }),
  }, h("b", {}, many(counts[key])), ` ${words}`));
  return h("div.outcomes", { role: "group", label: "Who is right" }, buttons);
}

// UAR, accuracy and how many, of the rows that pass.
export function summary(app) {
  const { data, view, rows } = app;
  const both = view.other ? " that both predicted" : "";
  const passed = `${many(rows.length)} of ${many(data.state.n)} utterances${both}. `;
  if (view.tab !== "matrix" || !rows.length) return passed;
  return passed + compared(app).map((name) => scores(data, name, rows)).join(" · ");
}

function scores(data, name, rows) {
  const { classes, emotion } = data.state;
  const model = data.models.get(name);
  const right = isRight(data, model);
  const all = new Float64Array(classes.length);
  const good = new Float64Array(classes.length);
  for (const row of rows) {
    if (!hasTruth(data, row) || !(model.predicted?.[row] >= 0)) continue;
    all[emotion[row]]++;
    if (right(row)) good[emotion[row]]++;
  }

  const sum = (values) => values.reduce((x, y) => x + y, 0);
  if (!sum(all)) return `${name}: no true labels`;
  const recalls = [...all.keys()].filter((k) => all[k]).map((k) => good[k] / all[k]);
  const uar = sum(recalls) / recalls.length;
  return `${name}: UAR ${percent(uar, 1)}, accuracy ${percent(sum(good) / sum(all), 1)}`;
}
