from __future__ import annotations

import datetime as dt
import io

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageFilter

from handlers import receipts
from handlers.numbers import case_number
from handlers.receipts import ReceiptFacts, qr_png, receipt_pdf, receipt_png

NUMBER = case_number("130208108", dt.date(2026, 2, 13), 17)
CODE = f"A{NUMBER}0123456789ABC"
URL = f"https://xn.gov.cn/r/{CODE}"


def facts(**changes: object) -> ReceiptFacts:
    values: dict[str, object] = {
        "code": CODE,
        "url": URL,
        "number": NUMBER,
        "item": "宅基地使用权及房屋所有权首次登记",
        "department": "不动产登记",
        "applicant": "张**",
        "materials": (("身份证", "已上传 2 份"), ("申请书 <甲&乙>", "在线表单")),
        "submitted_on": dt.date(2026, 2, 13),
        "promised": "2026年2月27日",
        "town": "示例镇",
        "hotline": "0315-1234567",
    }
    return ReceiptFacts(**{**values, **changes})  # type: ignore[arg-type]  # the test's own table


def picture() -> Image.Image:
    return Image.open(io.BytesIO(receipt_png(URL))).convert("L")


def read(image: Image.Image) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(image)]


@pytest.mark.parametrize("width", [100, 120, 164, 240, 328, 600, 1200])
def test_the_code_is_read_at_every_size_of_a_phone_picture(width: int):
    assert read(picture().resize((width, width), Image.Resampling.BILINEAR)) == [URL]


@pytest.mark.parametrize("blur", [0.5, 1, 1.5, 2, 3])
def test_the_code_is_read_through_the_blur_of_a_bad_print(blur: float):
    shown = picture().resize((300, 300), Image.Resampling.BILINEAR).filter(ImageFilter.GaussianBlur(blur))
    assert read(shown) == [URL]


@pytest.mark.parametrize("degrees", [7, 90, 183])
def test_the_code_is_read_when_the_paper_lies_askew(degrees: int):
    assert read(picture().rotate(degrees, expand=True, fillcolor=255)) == [URL]


def test_a_blot_on_the_paper_does_not_hide_the_code():
    stained = picture()
    stained.paste(0, (150, 150, 200, 200))
    assert read(stained) == [URL]


@pytest.mark.parametrize(
    "base", ["https://xn.gov.cn", "http://127.0.0.1:8080", "http://192.168.100.100:8080", "https://zwfw.fengrun.gov.cn"]
)
def test_the_code_stays_small_and_has_its_white_margin(base: str):
    image = Image.open(io.BytesIO(receipt_png(f"{base}/r/{CODE}"))).convert("L")
    modules = image.width // receipts.PIXELS_A_MODULE
    dark = image.point(lambda level: 255 - level).getbbox()
    margin = receipts.QUIET_MODULES * receipts.PIXELS_A_MODULE
    assert modules <= 17 + 4 * receipts.LARGEST_VERSION + 2 * receipts.QUIET_MODULES
    assert dark == (margin, margin, image.width - margin, image.height - margin)


def test_a_long_address_still_gives_a_readable_code():
    url = f"https://a-very-long-name-of-a-service.of-a-county.example.gov.cn:8443/r/{CODE}"
    assert read(Image.open(io.BytesIO(qr_png(url)))) == [url]


def test_the_sheet_says_what_was_handed_in_and_when_it_is_due():
    text = sheet(facts()).get_textpage().get_text_range()
    for said in (
        NUMBER,
        "宅基地使用权及房屋所有权首次登记",
        "张**",
        "身份证",
        "申请书 <甲&乙>",
        "2026年2月27日",
        "0315-1234567",
        CODE,
        "示例镇政务服务",
    ):
        assert said in text


@pytest.mark.parametrize("scale", [1.5, 3])
def test_the_code_on_the_sheet_is_read_from_a_scan_of_it(scale: float):
    assert read(sheet(facts()).render(scale=scale).to_pil()) == [URL]


def test_the_sheet_is_a_sound_pdf_with_title_and_language_and_without_active_content():
    with pikepdf.open(io.BytesIO(receipt_pdf(facts()))) as document:
        assert document.docinfo["/Title"] == f"收件凭证 {NUMBER}"
        assert document.Root["/Lang"] == "zh-CN"
        assert not {"/OpenAction", "/AA", "/AcroForm"} & set(document.Root.keys())
        assert document.check_pdf_syntax() == []


def test_forty_materials_run_on_to_further_pages_and_none_is_lost():
    many = tuple((f"第{n}号材料及其全部附件的复印件（加盖公章，一式两份）", "已上传 1 份") for n in range(40))
    document = pypdfium2.PdfDocument(receipt_pdf(facts(materials=many)))
    text = "".join(page.get_textpage().get_text_range() for page in document)
    assert len(document) > 1
    assert all(f"第{n}号材料" in text for n in range(40))


def test_a_case_without_materials_says_so():
    assert "无需提交材料" in sheet(facts(materials=())).get_textpage().get_text_range()


def test_the_same_facts_give_the_same_bytes():
    again = receipt_pdf.__wrapped__(facts())
    assert receipt_pdf(facts()) == again


def sheet(given: ReceiptFacts) -> pypdfium2.PdfPage:
    return pypdfium2.PdfDocument(receipt_pdf(given))[0]
