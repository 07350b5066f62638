// Models: what is there, what fits this machine, and fetching it.
import { get, post, session } from "./api.js";
import { Errand, going, useErrand } from "./errand.js";
import { html, useState } from "./preact.js";
import { bytes, Heading, Icon, Input, Spinner, Trouble, useAsked, useDoing } from "./widgets.js";
import { language, t } from "./words.js";

export function Models() {
  const [found, error, again] = useAsked(() => get("/api/models"), [language.value]);
  const [sought, setSought] = useState("");
  const shown = (found?.models ?? []).filter((each) => `${each.name} ${each.what} ${each.languages.join(" ")}`.toLowerCase().includes(sought.toLowerCase()));
  const groups = [["installed", shown.filter((each) => each.installed)], ["available", shown.filter((each) => !each.installed)]];
  return html`<div class="narrow">
    <${Heading} sub=${t("models_told")}>${t("room_models")}<//>
    <${Trouble} error=${error} onRetry=${again} />
    ${found ? html`<div class="search"><${Input} label=${t("search_models")} type="search" value=${sought} onValue=${setSought} /></div>` : error ? null : html`<${Spinner} />`}
    ${groups.map(([name, some]) => some.length ? html`<section key=${name} aria-labelledby=${name}><h2 id=${name}>${t(name)}</h2>
      <ul class="rows models">${some.map((each) => html`<${Model} model=${each} key=${each.name} onDone=${again} />`)}</ul></section>` : null)}
    ${found && !shown.length ? html`<p>${t("nothing_found")}</p>` : null}
  </div>`;
}

function Model({ model, onDone }) {
  const [job, setJob] = useErrand(`pull/${model.name}`, onDone);
  const [run, busy, error] = useDoing();
  const pull = () => run(async () => setJob(await post(`/api/models/${encodeURIComponent(model.name)}/pull`)));
  return html`<li class="row spread">
    <div><strong>${model.name}</strong>${model.default ? html` <span class="badge">${t("usual_model")}</span>` : null}<p>${model.what}</p>
      <p class="hint">${[bytes(model.bytes), model.languages.map((each) => (["en", "zh"].includes(each) ? t(`language_${each}`) : each)).join(", "), model.licence, model.sources.join(", ")].filter(Boolean).join(" · ")}</p>
      ${model.note ? html`<p class="hint">${model.note}</p>` : null}
      <${Errand} job=${job} /><${Trouble} error=${error} /></div>
    <span class="row">${model.installed ? html`<span class="badge done">${t("is_installed")}</span>` : html`
      <span class=${`badge ${model.fits ? "done" : "refused"}`}>${model.fits ? t("fits") : t("fits_not")}</span>
      ${session.value.account.admin && !going(job) ? html`<button type="button" class="small" disabled=${busy} aria-label=${t("pull_model", { name: model.name })} onClick=${pull}>
        <${Icon} name="download" />${t("pull")}</button>` : null}`}</span>
  </li>`;
}
