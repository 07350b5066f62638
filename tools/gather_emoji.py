"""Gather the captioned pictures that the shipped picture model learned: Fluent emoji, drawn in 3D and flat.

    python tools/gather_emoji.py FOLDER [3d | flat]
    castalia collections add emoji --as picture --from FOLDER --owner Microsoft --licence MIT
    castalia train image --collection emoji

Reads three packages of the npm registry (`npm pack` fetches them): @lobehub/fluent-emoji-3d 1.1.0 and
@iconify-json/fluent-emoji-flat 1.2.6 (pictures: Microsoft, MIT) and emojibase-data 17.0.0 (names and keywords in
English and Chinese: MIT). Flags, people, signs and letters are left out. Writes one PNG of 128 px a picture, and
`captions.jsonl`: file, text (the name, then keywords), zh (the same in Chinese), style.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import resvg_py
from PIL import Image

PACKAGES = {
    "@lobehub/fluent-emoji-3d@1.1.0": "c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58",
    "@iconify-json/fluent-emoji-flat@1.2.6": "7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175",
    "emojibase-data@17.0.0": "d01d0e2ca4e22cb402679532155342c71e2e871f25c32223c013b8b166ebdf5a",
}
"""SHA-256 of each archive."""
SIZE = 128
SUBGROUPS = (
    "face-smiling face-affection face-tongue face-hand face-neutral-skeptical face-sleepy face-unwell face-hat "
    "face-glasses face-concerned face-negative face-costume cat-face monkey-face heart emotion animal-mammal "
    "animal-bird animal-amphibian animal-reptile animal-marine animal-bug plant-flower plant-other food-fruit "
    "food-vegetable food-prepared food-asian food-sweet drink dishware place-geographic place-building place-other "
    "transport-ground transport-water transport-air sky-weather event award-medal sport game arts-crafts clothing "
    "music musical-instrument phone computer light-video book-paper money mail writing office lock tool science "
    "medical household other-object geometric"
).split()


def main(out: Path, only: str = "") -> None:
    """Write pictures and captions, of both styles or of one alone, whose captions then name no style."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        rounded, flat, base = (_unpacked(name, digest, Path(folder)) for name, digest in PACKAGES.items())
        groups = json.loads((base / "meta" / "groups.json").read_text(encoding="utf-8"))["subgroups"]
        chinese = {each["hexcode"]: each for each in _entries(base, "zh")}
        icons, chars = (json.loads((flat / name).read_text(encoding="utf-8")) for name in ("icons.json", "chars.json"))
        lines: list[Mapping[str, str]] = []
        for entry in _entries(base, "en"):
            code = entry["hexcode"].lower()
            if groups.get(str(entry.get("subgroup"))) not in SUBGROUPS:
                continue
            said = {"text": _caption(entry), "zh": _caption(chinese[entry["hexcode"]])}
            stem = entry["label"].replace(" ", "-").replace(":", "").replace("/", "-").replace("’", "")
            for path in (rounded / "assets" / f"{each}.webp" for each in (code, f"{code}-fe0f")):
                if not path.exists():
                    continue
                picture = Image.open(path).convert("RGBA").resize((SIZE, SIZE), Image.Resampling.LANCZOS)
                lines.append(_write(out, f"3d-{stem}.png", picture, said, "3d"))
            if name := chars.get(code) or chars.get(code.replace("-fe0f", "")):
                body = icons["icons"][name]["body"]
                svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">{body}</svg>'
                png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=SIZE, height=SIZE, dpi=96))
                lines.append(_write(out, f"flat-{stem}.png", Image.open(io.BytesIO(png)).convert("RGBA"), said, "flat"))
    if only:
        for line in lines:
            if line["style"] != only:
                (out / line["file"]).unlink()
        lines = [{key: each for key, each in line.items() if key != "style"} for line in lines if line["style"] == only]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (out / "captions.jsonl").write_text(text, encoding="utf-8")
    print(f"{len(lines)} pictures in {out}")


def _write(out: Path, name: str, picture: Image.Image, said: Mapping[str, str], style: str) -> Mapping[str, str]:
    picture.save(out / name)
    return {"file": name, **said, "style": style}


def _caption(entry: Mapping[str, Any]) -> str:
    """The name, then the keywords that it does not hold."""
    label = str(entry["label"])
    return ", ".join([label, *(tag for tag in entry.get("tags", ()) if tag not in label.split())])


def _entries(base: Path, language: str) -> list[Mapping[str, Any]]:
    return json.loads((base / language / "data.json").read_text(encoding="utf-8"))


def _unpacked(package: str, digest: str, folder: Path) -> Path:
    told = subprocess.run(["npm", "pack", package, "--json"], cwd=folder, check=True, capture_output=True)
    archive = folder / json.loads(told.stdout)[0]["filename"]
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != digest:
        raise SystemExit(f"{package} has the SHA-256 {found}, not {digest}")
    with tarfile.open(archive) as held:
        held.extractall(folder / archive.stem, filter="data")
    return folder / archive.stem / "package"


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:3])
