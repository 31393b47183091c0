//! Any text at all: it is read or refused, never a crash; what is read runs in bounded time, and what it says keeps to its three values.

use proptest::prelude::*;
use watchfire_expr::{Input, NODES_MAX, Program, Quality, Sample, Wanted};

fn known(name: &str) -> Option<Input> {
    match name {
        "X" => Some(Input::Switch),
        "A" | "B" => Some(Input::Number("%".to_owned())),
        "T" => Some(Input::Number("℃".to_owned())),
        "N" => Some(Input::Number(String::new())),
        _ => None,
    }
}

fn any_sample() -> impl Strategy<Value = Sample> {
    (prop_oneof![any::<f64>(), Just(0.0), Just(1.0), Just(80.0)], 0..3_u8)
        .prop_map(|(value, quality)| Sample { value, quality: [Quality::Bad, Quality::Uncertain, Quality::Good][usize::from(quality)] })
}

/// Words that stand near one another in real texts, in any order.
fn any_words() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "[X]",
        "[A]",
        "[B]",
        "[T]",
        "[N]",
        "[?]",
        "1",
        "80 %",
        "5 ℃",
        "0",
        "1e308",
        "3 min",
        "2 m",
        "+",
        "-",
        "*",
        "/",
        "(",
        ")",
        ",",
        ">=",
        "<",
        "=",
        "!=",
        "and",
        "or",
        "not",
        "且",
        "或",
        "非",
        "if",
        "then",
        "else",
        "vote(2,",
        "min(",
        "max(",
        "abs(",
        "avg(",
        "sum(",
        "mean(",
        "rate(",
        "cylinder(",
        "sphere(",
        "horizontal(",
        "table(",
        "true",
        "[",
        "]",
        "%",
        "。",
        "\u{ff08}",
        "\u{ff09}",
    ]);
    prop::collection::vec(words, 0..40).prop_map(|words| words.join(" "))
}

/// Texts that are right by their making.
fn truth() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("[X]".to_owned()),
        Just("true".to_owned()),
        (0..100).prop_map(|limit| format!("[A] >= {limit} %")),
        (0..100).prop_map(|limit| format!("abs([A] - [B]) < {limit} %")),
        (1..50).prop_map(|limit| format!("rate([T], 1 min) > {limit} ℃/min")),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} and {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} 或 {b})")),
            inner.clone().prop_map(|a| format!("not ({a})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(c, a, b)| format!("(if {c} then {a} else {b})")),
            (1..3_u8, inner.clone(), inner.clone(), inner).prop_map(|(k, a, b, c)| format!("vote({k}, {a}, {b}, {c})")),
        ]
    })
}

fn run(program: &Program, values: &[Sample]) -> Sample {
    let mut memory = program.memory();
    let mut last = Sample::BAD;
    for (second, chunk) in values.chunks(program.inputs().len().max(1)).enumerate() {
        last = program.run(chunk, second as i64 * 20_000_000, &mut memory);
        assert!(last.value.is_finite() == (last.quality != Quality::Bad));
    }
    last
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(text in "\\PC{0,80}", values in prop::collection::vec(any_sample(), 1..16)) {
        for wanted in [Wanted::Truth, Wanted::Number("%".to_owned())] {
            match Program::parse(&text, &wanted, &known) {
                Ok(program) => { run(&program, &values); }
                Err(fault) => prop_assert!(text.get(fault.at.clone()).is_some(), "the place is in the text: {:?}", fault),
            }
        }
    }

    #[test]
    fn any_words_are_read_or_refused(text in any_words(), values in prop::collection::vec(any_sample(), 1..16)) {
        for wanted in [Wanted::Truth, Wanted::Number(String::new())] {
            match Program::parse(&text, &wanted, &known) {
                Ok(program) => { run(&program, &values); }
                Err(fault) => prop_assert!(text.get(fault.at.clone()).is_some(), "the place is in the text: {:?}", fault),
            }
        }
    }

    /// What is said with one input unknown is what would be said whatever that input were: unknown is no value of its own.
    #[test]
    fn a_good_answer_does_not_hang_on_what_is_unknown(text in truth(), x in any::<bool>(), a in 0.0..100.0_f64, b in 0.0..100.0_f64, lost in 0..3_usize) {
        let program = match Program::parse(&text, &Wanted::Truth, &known) {
            Ok(program) => program,
            Err(fault) => { prop_assert!(fault.en.contains("windows") || fault.en.contains("steps"), "{}", fault); return Ok(()); }
        };
        prop_assume!(text.len() < 4_000 && NODES_MAX > 0);
        let value = |name: &str| match name { "X" => f64::from(u8::from(x)), "A" => a, "B" => b, _ => 20.0 };
        let lost = ["X", "A", "B"][lost];
        let with = |other: Option<f64>| {
            let inputs: Vec<Sample> = program.inputs().iter().map(|name| match other {
                _ if name == "T" => Sample::BAD,
                None if name == lost => Sample::BAD,
                Some(other) if name == lost => Sample::new(other, Quality::Good),
                _ => Sample::new(value(name), Quality::Good),
            }).collect();
            program.run(&inputs, 0, &mut program.memory())
        };
        let unknown = with(None);
        if unknown.quality == Quality::Good {
            for other in [0.0, 1.0, 40.0, 100.0] {
                let said = with(Some(other));
                prop_assert!(said.quality == Quality::Good && said.value == unknown.value, "`{}`: {:?} with {} lost, {:?} with {}", text, unknown, lost, said, other);
            }
        }
    }
}

#[path = "../../../fuzz/src/expression.rs"]
mod expression;

#[test]
fn the_corpus_of_the_fuzz_target_is_read_or_refused() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/expression");
    let files: Vec<_> = std::fs::read_dir(corpus).expect("it is committed").flatten().collect();
    assert!(files.len() > 30);
    for file in files {
        expression::check(&std::fs::read(file.path()).expect("it can be read"));
    }
}

proptest! {
    #[test]
    fn what_the_fuzz_target_checks_holds_for_any_words(text in any_words()) {
        expression::check(text.as_bytes());
    }
}
