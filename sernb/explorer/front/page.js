// Start-up of the saved and of the served page: a stand-in for the widget's model, whose data lie in the page.

(() => {
  const data = JSON.parse(document.getElementById("sernb-data").textContent);
  const values = { state: data.state, view: data.view, notes: data.notes }, listeners = new Map();
  const key = `sernb-notes-${data.key}`;

  let noted = false;
  document.documentElement.style.colorScheme = "light dark";

  // The saved page keeps notes in the browser, where it lets them be kept (not in a frame without an origin); notes that
  // Python has saved into the page anew come before those. The served page hands them to Python.
  try {
    const kept = data.served ? null : JSON.parse(localStorage.getItem(key));
    if (kept?.from === data.noted) values.notes = kept.notes;
  } catch { /* none are kept */ }

  let before = values.notes;
  const tell = (event, ...given) => [...(listeners.get(event) ?? [])].forEach((listener) => listener(...given));
  const model = {
    get: (name) => values[name],
    set(name, value) {
      if (values[name] === value) return;
      values[name] = value;
      noted ||= name === "notes";
      tell(`change:${name}`, model, value);
    },
    save_changes() {
      if (!noted) return;
      noted = false;
      const notes = {}, text = (all, id) => JSON.stringify(all[id] ?? null); // what is new: another tab may have noted, too
      for (const id of Object.keys({ ...before, ...values.notes })) {
        if (text(before, id) !== text(values.notes, id)) notes[id] = values.notes[id] ?? null;
      }
      before = values.notes;
      try {
        if (!data.served) localStorage.setItem(key, JSON.stringify({ from: data.noted, notes: values.notes }));
        else fetch("notes", { method: "POST", body: JSON.stringify(notes), keepalive: true }).then(checked).catch(() => alert("The note is not kept: sernb explore has ended. Save notes as CSV."));
      } catch { /* as above */ }
    },
    on(event, listener) {
      listeners.set(event, [...(listeners.get(event) ?? []), listener]);
    },
    off(event, listener) {
      listeners.set(event, (listeners.get(event) ?? []).filter((one) => one !== listener));
    },
    send({ ask, row, number }) {
      if (ask !== "clip") return;
      const lost = (problem) => ({ problem });
      const found = data.served ? fetch(`clip/${row}`).then(checked).then((answer) => answer.json()) : Promise.resolve(data.clips[row] ?? lost("Its sound is not in this page."));
      found.catch(() => lost("There is no answer: has sernb explore ended?"))
        .then((clip) => tell("msg:custom", { answer: "clip", number, clip }, []));
    },
  };
  function checked(answer) {
    if (!answer.ok) throw new Error(answer.status);
    return answer;
  }
  render({ model, el: document.getElementById("explorer") });
})();
