// Markdown of a work as elements. Whatever looks like markup in it is text: nothing here makes HTML out of a string.
import { html } from "./preact.js";

const INLINE = /(\*\*[^*]+\*\*|\*[^*\s][^*]*\*|`[^`]+`)/;

function inline(text) {
  return text.split(INLINE).map((part) => {
    if (/^\*\*.+\*\*$/.test(part)) return html`<strong>${part.slice(2, -2)}</strong>`;
    if (/^\*.+\*$/.test(part)) return html`<em>${part.slice(1, -1)}</em>`;
    if (/^`.+`$/.test(part)) return html`<code>${part.slice(1, -1)}</code>`;
    return part.replace(/\\([\\`*_{}[\]()#+.!|<>~-])/g, "$1");
  });
}

const lines = (block) =>
  block.split("\n").map((line, at) => html`${at ? html`<br />` : null}${inline(line.replace(/(\\|\s{2,})$/, ""))}`);

function block(text) {
  const heading = /^(#{1,6})\s+(.*)$/.exec(text);
  // The page has its own first and second headings; those of a work stand below.
  if (heading) return html`<p class="level-${heading[1].length}" role="heading" aria-level=${Math.min(6, heading[1].length + 2)}>${inline(heading[2])}</p>`;
  const rows = text.split("\n");
  if (rows.every((row) => /^\s*[-*+]\s+/.test(row)))
    return html`<ul>${rows.map((row) => html`<li>${inline(row.replace(/^\s*[-*+]\s+/, ""))}</li>`)}</ul>`;
  if (rows.every((row) => /^\s*\d+[.)]\s+/.test(row)))
    return html`<ol>${rows.map((row) => html`<li>${inline(row.replace(/^\s*\d+[.)]\s+/, ""))}</li>`)}</ol>`;
  if (rows.every((row) => row.startsWith(">")))
    return html`<blockquote>${lines(rows.map((row) => row.replace(/^>\s?/, "")).join("\n"))}</blockquote>`;
  if (/^(-{3,}|\*{3,})$/.test(text)) return html`<hr />`;
  return html`<p>${lines(text)}</p>`;
}

/** Elements of a Markdown text. */
export const markdown = (text) =>
  text
    .replace(/^(#{1,6}\s.*)\n(?!\n)/gm, "$1\n\n")
    .split(/\n{2,}/)
    .map((each) => each.trim())
    .filter(Boolean)
    .map(block);
