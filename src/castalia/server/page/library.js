// The library: works as a gallery, by board, star, genre or words; and two side by side.
import { genres as askGenres, get } from "./api.js";
import { html, useEffect, useState } from "./preact.js";
import { Empty, Heading, Icon, Input, Labelled, Spinner, Trouble, useAsked } from "./widgets.js";
import { day, language, t, when } from "./words.js";
import { Face, Rules, StarButton, titleOf } from "./work.js";

const AT_A_TIME = 24;
const MOST = 200; // that the server tells at once

export function Library({ query }) {
  const board = query.get("board") ?? "";
  const [sought, setSought] = useState("");
  const [genre, setGenre] = useState("");
  const [starred, setStarred] = useState(false);
  const [many, setMany] = useState(AT_A_TIME);
  const [chosen, setChosen] = useState([]);
  const wanted = useSlow(sought);
  const [genres] = useAsked(askGenres, [language.value]);
  const [found, error, again] = useAsked(() => list({ q: wanted, genre, starred, board }, many), [wanted, genre, starred, board, many]);
  const [changed, setChanged] = useState({});
  const titles = Object.fromEntries((genres ?? []).map((each) => [each.name, each.title]));
  const works = (found?.works ?? [])
    .map((each) => ({ ...each, ...changed[each.id] }))
    .filter((each) => !wanted || ((!genre || each.genre === genre) && (!starred || each.starred) && (!board || each.boards.includes(board))));
  const choose = (id) => setChosen((before) => (before.includes(id) ? before.filter((each) => each !== id) : [...before, id].slice(-2)));
  const plain = !wanted && !genre && !starred && !board;
  return html`
    <${Heading} sub=${found ? t("works_n", { n: found.total }) : ""}>${board || t("room_library")}<//>
    <div class="toolbar" role="search">
      <${Input} label=${t("search")} type="search" value=${sought} onValue=${setSought} autocomplete="off" />
      <${Labelled} label=${t("genre")}>${(id) => html`<select id=${id} value=${genre} onChange=${(event) => setGenre(event.target.value)}>
        <option value="">${t("all")}</option>${(genres ?? []).map((each) => html`<option value=${each.name} key=${each.name}>${each.title}</option>`)}</select>`}<//>
      <button type="button" aria-pressed=${starred} onClick=${() => setStarred(!starred)}><${Icon} name="star" filled=${starred} />${t("starred")}</button>
    </div>
    ${Object.keys(found?.boards ?? {}).length ? html`<nav class="chips" aria-label=${t("boards")}>
      <a href="#/library" aria-current=${board ? undefined : "true"}>${t("all")}</a>
      ${Object.entries(found.boards).map(([name, n]) => html`<a key=${name} href=${`#/library?board=${encodeURIComponent(name)}`} aria-current=${board === name ? "true" : undefined}>${name} <small>${n}</small></a>`)}</nav>` : null}
    ${chosen.length ? html`<div class="compare-bar" role="status"><span>${chosen.length === 2 ? t("two_chosen") : t("choose_second")}</span>
      ${chosen.length === 2 ? html`<a class="button main" href=${`#/compare/${chosen.join("/")}`}>${t("compare")}</a>` : null}
      <button type="button" class="small" onClick=${() => setChosen([])}>${t("cancel")}</button></div>` : null}
    <${Trouble} error=${error} onRetry=${again} />
    ${!found && !error ? html`<${Spinner} />` : null}
    ${found && !works.length ? plain
      ? html`<${Empty} icon="library" title=${t("library_empty")}><p>${t("library_empty_told")}</p><a class="button main" href="#/create">${t("room_create")}</a><//>`
      : html`<${Empty} icon="library" title=${t("nothing_found")}><p>${t("nothing_found_told")}</p><//>` : null}
    <ul class="gallery">${works.map((work) => html`<li key=${work.id} class=${`card work-card ${work.kind}`}>
      <a class="face" href=${`#/work/${work.id}`} aria-label=${t("open_work", { title: titleOf(work) })}><${Face} work=${work} small /></a>
      <div class="row spread foot"><div class="name"><strong>${titleOf(work)}</strong><span>${titles[work.genre] ?? work.genre} · ${day(work.created)}</span></div>
        <span class="row"><label class="choose"><input type="checkbox" checked=${chosen.includes(work.id)} onChange=${() => choose(work.id)} aria-label=${t("choose_to_compare", { title: titleOf(work) })} /></label>
        <${StarButton} work=${work} onChange=${(more) => setChanged({ ...changed, [work.id]: { starred: more.starred } })} /></span></div></li>`)}</ul>
    ${found && found.works.length === many ? html`<div class="row end"><button type="button" onClick=${() => setMany(many + AT_A_TIME)}>${t("show_more")}</button></div>` : null}`;
}

/** As many works as are wanted; of a search no more than the server tells at once. */
async function list(wanted, many) {
  const found = await get("/api/works", { ...wanted, limit: Math.min(MOST, many) });
  while (!wanted.q && found.works.length < many && found.works.length % MOST === 0) {
    const more = await get("/api/works", { ...wanted, limit: Math.min(MOST, many - found.works.length), offset: found.works.length });
    if (!more.works.length) break;
    found.works.push(...more.works);
  }
  return found;
}

/** A value once it has stood still for a moment. */
function useSlow(value) {
  const [slow, setSlow] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(value), 250);
    return () => clearTimeout(timer);
  }, [value]);
  return slow;
}

export function Compare({ parts }) {
  const [works, error, again] = useAsked(() => Promise.all(parts.slice(0, 2).map((id) => get(`/api/works/${id}`))), [parts.join()]);
  if (error) return html`<${Heading}>${t("compare")}<//><${Trouble} error=${error} onRetry=${again} />`;
  if (!works) return html`<${Spinner} />`;
  const rows = [["brief", (each) => each.brief.words], ["seed", (each) => each.seed], ["model", (each) => each.model], ["tries", (each) => each.tries], ["rating", (each) => each.rating ?? "–"], ["created", (each) => when(each.created)]];
  return html`<a class="back" href="#/library"><${Icon} name="back" />${t("room_library")}</a>
    <${Heading}>${t("compare")}<//>
    <div class="compare">${works.map((work) => html`<article key=${work.id}>
      <h2><a href=${`#/work/${work.id}`}>${titleOf(work)}</a></h2>
      <${Face} work=${work} />
      <dl>${rows.map(([name, value]) => html`<div key=${name}><dt>${t(name)}</dt><dd>${value(work) || "–"}</dd></div>`)}</dl>
      <${Rules} findings=${work.findings} /></article>`)}</div>`;
}
