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

const SILENT_MS = 8000; // The server says something every 3 s, once the record has answered.
const LOST_MS = 2500; // A connection that is renewed at once has lost nothing.
const AGAIN_MS = [2000, 30000]; // A browser gives up for good once it was refused: first wait, longest.

function live(region) {
  const pulse = document.getElementById("pulse");
  let source;
  let heard = Date.now();
  let waiting = 0;
  let [again] = AGAIN_MS;
  connect();
  function connect() {
    source = new EventSource(region.dataset.live);
    source.addEventListener("alive", hear);
    source.addEventListener("region", (event) => {
      hear();
      const fresh = region.cloneNode(false);
      fresh.innerHTML = JSON.parse(event.data);
      morph(region, fresh);
      const headline = region.querySelector("h1.headline");
      if (headline) document.title = headline.textContent.trim() + " – Rung";
    });
    source.onerror = () => {
      waiting ||= setTimeout(lose, LOST_MS);
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(connect, again);
      again = Math.min(2 * again, AGAIN_MS[1]);
    };
  }
  setInterval(() => Date.now() - heard > SILENT_MS && lose(), 1000);
  function hear() {
    clearTimeout(waiting);
    waiting = 0;
    [again] = AGAIN_MS;
    heard = Date.now();
    document.querySelectorAll("[data-as-of]").forEach((time) => {
      time.textContent = new Date(heard).toUTCString().slice(5, 25);
    });
    say("live", false);
  }
  function lose() {
    const at = new Date(heard).toISOString().slice(11, 16);
    say(`not live since ${at}`, true);
  }
  // What is old looks old: the page turns grey, and says of when it is.
  function say(words, off) {
    document.body.classList.toggle("stale", off);
    const lost = document.getElementById("lost");
    if (lost && lost.hidden === off) {
      lost.hidden = !off;
      const at = new Date(heard).toISOString().slice(11, 16);
      lost.textContent = off ? `Nothing has been heard since ${at}: the dashboard or its Postgres does not answer. What stands here is of then; rung doctor says what is wrong.` : "";
    }
    if (!pulse) return;
    pulse.hidden = false;
    if (pulse.textContent !== words) pulse.textContent = words;
    pulse.classList.toggle("off", off);
  }
  window.addEventListener("pagehide", () => source.close());
}

const PLACES = { n: "/", h: "/hand-over", r: "/runs", j: "/jobs", d: "/dead", v: "/review", k: "/knowledge", e: "/deliveries", p: "/certificates", w: "/workers", a: "/audit" };
let going = 0;

// Charts: what the pointer or the arrow keys are at is said below; else the summary.
function tell(svg, place) {
  const said = svg.closest("figure").querySelector("[data-readout]");
  said.dataset.summary ??= said.textContent;
  svg.querySelector(".place.at")?.classList.remove("at");
  place?.classList.add("at");
  said.textContent = place ? place.dataset.words : said.dataset.summary;
}

function along(svg, key) {
  const places = [...svg.querySelectorAll(".place")];
  const at = places.findIndex((place) => place.classList.contains("at"));
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: places.length - 1 }[key];
  if (to === undefined || !places.length) return false;
  tell(svg, places[at < 0 && key === "ArrowLeft" ? places.length - 1 : Math.min(Math.max(to, 0), places.length - 1)]);
  return true;
}

function pointed(event) {
  const svg = event.target.closest?.("[data-plot]");
  document.querySelectorAll("[data-plot]").forEach((one) => {
    if (one !== svg && one.querySelector(".at") && one !== document.activeElement) tell(one, null);
  });
  const place = event.target.closest?.(".place");
  if (place) tell(svg, place);
}

document.addEventListener("pointerover", pointed);
document.addEventListener("focusout", (event) => {
  if (event.target.matches?.("[data-plot]")) tell(event.target, null);
});

// A key of the page itself: presses what carries it; what opens, opens with its first field.
function press(key) {
  const found = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!found) return false;
  found.click();
  const field = found.closest("details")?.querySelector("textarea, input:not([type=hidden])");
  if (field && found.closest("details").open) field.focus();
  return true;
}

function onKey(event) {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (typing && event.key === "Escape") event.target.blur();
  if (typing && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.target.form?.requestSubmit();
  }
  if (event.target.matches?.("[data-plot]") && along(event.target, event.key)) {
    event.preventDefault();
    return;
  }
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
  } else if (press(event.key)) {
    event.preventDefault();
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

// Whoever closes the page leaves what they read to the next; a verdict and the next one end it too.
function leaves(form) {
  let stays = false;
  document.addEventListener("submit", () => (stays = true));
  document.addEventListener("click", (event) => (stays ||= Boolean(event.target.closest("a[data-key]"))));
  window.addEventListener("pagehide", () => {
    if (!stays) navigator.sendBeacon(form.action, new URLSearchParams(new FormData(form)));
  });
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
}

document.querySelectorAll("[data-leave]").forEach(leaves);

// What takes a while to count is counted at once, and takes the place of the first look.
async function count(link) {
  const words = link.textContent;
  link.textContent = "Counting…";
  try {
    const answer = await fetch(link.href);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    morph(document.querySelector("main"), fresh.querySelector("main"));
  } catch {
    link.textContent = words;
  }
}

document.querySelectorAll("[data-count]").forEach(count);

// A row leads where its first link leads, for those who do not aim well.
document.addEventListener("click", (event) => {
  if (event.target.closest("a, button, input, label, select, summary")) return;
  if (event.button || event.ctrlKey || event.metaKey || String(getSelection())) return;
  event.target.closest("tbody tr")?.querySelector("th a[href], td a[href]:not(.button)")?.click();
});

document.querySelectorAll("[data-live]").forEach(live);
document.addEventListener("keydown", onKey);
if (location.hash === "#search") document.querySelector("[data-search]")?.focus();
