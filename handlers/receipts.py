"""The receipt of a case (收件凭证): its QR code as a picture, and the sheet to print with what was handed in and when it is due."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from xml.sax.saxutils import escape

import qrcode
from qrcode.constants import ERROR_CORRECT_M, ERROR_CORRECT_Q
from reportlab.lib import colors
from reportlab.lib.pagesizes import A5
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table

from handlers import proxyviews
from handlers.cards import read_card
from handlers.casecards import applicant_of
from handlers.casefile import open_form
from handlers.clocks import Limit, local_date
from handlers.errors import Refused
from handlers.office import Office
from handlers.shortcodes import receipt_code
from storage.database import Row

QUIET_MODULES = 4
PIXELS_A_MODULE = 8
# Level Q bears a blot on paper better; beyond version 4 small prints are read worse, so M is taken first.
LARGEST_VERSION = 4
# Runs of this many characters get a mode of their own: the address stays bytes, the code goes as digits and capitals.
_MODE_RUN = 8
_CACHED = 256
_FONT = "STSong-Light"
_QR_SIDE = 32 * mm
_GREY = colors.HexColor("#555555")
_SOURCES = {"upload": "已上传", "form": "在线表单", "commitment": "告知承诺", "certificate": "电子证照"}


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """What the sheet says; `applicant` and `agent` are masked, `promised` is a date or how many days after acceptance, as text."""

    code: str
    url: str
    number: str
    item: str
    department: str
    applicant: str
    materials: tuple[tuple[str, str], ...]
    submitted_on: dt.date
    promised: str
    town: str
    hotline: str
    agent: str = ""


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """A receipt as a file: bytes, media type, and a name for saving."""

    body: bytes
    media_type: str
    name: str


async def receipt_of_case(office: Office, row: Row, form: Literal["png", "pdf"]) -> ReceiptFile:
    """The receipt of a submitted case; a draft has none and refuses "not_found"."""
    if row["number"] is None:
        raise Refused("not_found")
    code = receipt_code(office.keys, row["number"], row["receipt_version"])
    url = receipt_url(office, code)
    if form == "png":
        return ReceiptFile(await asyncio.to_thread(receipt_png, url), "image/png", f"{row['number']}.png")
    sheet = await asyncio.to_thread(receipt_pdf, await _facts(office, row, code, url))
    return ReceiptFile(sheet, "application/pdf", f"{row['number']}.pdf")


def receipt_url(office: Office, code: str) -> str:
    """What the receipt's QR code says."""
    return f"{office.public_base}/r/{code}"


def qr_png(text: str) -> bytes:
    """A QR code as PNG with its white margin, 8 pixels a module. CPU work of some milliseconds: call it in a thread."""
    code = _qr(text)
    code.box_size = PIXELS_A_MODULE
    picture = io.BytesIO()
    code.make_image().save(picture)
    return picture.getvalue()


@lru_cache(maxsize=_CACHED)
def receipt_png(url: str) -> bytes:
    """The QR code of a receipt, kept for the next who asks."""
    return qr_png(url)


@lru_cache(maxsize=_CACHED)
def receipt_pdf(facts: ReceiptFacts) -> bytes:
    """The sheet to print, A5, the same bytes for the same facts. CPU work: call it in a thread."""
    pdfmetrics.registerFont(UnicodeCIDFont(_FONT))
    sheet = io.BytesIO()
    margins = dict.fromkeys(("leftMargin", "rightMargin", "topMargin", "bottomMargin"), 12 * mm)
    document = SimpleDocTemplate(
        sheet, pagesize=A5, title=f"收件凭证 {facts.number}", author=facts.town, lang="zh-CN", invariant=1, **margins
    )
    document.build(list(_story(facts)))
    return sheet.getvalue()


async def _facts(office: Office, row: Row, code: str, url: str) -> ReceiptFacts:
    item = await office.catalogue.version(office.database, row["item_code"], row["item_version"])
    department = office.catalogue.departments.get(row["department"])
    return ReceiptFacts(
        code=code,
        url=url,
        number=row["number"],
        item=item.name,
        department=department.name if department else row["department"],
        applicant=applicant_of(open_form(office, row)) or "（未填写）",
        materials=tuple((material.name, _source(material.source, len(material.uploads))) for material in read_card(row).materials),
        submitted_on=local_date(row["submitted_at"]),
        promised=_promised(row, item.promised),
        town=office.town,
        hotline=office.hotline,
        agent=behalf.agent_name if (behalf := proxyviews.behalf_of_row(office, row)) else "",
    )


def _source(source: str, files: int) -> str:
    return f"{_SOURCES.get(source, source)} {files} 份" if files else _SOURCES.get(source, source)


def _promised(row: Row, limit: Limit) -> str:
    if row["promised_on"] is not None:
        return f"{_day(row['promised_on'])}{'（暂定）' if row['is_provisional'] else ''}"
    if limit.days == 0:
        return "受理后当场办结"
    return f"受理后 {limit.days} {'个工作日' if limit.unit == 'working' else '天'}内"


def _qr(text: str) -> qrcode.QRCode:
    for level in (ERROR_CORRECT_Q, ERROR_CORRECT_M):
        code = qrcode.QRCode(error_correction=level, border=QUIET_MODULES)
        code.add_data(text, optimize=_MODE_RUN)
        code.make(fit=True)
        if code.version <= LARGEST_VERSION:
            break
    return code


def _story(facts: ReceiptFacts) -> Iterator[Flowable]:
    yield Paragraph(escape(facts.town) + "政务服务", _style(10, align=1))
    yield Paragraph("收 件 凭 证", _style(18, align=1))
    yield Spacer(0, 4 * mm)
    yield Table(
        [[_what(facts), QrDrawing(facts.url)]], colWidths=[None, _QR_SIDE], style=[("VALIGN", (0, 0), (-1, -1), "TOP"), _FLUSH_LEFT]
    )
    yield Spacer(0, 3 * mm)
    yield Paragraph("收到的材料", _style(11))
    yield _materials(facts)
    yield Spacer(0, 4 * mm)
    yield from _how_to_check(facts)


_FLUSH_LEFT = ("LEFTPADDING", (0, 0), (0, -1), 0)


def _what(facts: ReceiptFacts) -> list[Flowable]:
    lines = (
        ("办件编号", facts.number),
        ("事项", facts.item),
        ("牵头部门", facts.department),
        ("申请人", f"{facts.applicant}（由{facts.agent}代办）" if facts.agent else facts.applicant),
        ("收件日期", _day(facts.submitted_on)),
        ("承诺办结", facts.promised),
    )
    return [Paragraph(f'<font color="#555555">{name}</font>　{escape(text)}', _style(9.5)) for name, text in lines]


def _materials(facts: ReceiptFacts) -> Flowable:
    if not facts.materials:
        return Paragraph("本事项无需提交材料。", _style(9.5))
    rows = [
        [Paragraph(str(n), _style(9)), Paragraph(escape(name), _style(9)), Paragraph(escape(how), _style(9))]
        for n, (name, how) in enumerate(facts.materials, start=1)
    ]
    lines = [("GRID", (0, 0), (-1, -1), 0.4, _GREY), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
    return Table(rows, colWidths=[10 * mm, None, 30 * mm], style=lines)


def _how_to_check(facts: ReceiptFacts) -> Iterator[Flowable]:
    yield Paragraph("查询进度：用微信或浏览器扫描上方二维码，只显示事项、环节和承诺日期，不显示个人信息。", _style(9))
    yield Paragraph(f"凭证码：{facts.code}", _style(9))
    yield Paragraph(f"咨询电话：{escape(facts.hotline)}。也可持本凭证到政务服务大厅任一窗口查询。", _style(9))
    yield Paragraph("本凭证证明已收到上列材料；是否受理以受理通知为准。", _style(8, color=_GREY))


def _style(size: float, *, align: int = 0, color: colors.Color = colors.black) -> ParagraphStyle:
    return ParagraphStyle(
        f"{size}{align}{color}", fontName=_FONT, fontSize=size, leading=size * 1.5, alignment=align, textColor=color, wordWrap="CJK"
    )


def _day(day: dt.date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


class QrDrawing(Flowable):  # type: ignore[misc]  # reportlab has no types
    """A QR code drawn as vectors, sharp at any size of print."""

    def __init__(self, text: str, side: float = _QR_SIDE) -> None:
        super().__init__()
        self.width = self.height = side
        self._matrix: list[list[bool]] = _qr(text).get_matrix()

    def draw(self) -> None:
        """Draw runs of dark modules as one bar each, so that no viewer shows hair lines between them."""
        module = self.width / len(self._matrix)
        self.canv.setFillColor(colors.black)
        for y, row in enumerate(reversed(self._matrix)):
            for x, length in _runs(row):
                self.canv.rect(x * module, y * module, length * module, module, stroke=0, fill=1)


def _runs(row: list[bool]) -> Iterator[tuple[int, int]]:
    """Dark modules in a row as (place, length)."""
    start = None
    for place, dark in enumerate([*row, False]):
        if dark and start is None:
            start = place
        elif not dark and start is not None:
            yield start, place - start
            start = None
