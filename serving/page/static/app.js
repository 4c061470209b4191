// The page: what is asked, the answer, and what was live before.

import * as api from "./api.js";
import { Comparison, changes, patiently } from "./compare.js";
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
const comparison = new Comparison(at("compare"), ask);
const field = new PhotoField(
  { drop: at("drop"), photo: at("photo"), box: at("box"), help: at("drop-help"), boxHelp: at("box-help"), whole: at("whole"), inputs: [at("file"), at("camera")] },
  () => { item = ""; at("item").value = ""; ask(); },
);

function say(words, bad = false) {
  at("message").textContent = words;
  at("message").classList.toggle("bad", bad);
}

async function ask() {
  showBeside("");
  if (!item && !field.file) return;
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  say("Looking …");
  try {
    let began = 0;
    const asked = () => { began = performance.now(); return answer("", signal); };
    const own = await patiently(asked, signal, (error) => say(`${error.message} …`));
    show(at("results"), own.results, own.explain, pick);
    showExplained(at("explained"), own.explain);
    const what = item ? `similar to ${item}` : "results";
    say(`${own.results.length} ${what}, ${Math.round(performance.now() - began)} ms${own.results.length ? "" : "; loosen the filters"}`);
    if (own.release !== shownRelease) refresh();
    if (comparison.release) await askBeside(own, comparison.release, signal);
  } catch (error) {
    if (error.name === "AbortError") return;
    show(at("results"), [], null, pick);
    showExplained(at("explained"), null);
    say(error.message, true);
    if (error.status === 401) askKey();
  }
}

async function answer(release, signal) {
  if (item) {
    const said = await api.similar(item, filters.query, release, signal);
    return { results: said.results, release: said.release_id };
  }
  const said = await api.search(field.file, filters.query, field.pixels, release ? null : filters.explain, release, signal);
  const [first] = said.answers;
  return { results: first.results, explain: first.explain, release: said.release_id };
}

// The same query to a release that is not live, whose answer is shown beside the one that is there.
async function askBeside(own, release, signal) {
  showBeside(release, own.release);
  sayBeside("Looking …");
  try {
    const other = await patiently(() => answer(release, signal), signal, (error) => sayBeside(`${error.message} …`));
    show(at("results"), own.results, own.explain, pick, changes(own.results, other.results));
    show(at("others"), other.results, null, pick, changes(other.results, own.results));
    const shown = new Set(own.results.map((result) => result.item_id));
    const both = other.results.filter((result) => shown.has(result.item_id)).length;
    at("own-message").textContent = `${both} in both, ${own.results.length - both} only here`;
    sayBeside(`${both} in both, ${other.results.length - both} only here`);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    sayBeside(error.message, true);
  }
}

function sayBeside(words, bad = false) {
  at("beside-message").textContent = words;
  at("beside-message").classList.toggle("bad", bad);
}

function showBeside(release, current = "") {
  at("columns").classList.toggle("two", Boolean(release));
  at("beside").hidden = at("own-head").hidden = !release;
  at("own-title").textContent = `${current}, live`;
  at("own-message").textContent = "";
  at("beside-title").textContent = release;
  show(at("others"), [], null, pick);
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
      api.history().then(({ entries }) => offer(entries)).catch(() => {}); // then there is nothing to compare with
    }
  } catch (error) {
    at("release").textContent = error.message;
    if (error.status === 401) askKey();
  }
}

// Raters need no release that is loaded, so neither does the way to them.
function linkToJudging() {
  api.judgeTasks().then(({ tasks }) => { at("judge").hidden = !tasks.length; }, () => {});
}

function offer(entries) {
  comparison.offer(entries, shownRelease);
  at("comparing").hidden = at("compare").options.length === 1;
}

function compareWith(release) {
  comparison.choose(release);
  at("history").close();
  at("compare").focus();
  ask();
}

function askKey() {
  if (!at("key").open) at("key").showModal();
}

at("key").addEventListener("close", () => {
  if (!at("key-value").value) return;
  api.useKey(at("key-value").value);
  at("key-value").value = "";
  linkToJudging();
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
    const { entries } = await api.history();
    offer(entries);
    showHistory(entries);
  } catch (error) {
    at("entries").textContent = error.message;
  }
});

function button(words, onClick) {
  const element = document.createElement("button");
  element.type = "button";
  element.textContent = words;
  element.addEventListener("click", onClick);
  return element;
}

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
    const cell = row.insertCell();
    const report = button("Report", () => api.openReport(entry.release_id).catch((error) => report.replaceWith(error.message)));
    cell.append(report);
    if (entry.comparable && entry.release_id !== shownRelease) cell.append(button("Compare", () => compareWith(entry.release_id)));
  }
  at("entries").replaceChildren(table);
}

at("filters-around").open = matchMedia("(min-width: 761px)").matches;
async function follow() {
  if (!document.hidden) await refresh();
  setTimeout(follow, shownRelease ? FOLLOWED_MS : BEGUN_MS);
}

linkToJudging();
follow();
