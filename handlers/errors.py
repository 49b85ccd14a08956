"""A refusal is an answer: a code, what is wrong and what to do. The door for people turns it into a problem (RFC 9457)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong in what was handed in: where (JSON pointer), which rule, and what to do about it."""

    pointer: str
    code: str
    message: str


@dataclass(eq=False)
class Refused(Exception):
    """The office cannot do this. `code` is listed in `REFUSALS`; `values` fill the gaps of its text; nothing handed in is echoed."""

    code: str
    values: dict[str, object] = field(default_factory=dict)
    errors: list[FieldError] = field(default_factory=list)

    def __str__(self) -> str:
        return self.code


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a code says: HTTP status it amounts to, and title and advice in Chinese and English (`{name}` = a value)."""

    status: int
    title: str
    detail: str
    title_en: str
    detail_en: str


REFUSALS: dict[str, Refusal] = {
    "not_found": Refusal(
        404, "没有找到", "没有这项内容，或您无权查看。请检查编号。", "Not found", "It does not exist, or is not yours to see. Check the id."
    ),
    "item_not_found": Refusal(
        404, "没有这个事项", "请在事项列表中重新选择。", "No such service item", "Choose one from GET /api/v1/items."
    ),
    "invalid_form": Refusal(
        422,
        "表单有需要修改的地方",
        "请按每一项的提示修改后再提交。",
        "The form needs changes",
        "Mend each listed field, then send it again.",
    ),
    "missing_material": Refusal(
        422, "材料不齐", "请补齐列出的材料后再提交。", "Materials are missing", "Hand in each listed material, then send it again."
    ),
    "wrong_state": Refusal(
        409,
        "当前状态不能这样办理",
        "办件现在的状态是“{state}”，可以做的是：{possible}。",
        "Not possible in this state",
        "The case is in state {state}; possible now: {possible}.",
    ),
    "login_code_invalid": Refusal(
        401, "登录已过期", "请重新打开小程序登录。", "The log-in code is not valid", "Call wx.login again for a new code."
    ),
    "login_failed": Refusal(
        401, "登录失败", "用户名、密码或动态口令不正确，请重新输入。", "Log-in failed", "User name, password or one-time code is wrong."
    ),
    "account_closed": Refusal(403, "账号已注销", "如需恢复，请到服务大厅办理。", "Account closed", "Ask at the service hall."),
    "username_taken": Refusal(409, "用户名已被使用", "请换一个用户名。", "User name taken", "Choose another one."),
    "already_evaluated": Refusal(
        409, "已经评价过", "每个办件只能评价一次，感谢您的评价。", "Already evaluated", "A case is evaluated once."
    ),
    "materials_unusable": Refusal(
        422,
        "材料无法使用",
        "列出的附件不存在、不是您的，或未通过检查。请重新上传。",
        "Materials cannot be used",
        "Upload the listed files again.",
    ),
    "bundle_not_open": Refusal(
        422,
        "“一件事”暂未开放网上合并申请",
        "请先分别申请其中的事项。",
        "Bundles cannot be applied for yet",
        "Apply for its items one by one.",
    ),
    "task_not_found": Refusal(
        404, "没有这项任务", "请核对任务编号与部门。", "No such task", "Check the task id; it must belong to your department and this case."
    ),
    "task_settled": Refusal(409, "任务已办结", "该任务已有结论。", "Task settled", "The task already has a result."),
    "result_unknown": Refusal(
        422,
        "结论不适用",
        "审查任务的结论为 agreed、disagreed；决定任务为 granted、refused。",
        "Result not possible for this step",
        "A review answers agreed or disagreed, a decision granted or refused, an acceptance not_accepted.",
    ),
    "correction_unknown": Refusal(
        422,
        "补正内容不明确",
        "请指明事项中存在的表单项或材料，至少一项。",
        "The correction names nothing the item has",
        "Name at least one field or material of this item.",
    ),
    "correction_too_late": Refusal(
        409,
        "受理后不能再要求补正",
        "补正应在受理前一次性告知。",
        "Corrections come before acceptance",
        "Ask for everything at once, before accepting.",
    ),
    "reason_missing": Refusal(422, "需要说明理由", "不予批准应当说明理由。", "A refusal needs a reason", "Say why."),
    "review_unfinished": Refusal(
        409, "还有部门未回复", "请等待各部门审查意见齐全后再决定。", "Departments are still at work", "Wait until every opinion is in."
    ),
    "not_finished": Refusal(409, "还不能评价", "办件办结后才可以评价。", "Not finished yet", "A case can be evaluated once it is decided."),
    "login_blocked": Refusal(
        403,
        "微信限制了本次登录",
        "该微信账号存在风险，请到服务大厅办理。",
        "Log-in blocked by WeChat",
        "The platform regards this account as risky.",
    ),
    "unknown_template": Refusal(
        422,
        "没有这个消息模板",
        "请重新打开订阅设置后再试。",
        "No such message template",
        "Use the template ids of GET /api/v1/subscriptions.",
    ),
    "bundle_not_found": Refusal(
        404, "没有这个“一件事”", "请在“一件事”列表中重新选择。", "No such bundle", "Choose one from GET /api/v1/bundles."
    ),
    "invalid_cursor": Refusal(
        422, "翻页位置无效", "请从第一页重新查看。", "The cursor is not valid", "Leave `cursor` out to begin with the first page."
    ),
    "code_not_valid": Refusal(
        404,
        "这个码不能使用",
        "可能已过期、已用过或不是本系统的码，请居民刷新后重新出示。",
        "The code cannot be used",
        "It is too old, already used, or none of ours: ask the resident to show a new one.",
    ),
}

# What the door for people (mobile_api/web) refuses by itself.
_DOOR: dict[str, Refusal] = {
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
    "already_suspended": Refusal(
        409, "已在特别程序中", "请先结束当前特别程序。", "Already suspended", "End the special procedure that is going on first."
    ),
    "suspension_too_early": Refusal(
        409,
        "受理前不能进入特别程序",
        "时限自受理后起算，请先受理再申报特别程序。",
        "Suspension comes after acceptance",
        "The clock runs from acceptance on; accept the case first.",
    ),
    "not_suspended": Refusal(409, "没有正在进行的特别程序", "请核对任务状态。", "Not suspended", "There is no special procedure to end."),
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
    "record_not_understood": Refusal(
        422,
        "看不懂部门的记录",
        "请核对 config/mappings 中该部门的对照表：{reason}。",
        "The department's record is not understood",
        "Check the department's mapping in config/mappings: {reason}.",
    ),
    "message_still_fails": Refusal(
        409,
        "这条消息还是不能处理",
        "什么都没有改变。原因：{reason}。请先消除原因，再重新处理，或跳过。",
        "The message still cannot take effect",
        "Nothing was changed. Reason: {reason}. Remove the cause and try again, or skip it.",
    ),
    "signature_missing": Refusal(
        403,
        "请求没有签名，或签名头格式有误",
        "请检查请求头 {header}：需要 X-Exchange-Key、X-Exchange-Date（如 2026-11-24T01:30:00Z）、"
        "X-Exchange-Nonce（16 至 64 个字符）和 X-Exchange-Signature（64 位小写十六进制）。",
        "The request is not signed",
        "Check {header}: the four X-Exchange-* headers are needed, see docs/how-to/connect-a-department.md.",
    ),
    "signature_date": Refusal(
        403,
        "签名时间与服务器相差过大",
        "服务器现在是 {now}，允许相差 {minutes} 分钟。请校准时钟后重新签名。",
        "The signed date is too far from the server's clock",
        "It is {now} here, {minutes} minutes either way are allowed. Set your clock and sign again.",
    ),
    "signature_wrong": Refusal(
        403,
        "签名不正确，或密钥无效",
        "请核对密钥编号，并确认签名的是：方法、路径（含查询）、时间、随机数、请求体的 SHA-256，以换行连接。",
        "The signature is wrong, or the key is not valid",
        "Check the key id, and that you sign METHOD, path with query, date, nonce and hex SHA-256 of the body, joined by newlines.",
    ),
    "signature_replayed": Refusal(
        403,
        "这个随机数已经用过",
        "每个请求（包括重试）都要用新的 X-Exchange-Nonce 重新签名。",
        "This nonce was used before",
        "Sign every request anew, retries too, with a new X-Exchange-Nonce.",
    ),
    "link_other": Refusal(
        409,
        "本部门不按序号取消息",
        '本部门登记的连接方式是：{link}。如需改用接口取消息，请联系管理员改为 link = "pull"。',
        "Your department does not read by position",
        'It is connected by: {link}. Ask the administrator for link = "pull".',
    ),
    "link_paused": Refusal(
        409,
        "与本部门的交换已暂停",
        "消息会保留，恢复后继续。原因：{reason}",
        "The exchange with your department is paused",
        "Messages are kept and go on afterwards. Reason: {reason}",
    ),
    "position_unknown": Refusal(
        409,
        "没有给出过这个序号",
        "已给出到 {position} 号，已确认到 {taken} 号。请从已确认的序号重新读取，重复的消息按办件和 sequence 跳过。",
        "This position was never given",
        "Given up to {position}, confirmed up to {taken}. Read again from the confirmed one; skip repeated messages by case and sequence.",
    ),
    "messages_unreadable": Refusal(
        422,
        "请求体不是消息",
        "请发送一个 CloudEvents 对象，或 messages 数组（1 至 {most} 条）。",
        "The body holds no messages",
        "Send one CloudEvents object, or a messages array of 1 to {most}.",
    ),
    "border_unreadable": Refusal(
        422,
        "签名或加密的消息无法打开",
        "{reason}。出内网的部门应以 application/jose 发送：先签名，再按登记加密，见 docs/how-to/connect-by-webhook.md。",
        "The protected message cannot be opened",
        "Departments beyond the inner network send application/jose, see docs/how-to/connect-by-webhook.md. Reason: {reason}",
    ),
    "grant_not_valid": Refusal(
        404,
        "没有这个附件，或不能再领取",
        "附件凭证只对任务所属部门有效，任务结束 {days} 天后失效。请核对消息中的 grant。",
        "No such file, or no longer to be fetched",
        "A grant holds for its task's department only, until {days} days after the task's end. Check the grant in the message.",
    ),
    "department_unknown": Refusal(
        404, "没有这个部门", "请核对部门代码，见 config/departments。", "No such department", "Check the code, see config/departments."
    ),
    "public_key_unusable": Refusal(
        422,
        "公钥不能使用",
        "{reason}",
        "The public key cannot be used",
        "Give a public {curve} key as a JWK (kty OKP), without its private part.",
    ),
    "card_state": Refusal(
        409,
        "这张牌现在不能这样处理",
        "牌的状态是“{state}”，可以做的是：{possible}。",
        "Not possible for this card now",
        "Look at the card again: its `acts` are what is possible.",
    ),
    "card_exists": Refusal(
        409,
        "已经发过这张牌",
        "同一办件、同一事由、同一级别只发一张。",
        "The card exists",
        "A case gets one card for each ground and level.",
    ),
    "ground_unknown": Refusal(
        422, "没有这个发牌事由", "请在列出的事由中选择。", "No such ground", "Choose one of GET /api/v1/supervision/grounds."
    ),
    "report_span": Refusal(
        422,
        "统计期间不对",
        "起始月份不晚于截止月份，最多 {months} 个月。",
        "Span not usable",
        "From a month to the same or a later one, {months} at most.",
    ),
    "nothing_corrected": Refusal(
        422,
        "没有补正内容",
        "请修改被要求补正的表单项或重新上传材料后再提交。",
        "Nothing was corrected",
        "Send the fields or materials that the notice asks for.",
    ),
    "silence_not_over": Refusal(
        409,
        "还不能视为受理",
        "收件后 5 个工作日内仍可受理或告知补正。",
        "Not accepted by silence yet",
        "The office has five working days to answer.",
    ),
    "correction_repeated": Refusal(
        409,
        "补正只能一次性告知",
        "第一次告知时已经在案的内容不能再次要求补正；只能就申请人新提交的内容告知，或者作出受理、不予受理。",
        "A correction is asked for once",
        "Ask only about what came in with the last correction, or accept or reject (行政许可法 art. 32).",
    ),
    "correction_still_open": Refusal(
        409, "补正期限未到", "申请人仍可补正。", "The correction is still open", "The applicant still has time to answer the notice."
    ),
    "procedure_unknown": Refusal(
        422,
        "没有这种特别程序",
        "可以启动的特别程序：{possible}。",
        "No such special procedure",
        "Choose one of the item's own or of those the law names: {possible}.",
    ),
    "until_in_the_past": Refusal(
        422, "预计结束日期已过", "请填写今天或以后的日期。", "The expected end is in the past", "Give today's date or a later one."
    ),
    "extension_not_asked": Refusal(
        409, "没有待审批的延期申请", "请先提出延期申请。", "No extension was asked for", "Ask with /extend first."
    ),
    "extension_already_asked": Refusal(
        409, "已有延期申请待审批", "请等待审批结果。", "An extension was asked for already", "Wait until it is approved or refused."
    ),
    "extension_too_late": Refusal(
        409,
        "期限已届满，不能延期",
        "延期只能在期限届满前提出和批准。",
        "Too late for an extension",
        "It is asked for and approved before the limit runs out.",
    ),
    "extension_too_long": Refusal(
        422,
        "超过可以延长的天数",
        "本办件最多还可延长 {days} 天。",
        "Longer than allowed",
        "This case may be extended by {days} more days at most.",
    ),
    "separation": Refusal(
        403,
        "经办和审批不能是同一人",
        "您已经办过本办件的前一环节，请由其他有权限的人员审批。",
        "Who prepared it does not approve it",
        "You did an earlier step of this case yourself; somebody else has to approve.",
    ),
    "not_for_the_county": Refusal(
        409, "本事项不需要转报", "只有上报件可以转报上级决定。", "Not decided by the county", "Only a 上报件 is sent up."
    ),
    "not_sent_up": Refusal(
        409,
        "尚未转报上级",
        "本事项由上级决定，请先完成初审并转报。",
        "Not sent up yet",
        "A higher level decides: review it and POST /forward first.",
    ),
    "address_missing": Refusal(
        422, "请填写收件地址", "选择邮寄时必须填写地址。", "The address is missing", "Delivery by post needs an address."
    ),
    "tracking_missing": Refusal(
        422,
        "请填写快递公司和单号",
        "邮寄送达必须登记快递公司和单号。",
        "Carrier or number is missing",
        "Delivery by post names the carrier and the tracking number.",
    ),
    "signature_name_missing": Refusal(
        422, "请填写签收人", "窗口领取和邮寄送达必须登记签收人。", "Who signed is missing", "Name who signed for the result."
    ),
    "not_sent_yet": Refusal(
        409, "尚未寄出", "请先登记快递公司和单号。", "Not posted yet", "Register carrier and number with POST /deliver first."
    ),
}
for _code, _refusal in _DOOR.items():
    REFUSALS.setdefault(_code, _refusal)
