// Keeps the file in the page between looking and starting, and takes one that is dropped. Without
// this file the form works too; the browser then asks for the file again.
"use strict";

const form = document.getElementById("hand-over");
let asked = 0;

async function send(step) {
  const turn = ++asked;
  const look = document.getElementById("look");
  const data = new FormData(form);
  data.set("step", step);
  look.setAttribute("aria-busy", "true");
  form.querySelectorAll("button").forEach((button) => (button.disabled = true));
  try {
    const answer = await fetch(form.action, { method: "POST", body: data, headers: { Accept: "text/html" } });
    if (turn !== asked) return;
    if (answer.redirected) {
      location.assign(answer.url);
      return;
    }
    show(look, new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    if (turn === asked) say(look, "The dashboard does not answer just now. Nothing was started.");
  }
  if (turn !== asked) return;
  look.removeAttribute("aria-busy");
  form.querySelectorAll("button").forEach((button) => (button.disabled = false));
}

function show(look, fresh) {
  const region = fresh.getElementById("look");
  if (!region) {
    say(look, fresh.querySelector("main")?.textContent.trim() || "That was refused.");
    return;
  }
  look.replaceChildren(...region.childNodes);
  if (fresh.getElementById("columns")?.open) document.getElementById("columns").open = true;
}

function say(look, words) {
  const card = document.createElement("section");
  card.className = "card problem";
  card.setAttribute("role", "alert");
  card.textContent = words;
  look.replaceChildren(card);
}

if (form) {
  const file = document.getElementById("file");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.submitter?.value || "look");
  });
  form.addEventListener("change", () => file.files.length && send("look"));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    file.files = event.dataTransfer.files;
    send("look");
  });
}
