//! What an engineer writes, what it gives, and what is said of a slip.

use watchfire_expr::{Fault, Input, Program, Quality, Sample, Wanted};

const MINUTE: i64 = 60_000_000;

fn known(name: &str) -> Option<Input> {
    let unit = match name {
        "LIA-101" | "LIA-102" => "%",
        "H" => "m",
        "TI-1" | "TI-2" => "℃",
        "TK" => "K",
        "PI-1" => "MPa",
        "PI-2" => "kPa",
        "FI-1" | "FI-2" => "m³/h",
        "GT-1" | "GT-2" | "GT-3" => "ppm",
        "GC-1" => "%LEL",
        "SI-1" => "rpm",
        "N" => "",
        "XV-1" | "P-101A/B" | "1#泵" => return Some(Input::Switch),
        _ => return None,
    };
    Some(Input::Number(unit.to_owned()))
}

fn parse(text: &str, unit: Option<&str>) -> Result<Program, Fault> {
    let wanted = unit.map_or(Wanted::Truth, |unit| Wanted::Number(unit.to_owned()));
    Program::parse(text, &wanted, &known)
}

fn sample(written: &str) -> Sample {
    match written.strip_suffix('?') {
        _ if written == "bad" => Sample::BAD,
        Some(value) => Sample::new(value.parse().expect("a number"), Quality::Uncertain),
        None => Sample::new(written.parse().expect("a number"), Quality::Good),
    }
}

/// Runs a text with the values of its tags in the order in which they stand in it.
fn run(text: &str, unit: Option<&str>, values: &str) -> Sample {
    let program = parse(text, unit).unwrap_or_else(|fault| panic!("`{text}`: {fault}"));
    let inputs: Vec<Sample> = values.split_whitespace().map(sample).collect();
    assert_eq!(inputs.len(), program.inputs().len(), "`{text}` reads {:?}", program.inputs());
    program.run(&inputs, 0, &mut program.memory())
}

fn show(sample: Sample) -> String {
    match sample.quality {
        Quality::Bad => "bad".to_owned(),
        Quality::Uncertain => format!("{}?", round(sample.value)),
        Quality::Good => round(sample.value).to_string(),
    }
}

fn round(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

fn check(text: &str, unit: &str, values: &str, want: &str) {
    assert_eq!(show(run(text, Some(unit), values)), want, "`{text}` of {values}");
}

fn holds(text: &str, values: &str, want: &str) {
    assert_eq!(show(run(text, None, values)), want, "`{text}` of {values}");
}

#[test]
fn numbers_carry_their_units() {
    check("[LIA-101] * 12 m", "m", "50", "6");
    check("cylinder(10 m, [LIA-101] * 12 m) * 791 kg/m³", "t", "50", "372.75");
    check("[PI-1] - [PI-2]", "kPa", "1.6 100", "1500");
    check("[FI-1] - [FI-2]", "m³/h", "10 4", "6");
    check("[FI-1] * 2 h", "m³", "10", "20");
    check("[FI-1]/[FI-2]", "%", "10 40", "25");
    check("avg([TI-1], [TI-2])", "℃", "20 30", "25");
    check("[TI-1] - [TI-2]", "℃", "20 30", "-10");
    check("[TI-1] + 5 ℃", "℃", "20", "25");
    check("([TI-1] - 20 ℃) * 2", "K", "30", "20");
    check("-[N] + 2 * 3 - 4 / 2", "", "1", "3");
    check("1 + 2 * 3", "", "", "7");
    check("max([GT-1], [GT-2])", "ppm", "3 9", "9");
    check("max([GT-1], 1 %VOL)", "ppm", "3", "10000");
    check("if [XV-1] then [FI-1] else 0", "m³/h", "1 7", "7");
    check("table([H], 0 m, 0 m³, 1 m, 10 m³, 300 cm, 50 m³)", "m³", "2", "30");
    check("horizontal(2 m, 5 m, [H])", "m³", "1", "7.854");
    check("sphere(2 m, [H])", "L", "1", "2094.3951");
    check("[N] * 1e3", "", "1.5", "1500");
}

#[test]
fn comparisons_and_logic_in_both_languages() {
    holds("[LIA-101] >= 80 %", "80", "1");
    holds("[LIA-101] >= 80%", "79.9", "0");
    holds("[PI-2] >= 1.6 MPa", "1600", "1");
    holds("abs([TI-1] - [TI-2]) > 5 ℃", "20 26", "1");
    holds("abs([TI-1] - 80 ℃) > 5 K", "84", "0");
    holds("[SI-1] < 100 rpm and not [XV-1]", "50 0", "1");
    holds("[SI-1] < 100 rpm 且 非[XV-1] 或 [P-101A/B]", "50 1 1", "1");
    holds("若[XV-1]则[LIA-101]≥90%否则[LIA-101]>80%", "1 85", "0");
    holds("([LIA-101] > [LIA-102]) and [1#泵]", "85 80 1", "1");
    holds("[N] = 2", "2", "1");
    holds("[N] != 2", "2", "0");
    holds("[FI-1] > 0", "1", "1");
    holds("[XV-1] != [P-101A/B]", "1 0", "1");
    holds("rate([TI-1], 1 min) > 2 ℃/min", "20", "bad");
    holds("(([XV-1]))", "1", "1");
    holds("[LIA-101] >= 80 % and true", "80", "1");
}

#[test]
fn what_is_unknown_is_never_a_no() {
    holds("[XV-1] and [P-101A/B]", "0 bad", "0");
    holds("[XV-1] and [P-101A/B]", "1 bad", "bad");
    holds("[XV-1] or [P-101A/B]", "1 bad", "1");
    holds("[XV-1] or [P-101A/B]", "0 bad", "bad");
    holds("not [XV-1]", "bad", "bad");
    holds("[XV-1] and [P-101A/B]", "0? 0", "0");
    holds("[XV-1] and [P-101A/B]", "1? 1", "1?");
    holds("[XV-1] or [P-101A/B]", "0? 0", "0?");
    check("if [XV-1] then 1 else 2", "", "bad", "bad");
    check("if [XV-1] then [N] else 2", "", "0 bad", "2");
    check("[N] / 0", "", "1", "bad");
    check("[N] * 1e300 * 1e300", "", "1", "bad");
    check("avg([GT-1], [GT-2])", "ppm", "1 bad", "bad");
    check("min([GT-1], [GT-2])", "ppm", "1 2?", "1?");
    check("sphere(2 m, [H])", "m³", "3", "4.1888?");
    check("sphere([H], 1 m)", "m³", "-3", "bad");
}

#[test]
fn a_vote_degrades_to_the_safe_side() {
    let vote = |values, want| holds("vote(2, [GT-1] >= 50 ppm, [GT-2] >= 50 ppm, [GT-3] >= 50 ppm)", values, want);
    vote("60 60 0", "1");
    vote("60 0 0", "0");
    // One bad: 1oo2 is left. It raises, and says that it is not sure.
    vote("60 0 bad", "1?");
    vote("60 60 bad", "1");
    // Nobody says yes and one cannot say: two are needed, so no is sure.
    vote("0 0 bad", "0");
    // Two bad: 1oo1. A no is no evidence of a return, for the two might say yes.
    vote("60 bad bad", "1?");
    vote("0 bad bad", "0?");
    vote("bad bad bad", "bad");
    vote("60? 60 0", "1?");
    vote("60 0? 0", "0?");
}

#[test]
fn windows_look_back() {
    let program = parse("mean([FI-1], 10 min) - 3 m3/h", Some("m³/h")).unwrap();
    let mut memory = program.memory();
    let mut last = Sample::BAD;
    for minute in 0..=10 {
        last = program.run(&[Sample::new(10.0, Quality::Good)], minute * MINUTE, &mut memory);
    }
    assert_eq!(show(last), "7");
    let rate = parse("rate([TI-1], 2 min)", Some("℃/min")).unwrap();
    let mut memory = rate.memory();
    for second in 0..=120 {
        last = rate.run(&[Sample::new(second as f64 / 20.0, Quality::Good)], second * 1_000_000, &mut memory);
    }
    assert_eq!(show(last), "3");
    assert_eq!(show(rate.run(&[Sample::BAD], 121_000_000, &mut memory)), "bad");
    let mut resumed = rate.memory();
    resumed.resume(memory.parts());
    assert_eq!(resumed.parts(), memory.parts());
}

#[test]
fn a_slip_is_told_with_its_place_and_a_way_out() {
    let cases = [
        ("[LIA-101] >= 80", None, "13..15: `80` 没有写单位 · `80` has no unit (写成 80 % · write 80 %)"),
        (
            "LIA-101 >= 80 %",
            None,
            "0..3: 不认识 `LIA` · `LIA` is not known here (位号写在方括号里:[LIA-101] · a tag stands in brackets: [LIA-101])",
        ),
        ("[LIA-109] >= 80 %", None, "0..9: 没有位号 `LIA-109` · there is no tag `LIA-109`"),
        ("[PI-1] >= 2 mpa", None, "12..15: 没有单位 `mpa` · there is no unit `mpa` (是不是 `MPa`? · did you mean `MPa`?)"),
        ("[PI-1] >= 2 ℃", None, "0..15: 单位 ℃ 和 MPa 合不到一起 · the units ℃ and MPa do not go together"),
        ("[GT-1] > [GC-1]", None, "0..15: 单位 %LEL 和 ppm 合不到一起 · the units %LEL and ppm do not go together"),
        ("[TI-1] > [TK]", None, "0..13: 单位 K 和 ℃ 合不到一起 · the units K and ℃ do not go together"),
        (
            "[TI-1] + [TI-2]",
            Some("℃"),
            "0..15: 两个温度相加没有意义 · a sum of two temperatures means nothing (平均用 avg([A], [B]) · a mean is avg([A], [B]))",
        ),
        (
            "[TI-1] * 2",
            Some("℃"),
            "0..6: 温度不能乘除,只有温差可以 · a temperature cannot be multiplied, only a difference of two can (先减去一个温度:([TI] - 20 ℃) · subtract one first: ([TI] - 20 ℃))",
        ),
        (
            "[LIA-101]",
            None,
            "0..9: 这里要一个判断(是或否) · this must be a statement that is true or false (例如和一个限值比较:… >= 80 % · such as a comparison with a limit: … >= 80 %)",
        ),
        (
            "[XV-1]",
            Some("m"),
            "0..6: 这里要一个数,而不是判断 · this must be a number, not a statement (if … then 1 else 0 · if … then 1 else 0)",
        ),
        ("1 m < [H] < 2 m", None, "10..11: 比较不能连写 · comparisons cannot be chained (写成 … > 1 且 … < 2 · write … > 1 and … < 2)"),
        ("[H", None, "0..2: 方括号没有关上 · the bracket is not closed (补上 ] · add ])"),
        ("[H] > ", None, "6..6: 这里缺一个值 · a value is missing here"),
        ("([H] > 1 m", None, "10..10: 这里缺 右括号 ) · `)` is missing here"),
        (
            "[H] > 1 m [H]",
            None,
            "10..13: 这里应该结束 · the expression should end here (两个值之间缺运算符? · is an operator missing between two values?)",
        ),
        ("", None, "0..0: 这里缺一个值 · a value is missing here"),
        ("[H] > 1.2.3 m", None, "6..11: `1.2.3` 不是一个数 · `1.2.3` is no number"),
        ("[H] > 1 m; [XV-1]", None, "9..10: 这里不能写 `;` · `;` has no meaning here"),
        (
            "pow([H], 2)",
            Some("m"),
            "0..3: 不认识 `pow` · `pow` is not known here (函数有:vote, min, max, abs, avg, sum, mean, rate, cylinder, horizontal, sphere, table · the functions are: vote, min, max, abs, avg, sum, mean, rate, cylinder, horizontal, sphere, table)",
        ),
        (
            "mean([H], 2 d)",
            Some("m"),
            "10..13: 窗口是写明的时长,1 秒到 24 小时 · a window is a written length of time, 1 s to 24 h (例如 10 min · such as 10 min)",
        ),
        (
            "mean([H], [N])",
            Some("m"),
            "10..13: 窗口是写明的时长,1 秒到 24 小时 · a window is a written length of time, 1 s to 24 h (例如 10 min · such as 10 min)",
        ),
        (
            "cylinder(10 m, [LIA-101])",
            Some("m³"),
            "15..24: 这里要长度,而不是 `%` · a length is needed here, not `%` (百分比乘上量程高度:[LIA-101] * 12 m · a percentage times its height: [LIA-101] * 12 m)",
        ),
        ("table([H], 1 m, 0 m³, 1 m, 5 m³)", Some("m³"), "23..26: 容积表的液位要从小到大 · the levels of a table ascend"),
        ("if [XV-1] then 1", Some(""), "16..16: 这里缺 else(否则) · `else` is missing here"),
    ];
    for (text, unit, want) in cases {
        let fault = parse(text, unit).expect_err(text);
        assert_eq!(fault.to_string(), want, "`{text}`");
    }
    assert!(parse("vote(4, [XV-1], [1#泵])", None).unwrap_err().to_string().contains("between 1 and 2"));
    assert!(parse("vote([XV-1], [1#泵])", None).is_err());
    assert!(parse("abs([H], [H])", Some("m")).is_err());
}

#[test]
fn what_a_text_costs_is_bounded() {
    let deep = format!("{}[N]{}", "(".repeat(40), ")".repeat(40));
    assert!(parse(&deep, Some("")).unwrap_err().en.contains("nested"));
    assert!(parse(&format!("{}[XV-1]", "not ".repeat(500)), None).unwrap_err().en.contains("nested"));
    assert!(parse(&format!("{}[N]", "- ".repeat(500)), Some("")).unwrap_err().en.contains("nested"));
    assert!(parse(&format!("1{}", "+1".repeat(300)), Some("")).unwrap_err().en.contains("steps"));
    assert!(parse(&"[N]".repeat(2_000), Some("")).unwrap_err().en.contains("bytes"));
    let windows = ["mean([N], 1 min)"; 5].join(" + ");
    assert!(parse(&windows, Some("")).unwrap_err().en.contains("windows"));
    let tags = (0..40).map(|at| format!("[T{at}]")).collect::<Vec<_>>().join(" + ");
    let any = |_: &str| Some(Input::Number(String::new()));
    assert!(Program::parse(&tags, &Wanted::Number(String::new()), &any).unwrap_err().en.contains("tags"));
}
