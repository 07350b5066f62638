"""C2PA: a signed manifest inside a file or beside it, bound to its bytes, and its verification.

The library writes no manifest into text formats and into few documents, but it signs any bytes with `set_no_embed`:
the manifest store comes back alone, and its `c2pa.hash.data` assertion covers the whole file.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from castalia.core.errors import SignatureError
from castalia.core.language import say
from castalia.provenance.certificates import Pair, algorithm_of
from castalia.provenance.embed.face import Face, Stamp

if TYPE_CHECKING:
    import c2pa

ASSERTION = "castalia.record"
"""Label of our own assertion: the record, signed."""
PURPOSES = {
    "1.3.6.1.5.5.7.3.4": "emailProtection",
    "1.3.6.1.5.5.7.3.36": "documentSigning",
    "1.3.6.1.4.1.62558.2.1": "C2PA claim signing",
}
"""Extended key usages of a signer's certificate, one of which C2PA asks for (2.2, section 14.4.1)."""
_TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
_NOTHING = "ManifestNotFound"
LONGEST = 4_000_000
"""Bytes of a sidecar that are given to the library; ours have about 4,000."""


@dataclass(frozen=True)
class Manifest:
    """What the library's own reader says of a manifest."""

    state: str
    """`trusted`, `valid` (the signature holds, nobody vouches for the signer) or `broken`."""
    label: str = ""
    """Its name in the store; empty where the store cannot be read."""
    problems: tuple[str, ...] = ()
    """Status codes of C2PA, e.g. `assertion.dataHash.mismatch`."""
    signer: str = ""
    time: str = ""
    """When a time stamp authority saw the signature; empty without one."""
    time_trusted: bool = False
    """Whether that authority leads to one of the given certificates."""
    source: str = ""
    """The digital source type that its actions name."""
    record: dict[str, Any] | None = None
    parents: tuple[str, ...] = ()


@dataclass(frozen=True)
class Original:
    """What a work was made from: a file, whose manifest becomes part of the new one; without bytes a name alone."""

    content: bytes
    media_type: str
    id: str
    """Id of the work; empty where it has none that we know."""
    sidecar: bytes | None = None
    """Its manifest store, where that came beside it."""


def sign(
    content: bytes,
    face: Face,
    stamp: Stamp,
    signing: Pair,
    *,
    timestamp_url: str = "",
    original: Original | None = None,
) -> tuple[bytes, bytes | None]:
    """Sign a finished file.

    Args:
        content: The file with all its other marks.
        face: Its format; it says whether the manifest goes inside.
        stamp: Record and label that the file carries.
        signing: Key and certificate chain.
        timestamp_url: RFC 3161 authority that is asked over the network; empty asks none.
        original: The file as it came, when it carries a manifest or a person's work was changed.

    Returns:
        The file, and its sidecar where the manifest does not go inside.

    Raises:
        SignatureError: the certificate has ended, signing failed, or the time stamp authority did not answer.
    """
    import c2pa

    _check_date(signing)
    chain, key, algorithm = signing.certificates, signing.key, algorithm_of(signing.leaf) or ""
    parents = [parent for parent in stamp.record.parents if original is None or parent != original.id]
    ingredients = [*([original] if original else []), *(Original(b"", "text/plain", parent) for parent in parents)]
    if stamp.record.action == "modified" and not ingredients:
        ingredients = [Original(b"", "text/plain", "")]  # what is edited was opened (C2PA 2.2, section 18.15)
    try:
        with (
            c2pa.Signer.from_info(
                c2pa.C2paSignerInfo(algorithm.encode(), chain, key, timestamp_url.encode() if timestamp_url else None)
            ) as signer,
            c2pa.Builder.from_json(json.dumps(_definition(stamp, len(ingredients))), context=_writing()) as builder,
        ):
            if not face.embeds:
                builder.set_no_embed()
            for number, ingredient in enumerate(ingredients):
                parent = number == 0 and stamp.record.action == "modified"
                _add(builder, ingredient, f"parent{number}", "parentOf" if parent else "inputTo")
            signed = io.BytesIO()
            manifest = builder.sign(signer, face.signed_as, io.BytesIO(content), signed)
        return (signed.getvalue(), None) if face.embeds else (content, manifest)
    except c2pa.C2paError as error:
        raise SignatureError(
            say("The C2PA signature could not be made: {why}.", "无法生成 C2PA 签名：{why}。", why=error),
            hint=say(
                "Check that the time stamp authority {url} can be reached, or clear timestamp_url.",
                "请检查时间戳机构 {url} 是否可达，或清空 timestamp_url。",
                url=timestamp_url,
            )
            if timestamp_url
            else say("`castalia keys rotate` makes a new signing key.", "`castalia keys rotate` 可生成新的签名密钥。"),
        ) from error


def _check_date(signing: Pair) -> None:
    last = signing.leaf.not_valid_after_utc
    if last < datetime.now(UTC):
        raise SignatureError(
            say(
                "The signing certificate {name} ended on {last:%Y-%m-%d}.",
                "签名证书 {name} 已于 {last:%Y-%m-%d} 到期。",
                name=signing.name,
                last=last,
            ),
            hint=say(
                "`castalia keys use --certificate` takes a new one, `castalia keys use --own` the studio's own.",
                "`castalia keys use --certificate` 启用新证书，`castalia keys use --own` 启用工作室自己的证书。",
            ),
        )


def _add(builder: c2pa.Builder, original: Original, label: str, relationship: str) -> None:
    shown: dict[str, Any] = {"title": original.id or "original", "relationship": relationship, "label": label}
    if original.id:
        shown["instance_id"] = f"urn:uuid:{original.id}"
    if original.sidecar is not None:  # the library takes no sidecar of an ingredient, but a store with its results
        import c2pa

        source = io.BytesIO(original.content)
        with c2pa.Reader(original.media_type, source, original.sidecar, context=_reading(b"")) as reader:
            found = cast("dict[str, Any]", json.loads(reader.json()))
        shown["manifest_data"] = {"format": "application/c2pa", "identifier": label}
        shown |= {name: found[name] for name in ("active_manifest", "validation_results")}
        builder.add_resource(label, io.BytesIO(original.sidecar))
    builder.add_ingredient(json.dumps(shown), original.media_type, io.BytesIO(original.content))


def _definition(stamp: Stamp, ingredients: int) -> dict[str, Any]:
    record = stamp.record
    agent = {"name": record.system, "version": record.version}
    parents = [f"parent{number}" for number in range(ingredients)]
    action: dict[str, Any] = {
        "action": "c2pa.created",
        "when": stamp.machine["created"],
        "softwareAgent": agent,
        "digitalSourceType": record.digital_source_type,
    }
    actions = [action]
    if record.action == "modified":
        action["action"] = "c2pa.edited"
        if parents:
            actions.insert(0, {"action": "c2pa.opened", "parameters": {"ingredientIds": parents[:1]}})
        inputs = parents[1:]
    else:
        inputs = parents
    if inputs:
        action["parameters"] = {"ingredientIds": inputs}
    return {
        "claim_generator_info": [agent],
        "title": record.id,
        "instance_id": f"urn:uuid:{record.id}",
        "assertions": [
            {"label": "c2pa.actions", "data": {"actions": actions}},
            {"label": ASSERTION, "data": stamp.machine, "kind": "Json"},
        ],
    }


def _writing() -> c2pa.Context:
    """A context for signing; made anew each time (0.1 ms), because one does not survive a fork."""
    import c2pa

    return c2pa.Context.from_dict({"trust": _trust(b""), "builder": {"thumbnail": {"enabled": False}}})


def _reading(anchors: bytes) -> c2pa.Context:
    """A context that fetches nothing and trusts these certificates (PEM) alone."""
    import c2pa

    return c2pa.Context.from_dict(
        {
            "trust": _trust(anchors),
            "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
        }
    )


def _trust(anchors: bytes) -> dict[str, str]:
    uses = {"trust_config": "\n".join((*PURPOSES, _TIME_STAMPING, ""))}
    return uses | {"trust_anchors": anchors.decode()} if anchors else uses


def check(content: bytes, media_type: str, sidecar: bytes | None, *, anchors: bytes = b"") -> Manifest | None:
    """Verify a manifest against a file's bytes; asks no network. Raises nothing: what cannot be read is broken.

    Args:
        content: The file.
        media_type: Its type; beside a sidecar it decides nothing but how the manifest names the file.
        sidecar: The manifest store; None looks for one inside the file.
        anchors: Certificates (PEM) of the authorities to trust.

    Returns:
        None when the file has no manifest inside, and there is no sidecar.
    """
    import c2pa

    if sidecar is not None and len(sidecar) > LONGEST:
        return Manifest("broken", problems=(f"larger than {LONGEST} bytes",))
    try:
        with c2pa.Reader(media_type, io.BytesIO(content), sidecar, context=_reading(anchors)) as reader:
            shown = cast("dict[str, Any]", json.loads(reader.json()))
        return _manifest(shown)
    except c2pa.C2paError as error:
        if sidecar is None and (str(error).startswith(_NOTHING) or not _hints(content)):
            return None
        return Manifest("broken", problems=(str(error)[:200],))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        return Manifest("broken", problems=(f"manifest not understood ({type(error).__name__})",))


def _hints(content: bytes) -> bool:
    """Whether a file that the library cannot read names C2PA at all, as every manifest does."""
    return b"c2pa" in content


def _manifest(shown: dict[str, Any]) -> Manifest:
    active = cast("dict[str, Any]", shown["manifests"][shown["active_manifest"]])
    state = {"Trusted": "trusted", "Valid": "valid"}.get(str(shown.get("validation_state")), "broken")
    results = cast("dict[str, Any]", shown.get("validation_results", {}).get("activeManifest", {}))
    failures = cast("list[dict[str, Any]]", results.get("failure", []))
    successes = cast("list[dict[str, Any]]", results.get("success", []))
    codes = tuple(dict.fromkeys(str(item.get("code")) for item in failures))
    signature = cast("dict[str, Any]", active.get("signature_info") or {})
    record: dict[str, Any] | None = None
    source = ""
    for assertion in cast("list[dict[str, Any]]", active.get("assertions", [])):
        data: object = assertion.get("data")
        if not isinstance(data, dict):
            continue
        if assertion.get("label") == ASSERTION:
            record = cast("dict[str, Any]", data)
        if str(assertion.get("label")).startswith("c2pa.actions"):
            actions = cast("list[dict[str, Any]]", data["actions"])
            kinds = [str(action["digitalSourceType"]) for action in actions if "digitalSourceType" in action]
            source = source or (kinds[0] if kinds else "")
    ingredients = cast("list[dict[str, Any]]", active.get("ingredients", []))
    return Manifest(
        state=state,
        label=str(shown["active_manifest"]),
        problems=tuple(code for code in codes if state == "broken" or code != "signingCredential.untrusted"),
        signer=str(signature.get("common_name") or signature.get("issuer") or ""),
        time=str(signature.get("time") or ""),
        time_trusted="timeStamp.trusted" in (item.get("code") for item in successes),
        source=source,
        record=record,
        parents=tuple(str(item.get("instance_id", "")) for item in ingredients),
    )
