"""A disk so small that it can be filled: a tmpfs, which root can mount on most machines and nobody on some."""

from __future__ import annotations

import subprocess
from pathlib import Path

_BLOCK = b"\0" * 65536


class SmallDisk:
    """A folder of its own with `megabytes` of room; `refused` is the reason why it could not be had, else empty."""

    def __init__(self, folder: Path, megabytes: int = 64) -> None:
        self.folder = folder
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(folder)], capture_output=True, text=True, check=False
        )
        self.refused = (done.stderr.strip() or "mount failed") if done.returncode else ""
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Take all the room that is left."""
        with self._ballast.open("ab", buffering=0) as ballast:
            try:
                while ballast.write(_BLOCK):
                    pass
            except OSError:
                return

    def clear(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Let go of it, with all that is on it."""
        if not self.refused:
            subprocess.run(["umount", "--lazy", str(self.folder)], capture_output=True, check=False)
