// Jobs that were asked for here or still run: each is followed by server-sent events until it is over.
import { get, post } from "./api.js";
import { signal } from "./signal.js";

const OVER = ["done", "refused", "failed", "cancelled"];
const STATES = ["waiting", "running", ...OVER];
const KEPT = "castalia.jobs";
const MOST_STREAMS = 3; // a browser opens six connections to a server at most, and pictures want some
const ASK_EVERY = 2000; // milliseconds, for jobs beyond that, and where a stream broke

/** Newest first: what the server tells, and `asked`: {genre, words, n, seed} where this browser asked. */
export const jobs = signal([]);
export const over = (job) => OVER.includes(job.state);

const streams = new Map();

const remembered = () => JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");

function remember(id, asked) {
  const kept = Object.entries({ ...remembered(), [id]: asked }).slice(-30);
  sessionStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(kept)));
}

function update(job) {
  const known = jobs.value.find((each) => each.id === job.id);
  const whole = { asked: remembered()[job.id] ?? known?.asked ?? {}, ...job };
  jobs.value = known ? jobs.value.map((each) => (each.id === job.id ? whole : each)) : [whole, ...jobs.value];
}

/** Tells `onTold` of a job until it is over, or until the function that it returns is called. */
export function jobProgress(id, onTold, onBroken = () => null) {
  const stream = new EventSource(`/api/jobs/${id}/events`);
  for (const state of STATES) {
    stream.addEventListener(state, (event) => {
      const job = JSON.parse(event.data);
      if (over(job)) stream.close();
      onTold(job);
    });
  }
  stream.onerror = () => {
    if (stream.readyState === EventSource.CLOSED) onBroken();
  };
  return () => stream.close();
}

let asking = 0;

function follow(id) {
  unfollow(id);
  if (streams.size < MOST_STREAMS) {
    const told = (job) => {
      if (over(job)) unfollow(id);
      update(job);
    };
    const broken = () => {
      unfollow(id);
      askFor(id);
    };
    streams.set(id, jobProgress(id, told, broken));
  }
  asking ||= setInterval(askForOthers, ASK_EVERY);
}

/** What the server knows of it; a job that is not there any more is put away. */
const askFor = (id) => get(`/api/jobs/${id}`).then(update, (error) => { if (error.status === 404) dismiss(id); });

async function askForOthers() {
  const going = jobs.value.filter((job) => !over(job));
  if (!going.length) {
    clearInterval(asking);
    asking = 0;
  }
  for (const { id } of going) {
    if (streams.has(id)) continue;
    if (streams.size < MOST_STREAMS) follow(id);
    else await askFor(id);
  }
}

function unfollow(id) {
  streams.get(id)?.();
  streams.delete(id);
}

/** Asks for works. `files` are [field, File] pairs. */
export async function submit(request, files, asked) {
  let body = request;
  if (files.length) {
    body = new FormData();
    body.append("request", JSON.stringify(request));
    for (const [name, file] of files) body.append(name, file);
  }
  const job = await post("/api/works", body);
  remember(job.id, asked);
  update(job);
  follow(job.id);
  return job;
}

/** Finds what still runs, and what this tab asked for, after a reload. */
export async function find(genres) {
  const names = new Set(genres.filter((each) => each.name !== "reply").map((each) => each.name));
  const mine = remembered();
  const found = (await get("/api/jobs", { limit: 30 })).filter((job) => names.has(job.kind));
  for (const job of found.reverse()) {
    if (!over(job) || mine[job.id]) {
      update(job);
      if (!over(job) && !streams.has(job.id)) follow(job.id);
    }
  }
}

export const cancel = async (id) => update(await post(`/api/jobs/${id}/cancel`));

export async function retry(id) {
  update(await post(`/api/jobs/${id}/retry`));
  follow(id);
}

export function dismiss(id) {
  unfollow(id);
  const kept = remembered();
  delete kept[id];
  sessionStorage.setItem(KEPT, JSON.stringify(kept));
  jobs.value = jobs.value.filter((each) => each.id !== id);
}

/** Somebody else is here now. */
export function forget() {
  for (const id of [...streams.keys()]) unfollow(id);
  sessionStorage.removeItem(KEPT);
  jobs.value = [];
}
