// The page: controls, layout, keyboard, and the seam to Python (or to the saved page's stand-in).

const SPACE_IS_THEIRS = "input:not([type=checkbox]):not([type=range]), textarea, select";

function render({ model, el }) {
  const root = h("div.sernb-explorer", { tabIndex: -1 }); // a click on its text leaves the keys at work
  // JupyterLab takes keys before any listener here (b makes a cell, d d deletes one); it lets those of such an element be.
  root.addEventListener("focusin", (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true"));
  el.append(root);
  let app = null, saving = 0, asked = 0;
  const waiting = new Map(), clips = new Map(), sent = new Map();

  const start = () => {
    app?.player?.stop();
    clips.clear();
    const data = prepare(model.get("state"));
    app = { data, root, view: completeView(data, model.get("view")), notes: model.get("notes") ?? {}, places: {}, overlay: true, drawn: null, shown: 0 };
    Object.assign(app, {
      update, open,
      keepNotes(notes) { app.notes = notes; model.set("notes", notes); save(); drawList(app); },
      clip: (row) => clips.get(row) ?? ask(row),
      redraw: () => redraw(app),
    });
    build(app);
    theme();
    app.redraw();
  };
  const save = () => { clearTimeout(saving); saving = setTimeout(() => model.save_changes(), 60); };
  const update = (part) => {
    const before = app.view;
    app.view = completeView(app.data, { ...before, ...part });
    if (sent.size > 99) sent.clear();
    if (app.view.tab !== before.tab) {
      app.player?.stop();
      app.player = app.drawn = null;
      put(app.places.quiz);
    }
    if (["cells", "list", "filters", "model", "tab"].some((name) => name in part)) app.shown = 0;
    sent.set(JSON.stringify(app.view), Date.now());
    model.set("view", app.view);
    save();
    app.redraw();
  };
  const open = (row, play) => {
    app.playNext = play;
    if (play && row === app.drawn && app.player) { app.player.play(); app.playNext = false; }
    update({ utterance: app.data.state.utterance[row] });
  };
  const ask = (row) => {
    const found = new Promise((resolve) => {
      waiting.set(++asked, resolve);
      model.send({ ask: "clip", row, number: asked });
    });
    clips.set(row, found);
    if (clips.size > 32) clips.delete(clips.keys().next().value);
    return found;
  };
  const answered = (message) => {
    if (message?.answer !== "clip") return;
    waiting.get(message.number)?.(message.clip);
    waiting.delete(message.number);
  };
  const viewed = () => {
    const wanted = JSON.stringify(completeView(app.data, model.get("view")));
    if (wanted === JSON.stringify(app.view) || Date.now() - sent.get(wanted) < 3000) return; // an echo, perhaps of an older one
    app.view = JSON.parse(wanted);
    app.redraw();
  };
  const noted = () => {
    const notes = model.get("notes") ?? {};
    if (JSON.stringify(notes) === JSON.stringify(app.notes)) return; // an echo
    app.notes = notes;
    app.drawn = null;
    app.redraw();
  };
  const theme = () => {
    const { dataset, classList } = document.body; // JupyterLab's theme, VS Code's, else the system's
    app.dark = dataset.jpThemeLight ? dataset.jpThemeLight === "false" : classList.contains("vscode-dark") || dark.matches;
    root.dataset.theme = app.dark ? "dark" : "light";
  };
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const changed = () => { theme(); app.redraw(); };
  const watch = new MutationObserver(changed);
  start();
  watch.observe(document.body, { attributeFilter: ["data-jp-theme-light", "class"] });
  dark.addEventListener("change", changed);
  const leaving = () => model.save_changes();
  window.addEventListener("pagehide", leaving);
  root.addEventListener("keydown", (event) => pressed(app, event));
  const events = { "change:state": start, "change:view": viewed, "change:notes": noted, "msg:custom": answered };
  for (const [name, listener] of pairs(events)) model.on(name, listener);
  return () => {
    app.player?.stop();
    watch.disconnect();
    dark.removeEventListener("change", changed);
    window.removeEventListener("pagehide", leaving);
    for (const [name, listener] of pairs(events)) model.off(name, listener);
  };
}

function build(app) {
  const { data, root, places } = app, { state } = data, { models } = state, place = (name) => (places[name] = h(`div.${name}`));
  const tabs = [["matrix", "Matrix", models.some((one) => one.predicted)], ["dimensions", "Dimensions", models.some((one) => Object.keys(one.dimensions).length)], ["quiz", "Quiz", state.emotion && state.sound]];
  app.tabs = tabs.filter((one) => one[2]).map(([name, words]) => button(words, () => app.update({ tab: name, sort: name === "dimensions" ? "residual" : "given" }), { "data-tab": name }));
  const categories = state.columns.filter((one) => one.kind === "category").map((one) => one.name), sources = [["cells", "chosen cells"], ["errors", "likely label errors"], ["noted", "with a note"], ["heard", "with sound"]];
  const selects = app.selects = {
    model: ["Model", () => models.map((one) => [one.name, one.name])],
    other: ["compared with", () => [["", "none"], ...models.filter((one) => one.name !== app.view.model).map((one) => [one.name, one.name])], models.length < 2],
    rows: ["down", () => [["emotion", "true emotion"], ["predicted", "predicted"], ...categories.map((one) => [one, one])]],
    columns: ["across", () => [["predicted", "predicted"], ["emotion", "true emotion"], ...categories.map((one) => [one, one])]],
    show: ["shown", () => pairs(SHOWS)], order: ["order", () => pairs(ORDERS)],
    list: ["list", () => sources], sort: ["sorted", () => pairs(SORTS)],
    dimension: ["dimension", () => state.dimensions.map((one) => [one.name, one.name])], plane: ["plane", () => [["true", "true values"], ["predicted", "predicted values"]]],
  };
  for (const [name, one] of pairs(selects)) {
    one.control = select(one[0], [], "", (value) => app.update({ [name]: value || null, ...(["rows", "columns"].includes(name) ? { cells: [] } : {}) }));
    one.control.box.dataset.control = name;
    one.control.whole.hidden = Boolean(one[2]);
  }
  const group = (...names) => names.map((name) => selects[name].control.whole);
  app.threshold = h("input", { type: "range", min: 0, max: 1, step: 0.01, label: "Lowest confidence", oninput: () => app.update({ threshold: Number(app.threshold.value) }) });
  app.curve = canvas(110, (...given) => app.curve.draw?.(...given), "Accuracy against the share answered");
  app.told = h("output");
  put(root, 
    h("header", {}, quote("h2", state.title || "Predictions"), h("nav.row", { label: "Views" }, app.tabs)),
    filters(app, group("model", "other")),
    h("p.summary", {}, places.summary = h("span", { role: "status" }), " ",
      app.reset = button("Clear filters", () => app.update({ filters: {}, outcome: null, threshold: 0, residual: [null, null], box: null }))),
    h("div.sides", {},
      h("div.side", {},
        places.axes = h("div.row", {}, group("rows", "columns", "show", "order")),
        place("matrix"),
        places.dims = h("div.row", {}, group("dimension", "plane"), range(app, "residual", "residual", () => app.view.residual, (residual) => ({ residual }))),
        place("dimensions")),
      places.second = h("div.side.second", {}, h("div.row", {}, group("list", "sort")), places.heading = h("h3", { "aria-live": "polite" }), place("list"), place("clip")), place("abstain")),
    place("quiz"), sharing(app),
    h("div.notices", {}, [...state.notices, state.limit].filter(Boolean).map((one) => h("p.quiet.small", {}, one))));
  places.abstain.append(field("Abstain below", app.threshold), " ", app.told, app.curve.node);
}

// Two numbers, the lowest and the highest that pass; an empty one sets no limit.
function range(app, name, words, get, set) {
  const boxes = [0, 1].map((end) => h("input", { type: "number", step: "any", "data-filter": `${name}:${end}`, label: `${words}, ${end ? "highest" : "lowest"}`, oninput: () => {
    app.update(set(boxes.map((box) => (box.value === "" ? null : Number(box.value)))));
  } }));
  app.ranges = [...(app.ranges ?? []), () => boxes.forEach((box, end) => { if (box !== active()) box.value = get()?.[end] ?? ""; })];
  return h("fieldset", {}, h("legend", {}, words), boxes[0], " to ", boxes[1]);
}

function filters(app, chosen) {
  const { columns, models } = app.data.state, set = (name, value, empty) => {
    const filters = { ...app.view.filters, [name]: value };
    if (empty) delete filters[name];
    app.update({ filters });
  };
  const search = h("input", { type: "search", "data-filter": "text", placeholder: "words or id", dir: "auto", oninput: () => set("text", search.value, !search.value) });
  app.ranges = [() => { if (search !== active()) search.value = app.view.filters.text ?? ""; }];
  const limits = (name, words) => range(app, name, words, () => app.view.filters[name], (pair) => {
    const filters = { ...app.view.filters, [name]: pair };
    if (pair[0] === null && pair[1] === null) delete filters[name];
    return { filters };
  });
  const boxes = columns.filter((one) => one.kind === "category").map(({ name, values }) => h("details.choice", {}, h("summary", {}, name), h("div", {}, values.map((value) => {
    const box = h("input", { type: "checkbox", "data-filter": `${name}=${value}`, onchange: () => {
      const now = app.view.filters[name] ?? [], wanted = box.checked ? [...now, value] : now.filter((one) => one !== value);
      set(name, wanted, !wanted.length);
    } });
    app.ranges.push(() => { box.checked = (app.view.filters[name] ?? []).includes(value); });
    return h("label", {}, box, quote("span", value));
  }))));
  app.filterCount = h("summary");
  return h("div.filters", {}, chosen, field("Search", search),
    h("details", {}, app.filterCount, h("div.row", {}, boxes), h("div.row", {},
      models.some((one) => one.confidence) ? limits("confidence", "confidence") : null,
      columns.filter((one) => one.kind === "number").map((one) => limits(one.name, one.unit ? `${one.name} (${one.unit})` : one.name)))));
}

// A view that somebody sent: an Error says what is not known here.
function checked({ view, data, selects }, given) {
  const whole = defaultView(data), known = (name, is) => { if (!is) throw new Error(`${name} is not known here`); };
  for (const [name, value] of pairs(given)) {
    known(name, name in whole);
    known(`${name} ${JSON.stringify(value)}`, !selects[name] || selects[name][1]().some(([key]) => (key || null) === value));
  }
  for (const name of Object.keys(given.filters ?? {})) known(name, name === "text" || name === "confidence" || data.columns.has(name));
  return { ...view, ...given };
}

// The view as JSON, to send to somebody with the same predictions; the notes as CSV.
function sharing(app) {
  const status = h("span", { role: "status" });
  // The box follows the view, but never overwrites what a person has put into it: that stays until it is shown, or the
  // box is emptied.
  let theirs = false;
  const follow = () => { if (!theirs) box.value = JSON.stringify(app.view, null, 1); };
  const box = h("textarea", {
    rows: 4,
    label: "This view as JSON",
    "data-view": true,
    spellcheck: "false",
    oninput: () => { theirs = box.value.trim() !== ""; },
    onblur: follow,
  });
  const use = () => {
    const before = app.view;
    try {
      app.update(checked(app, JSON.parse(box.value)));
      theirs = false;
      follow();
      status.textContent = "This view is shown.";
    } catch (problem) {
      if (app.view !== before) app.update(before);
      status.textContent = `This is no view: ${problem.message}`;
    }
  };
  const notes = () => {
    const rows = pairs(app.notes).map(([id, one]) => [id, one.note, one.tags.join("; ")]);
    saveAs("notes.csv", csv([["utterance", "note", "tags"], ...rows]), "text/csv");
  };
  app.ranges.push(() => { if (box !== active()) follow(); }); // while it has focus, what is selected in it stays
  return h("details.sharing", {},
    h("summary", {}, "Share this view · save notes"),
    box,
    h("div.row", {}, button("Show the view in the box", use), button("Save notes (CSV)", notes), status));
}

function redraw(app) {
  const { data, view, places, root } = app, at = view.tab, focused = root.contains(active());
  app.rows = passing(data, view);
  app.listed = listed(data, view, app.notes, app.rows);
  for (const tab of app.tabs) tab.setAttribute("aria-pressed", tab.dataset.tab === at);
  for (const [name, { 1: options, 2: hidden, control }] of pairs(app.selects)) {
    if (!hidden && control.box !== active()) control.fill(options(), view[name] ?? "");
    else control.box.value = view[name] ?? "";
  }
  app.ranges.forEach((one) => one());
  const count = Object.keys(view.filters).length;
  app.filterCount.textContent = count ? `Filters (${count})` : "Filters";
  app.reset.hidden = app.rows.length === data.state.n;
  places.axes.hidden = places.matrix.hidden = at !== "matrix";
  places.dims.hidden = places.dimensions.hidden = at !== "dimensions";
  places.second.hidden = at === "quiz";
  places.quiz.hidden = at !== "quiz";
  const words = plain(summary(app));
  if (places.summary.textContent !== words) places.summary.textContent = words;
  drawAbstain(app);
  if (at === "matrix") drawMatrix(app);
  if (at === "dimensions") drawDimensions(app);
  if (at !== "quiz") {
    drawList(app);
    drawClip(app);
  } else if (!app.quiz || !places.quiz.firstChild) {
    drawQuiz(app);
  }
  if (focused && !root.contains(active())) root.focus({ preventScroll: true });
}

// Space plays, n and p step; in the list the arrows step, in the quiz numbers answer; Escape lets go of the cells.
function pressed(app, event) {
  if (event.target.closest(SPACE_IS_THEIRS) || event.ctrlKey || event.metaKey || event.altKey) return;
  const quiz = app.view.tab === "quiz";
  const item = event.target.closest("li"), row = Number(item?.dataset.row);
  const keys = {
    " ": () => (item && row !== app.drawn ? app.open(row, true) : app.player?.toggle()),
    n: () => (quiz ? onwards(app) : step(app, 1, true)), p: () => (quiz ? null : step(app, -1, true)),
    Escape: () => app.update({ cells: [] }),
    ...(item ? { ArrowDown: () => step(app, 1, false), ArrowUp: () => step(app, -1, false) } : {}),
    ...(quiz && /^[1-9]$/.test(event.key) ? { [event.key]: () => guess(app, Number(event.key) - 1) } : {}),
  };
  // Space on a button, a summary or a box works it, as everywhere; elsewhere it plays.
  if (event.key === " " && event.target.closest("button:not(.open), summary, input")) return;
  if (!keys[event.key]) return;
  event.preventDefault();
  event.stopPropagation();
  keys[event.key]();
}

export default { render };
