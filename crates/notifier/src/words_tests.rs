//! Snapshots of what people read.

use super::*;
use crate::notifier::tests_support::notification;

const CHINA: Duration = Duration::from_secs(8 * 3600);

/// 14:05:40 on the day of the raise.
fn setting() -> Setting {
    Setting {
        now: Timestamp::from_secs(1_732_428_340),
        utc_offset: CHINA,
        demo: false,
        public_url: Some("https://fire.example.gov.cn/".to_owned()),
    }
}
fn facts() -> MessageFacts {
    MessageFacts {
        enterprise: "XX化工".to_owned(),
        equipment: "罐区V-101".to_owned(),
        tag_name: "甲醇储罐液位".to_owned(),
        signal: Signal::Level,
        unit: "%".to_owned(),
        decimals: 1,
        labels: None,
        current: Some(CurrentValue {
            value: Some(91.3),
            quality: Quality::Good,
            source_time: Timestamp::from_secs(1_732_428_339),
            stale: false,
        }),
        number: "0412".to_owned(),
        still_standing: true,
        folded: 0,
        members: 0,
        handle_by: Some(Timestamp::from_secs(1_732_428_312 + 3600)),
        rationale: None,
        link: Some("/cases/0412".to_owned()),
    }
}
fn english() -> MessageFacts {
    MessageFacts {
        enterprise: "XX Chemical".to_owned(),
        equipment: "tank farm V-101".to_owned(),
        tag_name: "methanol tank level".to_owned(),
        ..facts()
    }
}
fn about(purpose: Purpose) -> Notification {
    let mut notification = notification("c", "wang", "sms");
    notification.key.purpose = purpose;
    if purpose == Purpose::Passed {
        notification.key.tier = Tier::TOWNSHIP;
    }
    notification.key.repeat = u32::from(purpose == Purpose::Remind) * 2;
    notification
}
fn words(notification: &Notification, facts: &MessageFacts, setting: &Setting, lang: Lang, form: Form) -> String {
    Words::new(&Templates::default()).unwrap().compose(notification, facts, setting, lang, form).0
}
fn zh_short(notification: &Notification, facts: &MessageFacts) -> String {
    words(notification, facts, &setting(), Lang::Zh, Form::Short)
}

const ALL: [Purpose; 8] = [
    Purpose::Announce,
    Purpose::Remind,
    Purpose::SignMissed,
    Purpose::HandleMissed,
    Purpose::Passed,
    Purpose::Supervise,
    Purpose::Return,
    Purpose::Closed,
];

fn every(lang: Lang, form: Form) -> Vec<String> {
    let facts = if lang == Lang::Zh { facts() } else { english() };
    ALL.iter()
        .map(|purpose| {
            let mut facts = facts.clone();
            facts.still_standing = *purpose != Purpose::Closed;
            words(&about(*purpose), &facts, &setting(), lang, form)
        })
        .collect()
}

#[test]
fn short_words_in_chinese_for_every_purpose() {
    let expected = [
        "【烽燧】橙色预警:XX化工罐区V-101液位高高报,LIA-101现91.3%(限90%),14:05起,请14:10前签收,单号0412",
        "【烽燧】催办2:橙色,XX化工罐区V-101液位高高报,LIA-101现91.3%(限90%),14:05起,14:10前签收,单号0412",
        "【烽燧】逾期未签收:橙色,XX化工罐区V-101液位高高报,LIA-101现91.3%(限90%),企业应14:10前签收,单号0412",
        "【烽燧】处置超时:橙色,XX化工罐区V-101液位高高报,LIA-101现91.3%(限90%),应15:05前处置完,单号0412",
        "【烽燧】下级失联:橙色,XX化工罐区V-101液位高高报,LIA-101现91.3%(限90%),14:05起,请即签收,单号0412",
        "【烽燧】督办:橙色,XX化工罐区V-101液位高高报,LIA-101现91.3%(限90%),14:05起,请即处置并反馈,单号0412",
        "【烽燧】退回:橙色,XX化工罐区V-101液位高高报,LIA-101现91.3%(限90%),请重新处置,单号0412",
        "【烽燧】办结:橙色预警,XX化工罐区V-101液位高高报,LIA-101现91.3%,单号0412",
    ];
    assert_eq!(every(Lang::Zh, Form::Short), expected);
    for text in expected {
        assert!(text.chars().count() <= SHORT_CHARS_MAX_ZH, "{} characters: {text}", text.chars().count());
    }
}

#[test]
fn short_words_in_english_for_every_purpose() {
    let subject = "XX Chemical tank farm V-101 level high-high, LIA-101 now 91.3%";
    let expected = [
        format!("[Watchfire] ORANGE: {subject} (limit 90%), since 14:05, accept by 14:10, case 0412"),
        format!("[Watchfire] REMINDER 2, ORANGE: {subject} (limit 90%), since 14:05, accept by 14:10, case 0412"),
        format!("[Watchfire] ACCEPTANCE OVERDUE, ORANGE: {subject} (limit 90%), since 14:05, was due 14:10, case 0412"),
        format!("[Watchfire] HANDLING OVERDUE, ORANGE: {subject} (limit 90%), was due 15:05, case 0412"),
        format!("[Watchfire] NOBODY BELOW REACHED, ORANGE: {subject} (limit 90%), since 14:05, accept now, case 0412"),
        format!("[Watchfire] SUPERVISED, ORANGE: {subject} (limit 90%), since 14:05, handle and report now, case 0412"),
        format!("[Watchfire] RETURNED, ORANGE: {subject} (limit 90%), handle again and report, case 0412"),
        format!("[Watchfire] CLOSED, ORANGE: {subject}, case 0412"),
    ];
    assert_eq!(every(Lang::En, Form::Short), expected);
    for text in expected {
        assert!(text.chars().count() <= SHORT_CHARS_MAX_EN, "{} characters: {text}", text.chars().count());
    }
}

#[test]
fn long_words_in_chinese_for_every_purpose() {
    let of = |head: &str, tail: &str| {
        format!(
            "【烽燧】{head}XX化工罐区V-101液位高高报\nLIA-101(甲醇储罐液位):现91.3%,限值 90%,报警时 90.6%\n报警时间 2024-11-24 14:05:12{tail}\n单号 0412\nhttps://fire.example.gov.cn/cases/0412"
        )
    };
    let mut closed = of("办结:橙色预警,", "");
    closed = closed.replace("报警时 90.6%", "报警时 90.6%,已恢复");
    let expected = [
        of("橙色预警:", ",请于 14:10 前签收"),
        of("第2次催办:橙色预警,", ",请于 14:10 前签收"),
        of("企业逾期未签收:橙色预警,", ",企业应于 14:10 前签收,请督促"),
        of("处置超时:橙色预警,", ",应于 15:05 前处置完毕,请督促处置"),
        of("下级均未联系上,直接报告:橙色预警,", ",请签收(企业签收期限 14:10)"),
        of("督办:橙色预警,", ",请立即处置并反馈,处置期限 15:05"),
        of("退回重新处置:橙色预警,", ",请重新处置并反馈,处置期限 15:05"),
        closed,
    ];
    assert_eq!(every(Lang::Zh, Form::Long), expected);
}

#[test]
fn long_words_in_english_for_every_purpose() {
    let of = |head: &str, tail: &str| {
        format!(
            "[Watchfire] {head} XX Chemical tank farm V-101 level high-high\nLIA-101 (methanol tank level): now 91.3%, limit 90%, 90.6% when raised\nRaised 2024-11-24 14:05:12{tail}\nCase 0412\nhttps://fire.example.gov.cn/cases/0412"
        )
    };
    let closed = of("CLOSED, ORANGE:", "").replace("when raised", "when raised, back to normal");
    let expected = [
        of("ORANGE:", ", accept by 14:10"),
        of("REMINDER 2, ORANGE:", ", accept by 14:10"),
        of("NOT ACCEPTED IN TIME BY THE ENTERPRISE, ORANGE:", ", the enterprise was to accept by 14:10"),
        of("HANDLING OVERDUE, ORANGE:", ", handling was due 15:05, please press for it"),
        of("NOBODY BELOW COULD BE REACHED, ORANGE:", ", please accept (the enterprise by 14:10)"),
        of("SUPERVISED, ORANGE:", ", handle and report now, due 15:05"),
        of("RETURNED FOR REWORK, ORANGE:", ", handle again and report, due 15:05"),
        closed,
    ];
    assert_eq!(every(Lang::En, Form::Long), expected);
}

#[test]
fn the_example_of_the_handbook_gives_up_a_courtesy_before_a_name() {
    let facts = MessageFacts { equipment: "甲类罐区V-101".to_owned(), ..facts() };
    let text = zh_short(&about(Purpose::Announce), &facts);
    assert_eq!(text, "【烽燧】橙色预警:XX化工甲类罐区V-101液位高高报,LIA-101现91.3%(限90%),14:05起,14:10前签收,单号0412");
    assert_eq!(text.chars().count(), SHORT_CHARS_MAX_ZH);
}

#[test]
fn a_loosened_limit_is_told_with_its_old_and_new_value_and_its_ticket() {
    let mut notification = about(Purpose::LimitsLoosened);
    notification.change = Some(model::LimitChange {
        what_zh: "高高报 设定值".to_owned(),
        what_en: "high-high setpoint".to_owned(),
        old_zh: "90 %".to_owned(),
        new_zh: "92 %".to_owned(),
        old_en: "90 %".to_owned(),
        new_en: "92 %".to_owned(),
        count: 3,
        others: vec![("LIA-102 高报 设定值 80 %→85 %".to_owned(), "LIA-102 high setpoint 80 % -> 85 %".to_owned())],
        ticket: "B-17".to_owned(),
    });
    assert_eq!(zh_short(&notification, &facts()), "【烽燧】限值放宽:XX化工LIA-101 高高报 设定值 90 %→92 %,共3处,变更单B-17");
    assert_eq!(
        words(&notification, &facts(), &setting(), Lang::En, Form::Short),
        "[Watchfire] limit loosened: XX化工 LIA-101 high-high setpoint 90 % -> 92 %, 3 lines in all, change ticket B-17"
    );
    let long = words(&notification, &facts(), &setting(), Lang::En, Form::Long);
    assert!(long.ends_with("change ticket B-17\nLIA-102 high setpoint 80 % -> 85 %"), "{long}");
    // A stored message of before knows nothing of changes.
    let before = serde_json::to_string(&about(Purpose::Announce)).unwrap();
    assert!(!before.contains("change"), "{before}");
    assert_eq!(serde_json::from_str::<Notification>(&before).unwrap().change, None);
}

#[test]
fn a_name_too_long_loses_its_middle_and_keeps_its_number() {
    let facts = MessageFacts { equipment: "苯乙烯装置球罐区东侧三号V-101".to_owned(), ..facts() };
    let text = zh_short(&about(Purpose::Announce), &facts);
    assert!(text.contains("…") && text.contains("V-101液位高高报"), "{text}");
    assert!(text.chars().count() <= SHORT_CHARS_MAX_ZH, "{text}");
    let facts = MessageFacts { enterprise: "浙江某某某某某某某精细化工".to_owned(), number: "1124-03".to_owned(), ..facts };
    let text = zh_short(&about(Purpose::Announce), &facts);
    assert!(
        text.contains("单号1124-03") && text.contains("91.3%(限90%)") && text.contains("14:10前签收"),
        "what matters is never cut: {text}"
    );
}

#[test]
fn what_is_not_a_good_present_value_never_reads_like_one() {
    let with = |value, quality, stale| {
        let current = Some(CurrentValue { value, quality, source_time: Timestamp::from_secs(1_732_428_000), stale });
        let facts = MessageFacts { current, ..facts() };
        let notification = about(Purpose::Announce);
        (zh_short(&notification, &facts), words(&notification, &facts, &setting(), Lang::En, Form::Long))
    };
    let (zh, en) = with(Some(91.3), Quality::Good, true);
    assert!(zh.contains("LIA-101信号中断(限90%)") && !zh.contains("91.3"), "{zh}");
    assert!(en.contains(": signal lost (last 91.3% 14:00), limit 90%"), "{en}");
    let (zh, en) = with(Some(91.3), Quality::Bad, false);
    assert!(zh.contains("LIA-101坏值") && !zh.contains("91.3"), "{zh}");
    assert!(en.contains("bad value") && !en.contains("91.3"), "{en}");
    let (zh, en) = with(None, Quality::Bad, false);
    assert!(zh.contains("LIA-101坏值") && en.contains("bad value"), "{zh} {en}");
    let (zh, _) = with(Some(f64::NAN), Quality::Good, false);
    assert!(zh.contains("LIA-101坏值"), "{zh}");
    let (zh, _) = with(Some(-0.01), Quality::Good, false);
    assert!(zh.contains("LIA-101现0.0%"), "{zh}");
    let (zh, _) = with(Some(-0.51), Quality::Good, false);
    assert!(zh.contains("LIA-101现-0.5%"), "{zh}");
    let (zh, en) = with(Some(104.2), Quality::Uncertain, false);
    assert!(zh.contains("LIA-101现104.2%(存疑)") && en.contains("now 104.2% (uncertain)"), "{zh} {en}");
    let facts = MessageFacts { current: None, ..facts() };
    assert!(zh_short(&about(Purpose::Announce), &facts).contains("LIA-101信号中断"));
}

#[test]
fn prefixes_stand_in_front_and_a_late_message_shows_its_day() {
    let mut notification = about(Purpose::Announce);
    notification.late = true;
    notification.delayed_by_outage = true;
    let later = Setting { demo: true, now: Timestamp::from_secs(1_732_428_340 + 86_400), ..setting() };
    let text = words(&notification, &facts(), &later, Lang::Zh, Form::Long);
    assert!(text.starts_with("【演示】【补传】【烽燧】橙色预警(因停机延迟):XX化工"), "{text}");
    assert!(text.contains("(补传数据),签收期限 11-24 14:10 已过,请立即签收"), "{text}");
    let text = words(&notification, &english(), &later, Lang::En, Form::Short);
    assert!(text.starts_with("[DEMO][LATE DATA][Watchfire] ORANGE (delayed by outage): "), "{text}");
    assert!(text.contains("since 11-24 14:05, accept now"), "{text}");
}

#[test]
fn a_discrete_signal_speaks_by_its_labels() {
    let mut notification = about(Purpose::Announce);
    notification.alarm.condition = Condition::Discrete;
    notification.value = Some(1.0);
    notification.setpoint = Some(1.0);
    let current =
        Some(CurrentValue { value: Some(1.0), quality: Quality::Good, source_time: Timestamp::from_secs(1_732_428_339), stale: false });
    let facts = MessageFacts {
        signal: Signal::StaticEarthing,
        unit: String::new(),
        labels: Some(["接地良好".to_owned(), "接地断开".to_owned()]),
        current,
        ..facts()
    };
    let text = zh_short(&notification, &facts);
    assert!(text.contains("静电接地状态报警,LIA-101现接地断开,14:05起"), "{text}");
    assert!(words(&notification, &facts, &setting(), Lang::Zh, Form::Long).contains("现接地断开,报警时 接地断开\n"));
}

#[test]
fn a_lost_gateway_is_told_with_its_count_and_without_a_value() {
    let mut notification = about(Purpose::Announce);
    notification.alarm.condition = Condition::GatewayLost;
    notification.alarm.tag = model::TagId::new("xx", "GW-03");
    (notification.value, notification.setpoint) = (None, None);
    let facts = MessageFacts { signal: Signal::Gateway, equipment: "3号网关".to_owned(), current: None, members: 120, ..facts() };
    assert_eq!(zh_short(&notification, &facts), "【烽燧】橙色预警:XX化工3号网关网关失联,GW-03,涉120个位号,14:05起,请14:10前签收,单号0412");
}

#[test]
fn a_limit_is_never_rounded_to_another_limit() {
    let mut notification = about(Purpose::Announce);
    notification.setpoint = Some(2.55);
    let text = zh_short(&notification, &MessageFacts { unit: "MPa".to_owned(), decimals: 1, ..facts() });
    assert!(text.contains("现91.3MPa(限2.55MPa)"), "{text}");
}

#[test]
fn an_alarm_that_is_over_says_so() {
    let text = zh_short(&about(Purpose::Announce), &MessageFacts { still_standing: false, ..facts() });
    assert!(text.contains("现91.3%(限90%)已恢复,"), "{text}");
}

#[test]
fn without_facts_the_ids_still_go_out() {
    let notification = about(Purpose::Announce);
    let text = zh_short(&notification, &MessageFacts::bare(&notification));
    assert!(text.contains("橙色预警:xx高高报,LIA-101信号中断(限90)"), "{text}");
}

#[test]
fn a_site_may_reword_a_message_and_a_fault_is_found_at_start_with_its_line() {
    let reworded = Words::new(&Templates::default().with("zh-short", "{{ prefix }}本园区 {{ subject }} {{ value }}")).unwrap();
    let text = reworded.compose(&about(Purpose::Announce), &facts(), &setting(), Lang::Zh, Form::Short).0;
    assert_eq!(text, "本园区 XX化工罐区V-101液位高高报 LIA-101现91.3%");
    let fault = |name: &str, source: &str| Words::new(&Templates::default().with(name, source)).err().expect("refused").to_string();
    let missing = fault("zh-short", "{{ level }}\n{{ levle }}");
    assert!(missing.contains("zh-short") && missing.contains("line 2") && missing.contains("undefined"), "{missing}");
    assert!(fault("zh-long", "{% if %}").contains("line 1"));
    assert!(fault("zh-medium", "x").contains("zh-short, zh-long, en-short, en-long"));
    assert!(fault("en-short", "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}").contains("en-short"));
    assert!(fault("en-short", "call 13800001234").contains("telephone number"));
}

#[test]
fn a_template_that_only_fails_later_gives_way_to_the_built_in_words() {
    let rare = Words::new(&Templates::default().with("zh-short", "{% if number == \"13\" %}{{ nothing }}{% endif %}x")).unwrap();
    let facts = MessageFacts { number: "13".to_owned(), ..facts() };
    let text = rare.compose(&about(Purpose::Announce), &facts, &setting(), Lang::Zh, Form::Short).0;
    assert!(text.starts_with("【烽燧】橙色预警:") && text.ends_with("单号13"), "{text}");
}

#[test]
fn what_was_written_about_a_limit_goes_with_the_message_to_be_acted_on() {
    let rationale = Rationale {
        cause: "收料超量".to_owned(),
        consequence: "冒罐".to_owned(),
        response: "停止进料,打 13800001234".to_owned(),
        time_to_respond: Some(Duration::from_mins(10)),
    };
    let facts = MessageFacts { rationale: Some(Arc::new(rationale)), ..facts() };
    let long = |purpose, lang| words(&about(purpose), &facts, &setting(), lang, Form::Long);
    // A number in a limit's text is masked like any other: what is sent is journaled.
    let told = long(Purpose::Announce, Lang::Zh);
    assert!(told.contains("可能原因:收料超量\n后果:冒罐\n处置措施:停止进料,打 138****1234(10分钟内)\n单号 0412"), "{told}");
    let told = long(Purpose::Remind, Lang::En);
    assert!(
        told.contains("Likely cause: 收料超量\nConsequence: 冒罐\nWhat to do: 停止进料,打 138****1234 (within 10 min)\nCase 0412"),
        "{told}"
    );
    assert!(!long(Purpose::Closed, Lang::Zh).contains("处置措施"));
    let site = Words::new(&Templates::default().with("zh-short", "{{ tag }}:{{ response }} {{ respond_within }}")).unwrap();
    let text = site.compose(&about(Purpose::Announce), &facts, &setting(), Lang::Zh, Form::Short).0;
    assert_eq!(text, "LIA-101:停止进料,打 138****1234 10分钟");
}
