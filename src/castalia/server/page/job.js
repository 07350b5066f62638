// A job as a card: its progress and previews, then its works with their rules, and what was refused.
import { get } from "./api.js";
import { cancel, dismiss, over, retry } from "./jobs.js";
import { html, useEffect, useState } from "./preact.js";
import { Download, Face, Rules, StarButton } from "./work.js";
import { Icon, NextStep, Trouble, useDoing } from "./widgets.js";
import { t } from "./words.js";

export function JobCard({ job, genres, onSeed }) {
  const genre = genres.find((each) => each.name === job.kind);
  const [run, busy, error] = useDoing();
  const refused = job.outcome?.refused ?? [];
  const previews = Object.keys(job.preview ?? {}).map(Number);
  const n = Math.max(job.asked.n ?? 1, job.works.length + refused.length, ...previews.map((each) => each + 1));
  const working = !over(job);
  const pending = working ? Math.max(0, n - job.works.length) : 0;
  return html`<article class=${`job ${job.state}`} aria-label=${`${genre?.title ?? job.kind}: ${t(`state_${job.state}`)}`}>
    <div class="row spread">
      <div><h3>${genre?.title ?? job.kind}</h3>${job.asked.words ? html`<p class="said">${job.asked.words}</p>` : null}</div>
      <div class="row">
        <span class=${`badge ${job.state}`}>${t(`state_${job.state}`)}</span>
        ${working ? html`<button type="button" class="small" disabled=${busy} onClick=${() => run(() => cancel(job.id))}>${t("cancel")}</button>` : null}
        ${["refused", "failed", "cancelled"].includes(job.state) ? html`<button type="button" class="small" disabled=${busy} onClick=${() => run(() => retry(job.id))}>
          <${Icon} name="again" />${t("retry")}</button>` : null}
        ${working ? null : html`<button type="button" class="plain" aria-label=${t("put_away")} onClick=${() => dismiss(job.id)}><${Icon} name="close" /></button>`}
      </div>
    </div>
    ${working ? html`<${Progress} job=${job} />` : null}
    <p class="unseen" role="status">${t(`state_${job.state}`)}</p>
    <${Trouble} error=${error ?? job.outcome?.error} />
    <div class=${`variations of-${Math.min(n, 4)}`}>
      ${job.works.map((id) => html`<${Made} id=${id} key=${id} onSeed=${onSeed} />`)}
      ${Array.from({ length: pending }, (_, at) => html`<${Pending} key=${`pending-${at}`} job=${job} genre=${genre} number=${job.works.length + at} />`)}
      ${working ? null : refused.map((each, at) => html`<${Refused} refused=${each} key=${`refused-${at}`} />`)}
    </div>
  </article>`;
}

function Progress({ job }) {
  const said = [
    job.waits_for_owner ? t("waits_for_owner") : job.state === "waiting" && job.ahead ? t("ahead", { n: job.ahead }) : job.message,
    job.estimate_seconds ? t("seconds_left", { n: Math.max(1, Math.round(job.estimate_seconds)) }) : "",
  ].filter(Boolean);
  return html`<div class="progress">
    <progress max="1" value=${job.state === "running" ? job.share : undefined} aria-label=${t("progress")}></progress>
    <p>${said.join(" · ")}</p>
  </div>`;
}

function Pending({ job, genre, number }) {
  const text = job.preview?.[number];
  return html`<div class="variation pending">
    <p class="flag">${text ? t("preview") : t("in_the_making")}</p>
    ${text ? html`<div class="paper">${text}</div>` : html`<div class=${`shimmer ${genre?.kind ?? ""}`} aria-hidden="true"></div>`}
  </div>`;
}

function Made({ id, onSeed }) {
  const [work, setWork] = useState(null);
  const [error, setError] = useState(null);
  useEffect(() => { get(`/api/works/${id}`).then(setWork, setError); }, [id]);
  if (error) return error.status === 404 ? null : html`<${Trouble} error=${error} />`;
  if (!work) return html`<div class="variation"><div class="shimmer" aria-hidden="true"></div></div>`;
  return html`<div class="variation made">
    <a class="face" href=${`#/work/${id}`} aria-label=${t("open_work", { title: work.title || work.genre })}><${Face} work=${work} small /></a>
    <div class="row spread">
      <span class="seed">${t("seed")} <code>${work.brief.seed}</code>${onSeed ? html` <button type="button" class="link" onClick=${() => onSeed(work.brief.seed)}>${t("fix_seed")}</button>` : null}</span>
      <span class="row"><${StarButton} work=${work} onChange=${(more) => setWork({ ...work, ...more })} /><${Download} work=${work} face=${work.faces[0]} /></span>
    </div>
    <${Rules} findings=${work.findings} />
    <p class="marked"><${Icon} name="verify" />${t("marked", { label: work.label })}</p>
  </div>`;
}

const Refused = ({ refused }) =>
  html`<div class="variation refused">
    <p class="flag bad">${t("refused_draft")}</p>
    <p>${refused.message}</p>
    ${refused.text ? html`<div class="paper struck">${refused.text}</div>` : null}
    <${Rules} findings=${refused.findings} open />
    <${NextStep} hint=${refused.hint} />
  </div>`;
