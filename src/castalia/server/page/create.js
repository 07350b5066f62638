// Create: a genre, its form, and what becomes of it.
import { genres as askGenres, get } from "./api.js";
import { Field, fieldFor, fieldsOf, given } from "./form.js";
import { JobCard } from "./job.js";
import { find, jobs, submit } from "./jobs.js";
import { html, useEffect, useMemo, useRef, useState } from "./preact.js";
import { watch } from "./signal.js";
import { Heading, Icon, Input, Labelled, Spinner, Trouble, useAsked, useDoing } from "./widgets.js";
import { label, language, t } from "./words.js";

const KINDS = ["picture", "music", "text"];
const FIRST = ["picture", "melody", "haiku"];
const MOST = 8;
/** Fields that say what a work is about, as its brief does. */
const SUBSTANCE = ["facts", "lyrics", "chords"];

export function Create({ parts, query }) {
  const [genres, error, again] = useAsked(askGenres, [language.value]);
  useEffect(() => { if (genres) find(genres).catch(() => null); }, [genres]);
  if (error) return html`<${Heading}>${t("room_create")}<//><${Trouble} error=${error} onRetry=${again} />`;
  if (!genres) return html`<${Spinner} />`;
  const genre = genres.find((each) => each.name === parts[0]);
  return genre
    ? html`<${Workbench} genre=${genre} genres=${genres} query=${query} key=${`${genre.name}?${query}`} />`
    : html`<${Choice} genres=${genres} />`;
}

function Choice({ genres }) {
  const [sought, setSought] = useState("");
  const shown = genres.filter((each) => each.name !== "reply" && matches(each, sought));
  const first = FIRST.map((name) => genres.find((each) => each.name === name)).filter(Boolean);
  return html`
    <${Heading} sub=${t("create_told")}>${t("create_title")}<//>
    <${Running} genres=${genres} />
    <div class="search"><${Input} label=${t("search_genres")} type="search" value=${sought} onValue=${setSought} autocomplete="off" /></div>
    <p class="unseen" role="status">${sought ? t("found_n", { n: shown.length }) : ""}</p>
    ${sought ? null : html`<section aria-labelledby="first"><h2 id="first">${t("start_here")}</h2>
      <div class="cards first">${first.map((each) => html`<${Card} genre=${each} key=${each.name} large />`)}</div></section>`}
    ${KINDS.map((kind) => {
      const some = shown.filter((each) => each.kind === kind);
      return some.length ? html`<section key=${kind} aria-labelledby=${`kind-${kind}`}>
        <h2 id=${`kind-${kind}`}>${t(`kind_${kind}`)}</h2>
        <div class="cards">${some.map((each) => html`<${Card} genre=${each} key=${each.name} />`)}</div></section>` : null;
    })}
    ${shown.length ? null : html`<p>${t("no_genre")}</p>`}`;
}

const matches = (genre, sought) =>
  sought.toLowerCase().split(/\s+/).every((word) =>
    [genre.name, genre.title, genre.summary, ...genre.aliases].join(" ").toLowerCase().includes(word));

const Card = ({ genre, large }) =>
  html`<a class=${`card genre ${genre.kind}${large ? " large" : ""}`} href=${`#/create/${genre.name}`}>
    <${Icon} name=${genre.kind} /><strong>${genre.title}</strong><span>${genre.summary}</span></a>`;

function Running({ genres }) {
  const some = watch(jobs);
  if (!some.length) return null;
  return html`<section aria-label=${t("jobs")} class="jobs">${some.map((job) =>
    html`<${JobCard} job=${job} genres=${genres} key=${job.id} />`)}</section>`;
}

function Workbench({ genre, genres, query }) {
  const fields = useMemo(() => fieldsOf(genre), [genre]);
  const [words, setWords] = useState("");
  const [values, setValues] = useState({});
  const [n, setN] = useState(1);
  const [seed, setSeed] = useState("");
  const [lost, setLost] = useState([]);
  const [run, busy, error] = useDoing();
  const form = useRef(null);
  const set = (name) => (value) => setValues((before) => ({ ...before, [name]: value }));
  const from = query.get("from");
  useEffect(() => { if (from) restore(from, fields).then(([told, kept, missing]) => {
    setWords(told.words); setSeed(String(told.seed)); setValues(kept); setLost(missing);
  }, () => null); }, [from]);
  useEffect(() => { if (query.get("use")) set(fields.find((each) => each.file)?.name ?? "picture")(query.get("use")); }, []);

  const send = (event) => {
    event.preventDefault();
    const [said, files] = given(fields, values);
    const request = { genre: genre.name, words, fields: said, n };
    if (seed !== "") request.seed = Number(seed);
    const missing = fields.find((each) => each.required && each.file && ![values[each.name] ?? []].flat().length);
    run(async () => {
      if (missing) throw new Error(t("wants_file", { name: label(missing.name, missing.schema.description) }));
      await submit(request, files, { genre: genre.name, words, n });
      // On a phone what is made stands below the form.
      setTimeout(() => document.querySelector(".results")?.scrollIntoView({ block: "nearest" }), 50);
    });
  };
  const keys = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.current.requestSubmit();
  };
  const drop = (event) => {
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    const field = fieldFor(fields, file);
    if (field) set(field.name)(field.several ? [...(values[field.name] ?? []), ...event.dataTransfer.files] : file);
  };
  const above = fields.filter((each) => each.required || each.file || SUBSTANCE.includes(each.name));
  const below = fields.filter((each) => !above.includes(each));
  const changed = below.filter((each) => ![undefined, ""].includes(values[each.name])).length;
  const field = (each) => html`<${Field} key=${each.name} field=${each} value=${values[each.name]} onValue=${set(each.name)} />`;

  return html`
    <a class="back" href="#/create"><${Icon} name="back" />${t("all_genres")}</a>
    <div class="workbench">
      <form ref=${form} onSubmit=${send} onKeyDown=${keys} onDragOver=${(event) => event.preventDefault()} onDrop=${drop} class="stack">
        <${Heading} sub=${genre.summary}>${genre.title}<//>
        ${lost.length ? html`<p class="notice">${t("attach_again", { names: lost.join(", ") })}</p>` : null}
        <${Labelled} label=${t("brief")} hint=${t("brief_hint")}>${(id, told) => html`<textarea id=${id} aria-describedby=${told} rows="4" value=${words}
          placeholder=${t(`brief_${genre.kind}`)} onInput=${(event) => setWords(event.target.value)}></textarea>`}<//>
        ${above.map(field)}
        ${below.length ? html`<details class="more" open=${changed > 0}><summary>${t("more_settings", { n: below.length })}</summary>
          <div class="stack">${below.map(field)}</div></details>` : null}
        <div class="pair">
          <${Labelled} label=${t("variations")}>${(id) => html`<input id=${id} type="number" min="1" max=${MOST} required value=${n}
            onInput=${(event) => setN(Number(event.target.value))} />`}<//>
          <${Labelled} label=${t("seed")}>${(id) => html`<input id=${id} type="number" min="0" max="2147483647" step="1" value=${seed} placeholder=${t("seed_drawn")}
            onInput=${(event) => setSeed(event.target.value)} />`}<//>
        </div>
        <${Trouble} error=${error} />
        <button class="main" disabled=${busy}>${busy ? t("wait") : n > 1 ? t("create_n", { n }) : t("create_one")}</button>
      </form>
      <${Results} genre=${genre} genres=${genres} onSeed=${(value) => { setSeed(String(value)); setN(1); }} />
    </div>`;
}

function Results({ genre, genres, onSeed }) {
  const some = watch(jobs).filter((job) => job.kind === genre.name);
  return html`<section class="results" aria-label=${t("results")}>
    ${some.length ? some.map((job) => html`<${JobCard} job=${job} genres=${genres} onSeed=${onSeed} key=${job.id} />`)
      : html`<div class="waiting-place"><${Icon} name=${genre.kind} /><p>${t("results_here")}</p></div>`}
  </section>`;
}

/** The settings of a work: [brief, values of its fields, labels of files that must be attached again]. */
async function restore(id, fields) {
  const work = await get(`/api/works/${id}`);
  const values = {};
  const missing = [];
  const parents = [...work.parents];
  for (const field of fields) {
    const value = work.brief.fields[field.name];
    if (field.file) {
      const given = Array.isArray(value) ? value.length : value && typeof value === "object";
      if (given && parents.length) values[field.name] = field.several ? parents.splice(0) : parents.shift();
      else if (given) missing.push(label(field.name, field.schema.description));
      else if (field.text && value) values[field.name] = value;
    } else if (value != null && JSON.stringify(value) !== JSON.stringify(field.schema.default)) {
      values[field.name] = Array.isArray(value) ? value.join("\n") : value;
    } else if (field.name === "language") values.language = value;
  }
  return [work.brief, values, missing];
}
