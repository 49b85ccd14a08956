"""PDF papers: pages copied into a new file without scripts, actions, attachments, forms or traces, then looked over once more."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pikepdf

from handlers.media_limits import Limits, Unfit, Verdict

HEAD = b"%PDF-"
# What a page needs to look as it does (ISO 32000-1, table 30); all else, actions and annotations first, is left behind.
_PAGE_KEYS = {"/Type", "/Parent", "/Resources", "/Contents", "/Group", "/Rotate", "/UserUnit"} | {
    f"/{name}Box" for name in ("Media", "Crop", "Bleed", "Trim", "Art")
}
_TRACES = ("/Metadata", "/PieceInfo", "/LastModified", "/AF", "/OPI", "/Ref", "/Alternates")
# ISO 32000-1, table 198: actions that a viewer may carry out by itself or on a touch.
_ACTIONS = {"/JavaScript", "/Launch", "/URI", "/GoToR", "/GoToE", "/SubmitForm", "/ImportData", "/ResetForm", "/Rendition"} | {
    f"/{name}" for name in ("Movie", "Sound", "Trans", "RichMediaExecute", "Named", "Hide", "SetOCGState", "GoTo3DView")
}
_ACTIVE_KEYS = {
    "/JS",
    "/JavaScript",
    "/OpenAction",
    "/EmbeddedFiles",
    "/EmbeddedFile",
    "/EF",
    "/RichMediaContent",
    "/XFA",
    "/AcroForm",
    "/Annots",
}
_MOST_DEPTH = 60
_SOI, _SOS, _COMMENT, _ADOBE = 0xD8, 0xDA, 0xFE, 0xEE


def clean_paper(data: bytes, limits: Limits) -> tuple[Verdict, bytes]:
    """The same pages in a new PDF; raises Unfit."""
    try:
        with pikepdf.open(io.BytesIO(data)) as source:
            clean = _copied(source, limits.pages)
    except pikepdf.PasswordError:
        raise Unfit("upload_encrypted") from None
    except pikepdf.PdfError:
        raise Unfit("upload_broken") from None
    with pikepdf.open(io.BytesIO(clean)) as made:
        if any(_is_active(part) for part in _dictionaries(made)):
            raise Unfit("upload_active")
        return Verdict(media_type="application/pdf", pages=len(made.pages), size=len(clean)), clean


def _copied(source: pikepdf.Pdf, most_pages: int) -> bytes:
    if source.is_encrypted:
        raise Unfit("upload_encrypted")
    if not 0 < len(source.pages) <= most_pages:
        raise Unfit("upload_too_many_pages" if len(source.pages) else "upload_broken")
    # Filled-in form fields and stamps become part of the page before annotations go.
    source.generate_appearance_streams()
    source.flatten_annotations("screen")
    out = io.BytesIO()
    with pikepdf.new() as paper:
        paper.pages.extend(source.pages)
        for page in paper.pages:
            _strip_page(page.obj)
        for part in list(_dictionaries(paper)):
            _strip_traces(part)
        paper.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()


def _strip_page(page: pikepdf.Object) -> None:
    for key in set(page.keys()) - _PAGE_KEYS:
        del page[key]


def _strip_traces(part: pikepdf.Object) -> None:
    for key in _TRACES:
        if key in part:
            del part[key]
    if isinstance(part, pikepdf.Stream) and part.get("/Filter") == pikepdf.Name.DCTDecode:
        parameters = {key: part[key] for key in ("/DecodeParms",) if key in part}
        part.write(without_tags(part.read_raw_bytes()), filter=pikepdf.Name.DCTDecode)
        for key, value in parameters.items():
            part[key] = value


def _is_active(part: pikepdf.Object) -> bool:
    if not _ACTIVE_KEYS.isdisjoint(part.keys()):
        return True
    action = part.get("/S")
    return isinstance(action, pikepdf.Name) and str(action) in _ACTIONS


def _dictionaries(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    """Every dictionary and stream of a file, also those inside object streams and inside one another."""
    for thing in (*pdf.objects, pdf.trailer):
        yield from _within(thing, 0)


def _within(thing: pikepdf.Object, depth: int) -> Iterator[pikepdf.Object]:
    if depth > _MOST_DEPTH:
        raise Unfit("upload_broken")
    if isinstance(thing, (pikepdf.Dictionary, pikepdf.Stream)):
        yield thing
        inner = [thing[key] for key in thing.keys()]  # noqa: SIM118 - iterating the object itself reads a stream's bytes
    elif isinstance(thing, pikepdf.Array):
        inner = list(thing)
    else:
        return
    for part in inner:
        if not getattr(part, "is_indirect", False):
            yield from _within(part, depth + 1)


def without_tags(jpeg: bytes) -> bytes:
    """A JPEG without its application segments and comments (Exif, XMP, IPTC); JFIF's and Adobe's colour marks stay."""
    if jpeg[:2] != bytes((0xFF, _SOI)):
        return jpeg
    kept, at = [jpeg[:2]], 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF and jpeg[at + 1] != _SOS:  # noqa: PLR2004 - 0xFF begins a marker
        marker, end = jpeg[at + 1], at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if marker == _ADOBE or not (0xE1 <= marker <= 0xEF or marker == _COMMENT):  # noqa: PLR2004 - APP1 to APP15
            kept.append(jpeg[at:end])
        at = end
    return b"".join((*kept, jpeg[at:]))
