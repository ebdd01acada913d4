// The page: what its parts share, the layout, and the keyboard.

import { drawClip } from "./clip.js";
import { choices, filters, range, refresh, sharing } from "./controls.js";
import { active, button, canvas, field, h, quote, replace, setText } from "./dom.js";
import { drawList, step } from "./list.js";
import { drawMatrix, summary } from "./matrix.js";
import { drawAbstain, drawDimensions } from "./plots.js";
import { seam } from "./python.js";
import { drawQuiz, guess, onwards } from "./quiz.js";
import { listed, passing } from "./rows.js";
import { completeView, prepare } from "./view.js";
import { plain } from "./words.js";

// Shows a model (as anywidget gives it: get, set, save_changes, on, off, send) in an element; returns its
// clean-up.
export function render({ model, el }) {
  const root = h("div.sernb-explorer", { tabIndex: -1 }); // a click on its text leaves the keys at work
  // JupyterLab takes keys before any listener here (b makes a cell, d d deletes one); it lets those of such
  // an element be.
  root.addEventListener("focusin", ({ target }) => target.setAttribute("data-lm-suppress-shortcuts", "true"));
  el.append(root);

  let app = null;
  const python = seam(model, () => app);
  const theme = () => {
    const { dataset, classList } = document.body; // JupyterLab's theme, VS Code's, else the system's
    if (dataset.jpThemeLight) app.dark = dataset.jpThemeLight === "false";
    else app.dark = classList.contains("vscode-dark") || dark.matches;
    root.dataset.theme = app.dark ? "dark" : "light";
  };
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const start = () => {
    app?.player?.stop();
    app = makeApp(root, model, python);
    build(app);
    theme();
    app.redraw();
  };
  start();

  // Listeners, and their end.
  const restyle = () => {
    theme();
    app.redraw();
  };
  const watch = new MutationObserver(restyle);
  watch.observe(document.body, { attributeFilter: ["data-jp-theme-light", "class"] });
  dark.addEventListener("change", restyle);
  const leaving = () => model.save_changes();
  window.addEventListener("pagehide", leaving);
  root.addEventListener("keydown", (event) => pressed(app, event));
  const events = {
    "change:state": start,
    "change:view": python.viewed,
    "change:notes": python.noted,
    "msg:custom": python.answered,
  };
  for (const [name, listener] of Object.entries(events)) model.on(name, listener);
  return () => {
    app.player?.stop();
    watch.disconnect();
    dark.removeEventListener("change", restyle);
    window.removeEventListener("pagehide", leaving);
    for (const [name, listener] of Object.entries(events)) model.off(name, listener);
  };
}

// Everything that a page's parts share.
function makeApp(root, model, python) {
  const data = prepare(model.get("state"));
  const app = {
    data,
    root,
    view: completeView(data, model.get("view")),
    notes: model.get("notes") ?? {},
    nodes: {}, // of the layout, by name
    choices: {}, // of the view, by name
    follow: [], // functions that set controls to what the view has
    rows: [], // that pass
    listed: [], // that the list has, in its order
    shown: 0, // how many of these are in it
    drawn: null, // the row of the clip that is drawn
    player: null,
    overlay: true,
    quiz: null,
  };
  python.forget();
  app.update = (part) => {
    const before = app.view;
    app.view = completeView(data, { ...before, ...part });
    if (app.view.tab !== before.tab) {
      app.player?.stop();
      app.player = app.drawn = null;
      replace(app.nodes.quiz);
    }
    if (["cells", "list", "filters", "model", "tab"].some((name) => name in part)) app.shown = 0;
    python.sendView(app.view);
    app.redraw();
  };
  app.open = (row, play) => {
    app.playNext = play;
    if (play && row === app.drawn && app.player) {
      app.player.play();
      app.playNext = false;
    }
    app.update({ utterance: data.state.utterance[row] });
  };
  app.keepNotes = (notes) => {
    app.notes = notes;
    python.sendNotes(notes);
    drawList(app); // as it is: no clip leaves it while somebody writes
    python.tellRows(app);
  };
  app.clip = python.clip;
  app.redraw = () => {
    redraw(app);
    python.tellRows(app);
  };
  return app;
}

function build(app) {
  const { root, nodes } = app;
  const { state } = app.data;
  app.tabs = tabsOf(app);
  app.choices = choices(app);
  app.threshold = h("input", {
    type: "range",
    min: 0,
    max: 1,
    step: 0.01,
    label: "Lowest confidence",
    oninput: () => app.update({ threshold: Number(app.threshold.value) }),
  });
  app.answered = h("output");
  app.curve = canvas(110, (...given) => app.curve.draw?.(...given), "Accuracy against the share answered");
  for (const name of ["matrix", "dimensions", "list", "clip", "quiz"]) nodes[name] = h(`div.${name}`);

  const group = (...names) => names.map((name) => app.choices[name].whole);
  const setResidual = (residual) => ({ residual });
  const residual = range(app, "residual", "residual", () => app.view.residual, setResidual);
  nodes.axes = h("div.row", {}, group("rows", "columns", "show", "order"));
  nodes.dims = h("div.row", {}, group("dimension", "plane"), residual);
  nodes.heading = h("h3", { "aria-live": "polite" });
  nodes.second = h("div.side.second", {},
    h("div.row", {}, group("list", "sort")), nodes.heading, nodes.list, nodes.clip);
  nodes.abstain = h("div.abstain", {},
    field("Abstain below", app.threshold), " ", app.answered, app.curve.node);
  nodes.summary = h("span", { role: "status" });
  const none = { filters: {}, outcome: null, threshold: 0, residual: [null, null], box: null };
  app.reset = button("Clear filters", () => app.update(none));

  const notices = [...state.notices, state.limit].filter(Boolean);
  replace(
    root,
    h("header", {}, quote("h2", state.title || "Predictions"), h("nav.row", { label: "Views" }, app.tabs)),
    filters(app, group("model", "other")),
    h("p.summary", {}, nodes.summary, " ", app.reset),
    h("div.sides", {},
      h("div.side", {}, nodes.axes, nodes.matrix, nodes.dims, nodes.dimensions),
      nodes.second,
      nodes.abstain),
    nodes.quiz,
    sharing(app),
    h("div.notices", {}, notices.map((notice) => h("p.quiet.small", {}, notice))),
  );
}

// Buttons of the tabs that this state has something for.
function tabsOf(app) {
  const { models, emotion, sound } = app.data.state;
  const tabs = {
    matrix: ["Matrix", models.some((model) => model.predicted)],
    dimensions: ["Dimensions", models.some((model) => Object.keys(model.dimensions).length)],
    quiz: ["Quiz", emotion && sound],
  };
  return Object.entries(tabs).filter(([, [, isThere]]) => isThere).map(([tab, [words]]) => {
    const sort = tab === "dimensions" ? "residual" : "given";
    return button(words, () => app.update({ tab, sort }), { "data-tab": tab });
  });
}

function redraw(app) {
  const { data, view, nodes, root } = app;
  const hadFocus = root.contains(active());
  app.rows = passing(data, view);
  app.listed = listed(data, view, app.notes, app.rows);

  // The controls follow the view.
  for (const tab of app.tabs) tab.setAttribute("aria-pressed", tab.dataset.tab === view.tab);
  for (const [name, choice] of Object.entries(app.choices)) refresh(choice, view[name]);
  app.follow.forEach((follow) => follow());
  const count = Object.keys(view.filters).length;
  app.filterCount.textContent = count ? `Filters (${count})` : "Filters";
  app.reset.hidden = app.rows.length === data.state.n;
  setText(nodes.summary, plain(summary(app)));

  // What the tab shows.
  nodes.axes.hidden = nodes.matrix.hidden = view.tab !== "matrix";
  nodes.dims.hidden = nodes.dimensions.hidden = view.tab !== "dimensions";
  nodes.second.hidden = view.tab === "quiz";
  nodes.quiz.hidden = view.tab !== "quiz";
  drawAbstain(app);
  if (view.tab === "matrix") drawMatrix(app);
  if (view.tab === "dimensions") drawDimensions(app);
  if (view.tab !== "quiz") {
    drawList(app);
    drawClip(app);
  } else if (!app.quiz || !nodes.quiz.firstChild) {
    drawQuiz(app);
  }

  // Keys go on where the element with the focus is gone.
  if (hadFocus && !root.contains(active())) root.focus({ preventScroll: true });
}

const TAKES_KEYS = "input:not([type=checkbox]):not([type=range]), textarea, select";

// Space plays, n and p step; in the list the arrows step, in the quiz numbers answer; Escape lets go of the
// cells.
function pressed(app, event) {
  if (event.target.closest(TAKES_KEYS) || event.ctrlKey || event.metaKey || event.altKey) return;
  // Space on a button, a summary or a box works it, as everywhere; elsewhere it plays.
  if (event.key === " " && event.target.closest("button:not(.open), summary, input")) return;
  const isQuiz = app.view.tab === "quiz";
  const item = event.target.closest("li");
  const row = Number(item?.dataset.row);
  const keys = {
    " ": () => (item && row !== app.drawn ? app.open(row, true) : app.player?.toggle()),
    n: () => (isQuiz ? onwards(app) : step(app, 1, true)),
    p: () => (isQuiz ? null : step(app, -1, true)),
    Escape: () => app.update({ cells: [] }),
  };
  if (item) {
    keys.ArrowDown = () => step(app, 1, false);
    keys.ArrowUp = () => step(app, -1, false);
  }
  if (isQuiz && /^[1-9]$/.test(event.key)) keys[event.key] = () => guess(app, Number(event.key) - 1);
  if (!Object.hasOwn(keys, event.key)) return;
  event.preventDefault();
  event.stopPropagation();
  keys[event.key]();
}

export default { render };
