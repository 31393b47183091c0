//! 中文 or English, by `--lang` or `LANG`, and tables that fit where they are shown.

use comfy_table::{ContentArrangement, Table, presets};
use std::io::IsTerminal;
use std::sync::OnceLock;

static LANG: OnceLock<config::Lang> = OnceLock::new();

/// Sets the language once, from `--lang` where given, else from the environment.
pub fn choose(given: Option<&str>) {
    let text = given
        .map(str::to_owned)
        .or_else(|| {
            ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        })
        .unwrap_or_default();
    let lang = if text.starts_with("zh") { config::Lang::Zh } else { config::Lang::En };
    // A second call changes nothing: one run speaks one language.
    let _ = LANG.set(lang);
}

/// The language of this run.
pub fn lang() -> config::Lang {
    *LANG.get_or_init(|| config::Lang::En)
}

/// One of two texts.
pub fn say<'a>(zh: &'a str, en: &'a str) -> &'a str {
    match lang() {
        config::Lang::Zh => zh,
        config::Lang::En => en,
    }
}

/// Whether colour goes to a stream: only to a terminal, and not where `NO_COLOR` asks for none.
pub fn is_colored(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The table in columns as wide as they must be, wherever it is shown.
pub fn unwrapped(mut table: Table) -> Table {
    table.set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// A table that wraps its cells to the width of the terminal, or to `COLUMNS` where that is set; in a pipe it is as wide as it must be.
pub fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(header);
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    if let Some(columns) = columns {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns);
    } else if std::io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table
}
