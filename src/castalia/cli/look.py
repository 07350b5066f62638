"""`castalia look FILE`."""

from __future__ import annotations

from pathlib import Path

import click

from castalia.core.language import current, say


@click.command(
    help=say(
        "Describe a picture by what can be measured: colours, light, layout, flat art or photograph, and text where "
        "`rapidocr` is installed. What it shows is guessed where the setting vision_model names a model that sees.",
        "按可测量的特征描述图片：颜色、明暗、构图、绘画或照片；安装 rapidocr 时还读出文字。"
        "设置 vision_model 指定看图模型时，还会猜测图片内容。",
    )
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help=say("JSON instead of text", "输出 JSON"))
def look(file: Path, as_json: bool) -> None:
    """Parse, call, print."""
    from castalia.cli.opening import open_studio
    from castalia.core.config import load
    from castalia.modalities.image import read_picture
    from castalia.provenance import read_limited
    from castalia.studio import Studio

    language = "zh" if current() == "zh" else "en"
    picture = read_picture(read_limited(file), file.name)
    studio = open_studio() if load().config.vision_model else Studio()
    try:
        seen = studio.look(picture, language)
    finally:
        studio.close()
    if as_json:
        click.echo(seen.model_dump_json())
        return
    click.echo(seen.words(language))
    if guess := seen.guess(language):
        click.echo(guess)
    for each in seen.palette:
        click.echo(f"  {each.hex}  {each.share:4.0%}  {say(each.english, each.chinese)}")
