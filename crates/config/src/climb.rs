//! From the policies as written to the policies in force: tiers resolved, the order of the climb checked.

use crate::bodies::tier_of;
use crate::fault::{Sink, text};
use crate::org::RawJurisdiction;
use crate::policies::{RawLevel, RawPolicies};
use model::Level;
use model::plant::{LevelPolicy, Policies, TellRule};

/// Resolves the policies; `None` where a section has a fault.
pub(crate) fn policies(written: &RawPolicies<'_>, jurisdiction: &RawJurisdiction<'_>, sink: &mut Sink) -> Option<Policies> {
    let levels = Level::ALL.map(|level| {
        let policy = written.levels[level.at()].as_ref()?;
        level_policy(level, policy, jurisdiction, sink)
    });
    let [blue, yellow, orange, red] = levels;
    let (data, timing, siren) = (written.data_faults?, written.timing?, written.siren.as_ref()?);
    let (percent, least) = written.gateway_lost?;
    Some(Policies {
        levels: [blue?, yellow?, orange?, red?],
        data_fault_wait: data.wait,
        quiet: written.quiet?,
        fold_within: timing.fold_within,
        late_after: timing.late_after,
        late_hold: timing.late_hold,
        clock_skew_max: timing.clock_skew_max,
        gateway_lost_percent: percent,
        gateway_lost_min: least,
        siren_expiry: siren.expiry,
        beside: written.beside.policy()?,
    })
}

fn level_policy(level: Level, raw: &RawLevel<'_>, jurisdiction: &RawJurisdiction<'_>, sink: &mut Sink) -> Option<LevelPolicy> {
    let closed_by = tier_of(jurisdiction, &raw.closed_by, sink);
    let mut tell = Vec::new();
    let mut complete = true;
    for rule in &raw.tell {
        let Some(tier) = tier_of(jurisdiction, &rule.tier, sink) else {
            complete = false;
            continue;
        };
        if tell.len() != tier.at() {
            let fault = text("告知从企业起逐级写,不能跳级", "tiers are told in order from the enterprise up, none skipped");
            sink.push(rule.tier.place.error("tell-order", fault));
            complete = false;
        }
        if rule.by.is_empty() {
            let fault = text("没有写任何渠道", "no channel at all");
            sink.push(rule.tier.place.error("unreachable", fault));
        }
        tell.push(TellRule { tier, after: rule.after, by: rule.by.clone(), by_quiet: rule.by_quiet.clone() });
    }
    if let Some(pair) = tell.windows(2).position(|pair| pair[0].after > pair[1].after) {
        let fault = text("上级比下级先得到通知", "an upper tier is told before a lower one");
        sink.push(raw.tell[pair + 1].tier.place.error("tell-order", fault));
    }
    if tell.is_empty() {
        sink.push(raw.place.error("tell-order", text("至少要告知企业", "the enterprise is told at least")));
        return None;
    }
    if raw.handle_within < raw.sign_within {
        let fault = text("处置时限比签收时限还短", "handling is due before signing");
        sink.push(raw.place.warning("deadlines", fault));
    }
    complete.then_some(LevelPolicy {
        level,
        sign_within: raw.sign_within,
        remind_every: raw.remind_every,
        tell,
        handle_within: raw.handle_within,
        closed_by: closed_by?,
    })
}
