// Start-up of the saved and of the served page: a stand-in for the widget's model, whose data lie in the
// page.

import { render } from "./main.js";

(() => {
  const data = JSON.parse(document.getElementById("sernb-data").textContent);
  const values = { state: data.state, view: data.view, notes: data.notes };
  const listeners = new Map();
  const tell = (event, ...given) => {
    for (const listener of [...(listeners.get(event) ?? [])]) listener(...given);
  };
  document.documentElement.style.colorScheme = "light dark";

  // The served page hands notes to Python. The saved page keeps them in the browser, where it lets them be
  // kept (not in a frame without an origin); notes that Python has saved into the page anew come before
  // those.
  const key = `sernb-notes-${data.key}`;
  const kept = data.served ? null : stored(key);
  if (kept?.from === data.noted) values.notes = kept.notes;
  const keep = data.served ? handOver(values) : () => store(key, { from: data.noted, notes: values.notes });

  let isNew = false;
  const model = {
    get: (name) => values[name],
    set(name, value) {
      if (values[name] === value) return;
      values[name] = value;
      isNew ||= name === "notes";
      tell(`change:${name}`, model, value);
    },
    save_changes() {
      if (isNew) keep();
      isNew = false;
    },
    on(event, listener) {
      listeners.set(event, [...(listeners.get(event) ?? []), listener]);
    },
    off(event, listener) {
      listeners.set(event, (listeners.get(event) ?? []).filter((other) => other !== listener));
    },
    send({ ask, row, number }) {
      if (ask !== "clip") return; // there is nobody to tell the rows
      const held = data.clips[row] ?? { problem: "Its sound is not in this page." };
      Promise.resolve(data.served ? fetched(row) : held)
        .then((clip) => tell("msg:custom", { answer: "clip", number, clip }, []));
    },
  };
  render({ model, el: document.getElementById("explorer") });

  function stored(name) {
    try {
      return JSON.parse(localStorage.getItem(name));
    } catch {
      return null; // none are kept
    }
  }

  function store(name, value) {
    try {
      localStorage.setItem(name, JSON.stringify(value));
    } catch { /* none are kept */ }
  }

  async function fetched(row) {
    try {
      return await checked(await fetch(`clip/${row}`)).json();
    } catch {
      return { problem: "There is no answer: has sernb explore ended?" };
    }
  }

  function checked(answer) {
    if (!answer.ok) throw new Error(answer.status);
    return answer;
  }

  // A function that posts what is new in the notes (another tab may have noted, too): one post at a time,
  // since two could overtake each other. Who leaves has no time to wait.
  function handOver(now) {
    let before = now.notes;
    let isPosting = false;
    const changes = () => {
      const text = (notes, id) => JSON.stringify(notes[id] ?? null);
      const ids = Object.keys({ ...before, ...now.notes });
      const changed = ids.filter((id) => text(before, id) !== text(now.notes, id));
      return Object.fromEntries(changed.map((id) => [id, now.notes[id] ?? null]));
    };
    const post = async () => {
      const body = JSON.stringify(changes());
      before = now.notes;
      if (body !== "{}") checked(await fetch("notes", { method: "POST", body, keepalive: true }));
    };
    window.addEventListener("pagehide", () => post().catch(() => null));
    return async () => {
      if (isPosting) return;
      isPosting = true;
      try {
        while (before !== now.notes) await post();
      } catch {
        alert("The note is not kept: sernb explore has ended. Save notes as CSV.");
      }
      isPosting = false;
    };
  }
})();
