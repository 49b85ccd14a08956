"""Files as they should not be handed in, made here and now: nothing harmful lies in the repository."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any

import pikepdf
import pillow_heif
from pikepdf import Array, Dictionary, Name
from PIL import Image, PngImagePlugin

MARK = b"SECRET-PLACE-MARK"
"""Stands in every hidden corner of these files; it must be in no clean one."""


def photo(form: str = "JPEG", size: tuple[int, int] = (120, 80), **options: Any) -> bytes:
    """An ordinary photo: left half red, right half blue, so that a turn can be seen."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    return saved(image, form, **options)


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    """The bytes of an image in one of the forms that phones send."""
    out = io.BytesIO()
    if form == "HEIF":
        pillow_heif.from_pillow(image).save(out, **options)
    else:
        image.save(out, form, **options)
    return out.getvalue()


def tags(orientation: int = 1) -> bytes:
    """Exif as a phone writes it: maker, owner, place (30.5 degrees north), and which way is up."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x9286] = orientation, MARK.decode(), MARK.decode()
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[0x1D] = "N", (30.0, 30.0, 0.0), "2026:01:01"
    return exif.tobytes()


def tagged_photos() -> dict[str, bytes]:
    """Photos of every accepted form with tags in every place that form has."""
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + MARK + b"</x:xmpmeta>"
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", MARK.decode())
    notes.add_itxt("XML:com.adobe.xmp", xmp.decode())
    iptc = b"\xff\xed" + struct.pack(">H", len(MARK) + 16) + b"Photoshop 3.0\0" + MARK
    jpeg = photo(exif=tags(), comment=MARK)
    return {
        "jpeg": jpeg,
        "jpeg with iptc": jpeg[:2] + iptc + jpeg[2:],
        "png": photo("PNG", exif=tags(), pnginfo=notes),
        "webp": photo("WEBP", exif=tags(), xmp=xmp),
        "heic": photo("HEIF", exif=tags(), xmp=xmp),
    }


def polyglots() -> dict[str, bytes]:
    """True pictures that are something else as well."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as inside:
        inside.writestr("run.sh", MARK)
    jpeg, png = photo(), photo("PNG")
    return {
        "jpeg and zip": jpeg + archive.getvalue(),
        "png and php": png + b"<?php system('" + MARK + b"'); ?>",
        "jpeg with a pdf head": jpeg[:2] + b"\xff\xfe" + struct.pack(">H", 2 + 9 + len(MARK)) + b"%PDF-1.7\n" + MARK + jpeg[2:],
        "jpeg with a script": photo(comment=b"<script>" + MARK + b"</script>"),
    }


def not_pictures() -> dict[str, bytes]:
    """What claims to be a photo by its name alone."""
    document = io.BytesIO()
    with zipfile.ZipFile(document, "w", zipfile.ZIP_DEFLATED) as inside:
        inside.writestr("word/document.xml", bytes(50_000_000))
    return {
        "text": "我不是照片".encode(),
        "html": b"<!doctype html><script>alert(1)</script>",
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "gif": saved(Image.new("P", (2, 2)), "GIF"),
        "bmp": saved(Image.new("RGB", (2, 2)), "BMP"),
        "tiff": saved(Image.new("RGB", (2, 2)), "TIFF"),
        "script": b"#!/bin/sh\nrm -rf /\n",
        "program": b"\x7fELF" + bytes(60),
        "docx bomb": document.getvalue(),
        "pdf behind bytes": b"\n\n" + paper(),
        "one byte": b"\xff",
    }


def huge_png(side: int = 30_000) -> bytes:
    """A black-and-white PNG of a few kilobytes that decodes to side x side pixels."""
    row = bytes(1 + (side + 7) // 8)
    packer = zlib.compressobj(9)
    data = b"".join([packer.compress(row) for _ in range(side)]) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in ((b"IHDR", head), (b"IDAT", data), (b"IEND", b"")))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def paper(pages: int = 1, **options: Any) -> bytes:
    """An ordinary PDF of A4 pages."""
    with pikepdf.new() as pdf:
        for _ in range(pages):
            pdf.add_blank_page(page_size=(595, 842))
        return _written(pdf, **options)


def locked_paper(password: str) -> bytes:
    """An encrypted PDF; with an empty password every viewer opens it without asking."""
    return paper(encryption=pikepdf.Encryption(owner="owner", user=password))


def active_paper() -> bytes:
    """A PDF that does something in every way a PDF can, its objects packed so that no search for words finds them."""
    script = Dictionary(S=Name.JavaScript, JS=MARK.decode())
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(595, 842))
        attached = pdf.make_indirect(Dictionary(Type=Name.Filespec, F="run.exe", EF=Dictionary(F=pdf.make_stream(MARK))))
        names = Dictionary(JavaScript=Dictionary(Names=Array(["go", script])), EmbeddedFiles=Dictionary(Names=Array(["run.exe", attached])))
        pdf.Root.OpenAction, pdf.Root.Names, pdf.Root.AA = script, names, Dictionary(WC=script)
        page.obj.AA = Dictionary(O=script)
        notes = [_note(pdf, kind, MARK.decode(), attached) for kind in ("Widget", "Link", "FileAttachment", "Screen")]
        page.obj.Annots, pdf.Root.AcroForm = pdf.make_indirect(Array(notes)), Dictionary(Fields=Array(notes[:1]))
        page.obj.PieceInfo = Dictionary(App=Dictionary(Private=MARK.decode()))
        pdf.docinfo["/Author"] = MARK.decode()
        with pdf.open_metadata() as about:
            about["dc:title"] = MARK.decode()
        return _written(pdf, object_stream_mode=pikepdf.ObjectStreamMode.generate)


def _note(pdf: pikepdf.Pdf, kind: str, mark: str, attached: pikepdf.Object) -> pikepdf.Object:
    launch = Dictionary(S=Name.Launch, F=mark)
    return pdf.make_indirect(
        Dictionary(Type=Name.Annot, Subtype=Name("/" + kind), FT=Name.Btn, Rect=Array([0, 0, 90, 90]), A=launch, FS=attached, T="f")
    )


def form_paper() -> bytes:
    """A form that was filled in: the answer is drawn by its field alone."""
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(200, 200))
        look = pdf.make_stream(b"0 0 1 rg 0 0 100 100 re f", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 100, 100]))
        field = pdf.make_indirect(
            Dictionary(
                Type=Name.Annot,
                Subtype=Name.Widget,
                FT=Name.Tx,
                T="name",
                V="x",
                F=4,
                Rect=Array([50, 50, 150, 150]),
                AP=Dictionary(N=look),
            )
        )
        page.obj.Annots = Array([field])
        pdf.Root.AcroForm = Dictionary(Fields=Array([field]))
        return _written(pdf)


def paper_with_photo(jpeg: bytes) -> bytes:
    """A scan as a PDF: one photo that fills the page."""
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(120, 80))
        image = pdf.make_stream(
            jpeg, Type=Name.XObject, Subtype=Name.Image, Width=120, Height=80, ColorSpace=Name.DeviceRGB, BitsPerComponent=8
        )
        image.write(jpeg, filter=Name.DCTDecode)
        image.Metadata = pdf.make_stream(MARK)
        page.obj.Resources = Dictionary(XObject=Dictionary(P=image))
        page.obj.Contents = pdf.make_stream(b"q 120 0 0 80 0 0 cm /P Do Q")
        return _written(pdf)


def _written(pdf: pikepdf.Pdf, **options: Any) -> bytes:
    out = io.BytesIO()
    pdf.save(out, **options)
    return out.getvalue()
