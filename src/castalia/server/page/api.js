// The server's interface: one function a kind of call. Errors carry what happened and the next step.
import { language } from "./words.js";
import { signal } from "./signal.js";

/** Who is logged in: {account, csrf, scopes}; null nobody; undefined not known yet. */
export const session = signal(undefined);
/** Whether it was not the person who ended the last session. */
export const ended = signal(false);

export class ApiError extends Error {
  constructor(status, { message, code = "", hint = "" }) {
    super(message);
    Object.assign(this, { status, code, hint });
  }
}

function headers(more = {}) {
  const csrf = session.value?.csrf;
  return { "Accept-Language": language.value, ...(csrf ? { "X-CSRF-Token": csrf } : {}), ...more };
}

/** A response, or ApiError. `body` is JSON, a FormData, or nothing. */
export async function ask(method, path, body, { signal: stop } = {}) {
  const form = body instanceof FormData;
  const sent = {
    method,
    headers: headers(body && !form ? { "Content-Type": "application/json" } : {}),
    body: body === undefined || form ? body : JSON.stringify(body),
    signal: stop,
  };
  let answer;
  try {
    answer = await fetch(path, sent);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { message: "", code: "unreachable" });
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 401 && session.value && !path.endsWith("/session")) {
    ended.value = true;
    session.value = null;
  }
  throw new ApiError(answer.status, told.error ?? { message: `${answer.status} ${answer.statusText}` });
}

async function json(method, path, body) {
  const answer = await ask(method, path, body);
  return answer.status === 204 ? null : answer.json();
}

export const get = (path, query = {}) => {
  const kept = Object.entries(query).filter(([, value]) => value !== "" && value != null && value !== false);
  return json("GET", kept.length ? `${path}?${new URLSearchParams(kept)}` : path);
};
export const post = (path, body) => json("POST", path, body);
export const put = (path, body) => json("PUT", path, body);
export const patch = (path, body) => json("PATCH", path, body);
export const remove = (path) => json("DELETE", path);

/** Looks who is logged in. Returns true where nobody has an account yet. */
export async function lookForSession() {
  try {
    session.value = await get("/api/session");
  } catch (error) {
    session.value = null;
    if (error.status !== 401) throw error;
    return error.code === "no_account_yet";
  }
  return false;
}

const genresIn = new Map();
/** The kinds of works, in the language shown; asked once for each. */
export function genres() {
  const spoken = language.value;
  if (!genresIn.has(spoken)) {
    const asked = get("/api/genres");
    asked.catch(() => genresIn.delete(spoken));
    genresIn.set(spoken, asked);
  }
  return genresIn.get(spoken);
}

const files = new Map();
/** A marked file of a work as a Blob; each is made once while the page is open. */
export function fileOf(id, face) {
  const key = `${session.value?.account.id}/${id}/${face}`;
  if (!files.has(key)) {
    const made = ask("GET", `/api/works/${id}/files/${face}`).then((answer) => answer.blob());
    made.catch(() => files.delete(key));
    files.set(key, made);
    if (files.size > 40) files.delete(files.keys().next().value);
  }
  return files.get(key);
}

/** Hands a Blob over as a download. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
