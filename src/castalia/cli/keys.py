"""`castalia keys`: make, show, back up, restore and rotate the signing and watermark keys, or use one's own."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from castalia.cli.opening import open_studio
from castalia.core.errors import UsageError
from castalia.core.files import write_atomic
from castalia.core.language import say

if TYPE_CHECKING:
    from castalia.provenance import KeyInfo, Keys

_KINDS = {
    "authority": ("authority", "颁发机构"),
    "signing": ("signing key", "签名密钥"),
    "watermark": ("watermark key", "水印密钥"),
}
_password_file = click.option(
    "--password-file",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE|-",
    help=say("read the password from a file's first line", "从文件首行读取密码"),
)


@click.group(help=say("Signing and watermark keys.", "签名与水印密钥。"))
def keys() -> None:
    """The group; each command is below."""


@keys.command(name="list", help=say("All keys, the current one of each kind first.", "列出所有密钥，当前使用者在前。"))
@click.option("--json", "as_json", is_flag=True)
def list_(as_json: bool) -> None:
    """Parse, call, print."""
    _print(_keys().list(), as_json=as_json)


@keys.command(help=say("One key by the beginning of its id, or those in use.", "按编号开头显示密钥，或显示当前密钥。"))
@click.argument("key_id", required=False, metavar="[ID]")
@click.option("--json", "as_json", is_flag=True)
def show(key_id: str | None, as_json: bool) -> None:
    """Parse, call, print."""
    chosen = [key for key in _keys().list() if (key.id.startswith(key_id) if key_id else key.current)]
    if key_id and not chosen:
        raise UsageError(
            say("There is no key {key}.", "没有密钥 {key}。", key=key_id),
            hint=say("`castalia keys list` shows all.", "`castalia keys list` 会列出全部。"),
        )
    _print(chosen, as_json=as_json)


@keys.command(help=say("Make whatever key is missing.", "生成缺少的密钥。"))
@click.option("--json", "as_json", is_flag=True)
def make(as_json: bool) -> None:
    """Parse, call, print."""
    with _changing() as known:
        known.make()
    _print([key for key in known.list() if key.current], as_json=as_json)


@keys.command(
    help=say(
        "Use new keys from now on. Old works stay verifiable; the old private signing key is destroyed.",
        "今后使用新密钥。旧作品仍可检验；旧签名密钥会被销毁。",
    )
)
@click.option(
    "--authority",
    is_flag=True,
    help=say(
        "the authority too; give the new certificate to those who trust it", "连同颁发机构；请把新证书发给信任它的人"
    ),
)
@click.option("--json", "as_json", is_flag=True)
def rotate(authority: bool, as_json: bool) -> None:
    """Parse, call, print."""
    with _changing() as known:
        known.rotate(authority=authority)
        if known.issued:
            click.echo(
                say(
                    "The certificate in use is your own and stays; `castalia keys use --certificate` takes a new one.",
                    "正在使用您自己的证书，保持不变；`castalia keys use --certificate` 可启用新证书。",
                ),
                err=True,
            )
    _print([key for key in known.list() if key.current], as_json=as_json)


@keys.command(
    help=say(
        "Sign with your own certificate from now on, or with --own under the studio's authority again. The key is "
        "checked against the chain and sealed; the signing key before it is destroyed, and old works stay verifiable.",
        "今后使用您自己的证书签名；--own 恢复使用工作室的颁发机构。密钥会与证书链核对并加密保存；"
        "之前的签名密钥会被销毁，旧作品仍可检验。",
    )
)
@click.option(
    "--certificate",
    "chain",
    type=click.Path(path_type=Path),
    metavar="CHAIN.pem",
    help=say("your certificate, then its issuer's, and so on", "您的证书，其后依次为颁发者的证书"),
)
@click.option("--key", type=click.Path(path_type=Path), metavar="KEY.pem", help=say("its private key", "该证书的私钥"))
@click.option(
    "--key-password-file",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE|-",
    help=say("read the key's password from a file's first line", "从文件首行读取私钥密码"),
)
@click.option("--own", is_flag=True, help=say("the studio's own authority again", "恢复使用工作室自己的颁发机构"))
@click.option("--json", "as_json", is_flag=True)
def use(chain: Path | None, key: Path | None, key_password_file: Path | None, own: bool, as_json: bool) -> None:
    """Parse, call, print."""
    from castalia.provenance import read_certificate, read_limited

    if own == bool(chain or key) or bool(chain) != bool(key):
        raise UsageError(
            say(
                "Give --certificate and --key together, or --own.", "请同时给出 --certificate 与 --key，或给出 --own。"
            ),
            hint="castalia keys use --certificate CHAIN.pem --key KEY.pem",
        )
    pair = None
    if chain and key:
        secret = _password(key_password_file, confirm=False) if key_password_file else None
        pair = read_certificate(read_limited(chain), read_limited(key), secret)
    studio = open_studio()
    with studio.vault.locked():
        if pair:
            studio.keys.use(pair)
        else:
            studio.keys.use_own()
    _print([each for each in studio.keys.list() if each.current], as_json=as_json)
    if pair and not studio.config.timestamp_url:
        click.echo(
            say(
                "Without a time stamp, signatures hold until {last:%Y-%m-%d}, when the certificate ends: "
                "set timestamp_url.",
                "没有时间戳时，签名在证书到期日 {last:%Y-%m-%d} 之后失效：请设置 timestamp_url。",
                last=pair.leaf.not_valid_after_utc,
            ),
            err=True,
        )


@keys.command(help=say("Write all keys to a file sealed with a password.", "将所有密钥写入密码保护的文件。"))
@click.argument("file", type=click.Path(path_type=Path))
@_password_file
def backup(file: Path, password_file: Path | None) -> None:
    """Parse, call, print."""
    if file.exists():
        raise UsageError(
            say("{file} is already there.", "{file} 已存在。", file=file), hint=say("Choose another name.", "请换名。")
        )
    secret = _password(password_file, confirm=True)
    with _changing() as known:
        write_atomic(file, known.backup(secret), private=True)
    click.echo(say("{n} keys written to {file}.", "已将 {n} 个密钥写入 {file}。", n=len(known.list()), file=file))


@keys.command(help=say("Take the keys of a backup in and use them.", "恢复备份中的密钥并启用。"))
@click.argument("file", type=click.Path(path_type=Path))
@_password_file
def restore(file: Path, password_file: Path | None) -> None:
    """Parse, call, print."""
    from castalia.provenance import read_limited

    archive = read_limited(file)
    secret = _password(password_file, confirm=False)
    with _changing() as known:
        new = known.restore(archive, secret)
    click.echo(say("Restored; {n} keys were new here.", "已恢复，其中 {n} 个密钥为新增。", n=len(new)))


@keys.command(
    help=say(
        "Print the authorities' certificates, for others to trust: castalia verify --anchor FILE.",
        "输出颁发机构证书，供他人信任：castalia verify --anchor FILE。",
    )
)
def certificate() -> None:
    """Parse, call, print."""
    with _changing() as known:
        known.make()
    click.echo(known.anchors().decode(), nl=False)


@keys.command(
    help=say(
        "Protect the studio with a password. Prints a recovery code, this once; without either the works are lost.",
        "用密码保护工作室。恢复码只显示这一次；密码和恢复码都丢失则作品无法恢复。",
    )
)
@_password_file
def password(password_file: Path | None) -> None:
    """Parse, call, print."""
    vault = open_studio().vault
    code = vault.set_password(_password(password_file, confirm=True, what=say("New password", "新密码")))
    click.echo(say("Recovery code, shown this once: {code}", "恢复码（仅显示这一次）：{code}", code=code))


@keys.command(
    help=say(
        "Store the key of an endpoint's host, sealed; it is sent to that host alone. Without URL: list the hosts.",
        "加密保存端点主机的密钥；只会发给该主机。不给网址则列出主机。",
    )
)
@click.argument("url", required=False)
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE|-",
    help=say("read the key from a file's first line", "从文件首行读取密钥"),
)
@click.option("--remove", is_flag=True, help=say("forget the key of this host", "删除此主机的密钥"))
def endpoint(url: str | None, key_file: Path | None, remove: bool) -> None:
    """Parse, call, print."""
    from castalia.engines.connection import secret_name

    vault = open_studio().vault
    if url is None:
        for name in vault.names():
            if name.startswith("endpoint/"):
                click.echo(name.removeprefix("endpoint/"))
        return
    name = secret_name(url)
    host = name.removeprefix("endpoint/")
    if remove:
        if not vault.remove(name):
            raise UsageError(say("There is no key for {host}.", "没有 {host} 的密钥。", host=host))
        click.echo(say("Removed the key for {host}.", "已删除 {host} 的密钥。", host=host))
        return
    key = _password(key_file, confirm=False, what=say("Key for {host}", "{host} 的密钥", host=host)).strip()
    if not key.isascii() or not key.isprintable() or not key:
        raise UsageError(say("A key is one line of printable ASCII.", "密钥应为一行可打印的 ASCII 字符。"))
    vault.put(name, key.encode())
    click.echo(say("Stored the key for {host}.", "已保存 {host} 的密钥。", host=host))


def _keys() -> Keys:
    return open_studio().keys


@contextmanager
def _changing() -> Generator[Keys]:
    """The keys, while no other process changes them."""
    studio = open_studio()
    with studio.vault.locked():
        yield studio.keys


def _password(source: Path | None, *, confirm: bool, what: str = "") -> str:
    if source is None:
        asked = what or say("Password of the backup", "备份密码")
        return click.prompt(asked, hide_input=True, confirmation_prompt=confirm, err=True)
    from castalia.provenance import read_limited

    text = sys.stdin.buffer.read(10_000) if str(source) == "-" else read_limited(source)
    try:
        return text.decode().partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError as error:
        raise UsageError(say("The password is not UTF-8.", "密码不是 UTF-8 编码。")) from error


def _print(chosen: tuple[KeyInfo, ...] | list[KeyInfo], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(key) for key in chosen], ensure_ascii=False))
        return
    for key in chosen:
        kind = say(*_KINDS[key.kind])
        use = (
            say("in use", "使用中")
            if key.current
            else say("kept", "保留")
            if key.usable
            else say("verifies only", "仅供检验")
        )
        dates = f"  {key.made} – {key.expires}" if key.made else ""
        name = f"  {key.name}\n" if key.name else ""
        click.echo(f"{key.id}  {kind:<14}{use}{dates}\n{name}  SHA-256 {key.fingerprint}")
    if not chosen:
        click.echo(say("No keys yet: the first work makes them.", "尚无密钥：首次创作时会自动生成。"))
