//! 中文 or English, by `--lang` or `LANG`.

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
