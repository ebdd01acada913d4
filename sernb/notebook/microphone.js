// A button that records the microphone and sends its sound to Python, as 32-bit floats of one channel.
// The browser compresses while it records (MediaRecorder) and takes that apart again (decodeAudioData): the one way that
// every browser has, without a second file to load. All text goes through textContent.

const RATE = 48000; // Hz that are sent: what browsers record; 30 s of it stay below a notebook server's 10 MB a message
const SOUND = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const CSS = `
.sernb-mic { display: flex; flex-wrap: wrap; align-items: center; gap: .4em .8em; margin: .4em 0; font: inherit; color: inherit;
  color-scheme: light dark; }
.sernb-mic button { font: inherit; color: inherit; background: transparent; border: 2px solid currentColor; border-radius: 1.2em;
  padding: .3em 1.1em; cursor: pointer; min-width: 7.5em; }
.sernb-mic button:focus-visible { outline: 3px solid #1f7ae0; outline-offset: 2px; }
.sernb-mic button:disabled { opacity: .6; cursor: default; }
.sernb-mic button::before { content: "\\25cf  "; color: #d22c2c; }
.sernb-mic.on button::before { content: "\\25a0  "; }
.sernb-mic meter { width: 9em; height: 1em; }
.sernb-mic audio { height: 2em; max-width: 16em; }
.sernb-mic p { flex-basis: 100%; margin: 0; }
.sernb-mic p.problem { font-weight: bold; border-left: 4px solid #d22c2c; padding-left: .6em; }`;

// Why there is no sound, in words; `secure` is false on a page that came by plain http from another machine.
function inWords(error, secure) {
  if (!secure)
    return "This page came over plain http. Browsers allow the microphone only on https or localhost.";
  const known = {
    NotAllowedError: "The browser did not allow the microphone. Allow it for this page (often a sign in the address bar), " +
      "then press Record again. Some editors' notebook views never allow it: open the notebook in a browser.",
    NotFoundError: "No microphone was found.",
    NotReadableError: "The microphone gives no sound; another program may be using it.",
    EncodingError: "The browser could not read back what it recorded. Try another browser.",
  };
  return known[error && error.name] || `Recording failed: ${error && error.message ? error.message : error}`;
}

function make(parent, tag, attributes = {}) {
  const one = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) one.setAttribute(name, value);
  return parent.appendChild(one);
}

// Recorded bytes to float samples of one channel at RATE.
async function samplesOf(blob) {
  const sound = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(await blob.arrayBuffer());
  const mixed = new Float32Array(sound.length);
  for (let channel = 0; channel < sound.numberOfChannels; channel++) {
    const one = sound.getChannelData(channel);
    for (let i = 0; i < mixed.length; i++) mixed[i] += one[i] / sound.numberOfChannels;
  }
  return mixed;
}

function render({ model, el }) {
  make(el, "style").textContent = CSS;
  const box = make(el, "div", { class: "sernb-mic", role: "group", "aria-label": "Record your voice" });
  const button = make(box, "button", { type: "button" });
  const meter = make(box, "meter", { min: 0, max: 1, low: 0.02, high: 0.9, optimum: 0.4, "aria-label": "Loudness" });
  const player = make(box, "audio", { controls: "", hidden: "", "aria-label": "What you recorded" });
  const status = make(box, "p", { role: "status", "aria-live": "polite" });
  let recorder = null, stream = null, context = null, clock = 0, gone = false;

  function say(text, problem = false) {
    status.textContent = text;
    status.classList.toggle("problem", problem);
  }

  function ready() {
    clearInterval(clock);
    if (stream) stream.getTracks().forEach((track) => track.stop());
    if (context) context.close();
    recorder = stream = context = null;
    meter.value = 0;
    box.classList.remove("on");
    button.textContent = "Record";
    button.disabled = false;
  }

  // Loudness and seconds, ten times a second; stops by itself at the end.
  function watch(seconds) {
    const analyser = context.createAnalyser(), start = performance.now();
    analyser.fftSize = 8192; // samples: more than a tenth of a second, so that no peak is missed
    const wave = new Float32Array(analyser.fftSize);
    context.createMediaStreamSource(stream).connect(analyser);
    clock = setInterval(() => {
      analyser.getFloatTimeDomainData(wave);
      meter.value = wave.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
      const left = seconds - (performance.now() - start) / 1000;
      button.textContent = `Stop (${Math.max(0, Math.ceil(left))} s)`;
      if (left <= 0 && recorder && recorder.state === "recording") recorder.stop();
    }, 100);
  }

  async function stopped(parts, type) {
    ready();
    button.disabled = true;
    say("Reading back what was recorded …");
    try {
      const blob = new Blob(parts, { type });
      const samples = await samplesOf(blob);
      if (gone) return;
      if (player.src) URL.revokeObjectURL(player.src);
      player.src = URL.createObjectURL(blob);
      player.hidden = false;
      say(`${(samples.length / RATE).toFixed(1)} s recorded and sent; waiting for the notebook's kernel …`);
      model.send({ kind: "sound", rate: RATE, samples: samples.length }, undefined, [samples.buffer]);
    } catch (error) {
      say(inWords(error, true), true);
    }
    button.disabled = false;
  }

  async function start() {
    button.disabled = true;
    say("Asking the browser for the microphone …");
    try {
      if (!navigator.mediaDevices || !window.MediaRecorder) throw new Error("this browser does not record sound.");
      stream = await navigator.mediaDevices.getUserMedia({ audio: SOUND });
      if (gone) return ready();
      context = new AudioContext();
      recorder = new MediaRecorder(stream, { audioBitsPerSecond: 128000 });
      const parts = [], type = recorder.mimeType;
      recorder.ondataavailable = (event) => parts.push(event.data);
      recorder.onstop = () => stopped(parts, recorder ? recorder.mimeType : type);
      recorder.onerror = (event) => { ready(); say(inWords(event.error, true), true); };
      recorder.start();
      watch(model.get("seconds"));
      box.classList.add("on");
      button.disabled = false;
      say("Recording.");
    } catch (error) {
      ready();
      say(inWords(error, window.isSecureContext), true);
    }
  }

  button.addEventListener("click", () => (recorder ? recorder.state === "recording" && recorder.stop() : start()));
  const told = (content) => content && content.kind === "said" && say(String(content.text), Boolean(content.problem));
  model.on("msg:custom", told);
  ready();
  say(`Up to ${model.get("seconds")} seconds; the sound goes to the notebook's kernel and nowhere else.`);
  return () => { gone = true; ready(); model.off("msg:custom", told); };
}

export default { render };
