"""What the rules of a case's life refuse: who may act, when, and what must come first (design.md section 4)."""

from __future__ import annotations

from handlers.errors import Refusal

LIFE: dict[str, Refusal] = {
    "wrong_state": Refusal(
        409,
        "当前状态不能这样办理",
        "办件现在的状态是“{state}”，可以做的是：{possible}。",
        "Not possible in this state",
        "The case is in state {state_en}; possible now: {possible_en}.",
    ),
    "already_evaluated": Refusal(
        409, "已经评价过", "每个办件只能评价一次，感谢您的评价。", "Already evaluated", "A case is evaluated once."
    ),
    "bundle_no_draft": Refusal(
        422, "“一件事”不能暂存", "请填写完整后一次提交。", "A bundle is no draft", "Send it complete, with `submit` true."
    ),
    "bundle_over": Refusal(
        409, "没有可以撤回的事项", "这件事的各个事项都已有结果。", "Nothing left to withdraw", "Every part has its result."
    ),
    "part_unknown": Refusal(
        422, "这件事里没有所选的事项", "请在可选事项中选择。", "No such part", "Choose among the bundle's optional items."
    ),
    "part_waits": Refusal(
        409,
        "还没有轮到这个事项",
        "“一件事”中，前面的事项办成后才能办理这一项，届时会通知您。",
        "Its turn has not come",
        "This part of a bundle begins when what it needs is granted; you will be told.",
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
    "bundle_not_found": Refusal(
        404, "没有这个“一件事”", "请在“一件事”列表中重新选择。", "No such bundle", "Choose one from GET /api/v1/bundles."
    ),
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
    "accepted_by_law": Refusal(
        409,
        "已经视为受理",
        "收件后超过 {days} 个工作日没有答复，依法自收件之日起视为受理，不能再要求补正或不予受理；请按已受理继续办理。",
        "Accepted by law",
        "Nobody answered within {days} working days, so the case counts as accepted from its receipt: go on with the review.",
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
    "already_delivered": Refusal(
        409,
        "结果已经送达",
        "申请人已经领取或签收，不需要再次送达。",
        "Delivered already",
        "The applicant has the result; there is nothing to send.",
    ),
    "not_sent_yet": Refusal(
        409, "尚未寄出", "请先登记快递公司和单号。", "Not posted yet", "Register carrier and number with POST /deliver first."
    ),
}
