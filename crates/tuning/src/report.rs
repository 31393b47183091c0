//! A comparison as one self-contained HTML page: no script, no file beside it, everything that came from a file escaped.

use crate::backtest::{Comparison, Difference, RunResult, Tally, later};
use crate::kpi::{Episode, Figures};
use config::Lang;
use model::plant::{Plant, Tag};
use model::{Condition, Duration, Level, TagId, Timestamp};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Points of a drawn value, across the whole span.
pub const POINTS: usize = 600;
/// Differences listed at most; more are only counted.
const DIFFERENCES_MAX: usize = 500;
/// Tags drawn at most, those that differ most first.
const PICTURES_MAX: usize = 40;
const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 220.0;
const BAR: f64 = 12.0;
/// Room for the names of limits beside a picture.
const BESIDE: f64 = 150.0;
/// Room for the times below it.
const BELOW: f64 = 20.0;
/// Between two labels.
const LINE: f64 = 15.0;
/// Marks on an axis, at most.
const MARKS_MAX: i64 = 8;

/// Lowest and highest value per stretch of the span, for drawing.
#[derive(Clone, Debug)]
pub struct Trace {
    from: Timestamp,
    to: Timestamp,
    points: Vec<Option<(f64, f64)>>,
}

impl Trace {
    /// Of a span.
    pub fn new(from: Timestamp, to: Timestamp) -> Self {
        Self { from, to, points: vec![None; POINTS] }
    }
    /// Adds a value; one that cannot be read is a hole.
    pub fn add(&mut self, at: Timestamp, value: f64) {
        let length = self.to.since(self.from).0.max(1) as f64;
        let place = (at.since(self.from).0 as f64 / length * POINTS as f64) as usize;
        if value.is_finite() && at >= self.from {
            let point = &mut self.points[place.min(POINTS - 1)];
            let (low, high) = point.unwrap_or((value, value));
            *point = Some((low.min(value), high.max(value)));
        }
    }
    fn range(&self) -> Option<(f64, f64)> {
        self.points.iter().flatten().copied().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }
}

/// What the page is about.
pub struct Subject<'s> {
    /// What is compared with.
    pub before: (&'s str, &'s Plant),
    /// What is tried.
    pub after: (&'s str, &'s Plant),
    /// Values to draw.
    pub traces: &'s BTreeMap<TagId, Trace>,
    /// What had to be left out, in the reader's language, a line each.
    pub notes: &'s [String],
}

/// Writes the page.
pub fn html(comparison: &Comparison, subject: &Subject<'_>, lang: Lang) -> String {
    let say = |zh: &'static str, en: &'static str| match lang {
        Lang::Zh => zh,
        Lang::En => en,
    };
    let mut page = String::new();
    let language = say("zh", "en");
    let title = say("限值回测", "Backtest of limits");
    let _ = write!(
        page,
        "<!doctype html><html lang=\"{language}\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title><style>{STYLE}</style><h1>{title}</h1>"
    );
    let at = |time: Timestamp| civil(time, subject.after.1);
    let _ = write!(
        page,
        "<p>{}: <b>{}</b> {}<br>{}: <b>{}</b> {}<br>{} – {}</p>",
        say("原来", "before"),
        escape(subject.before.0),
        escape(subject.before.1.version.as_str()),
        say("试算", "tried"),
        escape(subject.after.0),
        escape(subject.after.1.version.as_str()),
        at(comparison.from),
        at(comparison.to)
    );
    for note in subject.notes {
        let _ = write!(page, "<p class=\"note\">{}</p>", escape(note));
    }
    figures_table(&mut page, &comparison.figures, lang);
    people_table(&mut page, comparison, subject.after.1, lang);
    differences_table(&mut page, comparison, &at, lang);
    pictures(&mut page, comparison, subject, lang);
    page
}

fn figures_table(page: &mut String, (before, after): &(Figures, Figures), lang: Lang) {
    let rows = figure_rows(before, lang).into_iter().zip(figure_rows(after, lang));
    let _ =
        write!(page, "<h2>ISA-18.2 / EEMUA 191</h2><table><tr><th><th>{}<th>{}", word(lang, "原来", "before"), word(lang, "试算", "tried"));
    for ((name, before), (_, after)) in rows {
        let _ = write!(page, "<tr><td>{name}<td>{}<td>{}", escape(&before), escape(&after));
    }
    page.push_str("</table>");
}

fn word(lang: Lang, zh: &'static str, en: &'static str) -> &'static str {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

/// The figures by name, for every table that shows them.
pub fn figure_rows(figures: &Figures, lang: Lang) -> Vec<(&'static str, String)> {
    let percent = |share: f64| format!("{:.2} %", share * 100.0);
    let top: Vec<_> = figures.top_tags.iter().take(3).map(|(tag, count)| format!("{tag} {count}")).collect();
    let levels: Vec<_> = Level::ALL
        .iter()
        .rev()
        .map(|level| format!("{} {}", word(lang, level.name_zh(), level.name()), figures.by_level[level.at()]))
        .collect();
    vec![
        (word(lang, "告知的报警(并入的不计)", "annunciations (folded ones not)"), figures.alarms.to_string()),
        (word(lang, "每岗位每 10 min", "per position and 10 min"), format!("{:.3}", figures.per_stretch)),
        (word(lang, "10 min 内最多", "most in 10 min"), figures.most_in_stretch.to_string()),
        (word(lang, "超过 10 条的时段", "stretches with more than 10"), percent(figures.peak_share)),
        (word(lang, "报警泛滥时段", "time in flood"), percent(figures.flood_share)),
        (word(lang, "前十位号占比", "share of the top ten"), percent(figures.top_share)),
        (word(lang, "最多的位号", "worst tags"), top.join(", ")),
        (word(lang, "抖动", "chattering"), figures.chattering.to_string()),
        (word(lang, "一闪而过", "fleeting"), figures.fleeting.to_string()),
        (word(lang, "超过 24 h 的陈旧报警", "stale (over 24 h)"), figures.stale.to_string()),
        (word(lang, "按等级", "by level"), levels.join(", ")),
    ]
}

fn people_table(page: &mut String, comparison: &Comparison, plant: &Plant, lang: Lang) {
    let _ = write!(
        page,
        "<h2>{}</h2><table><tr><th rowspan=2><th colspan=2>{}<th colspan=2>{}<tr><th>{}<th>{}<th>{}<th>{}",
        word(lang, "谁会收到多少", "what people would have got"),
        word(lang, "按企业的中位时间签收", "signed in the enterprise's median time"),
        word(lang, "无人签收", "nobody answers"),
        word(lang, "原来", "before"),
        word(lang, "试算", "tried"),
        word(lang, "原来", "before"),
        word(lang, "试算", "tried")
    );
    let runs = [&comparison.answered.0, &comparison.answered.1, &comparison.unanswered.0, &comparison.unanswered.1];
    let mut people: Vec<_> = runs.iter().flat_map(|run| run.people.keys()).collect();
    people.sort();
    people.dedup();
    for id in people {
        let name = plant.person(id).map_or(id.as_str(), |person| person.name.as_str());
        let _ = write!(page, "<tr><td>{}", escape(name));
        for run in runs {
            let burden = run.people.get(id).copied().unwrap_or_default();
            let _ = write!(page, "<td>{} / {}", burden.messages, burden.calls);
        }
    }
    let county = |run: &RunResult| run.county;
    let _ = write!(page, "<tr><td>{}", word(lang, "上报县局", "announcements that reach the county"));
    for run in runs {
        let _ = write!(page, "<td>{}", county(run));
    }
    let _ = write!(page, "</table><p class=\"note\">{}</p>", word(lang, "消息数 / 其中语音电话", "messages / of them voice calls"));
}

fn differences_table(page: &mut String, comparison: &Comparison, at: &dyn Fn(Timestamp) -> String, lang: Lang) {
    let count = comparison.differences.len();
    let _ = write!(page, "<h2>{} ({count})</h2>", word(lang, "不同的报警", "alarms that differ"));
    if count == 0 {
        let _ = write!(page, "<p class=\"note\">{}</p>", word(lang, "没有", "none"));
        return;
    }
    let _ = write!(page, "<p>{}</p>", tally_words(&Tally::of(&comparison.differences), lang));
    let heads = [word(lang, "起报", "raised"), word(lang, "位号", "tag"), word(lang, "报警", "alarm"), word(lang, "试算后", "when tried")];
    let _ = write!(page, "<table><tr><th>{}", heads.join("<th>"));
    for difference in comparison.differences.iter().take(DIFFERENCES_MAX) {
        let alarm = difference.alarm();
        let condition = word(lang, alarm.condition.name_zh(), alarm.condition.name());
        let (class, what) = (difference.kind(), what_differs(difference, lang));
        let when = shown_at(difference).map_or_else(String::new, at);
        let _ = write!(page, "<tr class={class}><td>{when}<td>{}<td>{condition}<td>{what}", escape(&alarm.tag.to_string()));
    }
    page.push_str("</table>");
    if count > DIFFERENCES_MAX {
        let _ = write!(page, "<p class=\"note\">+ {}</p>", count - DIFFERENCES_MAX);
    }
}

/// The time that stands beside a difference: that of the alarm as tried, where it is there.
pub fn shown_at(difference: &Difference) -> Option<Timestamp> {
    let (before, after) = difference.sides();
    after.or(before).map(|episode| episode.raised)
}

/// A difference in words.
pub fn what_differs(difference: &Difference, lang: Lang) -> String {
    match difference {
        Difference::Gained(_) => word(lang, "多出", "gained").to_owned(),
        Difference::Lost(_) => word(lang, "没有了", "lost").to_owned(),
        Difference::Moved { before, after } => moved(before, after, lang),
        Difference::NoLongerTold { .. } => word(lang, "不再告知", "no longer told").to_owned(),
        Difference::NewlyTold { .. } => word(lang, "新告知", "newly told").to_owned(),
        Difference::LevelChanged { before, after } => {
            let name = |level: Level| word(lang, level.name_zh(), level.name());
            format!("{} {} -> {}", word(lang, "等级变化", "level changed"), name(before.level), name(after.level))
        }
    }
}

/// How many alarms differ, in words.
pub fn tally_words(tally: &Tally, lang: Lang) -> String {
    let Tally { gained, lost, moved, no_longer_told, newly_told, level_changed } = tally;
    match lang {
        Lang::Zh => {
            format!("多出 {gained},没有了 {lost},时间变了 {moved},不再告知 {no_longer_told},新告知 {newly_told},等级变化 {level_changed}")
        }
        Lang::En => format!(
            "gained {gained}, lost {lost}, moved {moved}, no longer told {no_longer_told}, newly told {newly_told}, level changed {level_changed}"
        ),
    }
}

/// How an alarm moved, in minutes.
fn moved(before: &Episode, after: &Episode, lang: Lang) -> String {
    let minutes = later(before, after).as_secs_f64() / 60.0;
    let size = minutes.abs();
    match (minutes < 0.0, lang) {
        (true, Lang::Zh) => format!("早 {size:.1} min"),
        (false, Lang::Zh) => format!("晚 {size:.1} min"),
        (true, Lang::En) => format!("{size:.1} min earlier"),
        (false, Lang::En) => format!("{size:.1} min later"),
    }
}

fn pictures(page: &mut String, comparison: &Comparison, subject: &Subject<'_>, lang: Lang) {
    let mut counts: BTreeMap<&TagId, usize> = subject.traces.keys().map(|tag| (tag, 0)).collect();
    for difference in &comparison.differences {
        if let Some(count) = counts.get_mut(&difference.alarm().tag) {
            *count += 1;
        }
    }
    // First those that differ, then those whose limits do, then the rest.
    let is_changed = |id: &TagId| {
        let of = |plant: &'_ Plant| plant.tag_index(id).map(|index| plant.tag(index).conditions.clone());
        of(subject.before.1) != of(subject.after.1)
    };
    let mut tags: Vec<(&TagId, usize)> = counts.into_iter().collect();
    tags.sort_by_cached_key(|(id, count)| std::cmp::Reverse((*count, is_changed(id))));
    if !tags.is_empty() {
        let legend = word(
            lang,
            "曲线:读数;实线:试算的限值;虚线:原来的限值;下方:每条报警从起报到恢复",
            "curve: readings; solid: limits as tried; dashed: limits before; below: each alarm from raise to return",
        );
        let _ = write!(page, "<h2>{}</h2><p class=\"note\">{legend}</p>", word(lang, "曲线", "curves"));
    }
    for (id, _) in tags.into_iter().take(PICTURES_MAX) {
        if let Some(trace) = subject.traces.get(id) {
            picture(page, id, trace, comparison, subject, lang);
        }
    }
}

fn picture(page: &mut String, id: &TagId, trace: &Trace, comparison: &Comparison, subject: &Subject<'_>, lang: Lang) {
    let of = |plant: &'_ Plant| -> Option<Tag> { plant.tag_index(id).map(|index| plant.tag(index).clone()) };
    let (before, after) = (of(subject.before.1), of(subject.after.1));
    let Some((low, high)) = trace.range() else { return };
    let limits = |tag: &Option<Tag>| -> Vec<(Condition, Level, f64)> {
        let rules = tag.iter().flat_map(|tag| &tag.conditions).filter(|rule| rule.condition.is_limit());
        rules.map(|rule| (rule.condition, rule.level, rule.setpoint)).collect()
    };
    let (old, new) = (limits(&before), limits(&after));
    // A limit far from every value would press the curve flat; it is left out.
    let reach = (high - low).max(1e-9) * 3.0;
    let near = |limit: f64| limit >= low - reach && limit <= high + reach;
    let all = old.iter().chain(&new).map(|(.., limit)| *limit).filter(|limit| near(*limit));
    let (low, high) = all.fold((low, high), |(low, high), limit| (low.min(limit), high.max(limit)));
    let margin = ((high - low) * 0.05).max(1e-9);
    let (low, high) = (low - margin, high + margin);
    let y = |value: f64| HEIGHT * (high - value) / (high - low);
    let length = trace.to.since(trace.from).0.max(1) as f64;
    let x = |at: Timestamp| (at.since(trace.from).0 as f64 / length * WIDTH).clamp(0.0, WIDTH);
    let name = after.as_ref().or(before.as_ref()).map_or("", |tag| &tag.name);
    let unit = after.as_ref().or(before.as_ref()).map_or("", |tag| tag.unit.as_str());
    let bars = HEIGHT + BELOW;
    let total = bars + 2.0 * (BAR + 4.0) + 4.0;
    let _ = write!(page, "<h3>{} {}</h3>", escape(&id.to_string()), escape(name));
    let _ = write!(page, "<svg viewBox=\"0 0 {} {total}\" role=\"img\" aria-label=\"{}\">", WIDTH + BESIDE, escape(name));
    let _ = write!(page, "<rect class=\"plot\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>");
    axes(page, (low, high), &y, trace, &x, subject.after.1);
    page.push_str(&curve(trace, &y));
    let mut labels = Vec::new();
    for (set, class) in [(&old, "old"), (&new, "new")] {
        // A limit that stays is drawn once.
        let drawn = set.iter().filter(|one| near(one.2) && (class == "new" || !new.contains(one)));
        for (condition, level, limit) in drawn {
            let at = y(*limit);
            let _ = write!(page, "<line class=\"limit {class} {}\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>", level.name());
            let before = if class == "old" { word(lang, "原来 ", "before: ") } else { "" };
            let text = format!("{before}{} {limit} {unit}", word(lang, condition.name_zh(), condition.name()));
            labels.push((at + 4.0, text));
        }
    }
    spread(&mut labels);
    for (at, text) in labels {
        let _ = write!(page, "<text x=\"{}\" y=\"{at:.1}\">{}</text>", WIDTH + 4.0, escape(&text));
    }
    for (row, (result, label)) in
        [(&comparison.answered.0, word(lang, "原来", "before")), (&comparison.answered.1, word(lang, "试算", "tried"))]
            .into_iter()
            .enumerate()
    {
        let top = bars + 4.0 + row as f64 * (BAR + 4.0);
        for episode in result.episodes.iter().filter(|episode| episode.alarm.tag == *id) {
            let (from, to) = (x(episode.raised), x(episode.returned.unwrap_or(trace.to)));
            let _ = write!(
                page,
                "<rect class=\"alarm {}\" x=\"{from:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{BAR}\"><title>{} {}</title></rect>",
                episode.level.name(),
                (to - from).max(1.5),
                word(lang, episode.alarm.condition.name_zh(), episode.alarm.condition.name()),
                civil(episode.raised, subject.after.1)
            );
        }
        let _ = write!(page, "<text x=\"{}\" y=\"{}\">{label}</text>", WIDTH + 4.0, top + BAR - 2.0);
    }
    page.push_str("</svg>");
}

/// Moves labels of near limits apart, in their order from the top, and keeps all of them beside the picture.
fn spread(labels: &mut [(f64, String)]) {
    labels.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let mut least = f64::NEG_INFINITY;
    for (at, _) in labels.iter_mut() {
        *at = at.max(least);
        least = *at + LINE;
    }
    let mut most = HEIGHT + 4.0;
    for (at, _) in labels.iter_mut().rev() {
        *at = at.min(most);
        most = *at - LINE;
    }
}

/// Lines at round values and round local times, with what they stand for.
fn axes(page: &mut String, (low, high): (f64, f64), y: &dyn Fn(f64) -> f64, trace: &Trace, x: &dyn Fn(Timestamp) -> f64, plant: &Plant) {
    let step = round_step(high - low);
    let mut value = (low / step).ceil() * step;
    let decimals = usize::try_from(-step.log10().floor() as i64).unwrap_or(0);
    while value <= high && step > 0.0 {
        // A sum of steps may miss zero by a hair, and would show it as -0.
        let value_shown = if value.abs() < step / 2.0 { 0.0 } else { value };
        let at = y(value);
        let _ = write!(page, "<line class=\"grid\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>");
        let _ = write!(
            page,
            "<text class=\"mark\" x=\"4\" y=\"{:.1}\">{value_shown:.decimals$}</text>",
            if at < 14.0 { at + 12.0 } else { at - 3.0 }
        );
        value += step;
    }
    let length = trace.to.since(trace.from);
    let steps = [1, 2, 5, 10, 30, 60, 120, 180, 360, 720, 1_440, 2_880, 10_080, 43_200, 525_600].map(Duration::from_mins);
    let step = steps.into_iter().find(|step| length.0 / step.0 <= MARKS_MAX).unwrap_or(steps[steps.len() - 1]);
    let local = trace.from + plant.utc_offset;
    let mut at = local + Duration((-local.0).rem_euclid(step.0)) - plant.utc_offset;
    while at <= trace.to {
        let place = x(at);
        let _ = write!(page, "<line class=\"grid\" x1=\"{place:.1}\" x2=\"{place:.1}\" y1=\"0\" y2=\"{HEIGHT}\"/>");
        // The year stands above.
        let text = civil(at, plant);
        let short = text.split_once('-').map_or(text.as_str(), |(_, rest)| rest);
        let _ = write!(page, "<text class=\"mark\" text-anchor=\"middle\" x=\"{place:.1}\" y=\"{:.1}\">{short}</text>", HEIGHT + 14.0);
        at += step;
    }
}

/// 1, 2 or 5 times a power of ten, so that a few fit into `length`.
fn round_step(length: f64) -> f64 {
    let rough = length.max(f64::MIN_POSITIVE) / 5.0;
    let power = 10_f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|step| *step >= rough).unwrap_or(10.0 * power)
}

/// The band between lowest and highest value, broken where there is no data.
fn curve(trace: &Trace, y: &dyn Fn(f64) -> f64) -> String {
    let mut path = String::new();
    let step = WIDTH / POINTS as f64;
    let mut run: Vec<(f64, f64, f64)> = Vec::new();
    let mut draw = |run: &mut Vec<(f64, f64, f64)>| {
        let mut at = run.iter();
        if let Some((x, _, high)) = at.next() {
            let _ = write!(path, "M{x:.1} {high:.1}");
            for (x, _, high) in at {
                let _ = write!(path, "L{x:.1} {high:.1}");
            }
            for (x, low, _) in run.iter().rev() {
                let _ = write!(path, "L{x:.1} {low:.1}");
            }
            path.push('Z');
        }
        run.clear();
    };
    // Readings rarer than the stretches leave empty ones between them that are no hole.
    let filled = trace.points.iter().flatten().count().max(1);
    let hole = (4 * POINTS / filled).max(2);
    let mut empty = 0;
    for (place, point) in trace.points.iter().enumerate() {
        match point {
            Some((low, high)) => {
                if empty > hole {
                    draw(&mut run);
                }
                empty = 0;
                run.push((place as f64 * step, y(*low), y(*high)));
            }
            None => empty += 1,
        }
    }
    draw(&mut run);
    format!("<path class=\"value\" d=\"{path}\"/>")
}

/// Civil time of the plant.
pub fn civil(at: Timestamp, plant: &Plant) -> String {
    let local = at + plant.utc_offset;
    let (days, minute) = (local.0.div_euclid(86_400_000_000), local.0.rem_euclid(86_400_000_000) / 60_000_000);
    let (year, month, day) = date(days);
    format!("{year}-{month:02}-{day:02} {:02}:{:02}", minute / 60, minute % 60)
}

/// Days since 1970 to a civil date (Howard Hinnant's way).
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// Text as it may stand in HTML, attributes included.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

const STYLE: &str = "body{font:15px/1.5 system-ui,'Noto Sans CJK SC',sans-serif;max-width:1060px;margin:2em auto;padding:0 1em;color:#1c2530;\
background:#fff}h1{font-size:1.5em}h2{margin-top:1.6em;font-size:1.15em}h3{margin:1.4em 0 .3em;font-size:1em}table{border-collapse:collapse}\
td,th{border-bottom:1px solid #d5dbe2;padding:.25em .8em;vertical-align:top;text-align:left;font-variant-numeric:tabular-nums}.note{color:#5a6675}\
svg{width:100%;height:auto}text{font-size:12px;fill:#5a6675}.plot{fill:#f5f7f9}.value{fill:#37424f;stroke:#37424f;stroke-width:1}.grid{stroke:#dde3e9;stroke-width:1}text.mark{font-size:11px}\
.limit{stroke-width:1.5}.limit.old{stroke-dasharray:3 4;opacity:.7}.red{stroke:#c62828;fill:#c62828}.orange{stroke:#e07b00;fill:#e07b00}\
.yellow{stroke:#b89b00;fill:#d8b800}.blue{stroke:#3b73c8;fill:#3b73c8}.alarm{stroke:none}tr.gained td:last-child,tr.newly-told td:last-child{color:#b00020}\
tr.lost td:last-child,tr.no-longer-told td:last-child{color:#0b7a3b}tr.moved td:last-child,tr.level-changed td:last-child{color:#8a5a00}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_from_a_file_cannot_become_markup() {
        assert_eq!(escape("<script>\"1#罐\" & 'x'"), "&lt;script&gt;&quot;1#罐&quot; &amp; &#39;x&#39;");
    }

    #[test]
    fn marks_stand_at_round_values() {
        assert_eq!([7.0, 100.0, 0.9, 2_300.0].map(round_step), [2.0, 20.0, 0.2, 500.0]);
    }

    #[test]
    fn labels_of_near_limits_do_not_cover_each_other() {
        let mut labels: Vec<_> = [84.0, 80.0, 81.0, HEIGHT + 4.0, HEIGHT].map(|at| (at, String::new())).into();
        spread(&mut labels);
        let places: Vec<f64> = labels.iter().map(|(at, _)| *at).collect();
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= LINE - 1e-9), "{places:?}");
        assert!(places[0] == 80.0 && *places.last().unwrap() <= HEIGHT + 4.0, "{places:?}");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(11_016), (2000, 2, 29));
        assert_eq!(date(20_454), (2026, 1, 1));
    }

    #[test]
    fn a_trace_keeps_the_extremes_of_each_stretch() {
        let mut trace = Trace::new(Timestamp(0), Timestamp(600_000));
        trace.add(Timestamp(10), 5.0);
        trace.add(Timestamp(20), 9.0);
        trace.add(Timestamp(30), f64::NAN);
        trace.add(Timestamp(600_000), 1.0);
        assert_eq!(trace.points[0], Some((5.0, 9.0)));
        assert_eq!(trace.points[POINTS - 1], Some((1.0, 1.0)));
        assert_eq!(trace.range(), Some((1.0, 9.0)));
    }
}
