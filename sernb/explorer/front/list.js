// The utterances of the chosen cells: a hundred at a time, each with a button that plays it and one that opens it.

const PAGE = 100;

function drawList(app) {
  const { data, view } = app, here = app.places.list, { state } = data, rows = app.listed, wanted = openRow(app), at = rows.indexOf(wanted);
  const held = here.contains(active()), model = modelOf(data, view), other = data.models.get(view.other);
  app.shown = Math.max(app.shown, Math.min(rows.length, (Math.floor(at / PAGE) + 1) * PAGE), PAGE);
  const key = [view.model, view.other, view.tab, view.dimension, view.list, app.shown, rows].join();
  if (app.places.heading.textContent !== headingOf(app)) app.places.heading.textContent = headingOf(app);
  if (app.listKey !== key) { // else only another utterance is open
    app.listKey = key;
    const off = view.tab === "dimensions" ? residuals(data, view) : null, rest = rows.length - app.shown;
    const items = rows.slice(0, app.shown).map((row) => h("li", { "data-row": row },
      button("▶", () => app.open(row, true), { className: "play", disabled: !heard(app, row), label: `Play ${state.utterance[row]}` }),
      h("button.open", { onclick: () => app.open(row, false) },
        quote("span.id", short(state.utterance[row], 40)),
        view.tab === "dimensions" ? h("span.mono", {}, `${view.dimension} ${signed(off?.[row], 2)}`)
          : h("span.pair", {}, state.emotion ? [chip(app, labelOf(state, state.emotion, row)), h("span", { label: "heard as", text: "→" })] : null,
            compared(app).map((name, i) => [i ? " / " : "", chip(app, labelOf(state, data.models.get(name).predicted, row) ?? "")])),
        model.confidence ? h("span.mono", {}, percent(model.confidence[row] ?? NaN)) : null,
        h("span.noted", { label: "has a note", text: "✎" }),
        state.text?.[row] ? quote("span.words", short(state.text[row], 200)) : null)));
    put(here, rows.length ? h("ol", { label: "Utterances" }, items) : h("p.quiet", {}, emptyWords(app)),
      rest > 0 ? button(`Show ${Math.min(PAGE, rest)} more of ${many(rest)}`, () => { app.shown += PAGE; app.redraw(); }) : "");
  }
  for (const item of here.querySelectorAll("li")) {
    const row = Number(item.dataset.row), stop = row === (at < 0 ? rows[0] : wanted); // the one item that the tab key stops at
    item.setAttribute("aria-current", row === wanted);
    for (const one of item.querySelectorAll("button")) one.tabIndex = stop ? 0 : -1;
    find(item, ".noted").hidden = !Object.hasOwn(app.notes, state.utterance[row]);
  }
  const now = find(here, "[aria-current=true]"), box = now?.parentElement;
  if (box && (now.offsetTop < box.scrollTop || now.offsetTop + now.offsetHeight > box.scrollTop + box.clientHeight)) box.scrollTop = now.offsetTop - box.clientHeight / 3;
  if (held) (now ?? here).querySelector(".open")?.focus();
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
  if (view.list === "errors") return `${count} whose label may be wrong`;
  if (view.list === "noted") return `${count} with a note`;
  if (view.tab !== "matrix" || !view.cells.length) return `${count} that pass`;
  const told = view.other ? ` (true → ${view.model} / ${view.other})` : "";
  const cells = view.cells.map((pair) => pair.map(named).join(" → "));
  return `${count}: ${short(cells.join(", "), 80)}${view.which === "difference" ? " with one model alone" : ""}${told}`;
}

function emptyWords({ view, data }) {
  if (view.list === "errors" && !modelOf(data, view).errors) return "Not known here: see the notices below.";
  return view.list === "noted" ? "No note yet." : "None: choose another cell, or clear filters.";
}

// Steps through the list: n and p play, and pass over what has no sound; the arrow keys within the list only open.
function step(app, by, play) {
  const rows = app.listed, need = play && rows.some((row) => heard(app, row));
  let at = rows.indexOf(openRow(app)) + by;
  while (need && at >= 0 && at < rows.length && !heard(app, rows[at])) at += by;
  if (rows[at] !== undefined) app.open(rows[at], play);
}

function openRow(app) {
  return app.data.number.get(app.view.utterance) ?? -1;
}
