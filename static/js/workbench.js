/* The workbenches for packing and for returns. A scan is the server's or visibly waiting: it is kept in this browser
   under an id of its own until the server has answered it, and sent again by itself. Without this, every scan is a plain post. */
(() => {
  "use strict";
  const root = document.querySelector("[data-workbench]");
  if (!root || !window.htmx) return;
  const $ = (selector, within = root) => within.querySelector(selector);
  const { workbench, person, name, here } = root.dataset;
  const form = root.matches("form") ? root : null, field = $("[data-scan]");
  const MOST = 500, PATIENCE = 10_000, PATIENCE_EACH = 40, PAUSES = [1, 2, 4, 8, 15, 30], SLOW = 1500, ADOPTED = 15_000;
  // The server knows the id of a packed scan for 30 days: what is older is not sent again by itself.
  const DAY = 86_400_000, SENDABLE = 28 * DAY, LISTED = 30 * DAY;

  // What is kept: one key for each thing, so that two tabs never overwrite each other's. Browsers hold scans under these
  // names while an update is installed, so neither they nor what is stored under them may change.
  const SCAN = `custody.scan.${workbench}.`, REFUSED = `custody.refused.${workbench}.`, UNIT = `custody.unit.${workbench}.${person}.`;
  const memory = new Map();
  const kept = (key) => { try { return memory.get(key) ?? localStorage.getItem(key); } catch { return memory.get(key) ?? null; } };
  const drop = (key) => { memory.delete(key); try { localStorage.removeItem(key); } catch { /* it was in memory only */ } };
  function keep(key, value) {
    const text = JSON.stringify(value);
    try { localStorage.setItem(key, text); memory.delete(key); } catch { memory.set(key, text); }
  }
  function all(prefix) {
    let keys = [...memory.keys()];
    try { keys = keys.concat(Object.keys(localStorage)); } catch { /* the memory is all there is */ }
    return [...new Set(keys)].filter((key) => key.startsWith(prefix)).sort().flatMap((key) => {
      try { return [{ ...JSON.parse(kept(key)), key, id: key.slice(prefix.length) }]; } catch { return []; }
    });
  }
  let latest = 0;
  function newId() {
    latest = Math.max(latest + 1, Date.now() * 100);
    const chance = [...crypto.getRandomValues(new Uint32Array(2))].map((part) => part.toString(36).padStart(7, "0"));
    return latest.toString(36).padStart(10, "0") + chance.join("");
  }
  let tab = newId();
  try { tab = sessionStorage.tab ||= tab; } catch { /* a tab that is loaded again counts as another one */ }

  const waiting = () => all(SCAN).filter((scan) => scan.person === person);
  const others = () => all(SCAN).filter((scan) => scan.person !== person);
  // What another tab keeps is sent by this one if that one doesn't.
  const due = () => waiting().filter((scan) => scan.tab === tab || Math.abs(Date.now() - scan.at) > ADOPTED);

  function take(text) {
    const scans = text.split(/[\r\n]+/).map((each) => each.trim()).filter(Boolean);
    if (!scans.length) return;
    for (const each of scans) keep(SCAN + newId(), { text: each, person, name, tab, at: Date.now() });
    if (trouble) play("wait");
    show();
    send();
  }

  // Sending: in order, one request at a time, with a limit for each try.
  let busy = false, pending = 0, trouble = "", tries = 0, size = MOST, slow = false, timer = 0, pause = 0, restore = false;
  const held = [];

  async function send() {
    if (!form || busy || pending) return;
    clearTimeout(timer);
    if (!due().length && !restore) { show(); if (waiting().length) timer = setTimeout(send, SLOW); return; }
    busy = true;
    const late = setTimeout(() => { slow = true; show(); }, SLOW);
    try {
      await alone(async () => {
        // Another tab may have sent them while this one waited for its turn.
        const batch = due().slice(0, size);
        if (batch.length || restore) await attempt(batch);
      });
    } finally { clearTimeout(late); slow = false; busy = false; }
    show();
    if (held.length) held.splice(0).forEach((act) => act());
    else if (trouble) timer = setTimeout(send, 1000 * (pause || PAUSES[Math.min(tries++, PAUSES.length - 1)]));
    else if (due().length) send();
    pause = 0;
  }
  const alone = (act) => navigator.locks ? navigator.locks.request(`custody.${workbench}`, act) : act();

  async function attempt(batch) {
    const body = new URLSearchParams(new FormData(form));
    for (const each of ["scan", "list", "do", "choose"]) body.delete(each);
    body.set("person", person);
    for (const scan of batch) body.append("queued", `${scan.id} ${scan.text}`);
    if (restore) {
      body.set("restore", "1");
      body.set("ids", units().map((unit) => unit.id).join(","));
      for (const unit of units()) if (unit.asked) body.append("anyway", unit.id);
    }
    let answer = await ask(here, body, PATIENCE + PATIENCE_EACH * batch.length);
    if (answer.status === 403 && await freshened()) {
      body.set("csrfmiddlewaretoken", token());
      answer = await ask(here, body, PATIENCE + PATIENCE_EACH * batch.length);
    }
    if (!answer.status) return fail(answer.slow ? "slow" : "offline");
    if (answer.away) return fail("signedOut");
    if (answer.status === 403) return fail(trouble === "signedOut" ? trouble : "denied");
    if (answer.code === "another_person") return fail("person");
    const page = answer.status === 200 && new DOMParser().parseFromString(answer.text, "text/html").getElementById("workbench-content");
    if (!page) {
      // If it is one of many that can't be taken, the others are.
      size = Math.max(1, Math.floor(Math.min(size, batch.length) / 2));
      pause = Number(answer.after) || 0;
      return fail("failed");
    }
    trouble = ""; tries = 0; size = MOST;
    const handled = new Set((page.dataset.handled || "").split(" ")), done = batch.filter((scan) => handled.has(scan.id));
    collect(page, done.map((scan) => scan.text));
    done.forEach((scan) => drop(scan.key));
    const restored = restore;
    if (restore) restore = false;
    htmx.swap("#workbench-content", answer.text, { swapStyle: "outerHTML", swapDelay: 0, settleDelay: 0 });
    if (restored) { const now = new Set(ids()); units().filter((unit) => !now.has(unit.id)).forEach((unit) => drop(unit.key)); }
    changed();
  }

  async function ask(url, body, patience) {
    const abort = new AbortController(), limit = setTimeout(() => abort.abort(), patience);
    const headers = { "HX-Request": "true", "HX-Target": "workbench-content", Accept: "text/html, application/json", "X-CSRFToken": token() };
    try {
      const answer = await fetch(url, { method: "POST", body, headers, signal: abort.signal });
      const text = await answer.text();
      let code = "";
      if ((answer.headers.get("Content-Type") || "").includes("json")) try { ({ code } = JSON.parse(text)); } catch { /* no code then */ }
      const away = answer.headers.get("HX-Redirect") || (answer.redirected ? answer.url : "");
      return { status: answer.status, text, code, away, after: answer.headers.get("Retry-After") };
    } catch { return { status: 0, slow: abort.signal.aborted }; } finally { clearTimeout(limit); }
  }

  // The form's token grows old with the session; the cookie has the one that counts.
  const cookie = () => document.cookie.match(/(?:^|; )custody_csrf=([^;]+)/)?.[1];
  const token = () => cookie() || $("[name=csrfmiddlewaretoken]", document)?.value || "";
  const renew = () => { const now = cookie(); if (now) document.querySelectorAll("[name=csrfmiddlewaretoken]").forEach((each) => { each.value = now; }); };
  async function freshened() {
    const abort = new AbortController(), limit = setTimeout(() => abort.abort(), PATIENCE);
    try {
      const page = await fetch(here, { signal: abort.signal });
      if (page.redirected) trouble = "signedOut";
      renew();
      return page.ok && !page.redirected;
    } catch { return false; } finally { clearTimeout(limit); }
  }

  function fail(why) {
    if (!trouble && waiting().length) play("wait");
    trouble = why;
  }

  // What waits is shown, with why it waits and what can be done about it.
  function show() {
    const mine = waiting(), panel = $("[data-waiting]"), far = others(), strange = $("[data-others]");
    const says = panel.dataset, stuck = ["signedOut", "denied", "person"].includes(trouble);
    // A tab that is gone may have left them.
    const old = mine.some((scan) => scan.tab !== tab && Date.now() - scan.at > SLOW);
    panel.hidden = !(mine.length && (trouble || slow || old || !form)) && !stuck;
    const count = (data, number, who = "") => (number === 1 ? data.one : data.many).replace("%s", number).replace("%n", who);
    put($("[data-count]", panel), mine.length ? count(says, mine.length) : "");
    put($("[data-why]", panel), form ? says[trouble || (slow || old ? "slow" : "")] || "" : says.elsewhere);
    codes(panel, mine);
    const sign = $("[data-sign-in]", panel);
    sign.hidden = trouble !== "signedOut";
    put(sign, mine.length ? (mine.length === 1 ? says.signOne : says.signMany).replace("%s", mine.length) : says.signNone);
    $("[data-reload]", panel).hidden = form && trouble !== "person";
    $("[data-retry]", panel).hidden = !form || stuck;
    $("[data-copy-waiting]", panel).hidden = $("[data-discard]", panel).hidden = !mine.length;
    strange.hidden = !far.length;
    put($("[data-count]", strange), far.length ? count(strange.dataset, far.length, [...new Set(far.map((scan) => scan.name))].join(", ")) : "");
    codes(strange, far);
    $("[data-adopt]", strange).hidden = !form;
    list();
    root.hidden = !form && !mine.length && !far.length && !all(REFUSED).length;
  }
  const put = (place, text) => { if (place.textContent !== text) place.textContent = text; };
  function codes(panel, scans) {
    const place = $("[data-codes]", panel), text = scans.map((scan) => scan.text).join("\n");
    if (place.dataset.text === text) return;
    place.dataset.text = text;
    place.replaceChildren(...scans.map((scan) => Object.assign(document.createElement("li"), { textContent: scan.text })));
  }

  // What was refused stays in a list until somebody has dealt with it.
  function collect(page, texts) {
    const refused = new Set();
    for (const answer of page.querySelectorAll(".answer[data-scanned]")) {
      const text = answer.dataset.scanned;
      refused.add(text);
      refuse(text, $("[data-sentence]", answer).textContent, [...answer.querySelectorAll("[data-next] > *")].map((step) => ({
        label: step.textContent.trim(), again: step.dataset.again || "", url: step.getAttribute("href") || step.getAttribute("formaction") || "",
        out: step.hasAttribute("data-take-out") ? step.value : "",
      })));
      delete answer.dataset.scanned;
    }
    forget(texts.filter((text) => !refused.has(text)));
  }
  function refuse(text, sentence, steps = []) {
    forget([text]);
    keep(REFUSED + newId(), { text, sentence, steps, at: Date.now() });
  }
  const forget = (texts) => all(REFUSED).filter((row) => texts.includes(row.text)).forEach((row) => drop(row.key));
  function list() {
    const part = $("[data-refused]");
    if (!part) return;
    const rows = all(REFUSED).reverse(), place = $("[data-refused-list]", part), said = JSON.stringify(rows);
    part.hidden = !rows.length;
    if (part.dataset.said === said) return;
    part.dataset.said = said;
    put($("[data-refused-count]", part), String(rows.length));
    place.replaceChildren(...rows.map((row) => {
      const line = $("[data-refused-row]", part).content.cloneNode(true).firstElementChild;
      put($("[data-text]", line), row.text);
      put($("[data-sentence]", line), row.sentence);
      $("[data-drop]", line).dataset.drop = row.key;
      const next = $("[data-next]", line), again = $("[data-again]", line);
      if (again) again.dataset.again = row.text;
      next.prepend(...(row.steps || []).filter((step) => form || step.url && !step.out).map((step) => {
        const made = document.createElement(step.again || step.out ? "button" : "a");
        made.className = "button small";
        made.textContent = step.label;
        if (step.again) made.dataset.again = step.again;
        if (step.out) { made.dataset.takeOut = step.url; made.value = step.out; }
        if (made.matches("button")) made.type = "button"; else if (step.url.startsWith("/")) made.href = step.url;
        return made;
      }));
      line.dataset.scan = row.text;
      return line;
    }));
  }

  root.addEventListener("click", async (event) => {
    const on = (selector) => event.target.closest(selector);
    let button;
    if ((button = on("button[data-again]"))) {
      event.preventDefault();
      const text = button.closest("[data-scan]")?.dataset.scan;
      if (text) forget([text]);
      take(button.dataset.again);
    } else if ((button = on("[data-take-out]"))) {
      event.preventDefault();
      const text = button.closest("[data-scan]")?.dataset.scan || button.closest(".answer").dataset.kept;
      const url = button.dataset.takeOut || button.getAttribute("formaction");
      const answer = await ask(url, new URLSearchParams({ device: button.value, csrfmiddlewaretoken: token() }), PATIENCE);
      if (answer.status === 200 && !answer.away) { forget([text]); take(text); } else lost();
    } else if ((button = on("[data-drop]"))) drop(button.dataset.drop);
    else if (on("[data-clear]")) all(REFUSED).forEach((row) => drop(row.key));
    else if (on("[data-retry]")) { adopt(waiting()); tries = 0; send(); }
    else if (on("[data-adopt]")) { adopt(others()); send(); }
    else if (on("[data-discard]")) unsent(waiting());
    else if (on("[data-discard-others]")) unsent(others());
    else if (on("[data-copy-waiting]")) copy(waiting());
    else if (on("[data-copy-others]")) copy(others());
    else if (on("[data-copy-refused]")) copy(all(REFUSED));
    else return;
    show();
  });
  const adopt = (scans) => scans.forEach((scan) => keep(scan.key, { text: scan.text, person, name, tab, at: scan.at }));
  // What is not to be sent is not gone: it stands in the list of what was refused.
  const unsent = (scans) => scans.forEach((scan) => { refuse(scan.text, $("[data-waiting]").dataset.unsent); drop(scan.key); });
  function sweep() {
    unsent(all(SCAN).filter((scan) => Date.now() - scan.at > SENDABLE));
    all(REFUSED).filter((row) => Date.now() - row.at > LISTED).forEach((row) => drop(row.key));
  }
  function copy(rows) {
    const text = rows.map((row) => row.text).join("\n");
    if (navigator.clipboard) { navigator.clipboard.writeText(text); return; }
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  // The units on the workbench for returns are kept too, for a day: they lie there until they are received or taken off.
  const ids = () => ($("input[name=ids]")?.value || "").split(",").filter(Boolean);
  const units = () => all(UNIT).filter((unit) => { const fresh = Date.now() - unit.at < DAY; if (!fresh) drop(unit.key); return fresh; }).sort((a, b) => b.at - a.at);
  function keepUnits() {
    const now = Date.now();
    units();
    ids().forEach((id, place) => {
      const asked = Boolean($(`input[name=anyway][value="${id}"]`)?.checked), before = JSON.parse(kept(UNIT + id) || "null");
      if (!before || before.asked !== asked) keep(UNIT + id, { at: before?.at || now - place, asked });
    });
  }
  const bringBack = () => { if ($("input[name=ids]") && units().map((unit) => unit.id).sort().join() !== ids().sort().join()) { restore = true; send(); } };

  // After every answer.
  function changed() {
    const page = document.getElementById("workbench-content");
    page.querySelectorAll(".answer[data-scanned]").forEach((answer) => { answer.dataset.kept = answer.dataset.scanned; });
    if (page.dataset.tone && !page.dataset.played) { page.dataset.played = "1"; play(page.dataset.tone); }
    collect(page, []);
    keepUnits();
    show();
    home();
  }
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id === "workbench-content") changed(); else { show(); home(); }
  });

  // Other acts on the workbench wait for the scans that are under way, and scans for them: each answer shows what both did.
  const acts = (event) => event.detail.target?.id === "workbench-content";
  document.addEventListener("htmx:confirm", (event) => {
    const { elt } = event.detail;
    if (!busy || !acts(event)) return;
    event.preventDefault();
    held.push(() => {
      // The answer may have brought another element in its place.
      const same = document.contains(elt) ? elt : elt.id ? document.getElementById(elt.id) : $(`[name="${elt.name}"][value="${elt.value}"]`);
      if (same && same !== elt && elt.type === "checkbox") same.checked = elt.checked;
      if (same) htmx.trigger(same, same.matches("form") ? "submit" : elt.type === "checkbox" ? "change" : "click");
    });
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!acts(event)) return;
    pending += 1;
    $("[data-lost]").hidden = true;
    if (event.detail.elt.name === "remove") drop(UNIT + event.detail.elt.value);
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (!acts(event)) return;
    pending = Math.max(0, pending - 1);
    if (event.detail.failed && event.detail.xhr?.status !== 422) lost();
    send();
  });
  document.addEventListener("htmx:configRequest", (event) => {
    const { headers, parameters } = event.detail;
    headers["X-CSRFToken"] = token();
    if (parameters.csrfmiddlewaretoken) parameters.csrfmiddlewaretoken = token();
  });
  // Whoever is signed out finds it said here, and is not led away from what waits.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const away = event.detail.xhr.getResponseHeader("HX-Redirect");
    if (!away || !root.contains(event.detail.elt) || !away.startsWith($("[data-sign-in]").pathname)) return;
    event.preventDefault();
    fail("signedOut");
    show();
  });
  function lost() { $("[data-lost]").hidden = false; play("bad"); }

  window.addEventListener("storage", (event) => {
    if (event.key?.startsWith(UNIT)) {
      const [here, there] = [ids().includes(event.key.slice(UNIT.length)), event.newValue !== null];
      if (here !== there) bringBack();
    } else show();
  });
  window.addEventListener("online", () => { tries = 0; send(); });
  window.addEventListener("pageshow", () => { busy = busy && !event?.persisted; show(); home(); send(); });
  window.addEventListener("focus", () => { home(); if (trouble) send(); });
  window.addEventListener("beforeunload", (event) => { if ([...memory.keys()].some((key) => key.startsWith(SCAN))) event.preventDefault(); });

  sweep();
  if (!form) { show(); return; }

  // The field has the focus after everything but while somebody writes or chooses elsewhere.
  const writes = (at) => at?.matches("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=file])");
  function home() {
    const at = document.activeElement;
    if (!field || at === field || writes(at) || document.querySelector("dialog[open], details.menu[open]")) return;
    if (!getSelection().isCollapsed) return;
    field.focus({ preventScroll: true });
  }
  document.addEventListener("click", () => setTimeout(home));
  document.addEventListener("toggle", (event) => {
    if (event.target.matches("[data-paste]") && event.target.open) $("[data-list]").focus(); else home();
  }, true);

  form.addEventListener("submit", (event) => {
    const list = event.submitter?.matches("[data-add-list]");
    if (!list && !event.submitter?.matches("[data-add]")) return;
    event.preventDefault();
    const from = list ? $("[data-list]") : field, text = from.value;
    from.value = "";
    if (list) $("[data-paste]").open = false;
    take(text);
    field.focus();
  });
  // A field of one line would glue the lines of a pasted list together.
  field.addEventListener("paste", (event) => {
    const text = event.clipboardData.getData("text");
    if (!/[\r\n]/.test(text.trim())) return;
    event.preventDefault();
    take(text);
  });

  // A gun types faster than any hand. What it types is a scan wherever the focus is, and its Enter or Tab ends the scan.
  const GAP = 50, LEAST = 4, SEPARATORS = { "]": "\x1d", "^": "\x1e", "\\": "\x1c" };
  let burst = null, ended = -Infinity;
  window.addEventListener("keydown", (event) => {
    const { key, target, timeStamp } = event, ours = target === field;
    const quick = burst !== null && timeStamp - burst.at <= GAP;
    const stop = () => { event.preventDefault(); event.stopImmediatePropagation(); };
    if (event.isComposing || ["Shift", "CapsLock", "Control", "Alt", "AltGraph"].includes(key)) return;
    if (event.metaKey || (event.ctrlKey && !event.altKey)) {
      // Guns send the separators of GS1 data as Ctrl with a key, which would open or close something here.
      if (quick) { stop(); burst.at = timeStamp; write(SEPARATORS[key] || "", ours); }
      return;
    }
    if (key === "Enter" || key === "Tab") {
      const gun = quick && burst.text.length >= LEAST, text = burst?.text || "", touched = burst?.touched;
      burst = null;
      // Some send both.
      if (!gun && timeStamp - ended <= GAP) { stop(); return; }
      if (gun) ended = timeStamp;
      if (ours && (gun || key === "Enter")) {
        stop();
        const scan = field.value;
        field.value = "";
        take(scan);
      } else if (gun) {
        stop();
        touched.forEach((before, each) => { each.value = before; });
        take(text);
        field.focus();
      }
      return;
    }
    // On some keyboards a sign waits for the next key.
    if (key === "Dead") { if (quick) burst.at = timeStamp; return; }
    if (key.length !== 1) { burst = null; return; }
    if (!quick) burst = { text: "", touched: new Map() };
    burst.at = timeStamp;
    if (!ours && writes(target) && !burst.touched.has(target)) burst.touched.set(target, target.value);
    burst.text += key;
    if (!ours && !writes(target) && quick) {
      stop();
      burst.touched.forEach((before, each) => { each.value = before; });
      burst.touched.clear();
      field.value += burst.text;
      field.focus();
    }
  }, true);
  function write(sign, ours) {
    burst.text += sign;
    if (ours && sign) field.setRangeText(sign, field.selectionStart, field.selectionEnd, "end");
  }

  // Sounds: two short high tones, one in the middle, one long and low, two falling. On until somebody wants quiet.
  const KEY = "custody_sound", toggle = $("[data-sound]");
  const TONES = { ok: [[880, 0, .07], [1320, .08, .09]], warn: [[520, 0, .16]], bad: [[180, 0, .38]], wait: [[440, 0, .1], [330, .12, .14]] };
  let audio = null;
  $("[data-sound-switch]").hidden = false;
  try { toggle.checked = localStorage.getItem(KEY) !== "off"; } catch { toggle.checked = true; }
  toggle.addEventListener("change", () => {
    try { localStorage.setItem(KEY, toggle.checked ? "on" : "off"); } catch { /* it holds for this page only */ }
    if (toggle.checked) play("ok");
  });
  function play(tone) {
    root.dataset.sounded = tone;
    if (!toggle?.checked || !TONES[tone]) return;
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

  // The steps of what is refused stand in its list.
  root.dataset.listed = "";
  changed();
  bringBack();
  send();
})();
