// A clip's sound with a cursor that moves over its waveform and its spectrogram, and what a model looked at
// over that.

import { mix } from "./colors.js";
import { button, bytesOf, canvas, h, inkOf, replace } from "./dom.js";
import { number } from "./words.js";

const MAGMA = [[0, 0, 4], [59, 15, 112], [140, 41, 129], [222, 73, 104], [254, 159, 109], [252, 253, 191]];
const [FOR, AGAINST] = [[176, 58, 2], [11, 63, 168]]; // orange speaks for a prediction, blue against it

// Fills a node with the player of a clip: { audio, play, toggle, stop }.
export function player(app, clip, node) {
  const audio = new Audio(clip.audio);
  const length = clip.seconds;

  // What is seen of it.
  const toggle = button("▶ Play", () => (audio.paused ? play() : audio.pause()), { className: "main" });
  const time = h("span.mono", {}, `0.0 / ${number(length, 1)} s`);
  const status = h("span", { role: "status", className: "quiet" });
  const seek = h("input", {
    type: "range",
    min: 0,
    max: length,
    step: 0.01,
    value: 0,
    label: "Position in seconds",
    oninput: () => go(Number(seek.value)),
  });
  const drawWave = (pen, width, height) => {
    wave(pen, width, height, clip.peaks, inkOf(waveform.node, "--hue"));
  };
  const waveform = canvas(56, drawWave, "Waveform");
  const drawPicture = (pen, width, height) => {
    spectrogram(pen, width, height, clip.spectrogram, clip.map && app.overlay);
    if (clip.map && app.overlay) overlay(pen, width, height, clip);
  };
  const picture = canvas(150, drawPicture, "Mel spectrogram, 0 to 8 kHz");
  const cursor = h("i.cursor", {});
  const stage = h("div.stage", { onclick: (event) => {
    const box = stage.getBoundingClientRect();
    go(length * Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
  } }, waveform.node, picture.node, cursor, h("span.top", {}, "8 kHz"), h("span.bottom", {}, "0"));

  // What moves.
  function go(second) {
    audio.currentTime = second;
    mark();
  }
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
    audio.play().then(follow, (problem) => {
      status.textContent = `This browser does not play it: ${problem.message}`;
    });
  }
  for (const event of ["play", "pause", "ended"]) {
    audio.addEventListener(event, () => {
      toggle.textContent = audio.paused ? "▶ Play" : "❚❚ Pause";
      follow();
    });
  }

  replace(
    node,
    h("div.row", {}, toggle, seek, time, clip.map ? overlaySwitch(app, clip.map, picture) : null, status),
    stage,
    h("div.row.quiet.small", {},
      h("span", {}, "0 s"),
      h("span.push", {}, `${number(length, 1)} s${clip.cut ? " (cut)" : ""}`)),
    clip.map ? h("p.quiet.small", {}, legend(clip.map)) : "",
  );
  return {
    audio,
    play,
    toggle: () => (audio.paused ? play() : audio.pause()),
    stop: () => audio.pause(),
  };
}

function overlaySwitch(app, map, picture) {
  const box = h("input", { type: "checkbox", checked: app.overlay, onchange: () => {
    app.overlay = box.checked;
    picture.redraw();
  } });
  return h("label", {}, box, ` ${map.what}`);
}

function legend(map) {
  if (map.signed) return "Orange speaks for the prediction, blue against it.";
  return "The more orange, the more it counts.";
}

// The lowest and the highest sample of each part, the loudest being ±127.
function wave(pen, width, height, peaks, color) {
  const count = peaks.length / 2;
  const middle = height / 2;
  pen.fillStyle = color;
  for (let i = 0; i < count; i++) {
    const low = middle - peaks[2 * i] / 127 * middle;
    const high = middle - peaks[2 * i + 1] / 127 * middle;
    pen.fillRect(i / count * width, high, Math.max(0.7, width / count), Math.max(0.7, low - high));
  }
}

// In colours, or in grey under an overlay.
function spectrogram(pen, width, height, { bands, frames, data }, grey) {
  const color = (level) => {
    if (grey) return [...Array(3).fill(255 - level * 0.55), 255];
    const at = level / 255 * 4.999; // between two of the colours
    const i = Math.floor(at);
    return [...mix(MAGMA[i], MAGMA[i + 1], at - i), 255];
  };
  paint(pen, bytesOf(data), bands, frames, [0, 0, width, height], color);
}

// The spectrogram's axis is mel, the map's is hertz: its rows are laid where their frequencies are.
function overlay(pen, width, height, { spectrogram: { high }, map, seconds }) {
  const mel = (hertz) => 2595 * Math.log10(1 + hertz / 700);
  const y = (hertz) => height * (1 - mel(Math.min(hertz, high)) / mel(high));
  const x = (second) => second / seconds * width;
  const step = (map.high - map.low) / map.bands;
  const values = new Int8Array(bytesOf(map.data).buffer);
  const color = (value) => [...(value >= 0 ? FOR : AGAINST), 200 * (Math.abs(value) / 127) ** 0.8];
  for (let band = 0; band < map.bands; band++) {
    const top = y(map.low + (band + 1) * step);
    const bottom = y(map.low + band * step);
    const box = [x(map.start), top, x(map.end) - x(map.start), bottom - top];
    paint(pen, values.subarray(band * map.frames, (band + 1) * map.frames), 1, map.frames, box, color);
  }
}

// An array (bands, frames), low bands first, stretched over a box; color(value) gives red, green, blue,
// alpha.
function paint(pen, values, bands, frames, box, color) {
  const image = new ImageData(frames, bands);
  for (let band = 0; band < bands; band++) {
    for (let frame = 0; frame < frames; frame++) {
      const pixel = (bands - 1 - band) * frames + frame;
      image.data.set(color(values[band * frames + frame]), 4 * pixel);
    }
  }
  const small = h("canvas");
  [small.width, small.height] = [frames, bands];
  small.getContext("2d").putImageData(image, 0, 0);
  pen.drawImage(small, ...box);
}
