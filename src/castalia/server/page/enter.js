// The door: the first account, an invitation, or a login.
import { ended, post, session } from "./api.js";
import { html, useState } from "./preact.js";
import { LanguageChoice } from "./settings.js";
import { watch } from "./signal.js";
import { Input, Secret, Trouble, useDoing } from "./widgets.js";
import { t } from "./words.js";

function begin(told) {
  ended.value = false;
  session.value = told;
}

export function Enter({ first, onFirst, invitation }) {
  const cut = watch(ended);
  const [joining, setJoining] = useState(first || Boolean(invitation));
  const [begun, setBegun] = useState(null);
  if (begun) return html`<${Recovery} begun=${begun} onDone=${() => { onFirst(); begin(begun); }} />`;
  return html`<main class="alone">
    <div class="door">
      <img src="/icon.svg" alt="" width="56" height="56" />
      <h1 tabindex="-1">Castalia</h1>
      <p class="lead">${t("lead")}</p>
      ${cut ? html`<p class="notice" role="status">${t("session_ended")}</p>` : null}
      <${Form} key=${joining || first} joining=${joining || first} first=${first} invitation=${invitation} onBegun=${(told) =>
        told.recovery_code ? setBegun(told) : begin(told)} />
      ${first ? null : html`<button type="button" class="plain" onClick=${() => setJoining(!joining)}>
        ${joining ? t("have_account") : t("have_invitation")}</button>`}
      <${LanguageChoice} />
    </div>
  </main>`;
}

function Form({ joining, first, invitation, onBegun }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState(invitation);
  const [run, busy, error] = useDoing();
  const send = (event) => {
    event.preventDefault();
    run(async () => {
      const asked = { name, password, ...(joining && !first ? { invitation: code } : {}) };
      onBegun(await post(joining ? "/api/accounts" : "/api/session", asked));
    });
  };
  return html`<form onSubmit=${send} class="stack">
    <h2>${first ? t("first_account") : joining ? t("join") : t("log_in")}</h2>
    ${first ? html`<p class="hint">${t("first_account_hint")}</p>` : null}
    <${Input} label=${t("name")} value=${name} onValue=${setName} required autocomplete="username" maxlength="64" />
    <${Input} label=${t("password")} value=${password} onValue=${setPassword} required type="password"
      autocomplete=${joining ? "new-password" : "current-password"} hint=${joining ? t("password_hint") : ""} />
    ${joining && !first ? html`<${Input} label=${t("invitation")} value=${code} onValue=${setCode} required autocomplete="off" />` : null}
    <${Trouble} error=${error} />
    <button class="main" disabled=${busy}>${busy ? t("wait") : joining ? t("make_account") : t("log_in")}</button>
  </form>`;
}

export function Recovery({ begun, onDone }) {
  const [kept, setKept] = useState(false);
  return html`<main class="alone"><div class="door stack">
    <h1 tabindex="-1">${t("recovery_title")}</h1>
    <p>${t("recovery_told")}</p>
    <${Secret} label=${t("recovery_code")} value=${begun.recovery_code} name="castalia-recovery-code.txt" />
    <label class="check"><input type="checkbox" checked=${kept} onChange=${(event) => setKept(event.target.checked)} />${t("recovery_kept")}</label>
    <button type="button" class="main" disabled=${!kept} onClick=${onDone}>${t("go_on")}</button>
  </div></main>`;
}
