"""What a test knows of a server: how to put objects there, their URLs, and the options that reach them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.servers.process import HOST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Server:
    """One running server and one bucket, container or folder on it."""

    name: str
    port: int
    root: str
    """URL of the bucket, without a slash at its end; `{port}` stands for the port."""
    put: Callable[[str, bytes], None]
    """Stores an object under a key, in place of one that is there."""
    options: dict[str, Any] = field(default_factory=dict)
    """`storage_options`, with `{port}` in their texts."""
    lists: bool = True
    """Whether it lists objects."""
    beside: Callable[[str], Server] | None = None
    """Makes another bucket or container on this server."""
    quotes: bool = False
    """Whether keys are percent-encoded in URLs, as the web has it."""

    def url(self, key: str = "") -> str:
        """Return the URL of the object `key`, or of the folder."""
        base = self.root.format(port=self.port)
        return f"{base}/{quote(key) if self.quotes else key}" if key else base

    @property
    def storage_options(self) -> dict[str, Any]:
        """A fresh copy of the options that reach this server."""
        return {
            name: value.format(port=self.port) if isinstance(value, str) else value
            for name, value in self.options.items()
        }

    @property
    def address(self) -> str:
        """Where it listens, as a URL."""
        return f"http://{HOST}:{self.port}"

    def at(self, port: int, **options: Any) -> Server:
        """Return the same server behind another port, such as a proxy's; `options` on top."""
        return replace(self, port=port, options={**self.options, **options})

    def put_folder(self, folder: Path, prefix: str) -> str:
        """Store every shard of `folder` below `prefix`; return the URL of the prefix."""
        for path in sorted(folder.glob("*.tar")):
            self.put(f"{prefix}/{path.name}", path.read_bytes())
        return self.url(prefix)
