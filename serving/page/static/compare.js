// Another release beside the one that answers: which can be asked, and what its answer has otherwise.

const WAITED = ["not_ready", "release_loading", "release_busy"];
const LONGEST_MS = 120000;

export class Comparison {
  constructor(select, onChange) {
    this.select = select;
    select.addEventListener("change", onChange);
  }

  get release() {
    return this.select.value;
  }

  // Releases of the history that are kept, but for the one that answers.
  offer(entries, current) {
    const kept = this.release;
    const ids = [...new Set(entries.filter((entry) => entry.comparable).map((entry) => entry.release_id))];
    const options = ids.filter((id) => id !== current).map((id) => {
      const option = document.createElement("option");
      option.value = option.textContent = id;
      return option;
    });
    this.select.replaceChildren(this.select.options[0], ...options);
    this.choose(ids.includes(kept) && kept !== current ? kept : "");
  }

  choose(id) {
    this.select.value = id;
  }
}

// Asks until the release that is to answer is loaded; `onWait` is told each time that it is not.
export async function patiently(ask, signal, onWait) {
  const until = performance.now() + LONGEST_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!WAITED.includes(error.code) || performance.now() > until) throw error;
      onWait(error);
      await new Promise((resolve) => { setTimeout(resolve, 1000 * (error.retryAfter || 1)); });
      signal.throwIfAborted();
    }
  }
}

// Of each result how it stands among the others: nothing where it has the same place.
export function changes(results, others) {
  const places = new Map(others.map((other, at) => [other.item_id, at]));
  return results.map((result, at) => {
    if (!places.has(result.item_id)) return { kind: "alone", words: "only here", meaning: "the other release does not show it" };
    const higher = places.get(result.item_id) - at;
    if (!higher) return null;
    const far = Math.abs(higher);
    const meaning = `${far} ${far === 1 ? "place" : "places"} ${higher > 0 ? "higher" : "lower"} than in the other release`;
    return { kind: higher > 0 ? "higher" : "lower", words: `${higher > 0 ? "▲" : "▼"} ${far}`, meaning };
  });
}
