// A job that makes no work: fetching a model, taking in a collection. Its progress stands where it was asked for.
import { get, post } from "./api.js";
import { jobProgress, over } from "./jobs.js";
import { html, useEffect, useState } from "./preact.js";
import { Trouble, useDoing } from "./widgets.js";
import { t } from "./words.js";

const KEPT = "castalia.errands";
const AGAIN_AFTER = 1000; // milliseconds, where the stream broke

const begun = () => JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");

/** Somebody else is here now. */
export const forgetErrands = () => sessionStorage.removeItem(KEPT);

/** [the job or null, a function that is given one that begins]; `onDone` hears of success. It is found again by its name. */
export function useErrand(name, onDone) {
  const [job, setJob] = useState(null);
  useEffect(() => {
    const id = begun()[name];
    if (id) get(`/api/jobs/${id}`).then((told) => ["done", "cancelled"].includes(told.state) || setJob(told), () => null);
  }, []);
  useEffect(() => {
    if (!job) return undefined;
    let stop;
    let timer;
    const told = (now) => {
      setJob(now);
      if (now.state === "done") onDone(now);
    };
    const listen = () => { stop = jobProgress(job.id, told, () => { timer = setTimeout(listen, AGAIN_AFTER); }); };
    listen();
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [job?.id]);
  const begin = (told) => {
    sessionStorage.setItem(KEPT, JSON.stringify({ ...begun(), [name]: told.id }));
    setJob(told);
  };
  return [job, begin];
}

export const going = (job) => Boolean(job) && !over(job);

export function Errand({ job }) {
  const [run, busy, error] = useDoing();
  if (!job || job.state === "done") return null;
  return html`<div role="status">
    ${going(job) ? html`<progress max="1" value=${job.state === "running" ? job.share : undefined} aria-label=${t("progress")}></progress>
      <div class="row spread"><p class="hint">${job.message || t(`state_${job.state}`)}</p>
        <button type="button" class="small" disabled=${busy} onClick=${() => run(() => post(`/api/jobs/${job.id}/cancel`))}>${t("cancel")}</button></div>`
      : job.state === "cancelled" ? html`<p class="hint">${t("state_cancelled")}</p>` : null}
    <${Trouble} error=${error ?? job.outcome?.error} />
  </div>`;
}
