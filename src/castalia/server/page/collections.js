// Collections: what models are trained on, with its owner and licence.
import { get, post, remove } from "./api.js";
import { Errand, going, useErrand } from "./errand.js";
import { html, useState } from "./preact.js";
import { Dialog, Drop, Empty, Heading, Icon, Input, Labelled, Spinner, Trouble, useAsked, useDoing } from "./widgets.js";
import { t } from "./words.js";

const KINDS = ["picture", "chorale", "tune"];

export function Collections() {
  const [found, error, again] = useAsked(() => get("/api/collections"), []);
  const [leaving, setLeaving] = useState("");
  const [run, busy, problem, clear] = useDoing();
  return html`<div class="narrow">
    <${Heading} sub=${t("collections_told")}>${t("room_collections")}<//>
    <${Trouble} error=${error} onRetry=${again} />
    ${!found && !error ? html`<${Spinner} />` : null}
    ${found?.collections.length ? html`<ul class="rows">${found.collections.map((each) => html`<li class="row spread" key=${each.name}>
      <div><strong>${each.name}</strong><p class="hint">${[t(`collection_${each.kind}`), t("pieces_n", { n: each.pieces }), each.owner, each.licence].filter(Boolean).join(" · ")}</p></div>
      <button type="button" class="small danger" aria-label=${t("delete_named", { name: each.name })} onClick=${() => { clear(); setLeaving(each.name); }}>${t("delete")}</button></li>`)}</ul>`
      : found ? html`<${Empty} icon="collections" title=${t("no_collections")}><p>${t("no_collections_told")}</p><//>` : null}
    ${found ? html`<${Add} onAdded=${again} />` : null}
    ${leaving ? html`<${Dialog} title=${t("delete_named", { name: leaving })} onClose=${() => setLeaving("")}><p>${t("delete_collection_told")}</p><${Trouble} error=${problem} />
      <div class="row end"><button type="button" autofocus onClick=${() => setLeaving("")}>${t("keep_it")}</button>
        <button type="button" class="danger" disabled=${busy} onClick=${() => run(async () => { await remove(`/api/collections/${encodeURIComponent(leaving)}`); setLeaving(""); again(); })}>${t("delete")}</button></div><//>` : null}
  </div>`;
}

function Add({ onAdded }) {
  const [said, setSaid] = useState({ name: "", kind: KINDS[0], owner: "", licence: "" });
  const [files, setFiles] = useState([]);
  const [run, busy, error] = useDoing();
  const [job, setJob] = useErrand("collect", () => { setSaid({ ...said, name: "" }); setFiles([]); onAdded(); });
  const set = (name) => (value) => setSaid({ ...said, [name]: value });
  const dropped = Object.entries(job?.outcome?.dropped ?? {});
  const send = (event) => {
    event.preventDefault();
    run(async () => {
      if (!files.length) throw new Error(t("no_files"));
      const form = new FormData();
      for (const [name, value] of Object.entries(said)) form.append(name, value);
      for (const file of files) form.append("files", file);
      setJob(await post("/api/collections", form));
    });
  };
  return html`<section><h2>${t("add_collection")}</h2><form class="stack" onSubmit=${send}>
    <div class="pair"><${Input} label=${t("name")} value=${said.name} onValue=${set("name")} required pattern="[\\p{L}\\p{N}_\\-]{1,60}" title=${t("name_told")} />
      <${Labelled} label=${t("kind")}>${(id) => html`<select id=${id} value=${said.kind} onChange=${(event) => set("kind")(event.target.value)}>${KINDS.map((each) => html`<option value=${each} key=${each}>${t(`collection_${each}`)}</option>`)}</select>`}<//></div>
    <div class="pair"><${Input} label=${t("owner")} value=${said.owner} onValue=${set("owner")} required /><${Input} label=${t("licence")} value=${said.licence} onValue=${set("licence")} required /></div>
    <${Drop} label=${t("drop_collection")} multiple onFiles=${(more) => setFiles([...files, ...more])} />
    ${files.length ? html`<p><${Icon} name="file" />${t("files_n", { n: files.length })} <button type="button" class="link" onClick=${() => setFiles([])}>${t("clear")}</button></p>` : null}
    <${Trouble} error=${error} /><${Errand} job=${job} />
    ${dropped.length ? html`<details><summary>${t("dropped_n", { n: dropped.length })}</summary><dl>${dropped.map(([name, why]) => html`<div key=${name}><dt>${name}</dt><dd>${String(why)}</dd></div>`)}</dl></details>` : null}
    <div><button class="main" disabled=${busy || going(job)}>${busy ? t("wait") : t("add")}</button></div></form></section>`;
}
