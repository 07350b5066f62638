// A genre's JSON schema as a form.
import { get } from "./api.js";
import { html, useEffect, useState } from "./preact.js";
import { BlobImage, Drop, Icon, Labelled } from "./widgets.js";
import { titleOf } from "./work.js";
import { choice, day, help, label, t } from "./words.js";

const ACCEPTED = {
  Picture: "image/png,image/jpeg,image/webp,image/gif,image/bmp,image/tiff",
  Score: ".mid,.midi,.musicxml,.mxl,.xml,.abc,.wav,.mp3,.flac,.ogg",
};

/** The fields of a genre as {name, kind, several, text, options, …}, files and required ones first. */
export function fieldsOf(genre) {
  const found = Object.entries(genre.fields.properties ?? {}).map(([name, schema]) => describe(name, schema, genre));
  if (genre.picture && !found.some((each) => each.kind === "Picture"))
    found.push({ name: "picture", kind: "Picture", told: t("picture_told"), about: true, schema: {} });
  const first = (each) => (each.required ? 0 : each.file ? 1 : 2);
  return found.sort((a, b) => first(a) - first(b));
}

function describe(name, schema, genre) {
  const choices = [schema, ...(schema.anyOf ?? []), schema.items ?? {}];
  const file = choices.map((each) => (each.$ref ?? "").split("/").pop()).find((each) => ACCEPTED[each]);
  const told = help(schema.description ?? "");
  const required = /\(required\)|（必填）/.test(schema.description ?? "");
  const shared = { name, schema, told: told.replace(/\s*(\(required\)|（必填）)/, ""), required };
  if (file) return { ...shared, kind: file, file: true, several: schema.type === "array", text: choices.some((each) => each.type === "string") };
  const named = (pattern, word) => shared.told.replace(pattern, (each) => (schema.enum.includes(each) ? word(each) : each));
  if (name === "language") return { ...shared, kind: "choice", options: genre.languages, automatic: true, told: named(/\b[a-z]{2}\b/g, (each) => t(`language_${each}`)) };
  if (schema.enum) return { ...shared, kind: "choice", options: schema.enum, automatic: false, told: named(/[a-z]+( [a-z]+)*/g, choice) };
  if (schema.type === "array") return { ...shared, kind: "lines" };
  if (schema.type === "boolean") return { ...shared, kind: "boolean" };
  if (schema.type === "integer" || schema.type === "number") return { ...shared, kind: "number" };
  return { ...shared, kind: (schema.maxLength ?? 200) > 200 ? "lines" : "text" };
}

/** What differs from the defaults: [fields as JSON, [[name, File], …]]. */
export function given(fields, values) {
  const said = {};
  const files = [];
  for (const { name, kind, schema } of fields) {
    const value = values[name];
    if (value === undefined || value === "" || value === null || (Array.isArray(value) && !value.length)) continue;
    const each = [value].flat();
    if (each.some((one) => one instanceof File)) files.push(...each.filter((one) => one instanceof File).map((one) => [name, one]));
    else if (kind === "number") said[name] = Number(value);
    else if (JSON.stringify(value) !== JSON.stringify(schema.default)) said[name] = value;
  }
  return [said, files];
}

/** One field. */
export function Field({ field, value, onValue }) {
  const { name, kind, told, schema, required } = field;
  if (ACCEPTED[kind]) return html`<${Attach} field=${field} value=${value} onValue=${onValue} />`;
  if (kind === "boolean")
    return html`<label class="check"><input type="checkbox" checked=${value ?? schema.default} onChange=${(event) => onValue(event.target.checked)} />
      <span>${label(name, schema.description)} <span class="hint">${told}</span></span></label>`;
  const write = (event) => onValue(event.target.value);
  const control = (id, described) => {
    const shared = { id, name, "aria-describedby": described, required };
    if (kind === "choice")
      return html`<select ...${shared} value=${value ?? (field.automatic ? "" : schema.default)}
        onChange=${(event) => onValue(typeof schema.default === "number" ? Number(event.target.value) : event.target.value)}>
        ${field.automatic ? html`<option value="">${t("automatic")}</option>` : null}
        ${field.options.map((each) => html`<option value=${each} key=${each}>${each === "" ? t("automatic") : name === "language" ? t(`language_${each}`) : choice(each)}</option>`)}
      </select>`;
    if (kind === "number")
      return html`<input ...${shared} type="number" min=${schema.minimum ?? schema.ge} max=${schema.maximum ?? schema.le}
        step=${schema.type === "integer" ? 1 : "any"} value=${value ?? ""} placeholder=${schema.default || t("automatic")} onInput=${write} />`;
    if (kind === "lines")
      return html`<textarea ...${shared} rows="2" value=${[value ?? ""].flat().join("\n")} placeholder=${schema.type === "array" ? t("one_a_line") : ""} onInput=${write}></textarea>`;
    return html`<input ...${shared} maxlength=${schema.maxLength} value=${value ?? ""} placeholder=${schema.default ?? ""} onInput=${write} />`;
  };
  return html`<${Labelled} label=${label(name, schema.description)} hint=${told} required=${required}>${control}<//>`;
}

/** A field for files: dropped, chosen, or a work of the library by its id. */
function Attach({ field, value, onValue }) {
  const { name, kind, several, told, required, schema } = field;
  const held = [value ?? []].flat().filter((each) => each && (!field.text || each instanceof File));
  const [works, setWorks] = useState([]);
  useEffect(() => {
    get("/api/works", { limit: 200 }).then(({ works: found }) =>
      setWorks(found.filter((each) => (kind === "Picture" ? each.kind === "picture" : each.music))), () => null);
  }, []);
  const add = (more) => onValue(several ? [...held, ...more] : more[0]);
  const drop = (at) => onValue(several ? held.filter((_, each) => each !== at) : undefined);
  const known = (id) => works.find((each) => each.id === id);
  return html`<fieldset class="field attach">
    <legend>${label(name, schema.description)}${required ? html`<span class="required"> ${t("required")}</span>` : null}</legend>
    ${held.map((each, at) => html`<div class="held" key=${at}>
      ${each instanceof File
        ? each.type.startsWith("image/") ? html`<${BlobImage} blob=${each} alt="" />` : html`<${Icon} name="file" />`
        : known(each)?.kind === "picture" ? html`<img src=${`/api/works/${each}/thumbnail`} alt="" />` : html`<${Icon} name=${kind === "Score" ? "music" : "picture"} />`}
      <span>${each instanceof File ? each.name : known(each) ? titleOf(known(each)) : each.slice(0, 8)}</span>
      <button type="button" class="plain" aria-label=${t("remove_file", { name: each.name ?? each.slice(0, 8) })} onClick=${() => drop(at)}><${Icon} name="close" /></button>
    </div>`)}
    ${several || !held.length ? html`<${Drop} label=${kind === "Picture" ? t("drop_picture") : t("drop_score")} accept=${ACCEPTED[kind]} multiple=${several} onFiles=${add}>
      ${works.length && !field.text ? html`<select aria-label=${t("from_library")} value="" onChange=${(event) => event.target.value && add([event.target.value])}>
        <option value="">${t("from_library")}</option>
        ${works.map((each) => html`<option value=${each.id} key=${each.id}>${titleOf(each).slice(0, 40)} · ${day(each.created)} · ${each.id.slice(0, 4)}</option>`)}
      </select>` : null}
    <//>` : null}
    ${field.text && !held.length ? html`<input aria-label=${label(name, schema.description)} value=${value ?? ""} onInput=${(event) => onValue(event.target.value)} />` : null}
    <p class="hint">${told}</p>
  </fieldset>`;
}

/** The first field that a dropped file may go to. */
export const fieldFor = (fields, file) =>
  fields.find((each) => each.kind === (file.type.startsWith("image/") ? "Picture" : "Score")) ?? null;
