"""`castalia models list | show | pull | remove | path | default`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from castalia.core.language import say

if TYPE_CHECKING:
    from castalia.models import Model, Network


@click.group(help=say("The language models, and networks for pictures.", "语言模型与图像网络。"))
def models() -> None:
    """Group."""


@models.command(
    "list",
    help=say(
        "List known models: installed or not, size, whether they fit.", "列出已知模型：是否安装、大小、本机能否运行。"
    ),
)
@click.option("--json", "as_json", is_flag=True)
def list_models(as_json: bool) -> None:
    """Parse, call, print."""
    from castalia import models as store

    rows = [_described(model) for model in store.catalogue().values()]
    nets = [_described_network(each) for each in store.networks().values()]
    draws = _described_drawer()
    if as_json:
        click.echo(json.dumps([*rows, *nets, draws], ensure_ascii=False))
        return
    default = store.default()
    for row in rows:
        state = (
            say("installed", "已安装") if row["installed"] else say("{gb:.2f} GB", "{gb:.2f} GB", gb=row["size"] / 1e9)
        )
        fits = "" if row["fits"] else say("does not fit in memory", "内存不足")
        star = "*" if row["name"] == default else " "
        click.echo(f"{star} {row['name']:22}{state:12}{'/'.join(row['languages']):8}{row['licence']:30}{fits}")
    for net in nets:
        state = say("installed", "已安装") if net["installed"] else f"{net['size'] / 1e6:.0f} MB"
        click.echo(f"  {net['name']:22}{state:12}{'':8}{net['licence']}")
    kinds = {
        "own": say("comes along", "自带"),
        "trained": say("trained here", "自行训练"),
        "diffusers": "diffusers",
        "checkpoint": say("checkpoint", "检查点"),
        "endpoint": say("endpoint", "端点"),
    }
    what = say("draws pictures (image_model)", "绘画（image_model）")
    click.echo(f"* {draws['name']:22}{kinds[draws['draws']]:20}{what}: {draws['path'] or '–'}")


@models.command(
    help=say("List what the picture model knows: words, styles, directions.", "列出图片模型所知：词语、风格、方向。")
)
@click.option("--json", "as_json", is_flag=True)
def words(as_json: bool) -> None:
    """Parse, call, print."""
    from castalia.studio import Studio

    known = Studio().drawn_words()
    if as_json:
        click.echo(json.dumps(known, ensure_ascii=False))
        return
    titles = {"styles": say("styles", "风格"), "directions": say("directions", "方向"), "words": say("words", "词语")}
    for name, title in titles.items():
        everything = say("it takes any words", "可用任何词语") if name != "directions" and not known["words"] else "–"
        if name == "directions" and known[name]:
            click.echo("\n  ".join([f"{title}:", *known[name]]))
        else:
            click.echo(f"{title}: {', '.join(known[name]) or everything}")


@models.command(help=say("Show one model; --verify reads the whole file.", "查看一个模型；--verify 校验整个文件。"))
@click.argument("name")
@click.option("--verify", is_flag=True)
@click.option("--json", "as_json", is_flag=True)
def show(name: str, verify: bool, as_json: bool) -> None:
    """Parse, call, print."""
    from castalia import models as store

    row = _described_network(store.networks()[name]) if name in store.networks() else _described(store.known(name))
    if verify and row["installed"]:
        row["verified"] = _verified(name)
    if as_json:
        click.echo(json.dumps(row, ensure_ascii=False))
    else:
        for key, value in row.items():
            click.echo(f"{key:12}{', '.join(map(str, value)) if key in ('languages', 'sources') else value}")
    if row.get("verified") is False:
        raise click.exceptions.Exit(3)


@models.command(
    help=say(
        "Fetch a model; goes on where it stopped. WHAT is a name, a GGUF file's path or URL, or "
        "OWNER/REPOSITORY/FILE.gguf on the Hugging Face hub; without it, the default. `style`, `enlarge` "
        "and `safety` are networks that paint, enlarge and check pictures.",
        "下载模型；可从中断处继续。style、enlarge、safety 是绘画、放大与检查图片的网络。"
        "WHAT 为名称、GGUF 文件的路径或网址，或 Hugging Face 上的 所有者/仓库/文件.gguf；不填则为默认模型。",
    )
)
@click.argument("what", required=False, metavar="[WHAT]")
def pull(what: str | None) -> None:
    """Parse, call, print."""
    from castalia import models as store
    from castalia.cli.opening import progress_line

    with progress_line(quiet=False) as progress:
        if what in store.networks():
            place = store.pull_network(what or "", progress=progress)
        else:
            place = store.path_of(store.adopt(what or "", progress=progress))
    click.echo(place)


@models.command(help=say("Delete a model's file.", "删除模型文件。"))
@click.argument("name")
def remove(name: str) -> None:
    """Parse, call, print."""
    from castalia import models as store

    gone = store.remove_network(name) if name in store.networks() else store.remove(name)
    click.echo(say("removed {path}", "已删除 {path}", path=gone))


@models.command(help=say("Print where a model's file is (or the folder).", "输出模型文件（或文件夹）的路径。"))
@click.argument("name", required=False)
def path(name: str | None) -> None:
    """Parse, call, print."""
    from castalia import models as store

    if name in store.networks():
        click.echo(store.network_folder(name or ""))
    else:
        click.echo(store.path_of(name) if name else store.folder())


@models.command(help=say("Show or set the model that is used when none is named.", "查看或设置默认模型。"))
@click.argument("name", required=False)
def default(name: str | None) -> None:
    """Parse, call, print."""
    from castalia import models as store

    if name:
        click.echo(say("written to {path}", "已写入 {path}", path=store.set_default(name)), err=True)
    click.echo(store.default())


def _described(model: Model) -> dict[str, Any]:
    from castalia import models as store

    file = store.path_of(model.name)
    return {
        "name": model.name,
        "title": model.title,
        "installed": file.is_file(),
        "path": str(file),
        "size": model.size,
        "memory": model.memory,
        "fits": model.memory <= store.machine().memory_total * 0.9,
        "licence": model.licence,
        "licence_url": model.licence_url,
        "languages": list(model.languages),
        "context": model.context,
        "sha256": model.sha256 or say("not known before the first download", "首次下载前未知"),
        "sources": [store.publisher(source) for source in model.sources],
        "note": store.in_either(model.note),
    }


def _described_network(network: Network) -> dict[str, Any]:
    from castalia import models as store

    return {
        "name": network.name,
        "title": network.title,
        "installed": store.has_network(network.name),
        "path": str(store.network_folder(network.name)),
        "size": network.size,
        "licence": network.licence,
        "licence_url": network.licence_url,
        "needs": f"pip install 'castalia[{network.needs}]'",
        "sha256": network.digest,
        "sources": [store.publisher(network.source)],
        "note": store.in_either(network.note),
    }


def _described_drawer() -> dict[str, Any]:
    """The picture model that the settings choose; an endpoint is not asked for it."""
    from castalia.core.config import load
    from castalia.modalities.image import Chosen

    named = load().config.image_model
    path, _, model = named.partition("#")
    name = model or path.rstrip("/").rpartition("/")[2] or "emoji"
    return {"name": name, "draws": Chosen(named).kind, "path": path}


def _verified(name: str) -> bool:
    """Whether the files of a model or network, read as a whole, are those that were promised."""
    import hashlib

    from castalia import models as store

    if name in store.networks():
        folder = store.network_folder(name)
        promised = {folder / each.name: each.sha256 for each in store.networks()[name].files}
    else:
        file = store.path_of(name)
        promised = {file: store.known(name).sha256 or store.digest(file)}
    for file, wanted in promised.items():
        with file.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != wanted:
                return False
    return True
