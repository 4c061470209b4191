// Results and how they were found, drawn. What the shop says is text, never markup.

import * as api from "./api.js";

const IN_WORDS = { out_of_stock: "out of stock", preorder: "preorder", backorder: "backorder" };
const SIMILARITY = "How alike the two photos are to the model: 1 is the same photo. The order weighs categories, attributes and signals too.";
const kept = new WeakMap(); // by list, the addresses of its pictures

function price(result) {
  if (result.price === undefined || result.price === null) return "";
  const amount = result.price.toLocaleString(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return `${amount} ${result.currency || ""}`.trim();
}

function facts(list, pairs) {
  list.replaceChildren(...pairs.flatMap(([name, value]) => {
    const term = document.createElement("dt");
    const said = document.createElement("dd");
    term.textContent = name;
    said.textContent = value;
    return [term, said];
  }));
  return list;
}

function card(result, rank, parts, change, urls, onPick) {
  const node = document.querySelector("#card").content.cloneNode(true).firstElementChild;
  const say = (name, words) => { node.querySelector(`.${name}`).textContent = words; };
  say("rank", rank);
  say("id", result.item_id);
  say("score", `similarity ${result.score.toFixed(3)}`);
  node.querySelector(".score").title = SIMILARITY;
  say("name", result.title || "");
  node.querySelector(".name").title = result.title || "";
  say("price", price(result));
  say("category", result.category.join(" › "));
  say("stock", IN_WORDS[result.availability] || "");
  if (change) {
    const mark = node.querySelector(".change");
    mark.textContent = change.words;
    mark.title = change.meaning;
    mark.setAttribute("aria-label", change.meaning);
    mark.classList.add(change.kind);
    mark.hidden = false;
  }
  const button = node.querySelector(".picture");
  button.setAttribute("aria-label", `Similar to ${result.title || result.item_id}`);
  button.addEventListener("click", () => onPick(result));
  const image = node.querySelector("img");
  api.picture(result.thumbnail).then(
    (url) => { urls.push(url); api.showSmall(image, url); },
    () => { image.remove(); button.classList.add("gone"); },
  );
  if (parts) {
    const list = node.querySelector(".parts");
    facts(list, Object.entries(parts).map(([name, value]) => [name, value.toFixed(3)]));
    list.hidden = false;
  }
  return node;
}

// `changes` says of each result how it stands in another release's answer, null where it is alike.
export function show(list, results, explained, onPick, changes = []) {
  for (const url of kept.get(list) || []) URL.revokeObjectURL(url);
  const urls = [];
  kept.set(list, urls);
  list.replaceChildren(
    ...results.map((result, at) => card(result, at + 1, explained?.results[at]?.parts, changes[at], urls, onPick)),
  );
}

function itemTold({ verdict }) {
  const words = document.createElement("p");
  words.textContent = [verdict.sentence, verdict.fix].filter(Boolean).join(". What to do: ");
  return words;
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

export function showExplained(panel, explained) {
  panel.hidden = !explained;
  if (!explained) return;
  const image = document.createElement("img");
  image.src = explained.photo;
  image.alt = "The photo as the model gets it";
  const seen = document.createElement("dl");
  seen.className = "facts";
  const sights = explained.seen.category.map(({ value, probability }) => [value, percent(probability)]);
  for (const [name, values] of Object.entries(explained.seen.attributes)) {
    if (values.length) sights.push([`${name}: ${values[0].value}`, percent(values[0].probability)]);
  }
  facts(seen, sights);
  const looked = document.createElement("dl");
  looked.className = "facts";
  const pairs = [["index", explained.index]];
  if (explained.left_by_filter !== null) pairs.push(["photos that the filters leave", explained.left_by_filter.toLocaleString()]);
  if (explained.categories) pairs.push(["categories scanned", explained.categories.length.toLocaleString()]);
  if (explained.scanned !== null) pairs.push(["photos compared", explained.scanned.toLocaleString()]);
  pairs.push(["of them scored exactly", explained.scored.toLocaleString()], ["looked further", `${explained.rounds} times`]);
  facts(looked, pairs);
  const block = (title, list) => {
    const around = document.createElement("div");
    const heading = document.createElement("h2");
    heading.textContent = title;
    around.append(heading, list);
    return around;
  };
  panel.replaceChildren(image, block("What the model sees", seen), block("What was looked at", looked));
  if (explained.item) {
    const about = block(explained.item.item_id, itemTold(explained.item));
    about.className = "about";
    panel.append(about);
  }
}
