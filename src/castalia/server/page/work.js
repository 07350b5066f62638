// One work: what it is, its files, marks, rules, record and lineage.
import { fileOf, genres as askGenres, get, patch, post, put, remove, save } from "./api.js";
import { markdown } from "./markdown.js";
import { html, useEffect, useState } from "./preact.js";
import { Report } from "./verify.js";
import { BlobImage, Dialog, Heading, Icon, Spinner, Trouble, useAsked, useDoing } from "./widgets.js";
import { language, ruleName, t, when } from "./words.js";

/** Its title, else the first line or sentence; of music the genre, because its text is notes written out. */
export const titleOf = (work) =>
  work.title || (work.kind === "music" ? "" : work.text ?? "").split(/\n|(?<=[.!?])\s|(?<=[。！？])/).find((line) => /^(?!%|[A-Z]:)./.test(line.trim()))?.slice(0, 80) || work.genre_title;
const nameOf = (work, face) => `${work.genre}-${work.id.slice(0, 8)}.${face}`;

/** A work as it is seen: `small` in a card. */
export function Face({ work, small }) {
  if (work.kind === "picture") return small
    ? html`<div class="thumbnail"><img src=${`/api/works/${work.id}/thumbnail`} alt=${work.text.slice(0, 120)} loading="lazy" /></div>`
    : html`<${Zoom} work=${work} />`;
  if (work.kind === "music") return small ? html`<div class="excerpt music"><${Icon} name="music" /><strong>${titleOf(work)}</strong></div>` : html`<${Music} work=${work} />`;
  if (small) return html`<div class="excerpt">${work.title ? html`<strong>${work.title}</strong>` : null}<p>${excerpt(work)}</p></div>`;
  return html`<div class="paper whole" lang=${work.castalia.language}>${work.markdown ? markdown(work.markdown) : work.text}</div>`;
}

const excerpt = (work) => (work.title && work.text.startsWith(work.title) ? work.text.slice(work.title.length).trim() : work.text).slice(0, 280);

function Zoom({ work }) {
  const [blob, error] = useAsked(() => fileOf(work.id, "png"), [work.id]);
  const [open, setOpen] = useState(false);
  const [scale, setScale] = useState(0);
  if (error) return html`<${Trouble} error=${error} />`;
  if (!blob) return html`<div class="canvas"><${Spinner} /></div>`;
  return html`<div class="canvas">
    <button type="button" class="picture" aria-label=${t("zoom")} onClick=${() => setOpen(true)}><${BlobImage} blob=${blob} alt=${work.text} /></button>
    <p class="hint">${work.picture.width} × ${work.picture.height}</p>
    ${open ? html`<${Dialog} title=${titleOf(work)} onClose=${() => setOpen(false)} wide>
      <div class="row" role="group" aria-label=${t("zoom")}>${[0, 1, 2, 4, 8].map((each) =>
        html`<button type="button" class="small" aria-pressed=${scale === each} onClick=${() => setScale(each)}>${each ? `${each * 100} %` : t("fit")}</button>`)}</div>
      <div class="zoomed" tabindex="0" role="region" aria-label=${t("zoom")}>
        <${BlobImage} blob=${blob} alt=${work.text} width=${scale ? work.picture.width * scale : undefined} class=${scale ? "" : "fit"} /></div>
    <//>` : null}
  </div>`;
}

function Music({ work }) {
  const [score, error] = useAsked(() => fileOf(work.id, "png"), [work.id]);
  const [sound, setSound] = useState("");
  const [run, busy, problem] = useDoing();
  useEffect(() => () => sound && URL.revokeObjectURL(sound), [sound]);
  const play = () => run(async () => setSound(URL.createObjectURL(await fileOf(work.id, "mp3"))));
  return html`<div class="stack">
    <div class="player">${sound
      ? html`<audio controls autoplay src=${sound} aria-label=${titleOf(work)}></audio>`
      : html`<button type="button" class="main" disabled=${busy} onClick=${play}>${busy ? t("sounding") : t("play")}</button>`}</div>
    <${Trouble} error=${problem ?? error} />
    ${score ? html`<div class="score" tabindex="0" role="region" aria-label=${t("score_of", { title: titleOf(work) })}><${BlobImage} blob=${score} alt=${t("score_of", { title: titleOf(work) })} /></div>` : error ? null : html`<${Spinner} />`}
    ${work.text ? html`<details><summary>${t("words_or_notes")}</summary><div class="paper">${work.text}</div></details>` : null}
  </div>`;
}

export function StarButton({ work, onChange }) {
  const [run, busy, error, clear] = useDoing();
  const change = () => run(async () => onChange(await patch(`/api/works/${work.id}`, { starred: !work.starred })));
  return html`<button type="button" class=${`plain star ${work.starred ? "on" : ""}`} aria-pressed=${work.starred} aria-label=${t("star")}
    disabled=${busy} onClick=${change}><${Icon} name="star" filled=${work.starred} /></button><${Trouble} error=${error} onClose=${clear} />`;
}

export function Download({ work, face, plain = true }) {
  const [run, busy, error, clear] = useDoing();
  const load = () => run(async () => save(await fileOf(work.id, face), nameOf(work, face)));
  return html`<button type="button" class=${plain ? "plain" : "small"} disabled=${busy} onClick=${load}
    aria-label=${t("download_as", { face })}><${Icon} name=${error ? "note" : "download"} />${plain ? null : html`<span>${busy ? "…" : face}</span>`}</button>
    <${Trouble} error=${error} onClose=${plain ? clear : undefined} />`;
}

/** Every rule that was checked, the broken ones first. */
export function Rules({ findings, open }) {
  if (!findings.length) return null;
  const state = (each) => (each.ok ? "yes" : each.severity === "refuse" ? "no" : "note");
  const order = ["no", "note", "yes"];
  const sorted = [...findings].sort((a, b) => order.indexOf(state(a)) - order.indexOf(state(b)));
  const count = (name) => findings.filter((each) => state(each) === name).length;
  return html`<details class="rules" open=${open}>
    <summary><span class="tally yes"><${Icon} name="yes" />${t("rules_kept", { n: count("yes") })}</span>
      ${count("no") ? html`<span class="tally no"><${Icon} name="no" />${t("rules_broken", { n: count("no") })}</span>` : null}
      ${count("note") ? html`<span class="tally note"><${Icon} name="note" />${t("rules_noted", { n: count("note") })}</span>` : null}</summary>
    <ul>${sorted.map((each, at) => html`<li class=${state(each)} key=${at}>
      <${Icon} name=${state(each)} /><div><span class="unseen">${t(`rule_${state(each)}`)}</span><strong>${ruleName(each.rule)}</strong>
        ${each.place ? html` <span class="place">${each.place}</span>` : null}
        ${each.found ? html`<span class="found"> ${each.found}</span>` : null}
        ${!each.ok && each.wanted ? html`<span class="wanted"> ${t("wanted", { what: each.wanted })}</span>` : null}
        ${!each.ok && each.hint ? html`<p class="hint">${each.hint}</p>` : null}</div></li>`)}</ul>
  </details>`;
}

function Rating({ work, onChange }) {
  const [run, , error, clear] = useDoing();
  return html`<fieldset class="rating"><legend>${t("rating")}</legend>
    ${[1, 2, 3, 4, 5].map((n) => html`<label key=${n} class=${n <= (work.rating ?? 0) ? "on" : ""}>
      <input type="radio" class="unseen" name="rating" checked=${work.rating === n}
        onChange=${() => run(async () => onChange(await put(`/api/works/${work.id}/rating`, { rating: n })))} />
      <${Icon} name="star" filled=${n <= (work.rating ?? 0)} /><span class="unseen">${t("rating_n", { n })}</span></label>`)}<${Trouble} error=${error} onClose=${clear} /></fieldset>`;
}

function Boards({ work, onChange }) {
  const [name, setName] = useState("");
  const [run, , error] = useDoing();
  const change = (boards) => run(async () => { onChange(await patch(`/api/works/${work.id}`, { boards })); setName(""); });
  return html`<div class="boards"><h3>${t("boards")}</h3>
    <ul class="chips">${work.boards.map((each) => html`<li key=${each}><a href=${`#/library?board=${encodeURIComponent(each)}`}>${each}</a>
      <button type="button" class="plain" aria-label=${t("off_board", { name: each })} onClick=${() => change(work.boards.filter((other) => other !== each))}><${Icon} name="close" /></button></li>`)}</ul>
    <form class="row" onSubmit=${(event) => { event.preventDefault(); if (name.trim()) change([...work.boards, name]); }}>
      <input aria-label=${t("board_name")} placeholder=${t("board_name")} maxlength="60" value=${name} onInput=${(event) => setName(event.target.value)} />
      <button class="small">${t("put_there")}</button></form>
    <${Trouble} error=${error} /></div>`;
}

export function WorkView({ parts }) {
  const [found, error, again] = useAsked(() => get(`/api/works/${parts[0]}`), [parts[0]]);
  const [genres] = useAsked(askGenres, [language.value]);
  const [changed, setChanged] = useState({});
  const [deleting, setDeleting] = useState(false);
  if (error) return html`<${Heading}>${t("room_library")}<//><${Trouble} error=${error} onRetry=${again} />`;
  if (!found) return html`<${Spinner} />`;
  const work = { ...found, ...changed };
  const change = ({ starred, boards, rating }) => setChanged({ starred, boards, rating });
  return html`
    <a class="back" href="#/library"><${Icon} name="back" />${t("room_library")}</a>
    <div class="work">
      <article><${Heading} sub=${`${genres?.find((each) => each.name === work.genre)?.title ?? work.genre} · ${when(work.created)}`}>${titleOf(work)}<//><${Face} work=${work} /></article>
      <aside class="stack">
        <div class="row"><${StarButton} work=${work} onChange=${change} /><${Rating} work=${work} onChange=${change} /></div>
        <section><h2>${t("files")}</h2><div class="row wrap">${work.faces.map((face) => html`<${Download} work=${work} face=${face} plain=${false} key=${face} />`)}</div></section>
        <section class="row wrap">
          <a class="button" href=${`#/create/${work.genre}?from=${work.id}`}><${Icon} name="again" />${t("use_again")}</a>
          ${work.kind === "picture" ? html`<a class="button" href=${`#/create/redraw?use=${work.id}`}>${t("vary_picture")}</a>` : null}
          ${work.kind === "music" ? html`<a class="button" href=${`#/create/variation?use=${work.id}`}>${t("vary_music")}</a>` : null}
        </section>
        <${Boards} work=${work} onChange=${change} />
        <section><h2>${t("rules")}</h2><${Rules} findings=${work.findings} open=${work.findings.length < 9} /></section>
        <${Marks} work=${work} />
        <${Lineage} work=${work} />
        <details><summary>${t("record")}</summary><dl>${[
          [t("brief"), work.brief.words], [t("model"), work.model], [t("seed"), work.seed], [t("tries"), work.tries],
          ["id", work.id], [t("digest"), work.castalia.model_digest], [t("watermark"), work.castalia.watermark === "none" ? `${t("none")}: ${work.castalia.watermark_reason}` : work.castalia.watermark],
          [t("provider"), work.castalia.provider]].filter(([, value]) => value !== "" && value != null).map(([name, value]) => html`<div><dt>${name}</dt><dd>${String(value)}</dd></div>`)}</dl></details>
        <button type="button" class="small danger" onClick=${() => setDeleting(true)}>${t("delete")}</button>
      </aside>
    </div>
    ${deleting ? html`<${Deleting} work=${work} onClose=${() => setDeleting(false)} />` : null}`;
}

function Deleting({ work, onClose }) {
  const [run, busy, error] = useDoing();
  const go = () => run(async () => { await remove(`/api/works/${work.id}`); location.hash = "#/library"; });
  return html`<${Dialog} title=${t("delete_title")} onClose=${onClose}>
    <p>${t("delete_told", { title: titleOf(work) })}</p><${Trouble} error=${error} />
    <div class="row end"><button type="button" autofocus onClick=${onClose}>${t("keep_it")}</button>
      <button type="button" class="danger" disabled=${busy} onClick=${go}>${t("delete")}</button></div><//>`;
}

function Marks({ work }) {
  const [report, setReport] = useState(null);
  const [run, busy, error] = useDoing();
  const check = () => run(async () => {
    const face = work.faces[0];
    const form = new FormData();
    form.append("file", await fileOf(work.id, face), nameOf(work, face));
    setReport(await post("/api/verify", form));
  });
  return html`<section><h2>${t("marks")}</h2><p class="marked"><${Icon} name="verify" />${work.label}</p>
    ${report ? html`<${Report} report=${report} />` : html`<button type="button" class="small" disabled=${busy} onClick=${check}>${busy ? t("wait") : t("check_marks")}</button>`}
    <${Trouble} error=${error} /></section>`;
}

const Lineage = ({ work }) =>
  work.parents.length + work.children.length
    ? html`<section><h2>${t("lineage")}</h2>${[["parents", work.parents], ["children", work.children]].map(([name, ids]) => ids.length
        ? html`<p key=${name}>${t(name)} ${ids.map((id) => html`<a key=${id} href=${`#/work/${id}`}>${id.slice(0, 8)}</a> `)}</p>` : null)}</section>`
    : null;
