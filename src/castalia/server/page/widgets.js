// What the rooms are built of: icons, notices, dialogs, fields for files.
import { html, useEffect, useId, useRef, useState } from "./preact.js";
import { t } from "./words.js";

const ICONS = {
  create: "M12 4v16M4 12h16",
  library: "M4 5h7v6H4zM13 5h7v9h-7zM4 13h7v6H4zM13 16h7v3h-7z",
  verify: "M12 3l7 3v5c0 5-3 8-7 10-4-2-7-5-7-10V6zM9 12l2.200 2.200L15.500 10",
  chat: "M4 5h16v11H10l-4 4v-4H4z",
  models: "M12 3l8 4.500v9L12 21l-8-4.500v-9zM4 7.500l8 4.500 8-4.500M12 12v9",
  collections: "M4 7h16v12H4zM7 4h10",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M13 4.500v5M7 14.500v5",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  star: "M12 4l2.400 5 5.600.700-4.100 3.800 1.100 5.500-5-2.800-5 2.800 1.100-5.500L4 9.700 9.600 9z",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  close: "M6 6l12 12M18 6L6 18",
  back: "M15 5l-7 7 7 7",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  music: "M9 18V6l10-2v12M9 18a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0zM19 16a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0z",
  text: "M5 6h14M5 10h14M5 14h10M5 18h7",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.500 9h.01",
  yes: "M5 12.500l4.500 4.500L19 7.500",
  no: "M7 7l10 10M17 7L7 17",
  note: "M12 4a8 8 0 1 0 .01 0M12 8.500v4.500M12 16h.01",
  again: "M5 12a7 7 0 1 0 2.200-5.100M5 4v4h4",
  leave: "M14 4h5v16h-5M4 12h10M10 8l4 4-4 4",
};

export const Icon = ({ name, filled }) =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" fill=${filled ? "currentColor" : "none"}
    stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"><path d=${ICONS[name]} /></svg>`;

export const Spinner = ({ label }) => html`<span class="spinner" role="status"><i aria-hidden="true"></i>${label ?? t("loading")}</span>`;

/** What went wrong, and the next step; with `onClose` at the edge of the window, where it has no place of its own. */
export function Trouble({ error, onRetry, onClose }) {
  if (!error) return null;
  const message = error.code === "unreachable" ? t("unreachable") : error.message || String(error);
  const hint = error.code === "unreachable" ? t("unreachable_hint") : error.hint;
  return html`<div class=${`notice bad${onClose ? " floating" : ""}`} role="alert">
    ${onClose ? html`<button type="button" class="plain" aria-label=${t("close")} onClick=${onClose}><${Icon} name="close" /></button>` : null}
    <p>${message}</p>
    <${NextStep} hint=${hint} />
    ${onRetry ? html`<button type="button" class="small" onClick=${onRetry}>${t("try_again")}</button>` : null}
  </div>`;
}

/** What to do about it. A command is called so, and a call of the interface says nothing to who reads the page. */
export function NextStep({ hint }) {
  if (!hint || /^(GET|POST|PUT|PATCH|DELETE)\b/.test(hint)) return null;
  return html`<p class="hint">${/^(castalia|pip) |^--?\w/.test(hint) ? html`${t("command_line")} <code>${hint}</code>` : html`${t("next_step")} ${hint}`}</p>`;
}

export const Empty = ({ icon, title, children }) =>
  html`<div class="empty"><${Icon} name=${icon} /><h2>${title}</h2><div>${children}</div></div>`;

/** A page's heading; takes the focus when the room is entered, so that a screen reader starts there, unless somebody is elsewhere already. */
export function Heading({ children, sub }) {
  const here = useRef(null);
  const text = [children].flat(3).filter((each) => typeof each === "string").join("");
  useEffect(() => { document.title = `${text} · Castalia`; }, [text]);
  useEffect(() => {
    if (document.activeElement === document.body || document.activeElement?.closest("nav a")) here.current?.focus();
  }, []);
  return html`<header class="heading"><h1 tabindex="-1" ref=${here}>${children}</h1>${sub ? html`<p>${sub}</p>` : null}</header>`;
}

/** A modal dialog; Escape and the close button call `onClose`. */
export function Dialog({ title, onClose, wide, children }) {
  const here = useRef(null);
  const id = useId();
  useEffect(() => {
    const dialog = here.current;
    dialog.showModal();
    return () => dialog.open && dialog.close();
  }, []);
  return html`<dialog ref=${here} class=${wide ? "wide" : ""} aria-labelledby=${id} onClose=${onClose}
    onClick=${(event) => event.target === here.current && onClose()}>
    <div class="dialog">
      <div class="row spread"><h2 id=${id}>${title}</h2>
        <button type="button" class="plain" aria-label=${t("close")} onClick=${onClose}><${Icon} name="close" /></button></div>
      ${children}
    </div>
  </dialog>`;
}

/** A secret that is shown once, to copy or to save. */
export function Secret({ value, name, label }) {
  const [copied, setCopied] = useState(false);
  const id = useId();
  const select = () => {
    document.getElementById(id).select();
    setCopied(document.execCommand("copy"));
  };
  // Over plain HTTP a page has no `clipboard`.
  const copy = () => navigator.clipboard?.writeText(value).then(() => setCopied(true), select) ?? select();
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${label}\n\n${value}\n`], { type: "text/plain" }));
    link.download = name;
    link.click();
  };
  return html`<div class="secret">
    <label for=${id}>${label}</label>
    <input id=${id} readonly value=${value} onFocus=${(event) => event.target.select()} />
    <div class="row"><button type="button" onClick=${copy}>${copied ? t("copied") : t("copy")}</button>
      <button type="button" onClick=${save}><${Icon} name="download" />${t("save_as_file")}</button></div>
    <span class="unseen" role="status">${copied ? t("copied") : ""}</span>
  </div>`;
}

export function Labelled({ label, hint, required, children }) {
  const id = useId();
  return html`<div class="field">
    <label for=${id}>${label}${required ? html`<span class="required"> ${t("required")}</span>` : null}</label>
    ${children(id, hint ? `${id}-hint` : undefined)}
    ${hint ? html`<p class="hint" id=${`${id}-hint`}>${hint}</p>` : null}
  </div>`;
}

export const Input = ({ label, hint, required, onValue, ...rest }) =>
  html`<${Labelled} label=${label} hint=${hint} required=${false}>${(id, described) =>
    html`<input id=${id} aria-describedby=${described} required=${required} onInput=${(event) => onValue(event.target.value)} ...${rest} />`}<//>`;

/** Files by button or drop. `onFiles` gets an array. */
export function Drop({ label, accept, multiple, onFiles, children }) {
  const [over, setOver] = useState(false);
  const id = useId();
  const dropped = (event) => {
    event.preventDefault();
    event.stopPropagation();
    setOver(false);
    const files = [...event.dataTransfer.files];
    if (files.length) onFiles(multiple ? files : files.slice(0, 1));
  };
  return html`<div class=${`drop ${over ? "over" : ""}`} onDragOver=${(event) => { event.preventDefault(); setOver(true); }}
    onDragLeave=${() => setOver(false)} onDrop=${dropped}>
    <input type="file" class="unseen" id=${id} accept=${accept} multiple=${multiple}
      onChange=${(event) => { const files = [...event.target.files]; event.target.value = ""; if (files.length) onFiles(files); }} />
    <label for=${id}><${Icon} name="file" /><span>${label}</span></label>
    ${children}
  </div>`;
}

/** A file's picture while it is open, by a blob's address. */
export function BlobImage({ blob, ...rest }) {
  const [address, setAddress] = useState("");
  useEffect(() => {
    if (!blob) return undefined;
    const made = URL.createObjectURL(blob);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return address ? html`<img src=${address} onError=${() => setAddress("")} ...${rest} />` : null;
}

/** A promise's [value, error, ask again]; asked whenever `watched` changes. */
export function useAsked(ask, watched) {
  const [state, setState] = useState([undefined, null]);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let here = true;
    setState(([value]) => [value, null]);
    ask().then((value) => here && setState([value, null]), (error) => here && setState([undefined, error]));
    return () => { here = false; };
  }, [...watched, turn]);
  return [...state, () => setTurn((n) => n + 1)];
}

/** The button's work: [run, busy, error, forget the error]. */
export function useDoing() {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const run = async (work) => {
    setBusy(true);
    setError(null);
    try {
      return await work();
    } catch (problem) {
      setError(problem);
      return undefined;
    } finally {
      setBusy(false);
    }
  };
  return [run, busy, error, () => setError(null)];
}

export const bytes = (n) => (n >= 1e9 ? `${(n / 1e9).toFixed(1)} GB` : n >= 1e6 ? `${Math.round(n / 1e6)} MB` : `${Math.max(1, Math.round(n / 1e3))} kB`);
