// A job that makes no work: fetching a model, taking in a collection. Its progress stands where it was asked for.
import { post } from "./api.js";
import { jobProgress, over } from "./jobs.js";
import { html, useEffect, useState } from "./preact.js";
import { Trouble, useDoing } from "./widgets.js";
import { t } from "./words.js";

/** [the job or null, a function that begins one by a promise of it]; `onDone` hears of success. */
export function useErrand(onDone) {
  const [job, setJob] = useState(null);
  useEffect(() => {
    if (!job) return undefined;
    return jobProgress(job.id, (told) => {
      setJob(told);
      if (told.state === "done") onDone(told);
    });
  }, [job?.id]);
  return [job, setJob];
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
