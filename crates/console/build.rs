//! Builds the pages and writes the table of files that `pages.rs` embeds.
//!
//! The sources are copied to the output folder first, so the tree stays as it is checked out. Without npm, or where its
//! packages cannot be fetched, one plain page is embedded that says what to install: the API and the engine work without
//! pages. Pages that do not compile fail the build. `WATCHFIRE_SKIP_WEB=1` skips all this.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// What the pages are made from; everything else in `web/` is not looked at.
const SOURCES: [&str; 9] =
    ["src", "public", "index.html", "package.json", "package-lock.json", "vite.config.ts", "svelte.config.js", "tsconfig.json", "messages"];

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let web = here.join("web");
    println!("cargo::rerun-if-env-changed=WATCHFIRE_SKIP_WEB");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/plain.html");
    if web.join("package.json").is_file() {
        for source in SOURCES.iter().filter(|source| web.join(source).exists()) {
            println!("cargo::rerun-if-changed=web/{source}");
        }
    } else {
        // So that it is noticed once it is there.
        println!("cargo::rerun-if-changed=.");
    }
    let skip = env::var_os("WATCHFIRE_SKIP_WEB").is_some_and(|value| value == "1");
    let built = if skip { None } else { build(&web, &out)? };
    table(&here, &out, built.as_deref())
}

/// Builds the pages; none where that is not possible here.
fn build(web: &Path, out: &Path) -> io::Result<Option<PathBuf>> {
    if !web.join("package.json").is_file() {
        println!("cargo::warning=no web/ sources: the pages are not in this build");
        return Ok(None);
    }
    if Command::new("npm").arg("--version").output().map_or(true, |ran| !ran.status.success()) {
        println!("cargo::warning=npm is not installed: the pages are not in this build (install Node.js and npm, then build again)");
        return Ok(None);
    }
    let work = out.join("web-sources");
    fs::create_dir_all(&work)?;
    for source in SOURCES {
        let (from, to) = (web.join(source), work.join(source));
        if to.is_dir() {
            fs::remove_dir_all(&to)?;
        }
        if from.exists() {
            copy(&from, &to)?;
        }
    }
    let lock = fs::read(work.join("package-lock.json")).unwrap_or_default();
    let installed = work.join("node_modules/.installed-lock");
    if fs::read(&installed).ok().as_ref() != Some(&lock) {
        let ran = Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&work).output()?;
        if !ran.status.success() {
            println!("cargo::warning=npm ci failed, the pages are not in this build: {}", last_line(&ran.stderr));
            return Ok(None);
        }
        fs::write(&installed, &lock)?;
    }
    let made = out.join("web");
    if made.exists() {
        fs::remove_dir_all(&made)?;
    }
    let ran = Command::new("npm").args(["run", "build", "--", "--emptyOutDir", "--outDir"]).arg(&made).current_dir(&work).output()?;
    if !ran.status.success() {
        eprintln!("{}\n{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        return Err(io::Error::other("the pages do not compile (npm run build); WATCHFIRE_SKIP_WEB=1 builds without them"));
    }
    Ok(Some(made))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(|_| ());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn last_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no reason given").to_owned()
}

/// Writes `assets.rs`.
fn table(here: &Path, out: &Path, built: Option<&Path>) -> io::Result<()> {
    let mut files = Vec::new();
    match built {
        Some(folder) => list(folder, folder, &mut files)?,
        None => files.push(("index.html".to_owned(), here.join("src/plain.html"))),
    }
    files.sort();
    let mut text = format!("const BUILT: bool = {};\nstatic ASSETS: &[Asset] = &[\n", built.is_some());
    for (path, file) in &files {
        let _ = writeln!(text, "    Asset {{ path: {path:?}, kind: {:?}, bytes: include_bytes!({file:?}) }},", kind(path));
    }
    text.push_str("];\n");
    fs::write(out.join("assets.rs"), text)
}

fn list(root: &Path, folder: &Path, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(root, &path, files)?;
        } else if let Ok(name) = path.strip_prefix(root) {
            files.push((name.to_string_lossy().replace('\\', "/"), path.clone()));
        }
    }
    Ok(())
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "wav" => "audio/wav",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
