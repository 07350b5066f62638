// The page: who is here, which room, and the way between them.
import { lookForSession, remove, session } from "./api.js";
import { Chat, forgetChat } from "./chat.js";
import { Collections } from "./collections.js";
import { Create } from "./create.js";
import { Enter } from "./enter.js";
import { forgetErrands } from "./errand.js";
import { keepFocus } from "./focus.js";
import { forget } from "./jobs.js";
import { Compare, Library } from "./library.js";
import { Models } from "./models.js";
import { html, render, useEffect, useErrorBoundary, useRef, useState } from "./preact.js";
import { Settings } from "./settings.js";
import { signal, watch } from "./signal.js";
import { Verify } from "./verify.js";
import { Heading, Icon, Spinner, Trouble, useDoing } from "./widgets.js";
import { language, t } from "./words.js";
import { WorkView } from "./work.js";

const ROOMS = [
  ["create", Create],
  ["library", Library],
  ["verify", Verify],
  ["chat", Chat],
  ["models", Models],
  ["collections", Collections],
  ["settings", Settings],
];
const OTHERS = { work: WorkView, compare: Compare };
const ON_A_PHONE = 4;

const read = () => {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { parts: path.split("/").filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query) };
};
const place = signal(read());
addEventListener("hashchange", () => {
  place.value = read();
  scrollTo(0, 0);
});

async function leave() {
  await remove("/api/session").catch((error) => { if (error.status !== 401) throw error; });
  session.value = null;
  location.hash = "";
}

function Navigation({ here }) {
  const [more, setMore] = useState(false);
  const [run, busy, error, clear] = useDoing();
  useEffect(() => {
    const close = () => setMore(false);
    addEventListener("hashchange", close);
    return () => removeEventListener("hashchange", close);
  }, []);
  const link = ([name]) => html`<a href=${`#/${name}`} aria-current=${here === name ? "page" : undefined} key=${name}>
    <${Icon} name=${name} /><span>${t(`room_${name}`)}</span></a>`;
  const button = useRef(null);
  const keys = (event) => {
    if (event.key !== "Escape" || !more) return;
    setMore(false);
    button.current.focus();
  };
  return html`<nav class="rooms" aria-label=${t("rooms")} onKeyDown=${keys}>
    <a class="brand" href="#/create"><img src="/icon.svg" alt="" width="28" height="28" /><span>Castalia</span></a>
    ${ROOMS.slice(0, ON_A_PHONE).map(link)}
    <button type="button" ref=${button} class=${`more ${ROOMS.slice(ON_A_PHONE).some(([name]) => name === here) ? "here" : ""}`} aria-expanded=${more} onClick=${() => setMore(!more)}>
      <${Icon} name="more" /><span>${t("more")}</span></button>
    <div class=${`rest ${more ? "open" : ""}`}>
      ${ROOMS.slice(ON_A_PHONE).map(link)}
      <button type="button" class="leave" disabled=${busy} onClick=${() => run(leave)}><${Icon} name="leave" /><span>${t("log_out")}</span></button>
      <p class="who">${session.value.account.name}</p>
    </div>
    <${Trouble} error=${error} onClose=${clear} />
  </nav>`;
}

/** A room; one that fails says so, and the way to the others stays. */
function Guarded({ room: Room, ...rest }) {
  const [error, again] = useErrorBoundary((problem) => reportError(problem));
  return error ? html`<${Heading}>${t("broken_room")}<//><${Trouble} error=${error} onRetry=${again} />` : html`<${Room} ...${rest} />`;
}

function Page() {
  const who = watch(session);
  const { parts, query } = watch(place);
  const spoken = watch(language);
  const [first, setFirst] = useState(false);
  const [error, setError] = useState(null);
  const look = () => { setError(null); lookForSession().then(setFirst, setError); };
  useEffect(look, []);
  useEffect(() => { document.documentElement.lang = spoken === "zh" ? "zh-CN" : "en"; }, [spoken]);
  useEffect(() => { if (who === null) { forget(); forgetChat(); forgetErrands(); } }, [who]);
  if (error) return html`<main class="alone"><${Trouble} error=${error} onRetry=${look} /></main>`;
  if (who === undefined) return html`<main class="alone"><${Spinner} /></main>`;
  if (who === null) return html`<${Enter} first=${first} onFirst=${() => setFirst(false)} invitation=${query.get("invitation") ?? ""} />`;
  const name = parts[0] ?? "create";
  const Room = OTHERS[name] ?? Object.fromEntries(ROOMS)[name];
  const here = name === "work" || name === "compare" ? "library" : name;
  return html`<a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); document.querySelector("main h1")?.focus(); }}>${t("skip")}</a>
    <${Navigation} here=${here} key=${`nav-${spoken}`} />
    <main id="main" key=${`${spoken}/${name}/${name === "create" ? "" : parts.slice(1).join("/")}`}>
      ${Room ? html`<${Guarded} room=${Room} parts=${parts.slice(1)} query=${query} />` : html`<${Heading}>${t("no_room")}<//><a class="button main" href="#/create">${t("room_create")}</a>`}
    </main>`;
}

render(html`<${Page} />`, document.getElementById("page"));
keepFocus(document.getElementById("page"));
