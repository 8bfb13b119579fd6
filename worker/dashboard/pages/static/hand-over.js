// Keeps the file in the page between looking and starting, and takes one that is dropped. Without
// this file the form works too; the browser then asks for the file again.
"use strict";

const form = document.getElementById("hand-over");
let asked = 0;

async function send(step) {
  const turn = ++asked;
  const look = document.getElementById("look");
  const data = new FormData(form);
  const size = data.get("file")?.size ?? 0;
  if (size > form.dataset.most * 1e6) {
    const told = `${data.get("file").name} has ${(size / 1e6).toFixed(1)} MB, and this page takes ${form.dataset.most} MB at most.`;
    say(look, `${told} ${form.dataset.smaller}`);
    return;
  }
  data.set("step", step);
  look.setAttribute("aria-busy", "true");
  form.querySelectorAll("button").forEach((button) => (button.disabled = true));
  try {
    const answer = await post(data, turn);
    if (turn !== asked) return;
    const kept = answer.getResponseHeader("Content-Disposition");
    if (kept) {
      keep(answer.response, kept);
    } else if (answer.responseURL !== form.action) {
      location.assign(answer.responseURL);
      return;
    } else {
      show(look, new DOMParser().parseFromString(await answer.response.text(), "text/html"));
    }
  } catch {
    if (turn === asked) say(look, "The dashboard does not answer just now. Nothing was started.");
  }
  if (turn !== asked) return;
  document.getElementById("sending").hidden = true;
  look.removeAttribute("aria-busy");
  form.querySelectorAll("button").forEach((button) => (button.disabled = false));
}

// By XMLHttpRequest, since fetch does not tell how much of a file has left.
function post(data, turn) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "text/html");
    request.responseType = "blob";
    request.upload.onprogress = (event) => turn === asked && tell(event);
    request.onload = () => resolve(request);
    request.onerror = request.onabort = reject;
    request.send(data);
  });
}

function tell(event) {
  const sending = document.getElementById("sending");
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
  const whole = event.loaded >= event.total;
  sending.querySelector("progress").value = event.total ? event.loaded / event.total : 0;
  sending.querySelector("span").textContent = whole
    ? "The file has arrived and is being read."
    : `${megabytes(event.loaded)} of ${megabytes(event.total)} MB have been sent.`;
  sending.hidden = false;
}

function keep(file, header) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = decodeURIComponent(header.split("''")[1]);
  link.click();
  URL.revokeObjectURL(link.href);
}

function show(look, fresh) {
  const region = fresh.getElementById("look");
  if (!region) {
    const words = [...fresh.querySelectorAll("main p:not(.actions)")].map((p) => p.textContent.trim());
    say(look, words.join(" ") || "That was refused.");
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
