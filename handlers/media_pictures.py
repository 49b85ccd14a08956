"""Pictures: decoded to pixels and written anew, so that no tag, place, comment or hidden tail of the original stays."""

from __future__ import annotations

import io
import warnings

import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from handlers.media_limits import Limits, Unfit, Verdict

_FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
_HEADS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_QUALITY = 88
_WHITE = (255, 255, 255)

pillow_heif.register_heif_opener(thumbnails=False, decode_threads=1)
# Pillow only warns between its limit and twice that: here the limit is the limit.
warnings.simplefilter("error", Image.DecompressionBombWarning)


def clean_picture(data: bytes, limits: Limits) -> tuple[Verdict, bytes]:
    """A fresh JPEG, or PNG for black-and-white and grey drawings; upright and at most `limits.longest_side`. Raises Unfit."""
    Image.MAX_IMAGE_PIXELS = limits.pixels
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            form, pixels = _fresh(image, limits.longest_side)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unfit("upload_too_many_pixels") from None
    except UnidentifiedImageError:
        raise Unfit("upload_broken" if looks_like_picture(data) else "upload_type") from None
    out = io.BytesIO()
    pixels.save(out, form, **({"quality": _QUALITY} if form == "JPEG" else {}))
    return Verdict(media_type=f"image/{form.lower()}", pages=1, size=out.tell()), out.getvalue()


def looks_like_picture(data: bytes) -> bool:
    """Whether the head promises a picture: then what cannot be decoded is broken, else it is of another type."""
    return (
        data.startswith(_HEADS) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP") or data[4:12] in {b"ftypheic", b"ftypmif1", b"ftypheix"}
    )


def _fresh(image: Image.Image, longest_side: int) -> tuple[str, Image.Image]:
    """The first frame, shrunk before it is turned (a quarter of the memory), in an image that has known no metadata."""
    drawing = image.format == "PNG" and image.mode in {"1", "L"} and "transparency" not in image.info
    box = (longest_side, longest_side)
    image.draft(None, box)
    small = _plain(image, shrink=max(image.size) > longest_side)
    small.thumbnail(box, reducing_gap=2.0)
    upright = ImageOps.exif_transpose(small)
    return "PNG" if drawing else "JPEG", Image.frombytes(upright.mode, upright.size, upright.tobytes())


def _plain(image: Image.Image, *, shrink: bool) -> Image.Image:
    """The image in a mode that JPEG and PNG share; what is transparent lies on white paper."""
    if image.mode == "1" and not shrink:
        return image.copy()
    if image.mode in {"1", "L"} and "transparency" not in image.info:
        return image.convert("L")
    if image.mode.startswith(("I", "F")):
        return image.convert("I").point(lambda level: level / 256).convert("L")
    if image.has_transparency_data:
        paper = Image.new("RGB", image.size, _WHITE)
        layer = image.convert("RGBA")
        paper.paste(layer, mask=layer.getchannel("A"))
        paper.info["exif"] = image.info.get("exif", b"")
        return paper
    return image if image.mode == "RGB" else image.convert("RGB")
