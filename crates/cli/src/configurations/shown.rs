//! A difference as the pages, the terminal and the journal show it.

use config::{Difference, Direction, Fault, Lang, Line};
use console::{ConfigChangeJson, FaultJson, PlanJson, PlanLineJson, VersionJson};
use serde::{Deserialize, Serialize};

/// The lines for a page, 放宽 first, at most so many; and how many were left off.
pub fn lines(difference: &Difference, most: usize) -> (Vec<PlanLineJson>, usize) {
    listed(&difference.lines, most)
}

fn listed(lines: &[Line], most: usize) -> (Vec<PlanLineJson>, usize) {
    let mut lines: Vec<&Line> = lines.iter().collect();
    let place = |direction| match direction {
        Direction::Looser | Direction::Unclear => 0,
        Direction::Tighter => 1,
        Direction::Neutral => 2,
    };
    lines.sort_by_key(|line| (!line.needs_ticket(), place(line.direction)));
    let left_off = lines.len().saturating_sub(most);
    (lines.into_iter().take(most).map(line).collect(), left_off)
}

fn line(line: &Line) -> PlanLineJson {
    PlanLineJson {
        enterprise: line.enterprise.as_ref().map(ToString::to_string),
        tag: line.tag.as_ref().map(|tag| tag.tag.to_string()),
        condition: line.condition.map(|condition| condition.name().to_owned()),
        condition_zh: line.condition.map(|condition| condition.name_zh().to_owned()),
        of: line.of.clone(),
        item: line.item.name().to_owned(),
        item_zh: line.item.name_zh().to_owned(),
        old_zh: line.old.zh(),
        new_zh: line.new.zh(),
        old_en: line.old.en(),
        new_en: line.new.en(),
        unit: line.unit.clone(),
        direction: line.direction.name().to_owned(),
        level: line.level.map(|level| level.name().to_owned()),
        needs_ticket: line.needs_ticket(),
    }
}

/// A fault with its place.
pub fn fault(fault: &Fault) -> FaultJson {
    let words = |lang| {
        let suggestion = fault.suggestion.as_ref().map(|text| format!(" → {}", text.get(lang))).unwrap_or_default();
        format!("{}{suggestion}", fault.text.get(lang))
    };
    FaultJson {
        place: format!("{}:{}:{}", fault.file.display(), fault.line, fault.column),
        text_zh: words(Lang::Zh),
        text_en: words(Lang::En),
    }
}

/// What the journal keeps of a change: who, why, and what. The files themselves are kept by their content hash.
pub fn journaled(version: &VersionJson, plan: &PlanJson, difference: &Difference, most: usize) -> Vec<u8> {
    #[derive(Serialize)]
    struct Applied<'a> {
        event: &'static str,
        version: &'a str,
        before: &'a str,
        rules: &'a str,
        rules_before: String,
        author: &'a str,
        ticket: &'a str,
        reason: &'a str,
        second: Option<&'a str>,
        lines: &'a [Line],
        lines_left_off: usize,
        at_next_start: &'a [FaultJson],
    }
    let shown = difference.lines.len().min(most);
    let applied = Applied {
        event: "applied",
        version: &version.version,
        before: &plan.from,
        rules: &version.rules,
        rules_before: difference.from.to_string(),
        author: &version.author,
        ticket: &version.ticket,
        reason: &version.reason,
        second: version.second.as_deref(),
        lines: &difference.lines[..shown],
        lines_left_off: difference.lines.len() - shown,
        at_next_start: &plan.at_next_start,
    };
    serde_json::to_vec(&applied).expect("plain data with text keys always has a JSON form")
}

/// What the journal's entry of a change says of it: which of its lines `sees` lets through. The rest of it is in the list of versions.
pub fn of_journal(bytes: &[u8], sees: impl Fn(&Line) -> bool) -> serde_json::Result<ConfigChangeJson> {
    #[derive(Deserialize)]
    struct Entry {
        event: String,
        before: Option<String>,
        #[serde(default)]
        lines: Vec<Line>,
        #[serde(default)]
        lines_left_off: usize,
    }
    let Entry { event, before, mut lines, lines_left_off } = serde_json::from_slice(bytes)?;
    lines.retain(sees);
    let (lines, _) = listed(&lines, lines.len());
    Ok(ConfigChangeJson { version: VersionJson::default(), before, event: Some(event), lines, lines_left_off })
}

/// What the journal keeps of a configuration that a start took, and why where nobody had agreed to it.
pub fn journaled_start(version: &VersionJson, before: &str, is_unasked: bool) -> Vec<u8> {
    let event = if is_unasked { "taken-without-ticket" } else { "taken-at-start" };
    let reason = Some(&version.reason).filter(|reason| !reason.is_empty());
    let taken = serde_json::json!({
        "event": event, "version": version.version, "before": before, "rules": version.rules, "author": version.author, "reason": reason,
    });
    taken.to_string().into_bytes()
}
