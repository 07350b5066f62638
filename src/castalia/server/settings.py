"""How a server is run: addresses, folders, limits."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from castalia.core.errors import UsageError
from castalia.core.files import folders
from castalia.core.language import say

PORT = 8471


@dataclass(frozen=True)
class ServerSettings:
    """See the module; the defaults serve one machine alone."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = PORT
    url: str = ""
    """Under which browsers reach it, where a proxy stands in front or it listens beyond this machine."""
    certificate: Path | None = None
    """TLS certificate chain, PEM."""
    key: Path | None = None
    """Its private key."""
    data: Path = field(default_factory=lambda: folders().data / "server")
    """Database, and a folder for each account."""
    database: str = ""
    """URL of a PostgreSQL database for accounts and jobs; empty takes a file in `data`."""
    page: Path = field(default_factory=lambda: Path(__file__).with_name("page"))
    """Static files of the web page."""
    workers: int = 0
    """Jobs that run at a time, beside one that is usually over at once; 0: one for each two processors."""
    most_waiting: int = 100
    """Jobs in the queue; more are answered with 503."""
    most_waiting_each: int = 20
    """Jobs in the queue of one account; more are answered with 429."""
    most_requests: int = 3000
    """A minute, of one account, and a fifth of it of an address without one; more are answered with 429. 0: any."""
    most_at_once: int = 50
    """Requests of one account that are answered at a time; more are answered with 429."""
    most_connections: int = 500
    """More are answered with 503."""
    patience_seconds: float = 20.0
    """For a request to come in, beside a second for each 8,000 bytes of it, and for an answer to be taken on."""
    idle_seconds: float = 600.0
    """After which a language model that nobody uses is freed."""

    @property
    def local(self) -> bool:
        """Whether it is reached from this machine alone."""
        return self.host == "localhost" or (_is_address(self.host) and ipaddress.ip_address(self.host).is_loopback)

    @property
    def secure(self) -> bool:
        """Whether browsers reach it by HTTPS, and cookies may be told to travel by nothing else."""
        return self.certificate is not None or self.url.startswith("https://")

    def knows(self, host: str) -> bool:
        """Whether a `Host` header names this server.

        Numeric addresses do: a page of somebody else's cannot pretend to be at one (DNS rebinding needs a name).
        """
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in {"localhost", self.host.lower(), urlsplit(self.url).hostname} or _is_address(name)

    def check(self) -> None:
        """Raise `UsageError` for settings that do not go together."""
        if (self.certificate is None) != (self.key is None):
            raise UsageError(
                say("TLS wants a certificate and its key.", "TLS 需要证书及其私钥。"),
                hint="castalia serve --certificate CHAIN.pem --key KEY.pem",
            )
        if self.database and urlsplit(self.database).scheme not in ("postgres", "postgresql"):
            raise UsageError(
                say("The database's URL begins with postgresql://.", "数据库网址应以 postgresql:// 开头。"),
                hint="CASTALIA_DATABASE=postgresql://castalia@localhost/castalia castalia serve",
            )
        if self.url and (urlsplit(self.url).scheme not in ("http", "https") or not urlsplit(self.url).hostname):
            raise UsageError(
                say("{url!r} is no address of a server.", "{url!r} 不是服务器网址。", url=self.url),
                hint="castalia serve --url https://studio.example",
            )


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
