/* What customers' pages need beyond forms and links; every page works without it. */
(() => {
  "use strict";
  // Times are shown where the reader is.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.includes("custody_tz=")) {
    document.cookie = `custody_tz=${encodeURIComponent(zone)};path=/;max-age=31536000;samesite=lax`;
  }
  // The six boxes: which one is next, and a pasted "407 123" without its gap.
  const six = document.querySelector("[data-six]");
  if (six) {
    const input = six.querySelector("input");
    const mark = () => { six.dataset.at = document.activeElement === input ? Math.min(input.value.length, 5) : ""; };
    input.addEventListener("paste", (event) => {
      event.preventDefault();
      input.value = event.clipboardData.getData("text").replace(/\D/g, "").slice(0, 6);
      mark();
    });
    // The sixth digit sends them, once: the button lies behind the keyboard of a phone.
    let sent = "";
    const send = () => { if (/^\d{6}$/.test(input.value) && input.value !== sent) { sent = input.value; input.form.requestSubmit(); } };
    input.addEventListener("input", send);
    input.addEventListener("paste", () => setTimeout(send));
    for (const name of ["input", "focus", "blur"]) input.addEventListener(name, mark);
    mark();
  }
  // A second tap on the same button sends nothing.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "1";
    setTimeout(() => { delete event.target.dataset.sent; }, 4000);
  });
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
    const copy = event.target.closest("[data-copy]");
    if (copy && navigator.clipboard) {
      navigator.clipboard.writeText(copy.dataset.copy).then(() => { copy.querySelector("[data-copied]").textContent = copy.dataset.done; });
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.querySelectorAll("details.menu[open]").forEach((menu) => { menu.open = false; menu.firstElementChild.focus(); });
  });
  const bad = document.querySelector("[aria-invalid=true]");
  if (bad) bad.focus();
})();
