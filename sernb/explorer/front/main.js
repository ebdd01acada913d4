// The page: controls, layout, keyboard, and the seam to Python (or to the saved page's stand-in).

const SPACE_IS_THEIRS = "input:not([type=checkbox]):not([type=range]), textarea, select";

function render({ model, el }) {
  const root = h("div", { className: "sernb-explorer" });
  // JupyterLab takes keys before any listener here (b makes a cell, d d deletes one); it lets those of such an element be.
  root.addEventListener("focusin", (event) => event.target.setAttribute("data-lm-suppress-shortcuts", "true"));
  el.append(root);
  let app = null, saving = 0, asked = 0;
  const waiting = new Map(), clips = new Map();

  const start = () => {
    app?.player?.stop();
    clips.clear();
    const data = prepare(model.get("state"));
    app = { data, root, view: completeView(data, model.get("view")), notes: model.get("notes") ?? {}, places: {}, overlay: true, drawn: null, shown: 0 };
    Object.assign(app, {
      update, open,
      keepNotes(notes) { app.notes = notes; model.set("notes", notes); save(); app.redraw(); },
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
    if (["cells", "list", "filters", "model", "tab"].some((name) => name in part)) app.shown = 0;
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
    if (wanted === JSON.stringify(app.view)) return;
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
  root.addEventListener("keydown", (event) => pressed(app, event));
  const events = { "change:state": start, "change:view": viewed, "change:notes": noted, "msg:custom": answered };
  for (const [name, listener] of Object.entries(events)) model.on(name, listener);
  return () => {
    app.player?.stop();
    watch.disconnect();
    dark.removeEventListener("change", changed);
    for (const [name, listener] of Object.entries(events)) model.off(name, listener);
  };
}

function build(app) {
  const { data, root, places } = app, { state } = data, { models } = state, place = (name, options) => (places[name] = h("div", { className: name, ...options }));
  const tabs = [["matrix", "Matrix", models.some((one) => one.predicted)], ["dimensions", "Dimensions", models.some((one) => Object.keys(one.dimensions).length)], ["quiz", "Quiz", state.emotion && state.sound]];
  app.tabs = tabs.filter((one) => one[2]).map(([name, words]) => button(words, () => app.update({ tab: name, cells: [], sort: name === "dimensions" ? "residual" : "given" }), { "data-tab": name }));
  const categories = state.columns.filter((one) => one.kind === "category").map((one) => one.name), sources = [["cells", "chosen cells"], ["errors", "likely label errors"], ["noted", "with a note"]];
  const selects = app.selects = {
    model: ["Model", () => models.map((one) => [one.name, one.name])],
    other: ["compared with", () => [["", "none"], ...models.filter((one) => one.name !== app.view.model).map((one) => [one.name, one.name])], models.length < 2],
    rows: ["down", () => [["emotion", "true emotion"], ["predicted", "predicted"], ...categories.map((one) => [one, one])]],
    columns: ["across", () => [["predicted", "predicted"], ["emotion", "true emotion"], ...categories.map((one) => [one, one])]],
    show: ["shown", () => Object.entries(SHOWS)], order: ["order", () => Object.entries(ORDERS)],
    list: ["list", () => sources], sort: ["sorted", () => Object.entries(SORTS)],
    dimension: ["dimension", () => state.dimensions.map((one) => [one.name, one.name])], plane: ["plane of", () => [["true", "true values"], ["predicted", "predicted values"]]],
    outcome: ["who is right", () => [["", "any"], ...Object.entries(OUTCOMES)], models.length < 2],
  };
  for (const [name, one] of Object.entries(selects)) {
    one.control = select(one[0], [], "", (value) => app.update({ [name]: value || null, ...(["rows", "columns", "model", "other"].includes(name) ? { cells: [] } : {}) }));
    one.control.box.dataset.control = name;
    one.control.whole.hidden = Boolean(one[2]);
  }
  const group = (...names) => names.map((name) => selects[name].control.whole);
  app.threshold = h("input", { type: "range", min: 0, max: 1, step: 0.01, label: "Answer only from this confidence on", oninput: () => app.update({ threshold: Number(app.threshold.value) }) });
  app.curve = canvas(110, (...given) => app.curve.draw?.(...given), "Accuracy of those answered (up) against the share answered (across)");
  app.told = h("output");
  root.replaceChildren(
    h("header", {}, data_("h2", state.title || "Predictions"), h("nav.row", { label: "Views" }, app.tabs)),
    filters(app, group("model", "other")),
    h("p.summary", {}, places.summary = h("span", { role: "status" })),
    h("div.sides", {},
      h("div.side", {},
        places.axes = h("div.row", {}, group("rows", "columns", "show", "order", "outcome")),
        place("matrix"),
        place("abstain", {}), places.dims = h("div.row", {}, group("dimension", "plane"), range(app, "residual", "residual", () => app.view.residual, (residual) => ({ residual }))),
        place("dimensions")),
      places.second = h("div.side", {}, h("div.row", {}, group("list", "sort")), place("list"), place("clip", { "aria-live": "off" }))),
    place("quiz"), sharing(app),
    h("div.notices", {}, [...state.notices, state.limit].filter(Boolean).map((one) => h("p.quiet.small", {}, one))));
  places.abstain.append(field("Abstain below a confidence of", app.threshold), " ", app.told, app.curve.node);
}

// Two numbers, the lowest and the highest that pass; an empty one sets no limit.
function range(app, name, words, get, set) {
  const boxes = [0, 1].map((end) => h("input", { type: "number", step: "any", "data-filter": `${name}:${end}`, label: `${words}, ${end ? "highest" : "lowest"}`, onchange: () => {
    app.update(set(boxes.map((box) => (box.value === "" ? null : Number(box.value)))));
  } }));
  app.ranges = [...(app.ranges ?? []), () => boxes.forEach((box, end) => { if (box !== document.activeElement) box.value = get()?.[end] ?? ""; })];
  return h("fieldset", {}, h("legend", {}, words), boxes[0], " to ", boxes[1]);
}

function filters(app, chosen) {
  const { columns, models } = app.data.state, set = (name, value, empty) => {
    const filters = { ...app.view.filters, [name]: value };
    if (empty) delete filters[name];
    app.update({ filters });
  };
  const search = h("input", { type: "search", "data-filter": "text", placeholder: "words or id", dir: "auto", oninput: () => set("text", search.value, !search.value) });
  app.ranges = [() => { if (search !== document.activeElement) search.value = app.view.filters.text ?? ""; }];
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
    return h("label", {}, box, data_("span", value));
  }))));
  app.filterCount = h("summary");
  return h("div.filters", {}, chosen, field("Search", search),
    h("details", {}, app.filterCount, h("div.row", {}, boxes), h("div.row", {},
      models.some((one) => one.confidence) ? limits("confidence", "confidence") : null,
      columns.filter((one) => one.kind === "number").map((one) => limits(one.name, one.unit ? `${one.name} (${one.unit})` : one.name))),
    button("Take all filters away", () => app.update({ filters: {}, outcome: null, threshold: 0, residual: [null, null], box: null }))));
}

// The view as JSON, to send to somebody with the same predictions; the notes as CSV.
function sharing(app) {
  const box = h("textarea", { rows: 4, label: "This view as JSON", "data-view": true, spellcheck: "false" }), said = h("span", { role: "status" });
  const use = () => {
    try {
      const given = JSON.parse(box.value);
      if (!given || typeof given !== "object" || Array.isArray(given)) throw new Error("a view is an object in braces");
      app.update(given);
      said.textContent = "This view is shown.";
    } catch (problem) {
      said.textContent = `This is no view: ${problem.message}`;
    }
  };
  const notes = () => saveAs("notes.csv", csv([["utterance", "note", "tags"], ...Object.entries(app.notes).map(([id, one]) => [id, one.note, one.tags.join("; ")])]), "text/csv");
  const whole = h("details.sharing", { ontoggle: () => { box.value = JSON.stringify(app.view, null, 1); } }, h("summary", {}, "Share this view · save notes"), box,
    h("div.row", {}, button("Show the view in the box", use), button("Save the view (JSON)", () => saveAs("view.json", JSON.stringify(app.view, null, 1), "application/json")), button("Save notes (CSV)", notes), said));
  app.ranges.push(() => { if (whole.open && box !== document.activeElement) box.value = JSON.stringify(app.view, null, 1); });
  return whole;
}

function redraw(app) {
  const { data, view, places } = app, at = view.tab;
  app.rows = passing(data, view);
  app.listed = listed(data, view, app.notes, app.rows);
  for (const tab of app.tabs) tab.setAttribute("aria-pressed", String(tab.dataset.tab === at));
  for (const [name, { 1: options, 2: hidden, control }] of Object.entries(app.selects)) {
    if (!hidden && control.box !== document.activeElement) control.fill(options(), view[name] ?? "");
    else control.box.value = view[name] ?? "";
    control.box.disabled = name === "outcome" && !view.other;
  }
  app.ranges.forEach((one) => one());
  const count = Object.keys(view.filters).length;
  app.filterCount.textContent = count ? `Filters (${count})` : "Filters";
  places.axes.hidden = places.matrix.hidden = at !== "matrix";
  places.dims.hidden = places.dimensions.hidden = at !== "dimensions";
  places.second.hidden = at === "quiz";
  places.quiz.hidden = at !== "quiz";
  places.summary.textContent = plain(at === "dimensions" ? `${many(app.rows.length)} of ${many(data.state.n)} utterances.` : summary(app));
  if (at === "matrix") drawMatrix(app);
  drawAbstain(app);
  if (at === "dimensions") drawDimensions(app);
  if (at === "quiz") {
    app.drawn = null;
    if (app.places.quiz.dataset.seed !== String(view.quiz.seed) || !app.places.quiz.firstChild) drawQuiz(app);
    app.places.quiz.dataset.seed = view.quiz.seed;
    return;
  }
  drawList(app);
  drawClip(app);
}

// Space plays, n and p step; in the list the arrows step, in the quiz numbers answer; Escape lets go of the cells.
function pressed(app, event) {
  if (event.target.closest(SPACE_IS_THEIRS) || event.ctrlKey || event.metaKey || event.altKey) return;
  const quiz = app.view.tab === "quiz", inList = event.target.closest(".list");
  const keys = {
    " ": () => app.player?.toggle(), n: () => (quiz ? onwards(app) : step(app, 1, true)), p: () => (quiz ? null : step(app, -1, true)),
    Escape: () => app.update({ cells: [] }),
    ...(inList ? { ArrowDown: () => step(app, 1, false), ArrowUp: () => step(app, -1, false) } : {}),
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
