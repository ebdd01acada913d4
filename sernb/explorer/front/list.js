// The utterances of the chosen cells: a hundred at a time, each with a button that plays it and one that opens it.

const PAGE = 100;

function drawList(app) {
  const { data, view } = app, here = app.places.list, { state } = data, rows = app.listed;
  const held = here.contains(document.activeElement) && document.activeElement.closest("li")?.dataset.row;
  const model = modelOf(data, view), other = data.models.get(view.other), wanted = data.number.get(view.utterance) ?? -1;
  const stop = rows.indexOf(wanted) >= 0 ? wanted : rows[0]; // the one item that the tab key stops at
  app.shown = Math.max(app.shown, Math.min(rows.length, (Math.floor(rows.indexOf(wanted) / PAGE) + 1) * PAGE), PAGE);
  const items = rows.slice(0, app.shown).map((row) => {
    const id = state.utterance[row], tabIndex = row === stop ? 0 : -1, sound = heard(app, row);
    const truth = view.tab === "dimensions" ? null : labelOf(state, state.emotion, row), said = labelOf(state, model.predicted, row);
    const off = view.tab === "dimensions" ? residuals(data, view)?.[row] ?? null : null;
    return h("li", { "data-row": row, "aria-current": id === view.utterance ? "true" : null },
      button("▶", () => app.open(row, true), { className: "play", tabIndex, disabled: !sound, label: `Play ${id}` }),
      h("button", { type: "button", className: "open", tabIndex, onclick: () => app.open(row, false) },
        data_("span.id", short(id, 40)),
        truth === null && off === null ? null : off !== null ? h("span.mono", {}, `${view.dimension} ${signed(off, 2)}`)
          : h("span.pair", {}, chip(app, truth), h("span", { label: "taken for", text: "→" }), chip(app, said ?? ""), other ? [" / ", chip(app, labelOf(state, other.predicted, row) ?? "")] : null),
        model.confidence ? h("span.mono", {}, percent(model.confidence[row] ?? NaN)) : null,
        Object.hasOwn(app.notes, id) ? h("span", { text: "✎", label: "has a note" }) : null,
        state.text?.[row] ? data_("span.words", short(state.text[row], 200)) : null));
  });
  const rest = rows.length - app.shown;
  here.replaceChildren(
    h("h3", { text: headingOf(app), "aria-live": "polite" }),
    rows.length ? h("ol", { label: "Utterances" }, items) : h("p.quiet", {}, emptyWords(app)),
    rest > 0 ? button(`Show ${Math.min(PAGE, rest)} more of ${many(rest)}`, () => { app.shown += PAGE; drawList(app); }) : "");
  if (held) (here.querySelector(`li[data-row="${view.utterance === null ? held : wanted}"] .open`) ?? here.querySelector(".open"))?.focus({ preventScroll: true });
}

// Whether its sound can be had: there is a recording, and in a saved page it is one of those that fitted.
function heard({ data }, row) {
  data.within ??= data.state.embedded && new Set(data.state.embedded);
  return Boolean(data.state.sound?.[row]) && (!data.within || data.within.has(row));
}

function labelOf(state, codes, row) {
  return codes ? state.classes[codes[row]] ?? "" : null;
}

function headingOf(app) {
  const { view } = app, count = `${many(app.listed.length)} utterance${app.listed.length === 1 ? "" : "s"}`;
  if (view.list === "errors") return `${count} whose label may be wrong, the likeliest first`;
  if (view.list === "noted") return `${count} with a note`;
  if (view.tab !== "matrix" || !view.cells.length) return `${count} that pass`;
  const told = view.other ? ` (true → ${view.model} / ${view.other})` : "";
  const cells = view.cells.map((pair) => pair.map(named).join(" → "));
  return `${count}: ${short(cells.join(", "), 80)}${view.which === "difference" ? " with one model, not with both" : ""}${told}`;
}

function emptyWords(app) {
  const { view, data } = app;
  if (view.list === "errors" && !modelOf(data, view).errors) return "Likely label errors are not known here: the notices at the end say why.";
  if (view.list === "noted") return "No note yet. Open an utterance and write one.";
  return "No utterance: choose another cell, or take a filter away.";
}

// Steps through the list: n and p, and the arrow keys within it.
function step(app, by, play) {
  const at = app.listed.indexOf(data_row(app));
  const row = app.listed[at < 0 ? 0 : Math.min(app.listed.length - 1, Math.max(0, at + by))];
  if (row !== undefined) app.open(row, play);
}

function data_row(app) {
  return app.data.number.get(app.view.utterance) ?? -1;
}
