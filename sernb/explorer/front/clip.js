// One utterance: sound with a moving cursor, what the model looked at, words, probabilities, raters, facts and a note.

const MAGMA = [[0, 0, 4], [59, 15, 112], [140, 41, 129], [222, 73, 104], [254, 159, 109], [252, 253, 191]];

function drawClip(app) {
  const here = app.places.clip, { state } = app.data, row = openRow(app);
  if (row === app.drawn) return;
  app.player?.stop();
  app.player = null;
  if (row < 0) {
    app.drawn = row;
    put(here, h("p.quiet", {}, "Choose a cell, then an utterance. Space plays it, n the next, p the one before."));
    return;
  }
  const sound = h("div.sound", {}, h("p.quiet", { text: "fetching …", role: "status" }));
  const words = h("div.transcript", {}, state.text?.[row] ? quote("p.long", state.text[row]) : null);
  put(here, 
    quote("h3", state.utterance[row]), verdict(app, row), sound, words, bars(app, row), raters(state, row),
    facts(app, row), noteEditor(app, row));
  app.drawn = row;
  app.clip(row).then((clip) => {
    if (app.drawn !== row || app.player) return;
    if (clip.problem) put(sound, h("p.warn", { text: clip.problem, role: "status" }));
    else app.player = player(app, clip, sound);
    if (clip.overlay_problem) sound.append(h("p.warn", {}, clip.overlay_problem));
    if (clip.words) put(words, weighted(clip.words));
    if (app.playNext && app.player) app.player.play();
    app.playNext = false;
  });
}

function verdict(app, row) {
  const { state } = app.data, truth = labelOf(state, state.emotion, row);
  return h("p.verdict", {}, truth === null ? null : ["true ", chip(app, truth)],
    compared(app).map((name) => {
      const said = labelOf(state, app.data.models.get(name).predicted, row);
      return said ? [` · ${name} says `, chip(app, said)] : [];
    }).flat());
}

function player(app, clip, place) {
  const audio = new Audio(clip.audio), length = clip.seconds;
  const toggle = button("▶ Play", () => (audio.paused ? play() : audio.pause()), { className: "main" });
  const time = h("span.mono", {}, `0.0 / ${number(length, 1)} s`);
  const seek = h("input", { type: "range", min: 0, max: length, step: 0.01, value: 0, label: "Position in seconds", oninput: () => { audio.currentTime = Number(seek.value); mark(); } });
  const status = h("span", { role: "status", className: "quiet" });
  const over = clip.map ? h("input", { type: "checkbox", checked: app.overlay, onchange: () => { app.overlay = over.checked; picture.redraw(); } }) : null;
  const wave = canvas(56, (pen, width, height) => drawWave(pen, width, height, clip, inkOf(wave.node, "--hue")), "Waveform");
  const picture = canvas(150, (pen, width, height) => drawSpectrogram(pen, width, height, clip, clip.map && app.overlay),
    "Mel spectrogram, 0 to 8 kHz");
  const cursor = h("i.cursor", {});
  const stage = h("div.stage", { onclick: (event) => {
    const box = stage.getBoundingClientRect();
    audio.currentTime = length * Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    mark();
  } }, wave.node, picture.node, cursor, h("span.top", {}, "8 kHz"), h("span.bottom", {}, "0"));
  function mark() {
    cursor.style.setProperty("left", `${100 * Math.min(1, audio.currentTime / length)}%`);
    seek.value = audio.currentTime;
    time.textContent = `${number(audio.currentTime, 1)} / ${number(length, 1)} s`;
  }
  function follow() {
    mark();
    if (!audio.paused) requestAnimationFrame(follow);
  }
  function play() {
    if (audio.ended || audio.currentTime >= length - 0.01) audio.currentTime = 0;
    audio.play().then(follow, (problem) => { status.textContent = `This browser does not play it: ${problem.message}`; });
  }
  for (const kind of ["play", "pause", "ended"]) audio.addEventListener(kind, () => { toggle.textContent = audio.paused ? "▶ Play" : "❚❚ Pause"; follow(); });
  put(place, 
    h("div.row", {}, toggle, seek, time, over ? h("label", {}, over, ` ${clip.map.what}`) : null, status), stage,
    h("div.row.quiet.small", {}, h("span", {}, "0 s"), h("span.push", {}, `${number(length, 1)} s${clip.cut ? " (cut)" : ""}`)),
    clip.map ? h("p.quiet.small", {}, clip.map.signed ? "Orange speaks for the prediction, blue against it." : "The more orange, the more it counts.") : "");
  return { audio, play, toggle: () => (audio.paused ? play() : audio.pause()), stop: () => audio.pause() };
}

function drawWave(pen, width, height, { peaks }, color) {
  const count = peaks.length / 2, middle = height / 2;
  pen.fillStyle = color;
  for (let i = 0; i < count; i++) {
    const low = middle - peaks[2 * i] / 127 * middle, high = middle - peaks[2 * i + 1] / 127 * middle;
    pen.fillRect(i / count * width, high, Math.max(0.7, width / count), Math.max(0.7, low - high));
  }
}

// An array (bands, frames), low bands first, stretched over a canvas; color(value) gives red, green, blue, alpha.
function paint(pen, values, bands, frames, box, color) {
  const image = new ImageData(frames, bands);
  for (let band = 0; band < bands; band++) {
    for (let frame = 0; frame < frames; frame++) {
      image.data.set(color(values[band * frames + frame]), 4 * ((bands - 1 - band) * frames + frame));
    }
  }
  const small = h("canvas");
  [small.width, small.height] = [frames, bands];
  small.getContext("2d").putImageData(image, 0, 0);
  pen.drawImage(small, ...box);
}

function drawSpectrogram(pen, width, height, { spectrogram, map, seconds }, over) {
  const { bands, frames, data } = spectrogram;
  paint(pen, bytesOf(data), bands, frames, [0, 0, width, height], (level) => {
    if (over) return [...Array(3).fill(255 - level * 0.55), 255];
    const at = level / 255 * 4.999, i = Math.floor(at);
    return [...mix(MAGMA[i], MAGMA[i + 1], at - i), 255];
  });
  if (!over) return;
  // The spectrogram's axis is mel, the map's is hertz: its rows are laid where their frequencies are.
  const mel = (hertz) => 2595 * Math.log10(1 + hertz / 700), values = new Int8Array(bytesOf(map.data).buffer);
  const y = (hertz) => height * (1 - mel(Math.min(hertz, spectrogram.high)) / mel(spectrogram.high));
  const x = (second) => second / seconds * width, step = (map.high - map.low) / map.bands;
  for (let band = 0; band < map.bands; band++) {
    const top = y(map.low + (band + 1) * step), bottom = y(map.low + band * step);
    paint(pen, values.subarray(band * map.frames, (band + 1) * map.frames), 1, map.frames, [x(map.start), top, x(map.end) - x(map.start), bottom - top],
      (one) => (one >= 0 ? [176, 58, 2, 200 * (one / 127) ** 0.8] : [11, 63, 168, 200 * (-one / 127) ** 0.8]));
  }
}

// Words coloured by their weight, the number below where it is a tenth of the largest or more.
function weighted({ what, words, weights }) {
  const largest = Math.max(1e-9, ...weights.map(Math.abs));
  return h("figure.weighted", {}, h("figcaption.quiet.small", {}, what), words.map((word, i) => {
    const share = weights[i] / largest, told = Math.abs(share) >= 0.1;
    return h("span", { style: told ? { background: `rgba(${share > 0 ? "232,119,34" : "70,130,225"},${0.15 + 0.5 * Math.abs(share)})` } : null },
      quote("span", word), h("small", {}, told ? signed(weights[i], 2) : " "));
  }));
}

function bars(app, row) {
  const { state, models } = app.data, told = compared(app).map((name) => models.get(name));
  const tables = told.filter((model) => model.p && model.p.some((p) => p[row] !== null)).map((model) =>
    h("table.bars", {}, h("caption", {}, `probabilities, ${model.name}`), state.classes.map((name, k) => h("tr", {},
      h("th", { scope: "row" }, chip(app, name)),
      h("td.track", {}, h("i", { style: { width: `${100 * (model.p[k]?.[row] ?? 0)}%` } })), h("td.mono", {}, percent(model.p[k]?.[row] ?? NaN))))));
  const dims = state.dimensions.length ? h("table.bars", {}, h("caption", {}, "dimensions: true, then predicted"), state.dimensions.map((one) => h("tr", {},
    h("th", { scope: "row", text: one.name }), h("td.mono", {}, number(one.truth[row])),
    told.map((model) => h("td.mono", {}, number(model.dimensions[one.name]?.[row])))))) : null;
  return h("div.columns", {}, tables, dims);
}

function raters(state, row) {
  const votes = state.votes?.[row], heard = state.listeners?.[row];
  if (!votes && !heard) return "";
  const parts = pairs(votes ?? {}).map(([name, count]) => `${count} × ${name}`);
  for (const [what, value] of heard ?? []) parts.push(what + (typeof value === "number" ? ` by ${Math.round(value)} % of listeners` : ` ${value}`));
  return h("p.raters", {}, "Raters: ", quote("span", parts.join(", ")));
}

function facts({ data }, row) {
  return h("details", {}, h("summary", {}, "All that is known"), h("dl", {}, data.state.columns.map((column) => {
    const value = column.kind === "category" ? column.values[column.codes[row]] : column.values[row];
    return value === undefined || value === null ? [] : [h("dt", {}, column.name), quote("dd", typeof value === "number" ? `${Number(value.toPrecision(4))} ${column.unit ?? ""}` : value)];
  }).flat()));
}

function noteEditor(app, row) {
  const id = app.data.state.utterance[row], own = Object.hasOwn(app.notes, id) ? app.notes[id] : { note: "", tags: [] };
  const keep = () => {
    const tags = tag.value.split(";").map((one) => one.trim()).filter(Boolean), others = pairs(app.notes).filter(([name]) => name !== id);
    app.keepNotes(Object.fromEntries(note.value || tags.length ? [...others, [id, { note: note.value, tags }]] : others));
  };
  const note = h("textarea", { rows: 2, value: own.note, oninput: keep, dir: "auto" });
  const tag = h("input", { type: "text", value: own.tags.join("; "), oninput: keep, dir: "auto", placeholder: "noisy; two speakers" });
  return h("div.note", {}, field("Note", note), field("Tags, with ; between", tag));
}
