// Chat: each reply comes sentence by sentence, judged before it is shown, and is a marked work in the end.
import { ApiError, ask, get } from "./api.js";
import { html, useEffect, useRef, useState } from "./preact.js";
import { signal, watch } from "./signal.js";
import { Heading, Icon, Labelled, Trouble, useAsked } from "./widgets.js";
import { t } from "./words.js";

/** What was said while the page is open: {role, content, record, error}. */
const turns = signal([]);
export const forgetChat = () => { turns.value = []; };

/** The connection broke while a reply came. */
const UNREACHABLE = new ApiError(0, { message: "", code: "unreachable" });

/** The objects of a stream of server-sent events. */
async function* events(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      if (part.startsWith("data: ") && part !== "data: [DONE]") yield JSON.parse(part.slice(6));
    }
  }
}

export function Chat() {
  const said = watch(turns);
  const [words, setWords] = useState("");
  const [model, setModel] = useState("");
  const [stop, setStop] = useState(null);
  const [models] = useAsked(() => get("/v1/models"), []);
  const end = useRef(null);
  useEffect(() => end.current?.scrollIntoView({ block: "nearest" }), [said]);
  useEffect(() => () => stop?.abort(), [stop]);

  const change = (more) => { turns.value = [...turns.value.slice(0, -1), { ...turns.value.at(-1), ...more }]; };
  const send = async (event) => {
    event?.preventDefault();
    if (!words.trim() || stop) return;
    const before = [...said.filter((each) => each.content), { role: "user", content: words.trim() }];
    turns.value = [...before, { role: "assistant", content: "" }];
    setWords("");
    const ending = new AbortController();
    setStop(ending);
    try {
      const messages = before.map(({ role, content }) => ({ role, content }));
      const answer = await ask("POST", "/v1/chat/completions", { model, messages, stream: true }, { signal: ending.signal });
      for await (const told of events(answer)) {
        if (told.error) throw new ApiError(500, told.error);
        const choice = told.choices?.[0];
        if (choice?.delta?.content) change({ content: turns.value.at(-1).content + choice.delta.content });
        if (choice?.finish_reason) change({ record: told.castalia, reason: choice.finish_reason });
      }
      if (!turns.value.at(-1).reason) throw UNREACHABLE;
    } catch (error) {
      if (turns.value.length === before.length + 1) change(error.name === "AbortError" ? { stopped: true } : { error: error instanceof ApiError ? error : UNREACHABLE });
    } finally {
      setStop(null);
    }
  };
  const keys = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send(event);
  };
  const written = (models?.data ?? []).filter((each) => !each.id.startsWith("castalia/"));
  return html`<div class="chat">
    <${Heading} sub=${t("chat_told")}>${t("room_chat")}<//>
    <div class="turns" role="log" aria-live="polite" aria-busy=${Boolean(stop)}>
      ${said.length ? null : html`<div class="starters"><p class="hint">${t("chat_starters")}</p>${[1, 2, 3].map((n) =>
        html`<button type="button" key=${n} onClick=${() => setWords(t(`starter_${n}`))}>${t(`starter_${n}`)}</button>`)}</div>`}
      ${said.map((each, at) => html`<div class=${`turn ${each.role}`} key=${at}>
        <span class="unseen">${t(`role_${each.role}`)}</span>
        <div class="paper">${each.content || (each.error || each.stopped || each.record || !stop ? "" : html`<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>`)}</div>
        ${each.error ? html`<${Trouble} error=${each.error} />` : null}
        ${each.stopped ? html`<p class="notice">${t("reply_stopped")}</p>` : null}
        ${each.reason === "content_filter" ? html`<p class="notice">${t("reply_refused")}</p>` : null}
        ${each.record ? html`<p class="marked"><${Icon} name="verify" />${each.record.visible_label} · <a href=${`#/work/${each.record.id}`}>${each.record.id.slice(0, 8)}</a> · ${each.record.model}</p>` : null}
      </div>`)}
      <div ref=${end}></div>
    </div>
    <form class="say" onSubmit=${send}>
      <${Labelled} label=${t("your_turn")}>${(id) => html`<textarea id=${id} rows="2" value=${words} placeholder=${t("chat_placeholder")} onInput=${(event) => setWords(event.target.value)} onKeyDown=${keys}></textarea>`}<//>
      <div class="row spread">
        ${written.length > 1 ? html`<select aria-label=${t("model")} value=${model} onChange=${(event) => setModel(event.target.value)}>
          ${written.map((each) => html`<option value=${each.id === "castalia" ? "" : each.id} key=${each.id}>${each.id === "castalia" ? t("usual_model") : each.id}</option>`)}</select>` : html`<span></span>`}
        <span class="row">${said.length && !stop ? html`<button type="button" onClick=${forgetChat}>${t("new_chat")}</button>` : null}
        ${stop ? html`<button type="button" class="main" onClick=${() => stop.abort()}>${t("stop")}</button>` : html`<button class="main" disabled=${!words.trim()}>${t("send")}</button>`}</span>
      </div>
    </form>
  </div>`;
}
