"""What the doors refuse by themselves: the shape of a request, uploads, pace."""

from __future__ import annotations

from handlers.errors import Refusal

DOOR: dict[str, Refusal] = {
    "bad_request": Refusal(
        400, "请求格式有误", "请求不完整或不符合 HTTP 规范。", "Bad request", "The request is incomplete or not proper HTTP."
    ),
    "not_json": Refusal(
        400, "请求内容不是规范的 JSON", "请改正后重新发送。{reason}", "Not proper JSON", "Mend it, then send it again. {reason_en}"
    ),
    "bad_upload": Refusal(
        400, "上传的内容不完整", "请重新选择文件后再上传。", "Upload is malformed", "Send multipart/form-data with at most {parts} parts."
    ),
    "idempotency_key_missing": Refusal(
        400,
        "缺少 Idempotency-Key",
        "请为每次操作生成一个不重复的键（1 至 128 个可见 ASCII 字符），重试时使用同一个键。",
        "Idempotency-Key is missing",
        "Make one key per act (1 to 128 visible ASCII characters) and send the same one when you retry.",
    ),
    "not_logged_in": Refusal(
        401, "请先登录", "登录已失效或尚未登录，请重新登录后再试。", "Not logged in", "Log in again, then repeat the request."
    ),
    "forbidden": Refusal(403, "没有权限", "您的身份不能进行这项操作。", "Not allowed", "Your account may not do this."),
    "method_not_allowed": Refusal(
        405, "不支持这种请求方法", "这个地址支持：{allowed}。", "Method not allowed", "This address takes: {allowed}."
    ),
    "too_slow": Refusal(
        408, "等待超时", "网络较慢，没有在时限内收到完整的请求，请重试。", "Too slow", "The request did not arrive in time; try again."
    ),
    "idempotency_in_flight": Refusal(
        409,
        "正在处理",
        "同一个操作正在处理，请稍候再查看结果。",
        "Still at work",
        "The same act is being done right now; repeat the request shortly.",
    ),
    "precondition_failed": Refusal(
        412,
        "内容已被更新",
        "您看到的不是最新版本，请刷新后再修改。",
        "Changed meanwhile",
        "Fetch it again and repeat the change with the new ETag.",
    ),
    "too_large": Refusal(413, "内容过大", "请求内容超过上限（{limit} 字节）。", "Too large", "The request may hold at most {limit} bytes."),
    "unsupported_media_type": Refusal(
        415,
        "不支持这种内容类型",
        "这个地址接受：{expected}，且不得压缩。",
        "Media type not supported",
        "This address takes {expected}, not compressed.",
    ),
    "expectation_failed": Refusal(
        417, "不支持 Expect 的要求", "仅支持 100-continue。", "Expectation failed", "Only 100-continue is supported."
    ),
    "wrong_shape": Refusal(
        422, "请求内容不符合要求", "请按列出的位置逐项修改。", "Request has the wrong shape", "Mend what is listed, then send it again."
    ),
    "idempotency_key_reused": Refusal(
        422,
        "Idempotency-Key 已用于别的请求",
        "新的操作请使用新的键。",
        "Idempotency-Key was used for something else",
        "Use a new key for a new act.",
    ),
    "precondition_required": Refusal(
        428, "缺少 If-Match", "请带上您所看到版本的 ETag。", "If-Match is missing", "Send the ETag of the version you have seen."
    ),
    "head_too_large": Refusal(431, "请求头过大", "请缩短地址或请求头。", "Head too large", "Shorten the address or the headers."),
    "too_many_requests": Refusal(
        429, "操作过于频繁", "请在 {retry_after} 秒后再试。", "Too many requests", "Try again in {retry_after} seconds."
    ),
    "internal": Refusal(
        500,
        "系统出了点问题",
        "我们已记录，请稍后再试；如需帮助，请提供追踪编号。",
        "Something went wrong",
        "It is recorded. Try again later and quote the trace id.",
    ),
    "unavailable": Refusal(503, "暂时无法办理", "系统繁忙，请稍后再试。", "Not available now", "Try again shortly."),
    "forged_form": Refusal(
        403, "表单已失效", "请刷新页面后重新提交。", "The form is no longer valid", "Reload the page and send it again."
    ),
    "upload_empty": Refusal(422, "没有收到文件", "请选择照片或 PDF 后再上传。", "No file arrived", "Send one file in the field `file`."),
    "upload_too_large": Refusal(
        413,
        "文件太大",
        "单个文件不超过 {megabytes} MB，请压缩或分开拍摄。",
        "File too large",
        "At most {megabytes} MB; make it smaller or split it.",
    ),
    "upload_type": Refusal(
        422,
        "不支持这种文件",
        "只接受 JPG、PNG、HEIC、WebP 图片和 PDF，请重新拍照或转换。",
        "Unsupported kind of file",
        "JPEG, PNG, HEIC, WebP or PDF only.",
    ),
    "upload_broken": Refusal(
        422,
        "文件打不开",
        "文件已损坏或无法读取，请重新拍照上传。",
        "The file cannot be read",
        "It is damaged; photograph or export it again.",
    ),
    "upload_too_many_pixels": Refusal(422, "图片尺寸过大", "请用手机普通模式拍照。", "Too many pixels", "Use a smaller picture."),
    "upload_encrypted": Refusal(422, "PDF 有密码", "请去掉密码后再上传。", "The PDF is encrypted", "Remove the password first."),
    "upload_too_many_pages": Refusal(
        422, "页数太多", "PDF 最多 50 页，请分开上传。", "Too many pages", "At most 50 pages; split the document."
    ),
    "upload_quota": Refusal(
        429, "今天上传太多", "请明天再试，或到服务大厅办理。", "Too many uploads today", "Try again tomorrow or come to the hall."
    ),
    "upload_infected": Refusal(
        422,
        "文件含有病毒",
        "请先查杀手机或电脑中的病毒，再重新拍照上传。",
        "The file is infected",
        "Clean your device, then photograph it again.",
    ),
    "upload_active": Refusal(
        422,
        "PDF 含有可执行内容",
        "请用“打印为 PDF”重新生成后上传。",
        "The PDF contains active content",
        "Print it to a plain PDF and upload that.",
    ),
}
