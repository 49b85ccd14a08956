"""The process that touches foreign files: `python -m handlers.media_child LIMITS`, one file after another over standard input and output.

In: 8 bytes length, the file. Out: 4 bytes length, a Verdict as JSON, then the clean file. Whatever goes wrong in here, at worst this
process ends, and its parent refuses the one file it was given.
"""

from __future__ import annotations

import os
import sys
from base64 import b64decode
from typing import BinaryIO

import msgspec

from handlers import media_confinement
from handlers.media_limits import Limits, Unfit, Verdict

# A HEIC of 64 by 48 pixels: the decoder is used once before the lock closes, because it loads its tables on first use.
_HEIC = b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAVZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAABeg"
    "ABAAAAAAAAABMAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA1mlwcnAAAAC3aXBjbwAAAHhodmNDAQNwAAAAkAAAAAAAHvAA"
    "/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqSSmubgIaDAgAAAMAyAAAAwAIQGIAAQAHRAHBcrAiQA"
    "AAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAABBwaXhpAAAAAAMICAgAAAAXaXBtYQAAAAAAAAABAAEEgQIDBAAAABttZGF0AAAADygBrwUY/QEN"
    "STfXY/CTgA=="
)


def main() -> None:
    """Serve until the parent closes our input or we have served long enough."""
    limits = msgspec.json.decode(sys.argv[1], type=Limits)
    media_confinement.limit(limits)
    source, sink = _pipes()
    _rehearse(limits)
    media_confinement.lock()
    for _ in range(limits.uses):
        head = source.read(8)
        if len(head) < 8:  # noqa: PLR2004 - the parent has gone or needs us no longer
            return
        data = source.read(int.from_bytes(head, "big"))
        media_confinement.start_cpu_clock(limits.cpu_seconds)
        verdict, clean = judge(data, limits)
        media_confinement.start_cpu_clock(0)
        note = msgspec.json.encode(verdict)
        sink.write(len(note).to_bytes(4, "big") + note + clean)
        sink.flush()


def judge(data: bytes, limits: Limits) -> tuple[Verdict, bytes]:
    """The clean form of a file, or why there is none."""
    # Imported late: memory is limited before the decoders are loaded.
    from handlers.media_papers import HEAD, clean_paper  # noqa: PLC0415
    from handlers.media_pictures import clean_picture  # noqa: PLC0415

    if not data:
        return Verdict(refusal="upload_empty"), b""
    try:
        verdict, clean = (clean_paper if data.startswith(HEAD) else clean_picture)(data, limits)
    except Unfit as unfit:
        return Verdict(refusal=unfit.code), b""
    except MemoryError:
        return Verdict(refusal="upload_too_many_pixels"), b""
    except Exception:  # noqa: BLE001 - decoders of foreign bytes raise anything
        return Verdict(refusal="upload_broken"), b""
    return (verdict, clean) if verdict.size <= limits.out_bytes else (Verdict(refusal="upload_too_large"), b"")


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Our ends of the pipes; what a decoder prints goes nowhere."""
    sink = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return sys.stdin.buffer, sink


def _rehearse(limits: Limits) -> None:
    """Treat one small file of each kind, so that everything is loaded when the lock closes."""
    import io  # noqa: PLC0415

    import pikepdf  # noqa: PLC0415
    from PIL import Image  # noqa: PLC0415

    for form in ("JPEG", "PNG", "WEBP"):
        sample = io.BytesIO()
        Image.new("RGBA" if form == "PNG" else "RGB", (16, 16)).save(sample, form)
        judge(sample.getvalue(), limits)
    for lock in (False, pikepdf.Encryption(owner="a", user="")):
        paper = io.BytesIO()
        with pikepdf.new() as pdf:
            pdf.add_blank_page()
            pdf.save(paper, encryption=lock)
        judge(paper.getvalue(), limits)
    for data in (_HEIC, b"neither picture nor paper"):
        judge(data, limits)


if __name__ == "__main__":
    main()
