// Models: what is there, what fits this machine, and fetching it.
import { get, post, session } from "./api.js";
import { jobProgress } from "./jobs.js";
import { html, useEffect, useState } from "./preact.js";
import { bytes, Heading, Icon, Input, Spinner, Trouble, useAsked, useDoing } from "./widgets.js";
import { t } from "./words.js";

export function Models() {
  const [found, error, again] = useAsked(() => get("/api/models"), []);
  const [sought, setSought] = useState("");
  const shown = (found?.models ?? []).filter((each) => `${each.name} ${each.what} ${[each.languages].flat().join(" ")}`.toLowerCase().includes(sought.toLowerCase()));
  const groups = [["installed", shown.filter((each) => each.installed)], ["available", shown.filter((each) => !each.installed)]];
  return html`<div>
    <${Heading} sub=${t("models_told")}>${t("room_models")}<//>
    <${Trouble} error=${error} onRetry=${again} />
    ${found ? html`<div class="search"><${Input} label=${t("search_models")} type="search" value=${sought} onValue=${setSought} /></div>` : error ? null : html`<${Spinner} />`}
    ${groups.map(([name, some]) => some.length ? html`<section key=${name} aria-labelledby=${name}><h2 id=${name}>${t(name)}</h2>
      <ul class="rows models">${some.map((each) => html`<${Model} model=${each} key=${each.name} onDone=${again} />`)}</ul></section>` : null)}
    ${found && !shown.length ? html`<p>${t("nothing_found")}</p>` : null}
  </div>`;
}

function Model({ model, onDone }) {
  const [job, setJob] = useState(null);
  const [run, busy, error] = useDoing();
  useEffect(() => (job ? jobProgress(job.id, (told) => { setJob(told); if (told.state === "done") onDone(); }) : undefined), [job?.id]);
  const going = job && ["waiting", "running"].includes(job.state);
  return html`<li class="row spread">
    <div><strong>${model.name}</strong><p>${model.what}</p>
      <p class="hint">${[bytes(model.bytes), [model.languages ?? []].flat().join(", "), model.licence].filter(Boolean).join(" · ")}</p>
      ${going ? html`<progress max="1" value=${job.state === "running" ? job.share : undefined} aria-label=${t("progress")}></progress><p class="hint">${job.message}</p>` : null}
      <${Trouble} error=${error ?? job?.outcome?.error} /></div>
    <span class="row">${model.installed ? html`<span class="badge done"><${Icon} name="yes" />${t("installed")}</span>` : html`
      <span class=${`badge ${model.fits ? "done" : "refused"}`}>${model.fits ? t("fits") : t("fits_not")}</span>
      ${going ? html`<button type="button" class="small" onClick=${() => run(() => post(`/api/jobs/${job.id}/cancel`))}>${t("cancel")}</button>`
        : session.value.account.admin ? html`<button type="button" class="small" disabled=${busy} aria-label=${t("pull_model", { name: model.name })}
            onClick=${() => run(async () => setJob(await post(`/api/models/${encodeURIComponent(model.name)}/pull`)))}><${Icon} name="download" />${t("pull")}</button>` : null}`}</span>
  </li>`;
}
