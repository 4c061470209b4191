// The page: what is asked, the answer, and what was live before.

import * as api from "./api.js";
import { Filters } from "./filters.js";
import { PhotoField } from "./photo.js";
import { show, showExplained } from "./results.js";

const at = (id) => document.querySelector(`#${id}`);
const FOLLOWED_MS = 15000;
const BEGUN_MS = 1000; // while the service still loads its release

let item = "";
let running = null;
let shownRelease = "";

const filters = new Filters(at("filters"), ask);
const field = new PhotoField(
  { drop: at("drop"), photo: at("photo"), box: at("box"), help: at("drop-help"), boxHelp: at("box-help"), whole: at("whole"), inputs: [at("file"), at("camera")] },
  () => { item = ""; at("item").value = ""; ask(); },
);

function say(words, bad = false) {
  at("message").textContent = words;
  at("message").classList.toggle("bad", bad);
}

async function ask() {
  if (!item && !field.file) return;
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  say("Looking …");
  try {
    const began = performance.now();
    const { results, explain, release } = await answer(signal);
    show(at("results"), results, explain, pick);
    showExplained(at("explained"), explain);
    const what = item ? `similar to ${item}` : "results";
    say(`${results.length} ${what}, ${Math.round(performance.now() - began)} ms${results.length ? "" : "; loosen the filters"}`);
    if (release !== shownRelease) refresh();
  } catch (error) {
    if (error.name === "AbortError") return;
    show(at("results"), [], null, pick);
    showExplained(at("explained"), null);
    say(error.message, true);
    if (error.status === 401) askKey();
  }
}

async function answer(signal) {
  if (item) {
    const said = await api.similar(item, filters.query, signal);
    return { results: said.results, release: said.release_id };
  }
  const said = await api.search(field.file, filters.query, field.pixels, filters.explain, signal);
  const [first] = said.answers;
  return { results: first.results, explain: first.explain, release: said.release_id };
}

function pick(result) {
  at("item").value = result.item_id;
  askItem(result.item_id);
  window.scrollTo({ top: 0 });
}

function askItem(id) {
  item = id;
  field.showItem("");
  ask().then(() => at("results").focus({ preventScroll: true }));
  api.item(id)
    .then((said) => api.picture(said.photos[0].thumbnail))
    .then((url) => { if (item === id) field.showItem(url); })
    .catch(() => {}); // the answer itself says what is wrong with it
}

async function refresh() {
  try {
    const said = await api.release();
    const size = said.counts.items === undefined ? "" : `, ${said.counts.items.toLocaleString()} items`;
    at("release").textContent = `Release ${said.release_id}${size}${said.live ? `; ${said.live.release_id} is live and could not be loaded` : ""}`;
    if (said.release_id !== shownRelease) {
      shownRelease = said.release_id;
      filters.show(await api.facets());
    }
  } catch (error) {
    at("release").textContent = error.message;
    if (error.status === 401) askKey();
  }
}

function askKey() {
  if (!at("key").open) at("key").showModal();
}

at("key").addEventListener("close", () => {
  if (!at("key-value").value) return;
  api.useKey(at("key-value").value);
  at("key-value").value = "";
  refresh().then(ask);
});

at("by-item").addEventListener("submit", (event) => {
  event.preventDefault();
  const id = at("item").value.trim();
  if (id) askItem(id);
});

at("history-close").addEventListener("click", () => at("history").close());
at("history-open").addEventListener("click", async () => {
  at("history").showModal();
  try {
    showHistory((await api.history()).entries);
  } catch (error) {
    at("entries").textContent = error.message;
  }
});

function showHistory(entries) {
  const table = document.createElement("table");
  table.createTHead().insertRow().append(...["", "release", "when", "why", ""].map((words) => {
    const cell = document.createElement("th");
    cell.textContent = words;
    return cell;
  }));
  const body = table.createTBody();
  for (const entry of entries) {
    const row = body.insertRow();
    for (const words of [entry.action, entry.release_id, new Date(entry.at).toLocaleString(), entry.reason || ""]) {
      row.insertCell().textContent = words;
    }
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Report";
    button.addEventListener("click", () => api.openReport(entry.release_id).catch((error) => button.replaceWith(error.message)));
    row.insertCell().append(button);
  }
  at("entries").replaceChildren(table);
}

at("filters-around").open = matchMedia("(min-width: 761px)").matches;
async function follow() {
  if (!document.hidden) await refresh();
  setTimeout(follow, shownRelease ? FOLLOWED_MS : BEGUN_MS);
}

follow();
