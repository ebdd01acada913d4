// The seam to Python: views and notes go there and come from there, clips are asked for, and the rows that
// the page lists are told.

import { completeView } from "./view.js";

const SOON = 60; // ms: what changes quickly is sent once
const ECHO = 3000; // ms: a view that comes back within them is one that was sent
const CLIPS = 32; // are kept

// `model` is anywidget's: get, set, save_changes, on, send; current() gives the app.
export function seam(model, current) {
  let saving = 0;
  const save = () => {
    clearTimeout(saving);
    saving = setTimeout(() => model.save_changes(), SOON);
  };

  const sent = new Map(); // views as JSON, and when
  const sendView = (view) => {
    if (sent.size > 99) sent.clear();
    sent.set(JSON.stringify(view), Date.now());
    model.set("view", view);
    save();
  };
  const sendNotes = (notes) => {
    model.set("notes", notes);
    save();
  };

  // Views and notes that come from Python, or from another page; what was sent comes back, too, perhaps late.
  const viewed = () => {
    const app = current();
    const view = completeView(app.data, model.get("view"));
    const text = JSON.stringify(view);
    if (text === JSON.stringify(app.view) || Date.now() - sent.get(text) < ECHO) return;
    app.view = view;
    app.redraw();
  };
  const noted = () => {
    const app = current();
    const notes = model.get("notes") ?? {};
    if (JSON.stringify(notes) === JSON.stringify(app.notes)) return;
    app.notes = notes;
    app.drawn = null;
    app.redraw();
  };

  const clips = new Map(); // row -> a promise of its clip
  const waiting = new Map(); // number of the question -> what resolves that promise
  let asked = 0;
  const clip = (row) => {
    if (clips.has(row)) return clips.get(row);
    const promise = new Promise((resolve) => {
      asked++;
      waiting.set(asked, resolve);
      model.send({ ask: "clip", row, number: asked });
    });
    clips.set(row, promise);
    if (clips.size > CLIPS) clips.delete(clips.keys().next().value);
    return promise;
  };
  const answered = (message) => {
    if (message?.answer !== "clip") return;
    waiting.get(message.number)?.(message.clip);
    waiting.delete(message.number);
  };

  let telling = 0;
  let told = null;
  const tellRows = ({ data, view, notes, rows, listed }) => {
    const { show, order, utterance, quiz, ...deciding } = view; // the others do not change the list
    const withNote = view.list === "noted" ? Object.keys(notes) : null;
    const key = JSON.stringify([deciding, withNote]);
    if (key === told) return;
    told = key;
    clearTimeout(telling);
    telling = setTimeout(() => model.send({
      tell: "rows",
      view: deciding,
      noted: withNote,
      passing: rows.length === data.state.n ? null : rows, // null: all
      listed: listed === rows ? null : listed, // null: those that pass
    }), SOON);
  };

  // Of a new state nothing is known yet.
  const forget = () => {
    clips.clear();
    told = null;
  };
  return { sendView, sendNotes, viewed, noted, clip, answered, tellRows, forget };
}
