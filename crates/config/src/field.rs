//! `gateways.toml` and `equipment.toml` as written: gateways, siren zones, and equipment where the sheets do not say enough.

use crate::fault::{Sink, text};
use crate::setpoints::parse_hazard;
use crate::source::{At, Source};
use crate::table::{named, with_document};
use crate::values::duration;
use model::{Duration, Hazard};

/// How slow a gateway may be. One that reports hourly can still be checked for silence.
const INTERVAL_MAX: Duration = Duration::from_mins(24 * 60);

#[derive(Default)]
pub(crate) struct RawField<'a> {
    pub(crate) gateways: Vec<RawGateway<'a>>,
    pub(crate) zones: Vec<RawZone<'a>>,
    pub(crate) equipment: Vec<RawEquipment<'a>>,
}

pub(crate) struct RawGateway<'a> {
    pub(crate) enterprise: At<'a, String>,
    pub(crate) id: At<'a, String>,
    pub(crate) name: String,
    pub(crate) interval: Duration,
    /// It sends the devices' own inhibit bits.
    pub(crate) inhibits: bool,
}

pub(crate) struct RawZone<'a> {
    pub(crate) enterprise: At<'a, String>,
    pub(crate) id: At<'a, String>,
}

pub(crate) struct RawEquipment<'a> {
    pub(crate) enterprise: At<'a, String>,
    pub(crate) id: At<'a, String>,
    pub(crate) name: Option<String>,
    pub(crate) is_area: Option<bool>,
    pub(crate) hazard: Option<Hazard>,
    pub(crate) zone: Option<At<'a, String>>,
}

pub(crate) fn read_gateways<'a>(source: &'a Source, sink: &mut Sink) -> RawField<'a> {
    with_document(source, sink, |file, sink| {
        let gateways = named(file, "gateways", sink, |enterprise, entry, sink| {
            entry.table(sink, |table, sink| {
                table.each(sink, |id, entry, sink| {
                    let read = entry.table(sink, |table, sink| {
                        table.renamed(&[("period", "interval"), ("cycle", "interval")]);
                        let name = table.string("name", sink).map(|name| name.value);
                        let interval = duration(table, "interval", (Duration::from_millis(100), INTERVAL_MAX), sink);
                        // A gateway with a fault still exists: its tags are not told that it does not.
                        let interval = table.required("interval", interval, sink).map_or(INTERVAL_MAX, |interval| interval.value);
                        let name = name.unwrap_or_else(|| format!("网关{}", id.value));
                        let inhibits = table.bool("inhibit", sink).is_some_and(|inhibit| inhibit.value);
                        Some(RawGateway { enterprise: enterprise.clone(), id: id.clone(), name, interval, inhibits })
                    });
                    read.flatten()
                })
            })
        });
        let zones = named(file, "sirens", sink, |enterprise, entry, sink| {
            entry.table(sink, |table, sink| {
                table.each(sink, |id, entry, sink| {
                    entry.string(sink)?;
                    Some(RawZone { enterprise: enterprise.clone(), id })
                })
            })
        });
        RawField { gateways: gateways.into_iter().flatten().collect(), zones: zones.into_iter().flatten().collect(), equipment: Vec::new() }
    })
}

pub(crate) fn read_equipment<'a>(source: &'a Source, sink: &mut Sink) -> Vec<RawEquipment<'a>> {
    let read = with_document(source, sink, |file, sink| {
        named(file, "equipment", sink, |enterprise, entry, sink| {
            entry.table(sink, |table, sink| {
                table.each(sink, |id, entry, sink| {
                    entry.table(sink, |table, sink| {
                        let name = table.string("name", sink).map(|name| name.value);
                        let is_area = table.bool("area", sink).map(|area| area.value);
                        let hazard = table.string("hazard", sink).and_then(|hazard| {
                            let parsed = parse_hazard(&hazard.value);
                            if parsed.is_none() {
                                let fault = text("不认识的重大危险源等级", "not a level of major hazard");
                                let fault = hazard.place.error("hazard", fault);
                                sink.push(fault.suggest("写 一级、二级、三级、四级 或 无", "write 一级, 二级, 三级, 四级 or 无 (none)"));
                            }
                            parsed
                        });
                        let zone = table.string("zone", sink);
                        RawEquipment { enterprise: enterprise.clone(), id, name, is_area, hazard, zone }
                    })
                })
            })
        })
    });
    read.into_iter().flatten().collect()
}
