"""`castalia look FILE`."""

from __future__ import annotations

from pathlib import Path

import click

from castalia.core.language import current, say


@click.command(
    help=say(
        "Describe a picture by what can be measured: colours, light, layout, flat art or photograph, and text where "
        "`rapidocr` is installed. Nothing is recognised.",
        "按可测量的特征描述图片：颜色、明暗、构图、绘画或照片；安装 rapidocr 时还读出文字。不识别物体。",
    )
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help=say("JSON instead of text", "输出 JSON"))
def look(file: Path, as_json: bool) -> None:
    """Parse, call, print."""
    from castalia.modalities.image import look as described
    from castalia.modalities.image import read_picture
    from castalia.provenance import read_limited

    seen = described.look(read_picture(read_limited(file), file.name).pixels)
    if as_json:
        click.echo(seen.model_dump_json())
        return
    click.echo(seen.words("zh" if current() == "zh" else "en"))
    for each in seen.palette:
        click.echo(f"  {each.hex}  {each.share:4.0%}  {say(each.english, each.chinese)}")
