//! Any text as an expression: it is read or refused in bounded time, and what it says keeps to three values.

use watchfire_expr::{Input, NODES_MAX, Program, Quality, Sample, Wanted};

fn known(name: &str) -> Option<Input> {
    let unit = match name {
        "A" | "B" => "%",
        "T" => "℃",
        "P" => "MPa",
        "G" => "ppm",
        "N" => "",
        "X" | "1#泵" => return Some(Input::Switch),
        _ => return None,
    };
    Some(Input::Number(unit.to_owned()))
}

const WANTED: [&str; 4] = ["%", "m³", "℃", ""];
const VALUES: [f64; 6] = [0.0, 1.0, 80.0, -1e308, 1e308, f64::NAN];

/// Reads a text as a statement and as numbers, and runs what was read.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let wanted = WANTED.iter().map(|unit| Wanted::Number((*unit).to_owned())).chain([Wanted::Truth]);
    for wanted in wanted {
        match Program::parse(text, &wanted, &known) {
            Ok(program) => run(&program, wanted == Wanted::Truth),
            Err(fault) => {
                assert!(text.get(fault.at.clone()).is_some(), "its place is in the text: {fault:?}");
                assert!(!fault.zh.is_empty() && !fault.en.is_empty());
            }
        }
    }
}

fn run(program: &Program, is_truth: bool) {
    assert!(program.inputs().len() <= NODES_MAX);
    let mut memory = program.memory();
    for (turn, value) in VALUES.into_iter().enumerate() {
        for quality in [Quality::Good, Quality::Uncertain, Quality::Bad] {
            let inputs: Vec<Sample> = program.inputs().iter().map(|_| Sample { value, quality }).collect();
            let said = program.run(&inputs, turn as i64 * 60_000_000, &mut memory);
            assert_eq!(said.value.is_finite(), said.quality != Quality::Bad, "{said:?}");
            assert!(!is_truth || said.quality == Quality::Bad || said.value == 0.0 || said.value == 1.0, "{said:?}");
        }
    }
    // What is stored goes on from there.
    let mut resumed = program.memory();
    resumed.resume(memory.parts());
    let inputs: Vec<Sample> = program.inputs().iter().map(|_| Sample { value: 1.0, quality: Quality::Good }).collect();
    assert_eq!(program.run(&inputs, 400_000_000, &mut memory), program.run(&inputs, 400_000_000, &mut resumed));
}
