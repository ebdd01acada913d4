// The utterances of the chosen cells: a hundred at a time, each with a button that plays it and one that
// opens it.

import { chip } from "./colors.js";
import { active, button, find, h, quote, replace, setText } from "./dom.js";
import { heard, residuals } from "./rows.js";
import { compared, modelOf } from "./view.js";
import { many, named, percent, short, signed } from "./words.js";

const PAGE = 100;

export function drawList(app) {
  const { data, view } = app;
  const here = app.nodes.list;
  const rows = app.listed;
  const open = openRow(app);
  const at = rows.indexOf(open);
  const hadFocus = here.contains(active());
  const pages = Math.floor(at / PAGE) + 1; // so many that the open one is among them
  app.shown = Math.max(app.shown, Math.min(rows.length, pages * PAGE), PAGE);

  setText(app.nodes.heading, headingOf(app));
  const key = [view.model, view.other, view.tab, view.dimension, view.list, app.shown, rows].join();
  if (app.listKey !== key) { // else only another utterance is open
    app.listKey = key;
    fill(app, here, rows);
  }

  for (const node of here.querySelectorAll("li")) {
    const row = Number(node.dataset.row);
    const isStop = row === (at < 0 ? rows[0] : open); // the one item that the tab key stops at
    node.setAttribute("aria-current", row === open);
    for (const one of node.querySelectorAll("button")) one.tabIndex = isStop ? 0 : -1;
    find(node, ".noted").hidden = !Object.hasOwn(app.notes, data.state.utterance[row]);
  }
  const now = find(here, "[aria-current=true]");
  if (now) intoSight(now);
  if (hadFocus) find(now ?? here, ".open")?.focus();
}

function fill(app, here, rows) {
  const off = app.view.tab === "dimensions" ? residuals(app.data, app.view) ?? [] : null;
  const items = rows.slice(0, app.shown).map((row) => item(app, row, off));
  const list = rows.length ? h("ol", { label: "Utterances" }, items) : h("p.quiet", {}, emptyWords(app));
  const rest = rows.length - app.shown;
  const more = () => {
    app.shown += PAGE;
    app.redraw();
  };
  replace(here, list, rest > 0 ? button(`Show ${Math.min(PAGE, rest)} more of ${many(rest)}`, more) : "");
}

// An utterance of the list; `off`: residuals by row where these are listed instead of labels.
function item(app, row, off) {
  const { data, view } = app;
  const { state } = data;
  const { confidence } = modelOf(data, view);
  const id = state.utterance[row];
  const play = button("▶", () => app.open(row, true), {
    className: "play",
    disabled: !heard(app, row),
    label: `Play ${id}`,
  });
  const open = h("button.open", { onclick: () => app.open(row, false) },
    quote("span.id", short(id, 40)),
    off ? h("span.mono", {}, `${view.dimension} ${signed(off[row], 2)}`) : labelsOf(app, row),
    confidence ? h("span.mono", {}, percent(confidence[row] ?? NaN)) : null,
    h("span.noted", { label: "has a note", text: "✎" }),
    state.text?.[row] ? quote("span.words", short(state.text[row], 200)) : null);
  return h("li", { "data-row": row }, play, open);
}

// The true label → what each model says.
function labelsOf(app, row) {
  const { state, models } = app.data;
  const arrow = h("span", { label: "heard as", text: "→" });
  const truth = [chip(app, labelOf(state, state.emotion, row)), arrow];
  const predicted = compared(app).map((name, i) => [
    i ? " / " : "",
    chip(app, labelOf(state, models.get(name).predicted, row) ?? ""),
  ]);
  return h("span.pair", {}, state.emotion ? truth : null, predicted);
}

// A row's class of some codes: "" where it is missing, null where there are no codes.
export function labelOf(state, codes, row) {
  return codes ? state.classes[codes[row]] ?? "" : null;
}

// Scrolls the list's own box, and nothing else of the page.
function intoSight(node) {
  const box = node.parentElement;
  const end = node.offsetTop + node.offsetHeight;
  const isSeen = node.offsetTop >= box.scrollTop && end <= box.scrollTop + box.clientHeight;
  if (!isSeen) box.scrollTop = node.offsetTop - box.clientHeight / 3;
}

function headingOf({ view, listed }) {
  const count = `${many(listed.length)} utterance${listed.length === 1 ? "" : "s"}`;
  if (view.list === "errors") return `${count} whose label may be wrong`;
  if (view.list === "noted") return `${count} with a note`;
  if (view.tab !== "matrix" || !view.cells.length) return `${count} that pass`;
  const cells = short(view.cells.map((pair) => pair.map(named).join(" → ")).join(", "), 80);
  const alone = view.which === "difference" ? " with one model alone" : "";
  return `${count}: ${cells}${alone}${view.other ? ` (true → ${view.model} / ${view.other})` : ""}`;
}

function emptyWords({ view, data }) {
  if (view.list === "errors" && !modelOf(data, view).errors) return "Not known here: see the notices below.";
  return view.list === "noted" ? "No note yet." : "None: choose another cell, or clear filters.";
}

// Steps through the list: n and p play, and pass over what has no sound; the arrow keys within the list
// only open.
export function step(app, by, play) {
  const rows = app.listed;
  const passOver = play && rows.some((row) => heard(app, row));
  let at = rows.indexOf(openRow(app)) + by;
  while (passOver && at >= 0 && at < rows.length && !heard(app, rows[at])) at += by;
  if (rows[at] !== undefined) app.open(rows[at], play);
}

// The row of the utterance that is open, -1 for none.
export function openRow(app) {
  return app.data.number.get(app.view.utterance) ?? -1;
}
