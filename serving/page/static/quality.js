// The page of the weakest matches: what was found, and what a curator decides of it.

import * as api from "./api.js";

const at = (id) => document.querySelector(`#${id}`);
const LIMIT = 20;
const AGAIN_MS = 2000; // while the service still loads its release

let mayDecide = false;

function copyOf(id) {
  return at(id).content.firstElementChild.cloneNode(true);
}

function say(words, bad = false) {
  at("message").textContent = words;
  at("message").classList.toggle("bad", bad);
}

async function load() {
  say("Looking …");
  try {
    const said = await api.quality(LIMIT);
    mayDecide = said.may_decide;
    at("release").textContent = `Release ${said.release_id}, ${said.items.toLocaleString()} items`;
    at("why").hidden = !mayDecide;
    at("read-only").hidden = mayDecide;
    at("lists").replaceChildren(...said.lists.map(listOf));
    const left = said.lists.reduce((sum, list) => sum + list.findings.length, 0);
    say([`${left} to look at`, ...said.notes].join(". "));
  } catch (error) {
    say(error.message, true);
    if (error.status === 401 && !at("key").open) at("key").showModal();
    if (error.status === 503) setTimeout(load, AGAIN_MS);
  }
}

function listOf(list) {
  const section = copyOf("list");
  section.querySelector("h2").textContent = `${list.title}: ${list.findings.length}`;
  section.querySelector(".meaning").textContent = list.meaning;
  section.querySelector(".findings").append(...list.findings.map(cardOf));
  return section;
}

function cardOf(finding) {
  const card = copyOf("finding");
  card.querySelector(".pair").append(figureOf(finding.item), figureOf(finding.other));
  card.querySelector(".says").textContent = saidOf(finding);
  const actions = card.querySelector(".actions");
  if (mayDecide) finding.actions.forEach((action, place) => actions.append(buttonOf(card, action, place + 1)));
  return card;
}

function saidOf(finding) {
  if (finding.kind === "mislabelled") {
    return `${Math.round(100 * finding.share)} % of what is similar is in ${finding.category.join(" > ")}`;
  }
  if (finding.kind === "lonely") return `Similarity ${finding.score.toFixed(3)}`;
  return finding.same ? "The same photo" : `Photos that differ in ${finding.score} of 64 bits`;
}

function figureOf(shown) {
  const figure = copyOf("shown");
  const picture = figure.querySelector("img");
  const frame = figure.querySelector(".frame");
  figure.querySelector(".id").textContent = shown.item_id;
  figure.querySelector(".name").textContent = figure.querySelector(".name").title = shown.title;
  figure.querySelector(".category").textContent = shown.category.join(" > ");
  picture.alt = `photo of ${shown.item_id}`;
  if (!shown.thumbnail) {
    frame.classList.add("gone");
    return figure;
  }
  const watching = new IntersectionObserver((seen) => {
    if (!seen.some((one) => one.isIntersecting)) return;
    watching.disconnect();
    api.picture(shown.thumbnail).then((url) => api.showSmall(picture, url), () => frame.classList.add("gone"));
  }, { rootMargin: "300px" });
  watching.observe(frame);
  return figure;
}

function buttonOf(card, action, number) {
  const button = document.createElement("button");
  button.type = "button";
  const key = document.createElement("kbd");
  key.textContent = number;
  button.append(key, action.says);
  button.addEventListener("click", () => decide(card, action));
  return button;
}

function outcome(card, words, bad = false) {
  const told = card.querySelector(".outcome");
  told.textContent = words;
  told.classList.toggle("bad", bad);
}

async function decide(card, action) {
  if (card.classList.contains("decided") || card.dataset.busy) return;
  const reason = at("reason").value.trim();
  if (!reason) {
    outcome(card, "Say why, at the top of the page.", true);
    at("reason").focus();
    return;
  }
  card.dataset.busy = "true";
  try {
    const said = await api.decide({ ...action.decision, reason });
    card.classList.add("decided");
    card.querySelectorAll(".actions button").forEach((button) => { button.disabled = true; });
    outcome(card, `${action.says}: decision ${said.number}. `);
    const back = document.createElement("button");
    back.type = "button";
    back.className = "back";
    back.textContent = "Take back";
    back.addEventListener("click", () => takeBack(card, said.number));
    card.querySelector(".outcome").append(back);
    card.focus({ preventScroll: true });
  } catch (error) {
    outcome(card, error.message, true);
  } finally {
    delete card.dataset.busy;
  }
}

async function takeBack(card, number) {
  try {
    await api.decide({ action: "undo", undoes: number });
    card.classList.remove("decided");
    card.querySelectorAll(".actions button").forEach((button) => { button.disabled = false; });
    outcome(card, `decision ${number} was taken back`);
    card.focus({ preventScroll: true });
  } catch (error) {
    outcome(card, error.message, true);
  }
}

function go(step) {
  const cards = [...document.querySelectorAll(".finding")];
  const place = cards.indexOf(document.activeElement?.closest(".finding"));
  const next = cards[place < 0 ? 0 : Math.min(cards.length - 1, Math.max(0, place + step))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, dialog")) return;
  const card = document.activeElement?.closest(".finding");
  if (event.key === "j") go(1);
  else if (event.key === "k") go(-1);
  else if (event.key === "u") card?.querySelector(".back")?.click();
  else if (/^[1-9]$/.test(event.key)) card?.querySelectorAll(".actions button")[Number(event.key) - 1]?.click();
  else return;
  event.preventDefault();
});

at("why").addEventListener("submit", (event) => event.preventDefault());
at("key").addEventListener("close", () => {
  if (!at("key-value").value) return;
  api.useKey(at("key-value").value);
  at("key-value").value = "";
  load();
});

load();
