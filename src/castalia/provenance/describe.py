"""Writes docs/marking.md from the code, so that it cannot go stale.

python -m castalia.provenance.describe > docs/marking.md
"""

from __future__ import annotations

import sys

from castalia.core.values import Record
from castalia.provenance.c2pa import ASSERTION, PURPOSES
from castalia.provenance.embed import FORMATS, Face
from castalia.provenance.label import LABELS
from castalia.provenance.pictures import HEIGHT
from castalia.provenance.record import GENERATED, MODIFIED, WATERMARK_FROM
from castalia.provenance.tc260 import FIELDS, make_aigc

_LAYERS = {
    "label": "Visible label",
    "implicit": "Implicit label (TC260)",
    "source": "Digital source type",
    "record": "Record",
}


def page() -> str:
    """The whole of docs/marking.md."""
    heads = ["Format", *_LAYERS.values(), "C2PA"]
    lines = "\n".join(f"| {' | '.join(_row(face))} |" for face in FORMATS.values())
    table = f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}\n{lines}"
    labels = "\n".join(f"| {language} | {action} | {label} |" for (language, action), label in LABELS.items())
    fields = "\n".join(f"| `{name}` | {_about(name)} |" for name in Record.model_fields)
    return _PAGE.format(
        table=table,
        labels=labels,
        fields=fields,
        names=", ".join(f"`{name}`" for name in FIELDS),
        values=_example(),
        generated=GENERATED,
        modified=MODIFIED,
        assertion=ASSERTION,
        least=WATERMARK_FROM,
        height=HEIGHT * 100,
        purposes=", ".join(f"{name} ({oid})" for oid, name in PURPOSES.items()),
    )


def _row(face: Face) -> list[str]:
    names = ", ".join(f"`.{name}`" for name in (face.extension, *face.other_names))
    places = [face.places.get(layer, "in the manifest") for layer in _LAYERS]
    return [names, *places, "inside" if face.embeds else f"sidecar `<file>.{face.extension}.c2pa`"]


def _about(name: str) -> str:
    return _FIELDS[name]


def _example() -> str:
    record = Record.model_construct(id="<record id>", provider="<provider>", text_sha256="<fingerprint>")
    return "\n".join(f"| `{name}` | `{value}` |" for name, value in make_aigc(record).items())


_FIELDS = {
    "id": "unique id (UUID); also the TC260 `ProduceID` and the C2PA instance `urn:uuid:…`",
    "action": "`generated`, or `modified` when a person's work was changed",
    "provider": "who runs the studio (setting `provider`); else a name that tells studios apart",
    "system": "`Castalia`",
    "version": "its version",
    "model": "name of the model",
    "model_digest": "SHA-256 of its weights, or `endpoint#<model>`; the address stays in the library",
    "created": "time, UTC",
    "digital_source_type": "IPTC digital source type, see below",
    "watermark": "`<scheme>:<key id>` as the detector found it, or `none`",
    "watermark_reason": "why there is none",
    "watermark_payload": "payload of the watermark where an incoming file's was kept; else it follows from `id`",
    "verify": "how anybody can check the marks",
    "parents": "ids of the works that it is made from",
    "genre": "kind of work",
    "language": "`en` or `zh`",
    "text_sha256": "fingerprint: SHA-256 of the NFC text without white space and invisible characters, if it has words",
}

_PAGE = """\
# What is written where

This page is made from the code: `python -m castalia.provenance.describe > docs/marking.md`.

Every delivered work carries a visible label, labels for machines, a signature and, in a text from {least} sampled
tokens on, a watermark in its wording. All carry or point to one record. The brief and the user are in none of them.

{table}

The order is: visible label and watermark in pixels or samples, labels for machines, signature; then all of it is read
back. What a file carried before is kept: a manifest of its own becomes an ingredient of the new one, other metadata
stays as it stands, and labels of which a file holds one (TC260, digital source type, record) move into the record's
field `incoming`. A manifest in a sidecar becomes an ingredient, too. Animated pictures, pictures of 16 bits, and
MP4 are not drawn or sounded into, M4A only by an installed ffmpeg: else the label goes in before encoding (`castalia
mark --labelled`), or an editor takes responsibility. MP3 and M4A are encoded anew at their own bit rates. Text is
written in UTF-8.

## The record

| Field | Holds |
|---|---|
{fields}

Where a file carries it (field `castalia`) it comes with `visible_label`, the label or the note that an editor took
responsibility for leaving it out, and with `shown_sha256` where markup makes the text read another way.

## The visible label

| Language | Action | Label |
|---|---|---|
{labels}

It is the first thing a reader sees. In pictures it stands in the lower right corner, its characters {height} % of the
shortest side high; before a sound comes the rhythm
short-long-short-short. `accept_marking_responsibility` leaves it out; that is signed into the manifest, and kept in the
library (`castalia works files`).

## The implicit label

Seven strings in this order: {names}.

| Field | Value |
|---|---|
{values}

## The digital source type

- generated: `{generated}`
- modified: `{modified}`

## The signature

A C2PA manifest store inside the file, or beside it where the library writes none inside. Its hash assertion covers
every byte of the file but the manifest's own; `c2pa.actions` says `c2pa.created` (or `c2pa.opened` and `c2pa.edited`)
with the digital source type and Castalia as software agent; parents are ingredients; `{assertion}` holds the
record. It is signed with ES256 under the studio's own authority, or with your own certificate, and time-stamped
(RFC 3161) when `timestamp_url` is set.

`castalia keys use --certificate CHAIN.pem --key KEY.pem` takes a certificate that an authority issued to you: PEM,
yours first, then its issuer's; a key of P-256, P-384, P-521, Ed25519 or RSA from 2048 bits; valid today; not an
authority's; key usage digitalSignature, and one of the extended key usages {purposes}.
The key is kept sealed. From then on this machine trusts the authority that issued it, too. Without a time stamp
signatures hold no longer than the certificate. `castalia keys use --own` returns to the studio's authority.

`castalia verify` calls it *trusted* when the certificate leads to an authority of this machine or one given with
`--anchor` (`castalia keys certificate` prints yours), *valid but untrusted* when the signature holds and nobody here
vouches for the signer, and *broken* when the file or the manifest was changed. It shows the time of a time stamp, and
whether the authority that gave it is trusted: `--anchor` takes its certificate too.

## What is left of a mark

A row is what happened to a file, a column a layer; a full circle stands for all files, an empty one for none
(`benchmarks/bench_marks.py`).

![What is left of each mark](survival.svg)

## What `castalia verify` answers

Each layer is *present*, *absent*, *valid*, *trusted*, *broken* or *can't tell*. Exit code 0: marks were found and none
is broken. Exit code 1: one is broken, or none was found, which does not prove that a person made the work. A text that
lost all its metadata is still found by its watermark and, in the library that made it, by its fingerprint: so are the
words of PDF, Word, Excel and EPUB files. Pictures and sounds are found there by the payload of their watermark, and any
file by its bytes. Given a folder it reads every file below it, sidecars with their files, and ends with one line of
sums.
"""

if __name__ == "__main__":
    sys.stdout.write(page())
