//! A small plant in memory, and ways to break it.

use watchfire_config::{Faults, Files, Loaded, Options, load_files};

/// The files of a small plant without a fault.
pub(crate) const PLANT: [(&str, &str); 6] = [
    ("server.toml", include_str!("acme/server.toml")),
    ("jurisdiction.toml", include_str!("acme/jurisdiction.toml")),
    ("people.toml", include_str!("acme/people.toml")),
    ("policies.toml", include_str!("acme/policies.toml")),
    ("gateways.toml", include_str!("acme/gateways.toml")),
    ("enterprises/acme.csv", include_str!("acme/acme.csv")),
];

/// Loads files on 1 January 2026 with an environment that holds one key.
pub(crate) fn load(files: Vec<(String, Vec<u8>)>) -> Result<Loaded, Faults> {
    let environment = |name: &str| (name == "SMS_KEY").then(|| "s3cret".to_owned());
    load_files(&Files::from_memory(files), &Options { today: Some((2026, 1, 1)), environment: &environment })
}

/// The plant with `from` replaced by `to` in one file, or that file added.
pub(crate) fn changed(file: &str, from: &str, to: &str) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = PLANT.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    match files.iter_mut().find(|(name, _)| name == file) {
        Some((_, bytes)) => {
            let text = String::from_utf8(bytes.clone()).expect("the plant is UTF-8");
            assert!(text.contains(from), "`{from}` does not stand in {file}");
            *bytes = text.replacen(from, to, 1).into_bytes();
        }
        None => files.push((file.to_owned(), to.as_bytes().to_vec())),
    }
    files
}

/// The plant with another setpoint list, under a name such as `acme.xlsx`.
pub(crate) fn with_list(name: &str, bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut files = changed("server.toml", "", "");
    files.retain(|(name, _)| !name.starts_with("enterprises/"));
    files.push((format!("enterprises/{name}"), bytes.to_vec()));
    files
}

/// The plant with files added or replaced.
pub(crate) fn with_files(new: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    let mut files = changed("server.toml", "", "");
    for (name, text) in new {
        files.retain(|(other, _)| other != name);
        files.push(((*name).to_owned(), text.as_bytes().to_vec()));
    }
    files
}
