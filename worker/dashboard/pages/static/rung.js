// Live regions, keyboard, and small comforts. Every page works without this file.
"use strict";

// Makes `old` like `fresh`, keeping every node that can stay: focus and selection survive.
function morph(old, fresh) {
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of [...fresh.attributes]) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const before = [...old.childNodes];
  const after = [...fresh.childNodes];
  after.forEach((node, place) => {
    if (place < before.length) morph(before[place], node);
    else old.append(node);
  });
  before.slice(after.length).forEach((node) => node.remove());
}

function live(region) {
  const pulse = document.getElementById("pulse");
  const source = new EventSource(region.dataset.live);
  source.addEventListener("region", (event) => {
    const fresh = region.cloneNode(false);
    fresh.innerHTML = JSON.parse(event.data);
    morph(region, fresh);
    const headline = region.querySelector("h1.headline");
    if (headline) document.title = headline.textContent.trim() + " – Rung";
  });
  source.onopen = () => say("live", false);
  source.onerror = () => say("not live", true);
  function say(words, off) {
    if (!pulse) return;
    pulse.hidden = false;
    pulse.textContent = words;
    pulse.classList.toggle("off", off);
  }
  window.addEventListener("pagehide", () => source.close());
}

const PLACES = { n: "/", h: "/hand-over", r: "/runs", j: "/jobs", d: "/dead", v: "/review", w: "/workers", a: "/audit" };
let going = 0;

function onKey(event) {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    event.preventDefault();
    if (search) search.focus();
    else location.href = "/jobs#search";
  } else if (event.key === "g") {
    going = Date.now();
  } else if (Date.now() - going < 1500 && PLACES[event.key]) {
    location.href = PLACES[event.key];
  }
}

// Ticks: a box for all, and only those buttons that fit something that is ticked.
function ticks(form) {
  const boxes = [...form.querySelectorAll("input[name=job]")];
  const all = form.querySelector("[data-all]");
  const bar = form.querySelector("[data-ticked]");
  if (!bar || !all) return;
  all.hidden = false;
  function count() {
    const ticked = boxes.filter((box) => box.checked);
    const fits = new Set(ticked.flatMap((box) => box.dataset.fits.split(" ")));
    bar.hidden = !ticked.length;
    bar.querySelector("span").textContent = `${ticked.length} ticked:`;
    bar.querySelectorAll("button").forEach((button) => (button.hidden = !fits.has(button.value)));
    all.checked = ticked.length === boxes.length;
    all.indeterminate = ticked.length > 0 && !all.checked;
  }
  all.addEventListener("change", () => {
    boxes.forEach((box) => (box.checked = all.checked));
    count();
  });
  form.addEventListener("change", count);
  count();
}

document.querySelectorAll("[data-ticks]").forEach(ticks);
document.querySelectorAll("[data-live]").forEach(live);
document.addEventListener("keydown", onKey);
if (location.hash === "#search") document.querySelector("[data-search]")?.focus();
