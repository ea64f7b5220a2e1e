/* The return workbench: a scanner is faster than the server. Each Enter puts a scan into a queue, and what waits is sent
   together; the field is free at once and keeps the focus. Without this, every scan is a plain post. */
(() => {
  "use strict";
  const form = document.querySelector("[data-workbench]");
  if (!form || !window.htmx) return;
  const $ = (selector) => form.querySelector(selector);
  const field = $("[data-scan]"), list = $("[data-list]"), add = $("[data-add]");
  const waiting = [];
  let busy = false;

  function send() {
    if (busy || !waiting.length) return;
    busy = true;
    list.value = waiting.splice(0).join("\n");
    htmx.trigger(add, "click");
  }

  function take(text) {
    const scans = text.split(/[\r\n]+/).map((each) => each.trim()).filter(Boolean);
    waiting.push(...scans);
    send();
  }

  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const text = field.value;
    field.value = "";
    take(text);
  });
  // A field of one line would glue the lines of a pasted list together.
  field.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text");
    if (!/[\r\n]/.test(text.trim())) return;
    event.preventDefault();
    take(text);
  });
  add.addEventListener("click", (event) => {
    if (busy && event.isTrusted) { event.preventDefault(); event.stopImmediatePropagation(); take(field.value); field.value = ""; }
  }, true);

  document.addEventListener("htmx:afterRequest", (event) => {
    // Only a scan ends a scan: the numbers that are fetched every few seconds lie in this form too.
    if (event.detail.elt !== add) return;
    if (event.detail.successful) { list.value = ""; if (!busy) field.value = ""; } else { waiting.unshift(...list.value.split("\n")); list.value = ""; }
    busy = false;
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id !== "bench") return;
    const bench = document.getElementById("bench");
    if (bench.dataset.tone && !bench.dataset.played) { bench.dataset.played = "1"; play(bench.dataset.tone); }
    if (!form.contains(document.activeElement) || document.activeElement === document.body) field.focus();
    send();
  });

  // Sounds: two short high tones, one in the middle, one long and low. On until somebody wants quiet.
  const KEY = "custody_sound", toggle = $("[data-sound]");
  const TONES = { ok: [[880, 0, .07], [1320, .08, .09]], warn: [[520, 0, .16]], bad: [[180, 0, .38]] };
  let audio = null;
  $("[data-sound-switch]").hidden = false;
  try { toggle.checked = localStorage.getItem(KEY) !== "off"; } catch { toggle.checked = true; }
  toggle.addEventListener("change", () => {
    try { localStorage.setItem(KEY, toggle.checked ? "on" : "off"); } catch { /* it holds for this page only */ }
    if (toggle.checked) play("ok");
    field.focus();
  });
  function play(tone) {
    if (!toggle.checked || !TONES[tone]) return;
    audio = audio || new AudioContext();
    for (const [pitch, from, length] of TONES[tone]) {
      const oscillator = audio.createOscillator(), gain = audio.createGain(), at = audio.currentTime + from;
      oscillator.frequency.value = pitch;
      oscillator.type = tone === "bad" ? "sawtooth" : "sine";
      gain.gain.setValueAtTime(.12, at);
      gain.gain.exponentialRampToValueAtTime(.001, at + length);
      oscillator.connect(gain).connect(audio.destination);
      oscillator.start(at);
      oscillator.stop(at + length);
    }
  }
})();
