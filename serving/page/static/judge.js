// The raters' page: who answers, two photos, three grades.

import { picture, useKey } from "./api.js";
import { Judging, tasks } from "./judging.js";

const at = (id) => document.querySelector(`#${id}`);
const NAME = "visual-search-judge-rater";
const UNDERSTOOD = "visual-search-judge-understood";
const GRADES = { 1: "same", 2: "similar", 3: "not" };
const AGAIN_MS = 2000;
const PRELOADED = 3;

const buttons = [...document.querySelectorAll("[data-grade]")];
let judging = null;
let shown = ""; // the question that is on the page
let isSeen = false; // both of its photos are
let seenAt = 0;
let wantsFocus = false; // the photos, once they are there
const pictures = new Map(); // path -> promise of an address

const remembered = (name) => { try { return localStorage.getItem(name) || ""; } catch { return ""; } };
const remember = (name, value) => { try { localStorage.setItem(name, value); } catch { /* asked again next time */ } };

function message(words, bad = false) {
  if (at("message").textContent !== words) at("message").textContent = words;
  at("message").classList.toggle("bad", bad);
}

function photo(path) {
  if (!pictures.has(path)) {
    const fetched = picture(path);
    pictures.set(path, fetched);
    fetched.catch(() => pictures.delete(path));
  }
  return pictures.get(path);
}

function preload() {
  const ahead = judging.questions.slice(0, PRELOADED).flatMap(({ query, result }) => [query.photo, result.photo]);
  const before = judging.said.slice(-1).flatMap(({ question }) => [question.query.photo, question.result.photo]);
  for (const path of ahead) photo(path).catch(() => {});
  const wanted = new Set([...ahead, ...before]);
  for (const [path, address] of pictures) {
    if (!wanted.has(path)) {
      pictures.delete(path);
      address.then((url) => URL.revokeObjectURL(url), () => {});
    }
  }
}

const pace = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

// Show one photo; tell whether it is there. A service that is away is asked again for as long as the question stands.
async function showPhoto(id, what, product, isStill) {
  const [image, gone] = [at(id).querySelector("img"), at(id).querySelector(".gone")];
  at(id).querySelector(".title").textContent = product.title || "";
  image.alt = `${what}: ${product.title || "a product without a title"}`;
  image.hidden = true;
  gone.hidden = true;
  while (isStill()) {
    try {
      const url = await photo(product.photo);
      if (!isStill()) return false;
      image.src = url;
      await image.decode();
      image.hidden = !isStill();
      return isStill();
    } catch (error) {
      if (!isStill()) return false;
      gone.hidden = false;
      if (error.status === 0 || error.status === 429 || error.status >= 500) {
        gone.textContent = "The photo does not come; it is asked for again …";
        await pace(AGAIN_MS);
        if (isStill()) gone.hidden = true;
      } else {
        gone.textContent = "This photo is nowhere any more. Pass the pair over.";
        at("pass").hidden = false;
        return false;
      }
    }
  }
  return false;
}

async function show(question) {
  if (shown === question.question_id) return;
  shown = question.question_id;
  isSeen = false;
  at("pass").hidden = true;
  const isStill = () => shown === question.question_id;
  const both = await Promise.all([
    showPhoto("query", "Asked for", question.query, isStill),
    showPhoto("result", "Found", question.result, isStill),
  ]);
  if (!isStill() || !both.every(Boolean)) return;
  isSeen = true;
  seenAt = performance.now();
  at("said").textContent = `${at("query").querySelector("img").alt}. ${at("result").querySelector("img").alt}.`;
  draw();
}

function words() {
  const { unsent, failing, isAway, refused, outbox } = judging;
  if (failing) {
    const kept = unsent ? `${unsent} ${unsent === 1 ? "answer is" : "answers are"} kept here and sent as soon as that passes. ` : "";
    const unsafe = unsent && !outbox.isSafe ? "This browser remembers nothing: do not close the page before. " : "";
    return [`${isAway ? "No connection to the service" : `The service says: ${failing}`}. ${kept}${unsafe}`.trim(), true];
  }
  if (refused) return [refused, true];
  if (judging.isDone) {
    const passed = judging.passed.size ? ` ${judging.passed.size} passed over.` : "";
    return [judging.counts.answered ? `That was all. Thank you!${passed}` : `There is nothing for you to judge here.${passed}`, false];
  }
  if (judging.given) return ["This was your last answer. Choose again.", false];
  return ["", false];
}

function draw() {
  const question = judging.current;
  at("pair").hidden = at("grades").hidden = !question;
  at("foot").hidden = !judging.progress;
  if (wantsFocus && question && !at("guidelines").open) {
    wantsFocus = false;
    at("pair").focus({ preventScroll: true });
  }
  at("undo").setAttribute("aria-disabled", String(!judging.canUndo));
  for (const button of buttons) {
    button.setAttribute("aria-disabled", String(!isSeen || shown !== question?.question_id));
    button.setAttribute("aria-pressed", String(judging.given === button.dataset.grade));
  }
  if (judging.progress) {
    const { answered, left } = judging.counts;
    at("progress").value = answered + left ? answered / (answered + left) : 1;
    at("counted").textContent = `${answered.toLocaleString()} answered, about ${left.toLocaleString()} to go`;
  }
  message(...words());
}

function changed() {
  preload();
  if (judging.current) {
    show(judging.current);
  } else {
    shown = "";
    isSeen = false;
  }
  draw();
}

function say(grade) {
  if (!judging?.current || !isSeen || shown !== judging.current.question_id) return;
  judging.say(grade, Math.min(2 ** 31 - 1, Math.round(performance.now() - seenAt)));
}

function begin(taskId, rater) {
  judging?.stop();
  shown = "";
  judging = new Judging(taskId, rater, { onChange: changed, onKey: askKey });
  at("name").hidden = true;
  at("who").textContent = `You are ${rater}`;
  message("Asking the service …");
  wantsFocus = true;
  judging.work();
  if (!remembered(UNDERSTOOD)) guide();
}

function guide() {
  if (!at("guidelines").open) at("guidelines").showModal();
}

function askKey() {
  if (!at("key").open) at("key").showModal();
}

function askName() {
  judging?.stop();
  judging = null;
  for (const id of ["pair", "grades", "foot"]) at(id).hidden = true;
  at("who").textContent = "";
  at("other").hidden = true;
  message("");
  at("name").hidden = false;
  at("rater").value = remembered(NAME);
  at("rater").focus();
}

async function start() {
  let said;
  try {
    said = await tasks();
  } catch (error) {
    message(error.message, true);
    if (error.status === 401) askKey();
    else setTimeout(start, AGAIN_MS);
    return;
  }
  if (!said.tasks.length) {
    message("There is nothing to judge yet: `visual-search judge new` makes a task.");
    return;
  }
  const asked = new URLSearchParams(location.search).get("task");
  const chosen = said.tasks.find((one) => one.task_id === asked) || said.tasks.find((one) => !one.decided) || said.tasks[0];
  at("task").replaceChildren(...said.tasks.map((one) => {
    const when = `${new Date(one.created_at).toLocaleString()}${one.decided ? " (decided)" : ""}`;
    return new Option(when, one.task_id, false, one === chosen);
  }));
  at("task-around").hidden = said.tasks.length < 2;
  const name = said.rater || remembered(NAME);
  if (!name) {
    askName();
    return;
  }
  at("other").hidden = Boolean(said.rater);
  begin(at("task").value, name);
}

at("name").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = at("rater").value.trim().replace(/\s+/g, " ");
  if (!name) return;
  remember(NAME, name);
  at("other").hidden = false;
  begin(at("task").value, name);
});
at("task").addEventListener("change", () => { if (judging) begin(at("task").value, judging.rater); });
at("other").addEventListener("click", askName);
at("help").addEventListener("click", guide);
at("undo").addEventListener("click", () => judging?.undo());
at("pass").addEventListener("click", () => judging?.pass());
at("understood").addEventListener("click", () => at("guidelines").close());
at("guidelines").addEventListener("close", () => {
  remember(UNDERSTOOD, "yes");
  seenAt = performance.now();
  wantsFocus = true;
  if (judging) draw();
});
at("key").addEventListener("close", () => {
  if (!at("key-value").value) return;
  useKey(at("key-value").value);
  at("key-value").value = "";
  if (judging) judging.work();
  else start();
});
for (const button of buttons) button.addEventListener("click", () => say(button.dataset.grade));
document.addEventListener("keydown", (event) => {
  const isBusy = document.querySelector("dialog[open]") || event.target.closest("input, select");
  if (isBusy || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "?") guide();
  else if (GRADES[event.key]) say(GRADES[event.key]);
  else if (event.key === "u" || event.key === "U" || event.key === "Backspace") judging?.undo();
  else return;
  event.preventDefault();
});

start();
