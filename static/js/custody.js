/* The little that pages need beyond htmx; every page works without it. */
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Times are shown where the reader is, unless he or his organization says otherwise.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.includes("custody_tz=")) {
    document.cookie = `custody_tz=${encodeURIComponent(zone)};path=/;max-age=31536000;samesite=lax`;
    $$("select[data-zone]").forEach((select) => { if ($(`option[value="${zone}"]`, select)) select.value = zone; });
  }

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      const field = $("#search");
      if (field) { event.preventDefault(); field.focus(); field.select(); }
    }
    if (event.key === "Escape") {
      $$("details.menu[open]").forEach((menu) => { menu.open = false; $("summary", menu).focus(); });
      const found = $("#search-results");
      if (found) found.replaceChildren();
      const drawer = $("#drawer");
      if (drawer) drawer.checked = false;
    }
    // The first hit, if it was found for what stands in the field now: a scanner is faster than the search.
    if (event.key === "Enter" && event.target.id === "search") {
      const first = $("#search-results a.first");
      if (first && first.closest("[data-query]").dataset.query === event.target.value.trim()) { event.preventDefault(); first.click(); }
    }
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target.closest(".search")) {
      const links = $$("#search-results a");
      if (!links.length) return;
      event.preventDefault();
      const at = links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
      (links[at] || $("#search")).focus();
    }
  });

  document.addEventListener("click", (event) => {
    $$("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
    if (!event.target.closest(".search")) { const found = $("#search-results"); if (found) found.replaceChildren(); }
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      navigator.clipboard.writeText(copy.dataset.copy).then(() => {
        const said = $("[data-copied]", copy) || copy;
        const before = said.textContent;
        said.textContent = copy.dataset.done;
        setTimeout(() => { said.textContent = before; }, 1500);
      });
    }
  });

  // A second click on what creates something sends nothing.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-once]")) return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => { delete form.dataset.sent; }, 4000);
  });

  // Selecting rows: the box in the header, Shift for a range, and the count in the bar.
  let last = null;
  document.addEventListener("change", (event) => {
    const box = event.target;
    const form = box.form;
    if (!form) return;
    if (box.matches("[data-pick-all]")) $$("input[name=ids]", form).forEach((each) => { each.checked = box.checked; });
    if (box.matches("input[name=ids], [data-pick-all]")) count(form);
    if (box.matches("[data-submit]")) form.requestSubmit();
    if (box.matches("input[name=all]")) count(form);
  });
  document.addEventListener("click", (event) => {
    const box = event.target;
    if (!box.matches || !box.matches("input[name=ids]")) return;
    const boxes = $$("input[name=ids]", box.form);
    if (event.shiftKey && last && boxes.includes(last)) {
      const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
      boxes.slice(from, to + 1).forEach((each) => { each.checked = box.checked; });
    }
    last = box;
  });
  function count(form) {
    const boxes = $$("input[name=ids]", form);
    const picked = boxes.filter((each) => each.checked).length;
    const all = $("input[name=all]", form);
    $$("[data-picked]", form).forEach((place) => { place.textContent = picked.toLocaleString(document.documentElement.lang); });
    $$("[data-pick-all]", form).forEach((box) => { box.checked = picked > 0 && picked === boxes.length; box.indeterminate = picked > 0 && picked < boxes.length; });
    if (all && picked < boxes.length) all.checked = false;
    $$("[data-all-offer]", form).forEach((offer) => { offer.hidden = picked < boxes.length; });
  }

  // A file that is dropped on its field.
  document.addEventListener("dragover", (event) => { const zone = event.target.closest(".dropzone"); if (zone) { event.preventDefault(); zone.classList.add("over"); } });
  document.addEventListener("dragleave", (event) => { const zone = event.target.closest(".dropzone"); if (zone) zone.classList.remove("over"); });
  document.addEventListener("drop", (event) => {
    const zone = event.target.closest(".dropzone");
    if (!zone) return;
    event.preventDefault(); zone.classList.remove("over");
    const input = $("input[type=file]", zone);
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // On a phone the row of tabs is scrolled to the one that is open.
  $$(".tabs [aria-current]").forEach((tab) => { tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - 16; });

  // A page that is a form begins at its first empty field, and a page that asks for six digits at those.
  const start = () => {
    const form = $("main form.form[method=post]");
    if (!form || location.hash || (document.activeElement && document.activeElement !== document.body)) return;
    const fields = $$("input:not([type=hidden], [type=checkbox], [type=radio], [type=file], [type=submit]), textarea, select", form);
    const first = fields.find((field) => !field.disabled && !field.readOnly && !field.value && field.offsetParent);
    // Only where it can be seen without scrolling: a page may hold more than its form.
    if (first && first.getBoundingClientRect().bottom < innerHeight) first.focus({ preventScroll: true });
  };
  start();

  // After an error, the first field that has one takes the focus.
  const focusError = (root) => { const bad = $("[aria-invalid=true]", root); if (bad) bad.focus(); };
  document.addEventListener("htmx:afterSettle", (event) => focusError(event.target));
  focusError(document);
  document.addEventListener("htmx:beforeSwap", (event) => { if ([403, 409, 422, 429].includes(event.detail.xhr.status)) { event.detail.shouldSwap = true; event.detail.isError = false; } });
})();
