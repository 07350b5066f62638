// Verify: a file, and what each layer of its marks is worth.
import { post } from "./api.js";
import { html, useState } from "./preact.js";
import { Drop, Heading, Icon, Spinner, Trouble, useDoing } from "./widgets.js";
import { t } from "./words.js";

const SIGN = { trusted: "yes", valid: "yes", present: "yes", absent: "note", broken: "no", "can't tell": "note" };

export function Report({ report }) {
  const state = report.layers.some((each) => each.state === "broken") ? "no" : report.ok ? "yes" : "note";
  return html`<div class="report" role="status">
    <p class=${`verdict ${state}`}><${Icon} name=${state} />${report.verdict}</p>
    <ul class="layers">${report.layers.map((each) => html`<li key=${each.name} class=${SIGN[each.state]}>
      <${Icon} name=${SIGN[each.state]} /><div><strong>${t(`layer_${each.name}`)}</strong> <span class="state">${t(`layer_${each.state}`)}</span>
      <p>${each.detail}</p></div></li>`)}</ul>
  </div>`;
}

export function Verify() {
  const [report, setReport] = useState(null);
  const [run, busy, error] = useDoing();
  const check = (files) => {
    setReport(null);
    // A signature that lies beside its file is dropped together with it.
    const beside = files.find((each) => each.name.endsWith(".c2pa") && files.length > 1);
    const file = files.find((each) => each !== beside);
    run(async () => {
      const form = new FormData();
      form.append("file", file);
      if (beside) form.append("sidecar", beside);
      setReport({ ...(await post("/api/verify", form)), name: file.name });
    });
  };
  return html`<div class="narrow">
    <${Heading} sub=${t("verify_told")}>${t("verify_title")}<//>
    <div class="large-drop"><${Drop} label=${t("drop_any")} multiple onFiles=${check}><p class="hint">${t("drop_sidecar")}</p><//></div>
    ${busy ? html`<${Spinner} label=${t("checking")} />` : null}
    <${Trouble} error=${error} />
    ${report ? html`<section><h2>${report.name}</h2><${Report} report=${report} />
      ${report.work ? html`<p><a href=${`#/work/${report.work}`}>${t("in_library")}</a></p>` : null}
      ${report.record ? html`<details><summary>${t("record")}</summary><dl>${["genre", "model", "provider", "created", "id"].map((name) =>
        html`<div key=${name}><dt>${t(name)}</dt><dd>${String(report.record[name])}</dd></div>`)}</dl></details>` : null}</section>` : null}
  </div>`;
}
