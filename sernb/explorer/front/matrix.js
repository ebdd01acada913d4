// The matrix, its sums, two models side by side and their difference, and who is right where.

function drawMatrix(app) {
  const { data, view } = app, here = app.places.matrix, both = view.other && view.columns === "predicted";
  const { cells, which, list, sort, utterance, quiz, ...shape } = view, key = JSON.stringify([shape, app.dark]);
  if (app.matrixKey !== key) { // else only the choice of cells is new, and what has focus stays
    const { dataset } = here.contains(active()) ? active() : {}, scrolled = find(here, ".scroll");
    const one = matrixOf(data, view, app.rows), tables = [table(app, one, "model", (i, j) => shownIn(view, one, i, j))];
    if (both) {
      const two = matrixOf(data, view, app.rows, "other");
      tables.push(table(app, two, "other", (i, j) => shownIn(view, two, i, j)));
      tables.push(table(app, one, "difference", (i, j) => {
        const a = shownIn(view, one, i, j), row = two.down.indexOf(one.down[i]), column = two.across.indexOf(one.across[j]);
        const gap = (a.value || 0) - (row < 0 || column < 0 ? 0 : shownIn(view, two, row, column).value || 0);
        return { value: gap, words: view.show === "count" ? signed(gap, 0) : `${signed(100 * gap, 0)} pts` };
      }));
    }
    app.matrixKey = key;
    put(here, h("div.matrices", {}, tables), both ? outcomes(app) : "");
    find(here, ".scroll").scrollTo(scrolled?.scrollLeft ?? 0, scrolled?.scrollTop ?? 0);
    if (dataset) find(here, dataset.outcome ? `[data-outcome=${dataset.outcome}]` : `[data-which="${dataset.which}"][data-cell="${dataset.cell}"]`)?.focus();
  }
  for (const grid of here.querySelectorAll("[role=grid]")) {
    const nodes = [...grid.querySelectorAll("[role=gridcell]")];
    let stop = nodes[0]; // the one cell that the tab key stops at
    for (const node of nodes) {
      const same = (pair) => which === node.dataset.which && pair[0] === node.pair[0] && pair[1] === node.pair[1];
      node.setAttribute("aria-selected", cells.some(same));
      node.tabIndex = -1;
      if (node === active() || (cells.length && same(cells.at(-1)) && stop !== active())) stop = node;
    }
    if (stop) stop.tabIndex = 0;
  }
}

function signed(value, digits) {
  return `${value > 0 ? "+" : ""}${number(value, digits)}`;
}

// What a cell says: a value (for the colour), words, and a second, smaller line.
function shownIn(view, matrix, i, j) {
  const count = matrix.count(i, j), row = count / matrix.rowTotal(i);
  const shares = { row, column: count / matrix.columnTotal(j), all: count / matrix.all, right: matrix.right(i, j) / matrix.known(i, j) };
  if (view.show === "count") return { value: count, words: many(count), small: count ? percent(row) : "" };
  return { value: shares[view.show], words: percent(shares[view.show]), small: many(count) };
}

function table(app, matrix, which, shown) {
  const { view } = app, { down, across } = matrix, title = titleOf(app, which, matrix);
  const values = down.map((_, i) => across.map((__, j) => shown(i, j)));
  const largest = Math.max(1e-9, ...values.flat().map((one) => (Number.isFinite(one.value) ? Math.abs(one.value) : 0)));
  const scale = view.show === "count" || which === "difference" ? largest : 1;
  const head = h("tr", { role: "row" }, h("td"), across.map((value) => h("th", { scope: "col", role: "columnheader" }, chip(app, value))),
    which === "difference" ? null : h("th", { scope: "col", text: "all" }));
  const body = down.map((value, i) => h("tr", { role: "row" },
    h("th", { scope: "row", role: "rowheader" }, chip(app, value)),
    across.map((said, j) => {
      const { value: size, words, small } = values[i][j], pair = [value, said];
      const name = which === "difference" ? "" : `${many(matrix.count(i, j))} of ${many(view.show === "column" ? matrix.columnTotal(j) : matrix.rowTotal(i))}, `;
      const node = h("td", {
        role: "gridcell", "data-cell": `${i},${j}`, "data-which": which, className: value === said ? "cell own" : "cell", style: shade(app, (size || 0) / scale),
        label: `${matrix.titles[0]} ${named(value)}, ${matrix.titles[1]} ${named(said)}: ${name}${words}`,
        onclick: (event) => choose(app, which, pair, event.shiftKey || event.ctrlKey || event.metaKey),
      }, h("b", {}, words), small ? h("small", {}, small) : null);
      node.pair = pair;
      return node;
    }),
    which === "difference" ? null : h("td.sum", {}, many(matrix.rowTotal(i)))));
  const foot = h("tr", { role: "row" }, h("th", { scope: "row", text: "all" }), across.map((_, j) => h("td.sum", {}, many(matrix.columnTotal(j)))),
    h("td.sum", {}, many(matrix.all)));
  return h("figure.matrix", {}, h("figcaption", {}, title),
    h("div.scroll", {}, h("table", {
      style: { "--n": across.length }, role: "grid", label: title, "aria-multiselectable": "true",
      onkeydown: (event) => moved(app, event, which, down, across),
    }, h("thead", {}, head), h("tbody", {}, body), which === "difference" ? null : h("tfoot", {}, foot))));
}

function titleOf(app, which, matrix) {
  const { view } = app;
  if (which === "difference") return `${view.model} − ${view.other}, ${SHOWS[view.show]}`;
  const [down, across] = matrix.titles;
  return `${down} (down) × ${across} (across), ${SHOWS[view.show]}`;
}

function choose(app, which, pair, more) {
  if (which === "quiz") return; // a picture
  const { view } = app, same = (one) => one[0] === pair[0] && one[1] === pair[1];
  let cells = [pair];
  if (view.which === which && view.cells.some(same)) cells = more || view.cells.length === 1 ? view.cells.filter((one) => !same(one)) : [pair];
  else if (more && view.which === which) cells = [...view.cells, pair];
  app.update({ cells, which });
}

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function moved(app, event, which, down, across) {
  const cell = event.target.dataset?.cell;
  if (!cell) return;
  const [i, j] = cell.split(",").map(Number), step = STEPS[event.key];
  if (step || event.key === "Home" || event.key === "End") {
    const clip = (at, length) => Math.min(length - 1, Math.max(0, at));
    const to = step ? [clip(i + step[0], down.length), clip(j + step[1], across.length)] : [i, event.key === "Home" ? 0 : across.length - 1];
    const pair = [down[to[0]], across[to[1]]];
    const has = app.view.which === which && app.view.cells.some((one) => one[0] === pair[0] && one[1] === pair[1]);
    event.target.closest("table").querySelector(`[data-cell="${to}"]`).focus();
    if (!has) choose(app, which, pair, event.shiftKey);
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
  const { data, view } = app, rows = view.outcome ? passing(data, { ...view, outcome: null }) : app.rows;
  const a = isRight(data, modelOf(data, view)), other = data.models.get(view.other), b = isRight(data, other);
  const counts = { both: 0, only_a: 0, only_b: 0, neither: 0 };
  for (const row of rows) {
    if (data.state.emotion?.[row] >= 0) counts[a(row) ? (b(row) ? "both" : "only_a") : b(row) ? "only_b" : "neither"]++;
  }
  const names = { both: "both right", only_a: `only ${view.model} right`, only_b: `only ${view.other} right`, neither: "both wrong" };
  return h("div.outcomes", { role: "group", label: "Who is right" }, pairs(names).map(([key, words]) =>
    h("button", {
      "aria-pressed": String(view.outcome === key), "data-outcome": key,
      onclick: () => app.update({ outcome: view.outcome === key ? null : key, cells: [] }),
    }, h("b", {}, many(counts[key])), ` ${words}`)));
}

// UAR, accuracy and how many, of the rows that pass.
function summary(app) {
  const { data, view } = app;
  const told = (name) => {
    const model = data.models.get(name), right = isRight(data, model), { classes, emotion } = data.state;
    const sums = new Float64Array(classes.length), good = new Float64Array(classes.length);
    for (const row of app.rows) {
      if (emotion && emotion[row] >= 0 && model.predicted?.[row] >= 0) {
        sums[emotion[row]]++;
        if (right(row)) good[emotion[row]]++;
      }
    }
    const all = sums.reduce((x, y) => x + y, 0), there = [...sums.keys()].filter((i) => sums[i]);
    const uar = there.reduce((x, i) => x + good[i] / sums[i], 0) / there.length;
    return all ? `${name}: UAR ${percent(uar, 1)}, accuracy ${percent(good.reduce((x, y) => x + y, 0) / all, 1)}` : `${name}: no true labels`;
  };
  const passed = `${many(app.rows.length)} of ${many(data.state.n)} utterances${view.other ? " that both predicted" : ""}. `;
  return view.tab !== "matrix" || !app.rows.length ? passed : passed + compared(app).map(told).join(" · ");
}
