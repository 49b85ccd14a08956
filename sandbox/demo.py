"""The whole town on one machine, `./run demo`: server, pretend WeChat, departments and phones. Ctrl-C stops everything."""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import aiohttp

from config.settings import HERE, Settings, load
from handlers import staff
from handlers.errors import Refused
from mobile_api.composition import open_office
from sandbox import family
from sandbox.departments import REDIS_VARIABLE, fault_rate, seconds
from sandbox.outside import introduce, tables_for, wanted, write_settings
from sandbox.phones import Displeased
from storage.valkey import EmbeddedValkey
from storage.valkey_door import Door

STAFF = (
    ("clerk", "demo-clerk", "李窗口", "clerk", "", "镇便民服务大厅"),
    ("officer", "demo-officer", "王经办", "officer", "MZ", ""),
    ("approver", "demo-approver", "赵审批", "approver", "MZ", ""),
    ("education", "demo-education", "钱审批", "approver", "JY", ""),
    ("supervisor", "demo-supervisor", "孙督办", "supervisor", "", ""),
    ("administrator", "demo-administrator", "周管理", "administrator", "", ""),
)
_READY_SECONDS = 60
_FAMILY_SECONDS = 10
_PORTS = 65536
_LOCK = "demo.lock"
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the town until Ctrl-C."""
    parsed = _parser().parse_args(arguments)
    folder = Path(parsed.folder)
    folder.mkdir(parents=True, exist_ok=True)
    with _only_one(folder):
        for port in range(parsed.port, parsed.port + (3 if parsed.outside else 2)):
            if _taken(port):
                sys.exit(f"Port {port} is in use: stop what listens there, or choose another with --port.")
        with suppress(KeyboardInterrupt):
            asyncio.run(_run(parsed, folder))
    return 0


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Two demos in one folder would start and forget each other's town."""
    with (folder / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit(f"Another demo runs in {folder}: stop it, or choose another folder with --folder.")
        yield


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./run demo", description="The whole town on one machine, with a pretend outside world.")
    parser.add_argument("--port", type=_port, default=8080, help="port of the server; the pretend WeChat takes the next one")
    parser.add_argument("--fresh", action="store_true", help="forget everything and start anew")
    parser.add_argument("--no-frontend", action="store_true", help="do not build the residents' page")
    parser.add_argument(
        "--faults",
        action="append",
        default=[],
        type=fault_rate,
        metavar="NAME=RATE",
        help="faults of departments, e.g. twice=0.1, garble=0.05, stall=0.1",
    )
    parser.add_argument("--delay", type=seconds, default=1.5, help="seconds a department thinks about a step")
    parser.add_argument("--phones", type=int, default=0, help="pretend residents who apply by themselves")
    parser.add_argument(
        "--outside", action="append", default=[], type=wanted, metavar="CODE[=queue|pull|webhook|files]",
        help="leave this department to a program of yours; prints its settings",
    )  # fmt: skip
    parser.add_argument("--folder", default="var/demo", help="where everything is kept")
    return parser


def _port(text: str) -> int:
    """A port whose two neighbours are ports too."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < _PORTS - 2):
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 1 to {_PORTS - 3}")
    return int(text)


async def _forget(folder: Path) -> None:
    """Start anew: first a Valkey that a killed demo left running is stopped, then everything is removed."""
    if (folder / "valkey").is_dir():
        left = EmbeddedValkey(folder / "valkey")
        await left.start()
        await left.stop()
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != _LOCK:
            path.unlink()


async def _run(parsed: argparse.Namespace, folder: Path) -> None:
    if parsed.fresh:
        await _forget(folder)
    base, platform = f"http://127.0.0.1:{parsed.port}", f"http://127.0.0.1:{parsed.port + 1}"
    environment = _environment(parsed.port, folder.absolute(), platform)
    if parsed.outside:
        environment |= _open_to_outsiders(parsed, folder)
    told = folder / "town.env"
    write_settings(told, {name: value for name, value in environment.items() if name.startswith("MOBILE_API_")})
    settings = load(None, environment)
    await _add_staff(settings)
    valkey = EmbeddedValkey(Path(settings.redis.dir), door=Door(settings.redis.host, settings.redis.port))
    redis = await valkey.start()
    invitation = await introduce(settings, folder, parsed.outside) if parsed.outside else ""
    children = [
        Child("wechat", ["-m", "sandbox.wechat", *_wechat_arguments(parsed.port + 1, base, folder)], environment, folder),
        Child("server", ["-m", "mobile_api", "serve"], environment, folder),
        Child(
            "departments",
            ["-m", "sandbox.departments", *_department_arguments(parsed, settings, folder)],
            {**environment, REDIS_VARIABLE: redis},
            folder,
        ),
    ]
    if parsed.phones:
        children.append(Child("phones", ["-m", "sandbox.phones", *_phone_arguments(parsed.phones, base, platform)], environment, folder))
    try:
        await _keep_running(children, base, folder, _welcome(base, platform, told) + invitation)
    finally:
        await asyncio.gather(*(child.stop() for child in reversed(children)))
        await valkey.stop()


async def _keep_running(children: list[Child], base: str, folder: Path, welcome: str) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    for child in children:
        await child.start()
    if await _ready(base, stopped, folder):
        with suppress(Displeased, TimeoutError):  # the town is open without it too
            await asyncio.wait_for(family.introduce(base), _FAMILY_SECONDS)
        print(welcome, flush=True)  # noqa: T201 - this is what the command is for
    await stopped.wait()
    print("Stopping ...", flush=True)  # noqa: T201


class Child:
    """One process of the town; it is started again whenever it dies by itself."""

    def __init__(self, name: str, arguments: list[str], environment: dict[str, str], folder: Path) -> None:
        self._name = name
        self._arguments = arguments
        self._environment = environment
        self._log = folder / "log" / f"{name}.log"
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start it and watch over it."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        await self._spawn()
        self._watch = asyncio.create_task(self._revive())

    async def stop(self) -> None:
        """End it the orderly way, and wait."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(15):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _spawn(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *self._arguments, env=self._environment, stdout=log, stderr=log, start_new_session=True,
                preexec_fn=_end_with_parent,
            )  # fmt: skip

    async def _revive(self) -> None:
        while self._process is not None:
            code = await self._process.wait()
            print(f"{self._name} ended ({code}); starting it again. Its log: {self._log}", flush=True)  # noqa: T201
            await asyncio.sleep(1)
            await self._spawn()


def _end_with_parent() -> None:
    """In a child, before its program begins: a demo that is killed leaves nobody behind on its ports (prctl 1, PR_SET_PDEATHSIG)."""
    if _LIBC is not None:
        _LIBC.prctl(1, signal.SIGKILL)


def _environment(port: int, folder: Path, platform: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MOBILE_API_")}
    return {
        **kept,
        "MOBILE_API_DATABASE__URL": f"sqlite://{folder / 'town.db'}",
        "MOBILE_API_REDIS__DIR": str(folder / "valkey"),
        "MOBILE_API_FILES__URL": f"file://{folder / 'files'}",
        "MOBILE_API_SECRETS__DIR": str(folder / "secrets"),
        "MOBILE_API_WECHAT__BASE_URL": platform,
        "MOBILE_API_HTTP__PORT": str(port),
        "MOBILE_API_DEMO__ENABLED": "true",
    }


def _open_to_outsiders(parsed: argparse.Namespace, folder: Path) -> dict[str, str]:
    """The settings that differ when departments are left to others: tables of the demo's own, and a door to Redis on loopback."""
    try:
        tables = tables_for(HERE, folder, parsed.outside)
    except LookupError as error:
        sys.exit(str(error))
    return {"MOBILE_API_TOWN__TABLES": str(tables), "MOBILE_API_REDIS__PORT": str(parsed.port + 2)}


async def _add_staff(settings: Settings) -> None:
    async with open_office(settings) as office:
        for username, password, name, role, department, hall in STAFF:
            with suppress(Refused):  # they are there from an earlier start
                await staff.add(office, username=username, name=name, role=role, password=password, department=department, hall=hall)  # type: ignore[arg-type]  # the roles above are Roles


def _wechat_arguments(port: int, base: str, folder: Path) -> list[str]:
    return ["--port", str(port), "--callback", f"{base}/api/v1/wechat/push", "--state", str(folder / "wechat.db")]


def _department_arguments(parsed: argparse.Namespace, settings: Settings, folder: Path) -> list[str]:
    faults = [part for name, rate in parsed.faults for part in ("--faults", f"{name}={rate}")]
    others = [part for one in parsed.outside for part in ("--without", one.code)]
    tables = settings.tables_dir / "departments"
    where = ["--data", str(folder / "departments.db"), "--tables", str(tables)]
    return [*where, "--delay", str(parsed.delay), *faults, *others]


def _phone_arguments(residents: int, base: str, platform: str) -> list[str]:
    return ["--base-url", base, "--wechat-url", platform, "--residents", str(residents), "--applications", "0"]


async def _ready(base: str, stopped: asyncio.Event, folder: Path) -> bool:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http:
        for _ in range(_READY_SECONDS * 4):
            if stopped.is_set():
                return False
            with suppress(aiohttp.ClientError, TimeoutError):
                async with http.get(f"{base}/readyz") as response:
                    if response.status == 200:  # noqa: PLR2004
                        return True
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), 0.25)
    print(f"The server does not answer; see {folder / 'log' / 'server.log'}.", flush=True)  # noqa: T201
    return False


def _welcome(base: str, platform: str, told: Path) -> str:
    logins = "\n".join(
        f"    {username:<15}{password:<20}{name} ({role}{' ' + department if department else ''})"
        for username, password, name, role, department, _ in STAFF
    )
    return f"""
The town is open.

  Residents (phone)      {base}/m/          choose a pretend resident, no password (王小梅 may act for 张秀英)
  Service hall           {base}/hall        scan, paste or type a code
  Desk                   {base}/desk
  Supervision            {base}/supervision
  API reference          {base}/docs
  Pretend WeChat         {platform}/           messages as they arrive on the phones

  Staff log-ins
{logins}

  Play the job from outside:  ./run journey --base-url {base}
  Ask this town what it knows: . {told}; ./run department list
  Ctrl-C stops everything; the next ./run demo goes on where it stopped, --fresh starts anew.
"""


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())
