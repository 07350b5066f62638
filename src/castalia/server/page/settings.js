// Settings: how the page looks and speaks, the password, keys; for the administrator accounts, invitations and the audit.
import { get, patch, post, remove, session } from "./api.js";
import { html, useState } from "./preact.js";
import { watch } from "./signal.js";
import { bytes, Dialog, Heading, Icon, Input, Secret, Spinner, Trouble, useAsked, useDoing } from "./widgets.js";
import { eventName, language, setLanguage, setTheme, t, theme, when } from "./words.js";

const SCOPES = ["read", "write"];

export function LanguageChoice() {
  const now = watch(language);
  return html`<div class="row choice" role="group" aria-label="Language / 语言">${[["en", "English"], ["zh", "中文"]].map(([code, name]) =>
    html`<button type="button" key=${code} lang=${code} aria-pressed=${now === code} onClick=${() => setLanguage(code)}>${name}</button>`)}</div>`;
}

function ThemeChoice() {
  const now = watch(theme);
  return html`<div class="row choice" role="group" aria-label=${t("theme")}>${["auto", "light", "dark"].map((name) =>
    html`<button type="button" key=${name} aria-pressed=${now === name} onClick=${() => setTheme(name)}>${t(`theme_${name}`)}</button>`)}</div>`;
}

export function Settings() {
  const admin = session.value.account.admin;
  return html`<div class="narrow settings">
    <${Heading} sub=${`${session.value.account.name}${admin ? ` · ${t("administrator")}` : ""}`}>${t("room_settings")}<//>
    <section><h2>${t("appearance")}</h2><div class="pair"><div><h3>${t("language")}</h3><${LanguageChoice} /></div><div><h3>${t("theme")}</h3><${ThemeChoice} /></div></div></section>
    <${Space} />
    <${Keys} />
    <${Password} />
    ${admin ? html`<${Accounts} /><${Audit} />` : null}
    <section><h2>${t("programs")}</h2><p><a href="/docs">${t("api_reference")}</a></p></section>
  </div>`;
}

function Space() {
  const [quota, error] = useAsked(() => get("/api/quota"), []);
  const rows = [["works", String], ["bytes", bytes], ["jobs_a_day", String]];
  return html`<section><h2>${t("space")}</h2><${Trouble} error=${error} />
    ${quota ? html`<dl>${rows.map(([name, shown]) => html`<div key=${name}><dt>${t(`quota_${name}`)}</dt>
      <dd>${shown(quota[name].used)}${quota[name].most == null ? "" : ` / ${shown(quota[name].most)}`}</dd></div>`)}</dl>` : error ? null : html`<${Spinner} />`}</section>`;
}

function Keys() {
  const [keys, error, again] = useAsked(() => get("/api/keys"), []);
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState(SCOPES);
  const [made, setMade] = useState(null);
  const [run, busy, problem] = useDoing();
  const make = (event) => {
    event.preventDefault();
    run(async () => { setMade(await post("/api/keys", { name, scopes })); setName(""); again(); });
  };
  return html`<section><h2>${t("keys")}</h2><p class="hint">${t("keys_told")}</p>
    <${Trouble} error=${error ?? problem} />
    ${keys?.length ? html`<ul class="rows">${keys.map((each) => html`<li key=${each.id} class="row spread"><div><strong>${each.name || each.id}</strong>
      <p class="hint">${each.scopes.map((one) => t(`scope_${one}`)).join(", ")} · ${t("made_at", { when: when(each.created) })}${each.used ? ` · ${t("used_at", { when: when(each.used) })}` : ""}</p></div>
      <button type="button" class="small danger" aria-label=${t("revoke_key", { name: each.name || each.id })} onClick=${() => run(async () => { await remove(`/api/keys/${each.id}`); again(); })}>${t("revoke")}</button></li>`)}</ul>`
      : keys ? html`<p>${t("no_keys")}</p>` : error ? null : html`<${Spinner} />`}
    <form class="row wrap end-aligned" onSubmit=${make}>
      <${Input} label=${t("key_name")} value=${name} onValue=${setName} required maxlength="64" autocomplete="off" />
      ${SCOPES.map((each) => html`<label class="check" key=${each}><input type="checkbox" checked=${scopes.includes(each)}
        onChange=${() => setScopes(scopes.includes(each) ? scopes.filter((one) => one !== each) : [...scopes, each])} />${t(`scope_${each}`)}</label>`)}
      <button disabled=${busy || !scopes.length}>${t("make_key")}</button></form>
    ${made ? html`<${Dialog} title=${t("key_made")} onClose=${() => setMade(null)}><p>${t("shown_once")}</p><${Secret} label=${made.name} value=${made.key} name="castalia-key.txt" /><//>` : null}
  </section>`;
}

function Password() {
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [code, setCode] = useState("");
  const [run, busy, error] = useDoing();
  const change = (event) => {
    event.preventDefault();
    run(async () => { setCode((await post("/api/password", { old, new: fresh })).recovery_code); setOld(""); setFresh(""); });
  };
  return html`<section><h2>${t("change_password")}</h2>
    <form onSubmit=${change} class="stack">
      <input class="unseen" autocomplete="username" value=${session.value.account.name} readonly tabindex="-1" aria-hidden="true" />
      <div class="pair"><${Input} label=${t("password_now")} type="password" autocomplete="current-password" required value=${old} onValue=${setOld} />
      <${Input} label=${t("password_new")} type="password" autocomplete="new-password" required value=${fresh} onValue=${setFresh} hint=${t("password_hint")} /></div>
      <${Trouble} error=${error} /><div><button disabled=${busy}>${busy ? t("wait") : t("change_password")}</button></div></form>
    ${code ? html`<${Dialog} title=${t("recovery_title")} onClose=${() => setCode("")}><p>${t("recovery_told")}</p><${Secret} label=${t("recovery_code")} value=${code} name="castalia-recovery-code.txt" /><//>` : null}
  </section>`;
}

function Accounts() {
  const [people, error, again] = useAsked(() => get("/api/accounts"), []);
  const [code, setCode] = useState("");
  const [leaving, setLeaving] = useState(null);
  const [limited, setLimited] = useState(null);
  const [run, busy, problem, clear] = useDoing();
  const address = `${location.origin}/#/?invitation=${code}`;
  return html`<section><h2>${t("accounts")}</h2><p class="hint">${t("accounts_told")}</p><${Trouble} error=${error ?? (leaving ? null : problem)} />
    ${people ? html`<ul class="rows">${people.map((each) => html`<li class="row spread" key=${each.id}><div><strong>${each.name}</strong>
      <p class="hint">${[each.admin ? t("administrator") : "", each.enabled ? "" : t("shut_out"), when(each.created), ...taken(each)].filter(Boolean).join(" · ")}</p></div>
      <span class="row wrap"><button type="button" class="small" aria-label=${t("limits_of", { name: each.name })} onClick=${() => setLimited(each)}>${t("limits")}</button>
      ${each.id === session.value.account.id ? null : html`<button type="button" class="small" aria-label=${`${each.enabled ? t("shut_out_do") : t("let_in")}: ${each.name}`} onClick=${() => run(async () => { await patch(`/api/accounts/${each.id}`, { enabled: !each.enabled }); again(); })}>${each.enabled ? t("shut_out_do") : t("let_in")}</button>
      <button type="button" class="small danger" aria-label=${t("delete_named", { name: each.name })} onClick=${() => { clear(); setLeaving(each); }}>${t("delete")}</button>`}</span></li>`)}</ul>` : error ? null : html`<${Spinner} />`}
    <button type="button" disabled=${busy} onClick=${() => run(async () => setCode((await post("/api/invitations")).invitation))}>${t("invite")}</button>
    ${code ? html`<${Dialog} title=${t("invitation")} onClose=${() => setCode("")}><p>${t("invitation_told")}</p><${Secret} label=${t("invitation")} value=${address} name="castalia-invitation.txt" /><//>` : null}
    ${limited ? html`<${Limits} account=${limited} onClose=${() => setLimited(null)} onChanged=${() => { setLimited(null); again(); }} />` : null}
    ${leaving ? html`<${Dialog} title=${t("delete_account")} onClose=${() => setLeaving(null)}><p>${t("delete_account_told", { name: leaving.name })}</p><${Trouble} error=${problem} />
      <div class="row end"><button type="button" onClick=${() => setLeaving(null)}>${t("keep_it")}</button><button type="button" class="danger" disabled=${busy} onClick=${() => run(async () => { await remove(`/api/accounts/${leaving.id}`); setLeaving(null); again(); })}>${t("delete")}</button></div><//>` : null}
  </section>`;
}

/** What an account takes, and which limits it has. */
const taken = ({ bytes: used, quota }) => [
  quota.bytes == null ? bytes(used) : `${bytes(used)} / ${bytes(quota.bytes)}`,
  quota.works == null ? "" : t("at_most_works", { n: quota.works }),
  quota.jobs_a_day == null ? "" : t("at_most_jobs_a_day", { n: quota.jobs_a_day }),
];

/** How each limit is shown and typed: its name, and how many of the server's units one typed is. */
const LIMITS = [["works", 1], ["bytes", 1e6], ["jobs_a_day", 1]];

function Limits({ account, onClose, onChanged }) {
  const [most, setMost] = useState(Object.fromEntries(LIMITS.map(([name, unit]) => [name, account.quota[name] == null ? "" : account.quota[name] / unit])));
  const [run, busy, error] = useDoing();
  const save = (event) => {
    event.preventDefault();
    const quota = Object.fromEntries(LIMITS.map(([name, unit]) => [name, most[name] === "" ? null : Math.round(most[name] * unit)]));
    run(async () => { await patch(`/api/accounts/${account.id}`, { quota }); onChanged(); });
  };
  return html`<${Dialog} title=${t("limits_of", { name: account.name })} onClose=${onClose}><p class="hint">${t("limits_told")}</p>
    <form class="stack" onSubmit=${save}>${LIMITS.map(([name]) => html`<${Input} key=${name} label=${t(`most_${name}`)} type="number" min="0" step="any" inputmode="decimal"
      value=${most[name]} onValue=${(value) => setMost({ ...most, [name]: value })} />`)}
      <${Trouble} error=${error} /><div class="row end"><button type="button" onClick=${onClose}>${t("cancel")}</button><button disabled=${busy}>${t("save")}</button></div></form><//>`;
}

function Audit() {
  const [noted, error] = useAsked(() => get("/api/audit", { limit: 50 }), []);
  return html`<section><details><summary>${t("audit")}</summary><${Trouble} error=${error} />
    ${noted ? html`<ul class="rows audit">${noted.map((each, at) => html`<li key=${at}><span>${when(each.at)}</span> <strong>${eventName(each.event)}</strong> <span>${each.detail}</span> <span class="hint">${each.address}</span></li>`)}</ul>` : error ? null : html`<${Spinner} />`}</details>
    <p class="hint"><${Icon} name="note" />${t("audit_told")}</p></section>`;
}
