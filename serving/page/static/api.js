// The service's resources, as promises. Nothing here knows of the page.

const KEY = "visual-search-key";

export class Problem extends Error {
  constructor(value, status, retryAfter) {
    super(value.detail || value.title || `the service answers ${status}`);
    this.code = value.code;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

export function useKey(key) {
  sessionStorage.setItem(KEY, key);
}

export async function ask(path, options = {}) {
  const key = sessionStorage.getItem(KEY);
  const headers = { ...options.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ detail: "the service does not answer" }, 0);
  }
  if (answer.ok) return answer;
  const retryAfter = Number(answer.headers.get("Retry-After"));
  throw new Problem(await answer.json().catch(() => ({})), answer.status, retryAfter);
}

const told = async (path, options) => (await ask(path, options)).json();

export const release = () => told("/v1/release");
export const history = () => told("/v1/release/history");
export const facets = () => told("/v1/facets");
export const item = (id, signal) => told(`/v1/items/${encodeURIComponent(id)}`, { signal });

const of = (query, release) => (release ? new URLSearchParams([...query, ["release", release]]) : query);

export const similar = (id, filters, release, signal) =>
  told(`/v1/items/${encodeURIComponent(id)}/similar?${of(filters, release)}`, { signal });

// `explain` is null, or the id of an item that is told of too, "" for none.
export function search(photo, filters, box, explain, release, signal) {
  const query = new URLSearchParams(of(filters, release));
  if (box) query.set("box", box.join(","));
  if (explain !== null) query.set("explain", "true");
  if (explain) query.set("item", explain);
  const body = new FormData();
  body.append("image", photo, photo.name || "photo");
  return told(`/v1/search?${query}`, { method: "POST", body, signal });
}

export const judgeTasks = () => told("/v1/judge/tasks");

export const quality = (limit) => told(`/v1/quality?limit=${limit}`);

// What no page of another site can send.
export const decide = (decision) =>
  told("/v1/curated", {
    method: "POST",
    body: JSON.stringify(decision),
    headers: { "Content-Type": "application/json", "X-Visual-Search": "curate" },
  });

export async function picture(path) {
  const answer = await ask(path);
  return URL.createObjectURL(await answer.blob());
}

// What the model gets may be 60 pixels wide: in twice its size it can be seen, in more of it one sees pixels alone.
export function showSmall(image, url) {
  image.removeAttribute("src"); // which would be the sharper candidate
  image.srcset = `${url} 0.5x`;
}

const reportOf = (releaseId) => `/v1/releases/${encodeURIComponent(releaseId)}/report`;

// A page of its own, under a policy of its own; where a key is wanted, which no link can send, a file to keep.
export async function openReport(releaseId) {
  if (!sessionStorage.getItem(KEY)) {
    window.open(reportOf(releaseId), "_blank", "noopener");
    return;
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await (await ask(reportOf(releaseId))).blob());
  link.download = `report-${releaseId}.html`;
  link.click();
  URL.revokeObjectURL(link.href);
}
