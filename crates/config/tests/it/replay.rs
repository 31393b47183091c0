//! Mapping files for `watchfire publish`.

use watchfire_config::{ColumnRef, Files, Format, Lang, Replay, read_replay};

const MAPPING: &str = "enterprise = \"acme\"\nformat = \"csv\"\ndelimiter = \";\"\nheader = true\nstart = \"2025-01-06T08:00:00+08:00\"\n\
                       interval = \"1s\"\n\n[[column]]\nhead = \"P1\"\ntag = \"PIA-101\"\nscale = 0.001\n\n[[column]]\ncolumn = 3\ntag = \"LIA-101\"\n";

fn read(text: &str) -> Result<Replay, String> {
    read_replay(&Files::from_memory([("replay.toml", text.as_bytes())])).map_err(|faults| faults.render(Lang::En, false))
}

#[test]
fn columns_are_named_by_head_or_number_and_scaled() {
    let replay = read(MAPPING).expect("it is right");
    assert_eq!(replay.format, Format::Csv { delimiter: b';', header: true });
    assert_eq!(replay.start, model::Timestamp::from_secs(1_736_121_600));
    assert_eq!(replay.columns[0].column, ColumnRef::Name("P1".to_owned()));
    assert_eq!((replay.columns[0].scale, replay.columns[1].scale), (0.001, 1.0));
    assert_eq!(replay.columns[1].column, ColumnRef::Number(3));
}

#[test]
fn a_head_needs_a_file_with_heads_and_a_time_needs_its_offset() {
    let wrong = read(&MAPPING.replace("header = true", "header = false").replace("+08:00", "")).expect_err("two things are wrong");
    assert_eq!(
        wrong,
        "error[time]: replay.toml:5:9: not a time with its offset from UTC\n  |\n5 | start = \"2025-01-06T08:00:00\"\n  \
         |         ^^^^^^^^^^^^^^^^^^^^^\n  |\n  = help: such as \"2025-01-06T08:00:00+08:00\"\n\
         error[no-heads]: replay.toml:9:8: the file has no heads\n  |\n9 | head = \"P1\"\n  |        ^^^^\n  |\n  \
         = help: use `column` with a number, or `header = true`\n"
    );
}

#[test]
fn a_tag_or_a_column_twice_is_refused() {
    let wrong = read(&MAPPING.replace("LIA-101", "PIA-101")).expect_err("one tag twice");
    assert!(wrong.starts_with("error[duplicate-tag]: replay.toml:15:7:"), "{wrong}");
}
