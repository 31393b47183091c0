//! The scripted three minutes. Times are plant time; the factor on the page says how much faster it passes.

use super::{EngineChild, set_scene};
use crate::lang::say;
use anyhow::{Context, bail};
use model::{Condition, Duration, Level, Plant, Signal};
use serde_json::{Value, json};
use simulator::{Desk, Fault, Fleet, Phones, SimulatedClock};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Mutex;

/// What a scene may take at most before the script says that it failed.
const SCENE_MAX: Duration = Duration::from_mins(40);

/// Everything the script moves.
pub(super) struct Stage {
    pub(super) data: PathBuf,
    pub(super) base: String,
    pub(super) plant: Arc<Plant>,
    pub(super) fleet: Fleet,
    pub(super) phones: Phones,
    pub(super) engine: Arc<Mutex<EngineChild>>,
    pub(super) passwords: BTreeMap<&'static str, String>,
    pub(super) by_hand: bool,
    pub(super) clock: SimulatedClock,
}

/// The stage as the scenes share it.
struct Scenes {
    data: PathBuf,
    plant: Arc<Plant>,
    fleet: Fleet,
    phones: Phones,
    engine: Arc<Mutex<EngineChild>>,
    by_hand: bool,
    clock: SimulatedClock,
    /// 中控操作员, the second operator, 镇街值班, 县局值班.
    operator: Desk,
    second: Desk,
    township: Desk,
    county: Desk,
}

/// Plays the script, then goes on quietly until stopped, or ends where `once` is set.
pub(super) async fn run(stage: Stage, once: bool) -> anyhow::Result<()> {
    let login = |name: &'static str| Desk::login(&stage.base, name, &stage.passwords[name]);
    let (operator, second, township, county) = tokio::try_join!(login("zhongkong"), login("fuhe"), login("zhenjie"), login("xianju"))?;
    let Stage { data, plant, fleet, phones, engine, by_hand, clock, .. } = stage;
    let scenes = Scenes { data, plant, fleet, phones, engine, by_hand, clock, operator, second, township, county };
    let played = tokio::try_join!(
        scenes.signed_and_closed(),
        scenes.operator_asleep(),
        scenes.toxic_gas(),
        scenes.drifting_detector(),
        scenes.gateway_cut(),
        scenes.killed()
    );
    played.map(drop)?;
    let (sent, acknowledged) = scenes.fleet.counts();
    scenes.tell(&format!(
        "{}: {} {sent}, {} {acknowledged}, {} {}",
        say("演示脚本结束", "the script is over"),
        say("已发布", "published"),
        say("已确认", "acknowledged"),
        say("送达电话的消息", "messages to phones"),
        scenes.phones.calls().len()
    ))?;
    set_scene(&scenes.data, "")?;
    if !once {
        std::future::pending::<()>().await;
    }
    scenes.fleet.stop();
    Ok(())
}

impl Scenes {
    /// An orange high-high, signed, checked, handled, reviewed and closed.
    async fn signed_and_closed(&self) -> anyhow::Result<()> {
        self.at(20).await;
        let tag = self.tag("LIA-101")?;
        self.tell(say(
            "一、甲醇储罐液位高高报:签收、核实、处置、复核、办结",
            "1. methanol tank level high-high: signed, checked, handled, reviewed, closed",
        ))?;
        self.fleet.fault("hongxin", "LIA-101", Fault::Drive { target: tag.target, over: Duration::from_secs(20) })?;
        if self.by_hand {
            self.wait(240).await;
            return Ok(self.fleet.mend("hongxin", "LIA-101", Duration::from_secs(60))?);
        }
        let case = self.case(&self.operator, &tag.equipment).await?;
        self.wait(30).await;
        self.operator.acknowledge(&case).await?;
        self.operator.accept(&case).await?;
        self.wait(60).await;
        self.operator
            .check(
                &self.fresh(&self.operator, &case).await?,
                "real",
                None,
                say("现场确认液位偏高,进料阀未关严", "level is high on site, feed valve not shut"),
            )
            .await?;
        self.operator.step("handle", &case, say("关闭进料阀,启动倒罐", "feed valve shut, transfer started")).await?;
        self.fleet.mend("hongxin", "LIA-101", Duration::from_secs(60))?;
        self.settle(&self.operator, &case).await?;
        self.operator.step("report", &case, say("液位已恢复正常", "level is back to normal")).await?;
        self.wait(20).await;
        let case = self.fresh(&self.township, &case).await?;
        self.township.accept(&case).await?;
        self.township.step("review", &case, say("复核无误", "reviewed")).await?;
        self.close(&self.township, &case).await
    }

    /// Nobody answers at the enterprise: the case climbs to the township and to the county.
    async fn operator_asleep(&self) -> anyhow::Result<()> {
        self.at(4 * 60).await;
        let first = self.tag("LIA-101")?;
        let tag = self.other_orange(&first.equipment)?;
        self.tell(say("二、操作员未应答:5 分钟报镇街,15 分钟报县局", "2. the operator is asleep: township after 5 min, county after 15"))?;
        self.fleet.fault("hongxin", &tag.id, Fault::Drive { target: tag.target, over: Duration::from_secs(20) })?;
        let case = self.case(&self.operator, &tag.equipment).await?;
        self.until(&self.county, &case, "county told", |case| told(case, 2)).await?;
        self.tell(say("县局已收到,督办", "the county has it and supervises"))?;
        if self.by_hand {
            self.wait(120).await;
            return Ok(self.fleet.mend("hongxin", &tag.id, Duration::from_secs(60))?);
        }
        self.wait(20).await;
        let seen = self.fresh(&self.county, &case).await?;
        self.county.accept(&seen).await?;
        self.county.step("supervise", &seen, say("请立即签收并核实", "sign and check at once")).await?;
        self.wait(30).await;
        let seen = self.fresh(&self.operator, &case).await?;
        self.operator.acknowledge(&seen).await?;
        self.operator.accept(&seen).await?;
        self.operator.check(&seen, "process-upset", None, say("冷却水压力波动", "cooling water pressure upset")).await?;
        self.operator.step("handle", &case, say("调整冷却水", "cooling water adjusted")).await?;
        self.fleet.mend("hongxin", &tag.id, Duration::from_secs(60))?;
        self.settle(&self.operator, &case).await?;
        self.operator.step("report", &case, say("已恢复正常", "back to normal")).await?;
        let case = self.fresh(&self.township, &case).await?;
        self.township.accept(&case).await?;
        self.township.step("review", &case, say("复核无误", "reviewed")).await?;
        self.close(&self.township, &case).await
    }

    /// Toxic gas beyond its upper limit: red, to all three tiers at once, with siren.
    async fn toxic_gas(&self) -> anyhow::Result<()> {
        self.at(7 * 60).await;
        let tag = self.tag("GT-201")?;
        self.tell(say("三、氨气高高报:红色,三级同时通知,现场声光", "3. ammonia high-high: red, all three tiers at once, siren"))?;
        self.fleet.fault("hongxin", "GT-201", Fault::Drive { target: tag.target, over: Duration::from_secs(10) })?;
        if self.by_hand {
            self.wait(300).await;
            return Ok(self.fleet.mend("hongxin", "GT-201", Duration::from_secs(60))?);
        }
        let case = self.case(&self.operator, &tag.equipment).await?;
        self.wait(20).await;
        for desk in [&self.operator, &self.township, &self.county] {
            desk.accept(&self.fresh(desk, &case).await?).await?;
        }
        self.operator.acknowledge(&self.fresh(&self.operator, &case).await?).await?;
        self.operator.step("supervise", &case, "").await.err().context("an enterprise may not supervise itself")?;
        self.wait(60).await;
        self.fleet.mend("hongxin", "GT-201", Duration::from_secs(60))?;
        self.wait(150).await;
        let field = json!({ "person": self.operator.person, "at": self.clock.now().as_millis(), "reading": 3.0 });
        let seen = self.fresh(&self.operator, &case).await?;
        self.operator
            .check(
                &seen,
                "real",
                Some(field),
                say("法兰微漏,佩戴空呼到场,便携仪 3 ppm", "flange leak, on site with breathing apparatus, portable reads 3 ppm"),
            )
            .await?;
        if let Some(zone) = &tag.zone {
            self.operator.reset_siren("hongxin", zone).await?;
        }
        self.operator.step("handle", &case, say("紧固法兰,喷淋稀释", "flange tightened, water spray")).await?;
        self.settle(&self.operator, &case).await?;
        self.operator.step("report", &case, say("泄漏已消除", "leak stopped")).await?;
        let seen = self.fresh(&self.county, &case).await?;
        self.county.accept(&seen).await?;
        self.county.step("review", &seen, say("复核无误", "reviewed")).await?;
        self.close(&self.county, &seen).await
    }

    /// A detector drifts: somebody goes there, and it is closed as a false alarm with the portable detector's reading.
    async fn drifting_detector(&self) -> anyhow::Result<()> {
        self.at(12 * 60).await;
        let tag = self.limit("GC-101", Condition::High)?;
        self.tell(say("四、可燃探测器漂移:现场核实后按误报办结", "4. a combustible detector drifts: checked on site, closed as false"))?;
        self.fleet.fault("hongxin", "GC-101", Fault::Drive { target: tag.target, over: Duration::from_secs(60) })?;
        if self.by_hand {
            self.wait(240).await;
            return Ok(self.fleet.mend("hongxin", "GC-101", Duration::from_secs(30))?);
        }
        let case = self.case(&self.operator, &tag.equipment).await?;
        self.wait(40).await;
        let seen = self.fresh(&self.operator, &case).await?;
        self.operator.acknowledge(&seen).await?;
        self.operator.accept(&seen).await?;
        self.wait(120).await;
        let field = json!({ "person": self.operator.person, "at": self.clock.now().as_millis(), "reading": 0.0 });
        let seen = self.fresh(&self.operator, &case).await?;
        self.operator
            .check(&seen, "false", Some(field), say("到场便携仪 0 %LEL,探测器零点漂移", "portable reads 0 %LEL on site, zero drift"))
            .await?;
        self.operator.step("handle", &case, say("重新标定", "recalibrated")).await?;
        self.fleet.mend("hongxin", "GC-101", Duration::from_secs(20))?;
        self.settle(&self.operator, &case).await?;
        self.operator.step("report", &case, say("标定完成", "calibration done")).await?;
        let seen = self.fresh(&self.second, &case).await?;
        self.second.step("review", &seen, say("复核无误", "reviewed")).await?;
        self.close(&self.second, &seen).await
    }

    /// The open cases of an enterprise and where they are.
    async fn open_cases_of(&self, enterprise: &str) -> anyhow::Result<BTreeMap<String, String>> {
        let cases = self.county.get("/api/v1/cases?state=open").await?;
        let text = |case: &Value, field: &str| case[field].as_str().unwrap_or_default().to_owned();
        let cases = cases["cases"].as_array().into_iter().flatten().filter(|case| case["enterprise"] == enterprise);
        Ok(cases.map(|case| (text(case, "id"), text(case, "equipment"))).collect())
    }

    /// A gateway's line is cut: one case that lists its tags.
    async fn gateway_cut(&self) -> anyhow::Result<()> {
        self.at(15 * 60).await;
        let gateway = self.plant.gateways.iter().find(|gateway| gateway.enterprise.as_str() == "jinhe").context("no gateway at jinhe")?;
        let members = gateway.members.len();
        self.tell(&format!(
            "{} {members} {}",
            say("六、网关断线:", "6. a gateway is cut:"),
            say("个位号合为一件处置单", "tags, one case")
        ))?;
        // Only what the cut brings: on a busy machine a gateway of the county may have been late before.
        let before = self.open_cases_of("jinhe").await?;
        self.fleet.set_cut("jinhe", gateway.id.as_str(), true)?;
        let equipment = self.plant.equipment[self.plant.tag(gateway.tag).equipment.at()].id.to_string();
        let places: BTreeSet<_> =
            gateway.members.iter().map(|&tag| self.plant.equipment[self.plant.tag(tag).equipment.at()].id.as_str()).collect();
        // The gateways of all enterprises have like names.
        let of_gateway = |cases: &BTreeMap<String, String>| cases.values().any(|place| *place == equipment);
        let what = format!("a case of {equipment} at jinhe");
        let cases = self.poll(&what, async || self.open_cases_of("jinhe").await.ok().filter(of_gateway)).await?;
        let made = cases
            .iter()
            .filter(|(id, place)| **place == equipment || (places.contains(place.as_str()) && !before.contains_key(*id)))
            .count();
        self.tell(&format!("{} {made}", say("为此开立的处置单数:", "cases it made:")))?;
        if made != 1 {
            bail!("a gateway of {members} tags made {made} cases");
        }
        self.wait(240).await;
        Ok(self.fleet.set_cut("jinhe", gateway.id.as_str(), false)?)
    }

    /// kill -9 while the second scene's countdown runs.
    async fn killed(&self) -> anyhow::Result<()> {
        self.at(13 * 60 + 30).await;
        self.tell(say("五、引擎被 kill -9 并重启,倒计时不断", "5. the engine is killed with -9 and restarted, the countdown goes on"))?;
        let took = self.engine.lock().await.crash().await?;
        self.tell(&format!("{} {} ms", say("重启到就绪", "restarted and ready after"), took.as_millis()))
    }

    // ---- helpers

    fn tell(&self, text: &str) -> anyhow::Result<()> {
        println!("  {text}");
        set_scene(&self.data, text)
    }

    /// Until so many plant seconds after the curtain.
    async fn at(&self, seconds: i64) {
        self.wait(seconds).await;
    }

    async fn wait(&self, seconds: i64) {
        tokio::time::sleep(self.clock.real(Duration::from_secs(seconds))).await;
    }

    fn tag(&self, tag: &str) -> anyhow::Result<Role> {
        self.limit(tag, Condition::HighHigh)
    }

    /// A tag of the county's first enterprise, and a value a little beyond one of its limits.
    fn limit(&self, tag: &str, condition: Condition) -> anyhow::Result<Role> {
        let index = self.plant.find_tag("hongxin", tag).with_context(|| format!("no tag hongxin/{tag}"))?;
        let known = self.plant.tag(index);
        let rule = known.rule(condition).with_context(|| format!("hongxin/{tag} has no {condition} limit"))?;
        let span = known.range.map_or(100.0, |(low, high)| high - low);
        let top = known.range.map_or(f64::INFINITY, |(_, high)| high);
        Ok(Role {
            id: tag.to_owned(),
            equipment: self.plant.equipment[known.equipment.at()].id.to_string(),
            target: (rule.setpoint + span * 0.015).min(top),
            zone: known.zone.as_ref().map(ToString::to_string),
        })
    }

    /// A process tag with an orange high-high on another equipment.
    fn other_orange(&self, not: &str) -> anyhow::Result<Role> {
        let tag = self.plant.tags.iter().find(|tag| {
            tag.id.enterprise.as_str() == "hongxin"
                && matches!(tag.signal, Signal::Temperature | Signal::Pressure | Signal::Level)
                && self.plant.equipment[tag.equipment.at()].id.as_str() != not
                && self.plant.equipment[tag.equipment.at()].id.as_str() != self.tag("GT-201").map(|role| role.equipment).unwrap_or_default()
                && tag.conditions.iter().any(|rule| rule.condition == Condition::HighHigh && rule.level == Level::Orange)
        });
        self.tag(&tag.context("no second orange tag at hongxin")?.id.tag)
    }

    async fn case(&self, desk: &Desk, equipment: &str) -> anyhow::Result<Value> {
        self.poll(&format!("a case of {equipment}"), async || desk.find_case(|case| case["equipment"] == equipment).await.ok().flatten())
            .await
    }

    async fn fresh(&self, desk: &Desk, case: &Value) -> anyhow::Result<Value> {
        let id = case["id"].clone();
        self.poll("the case", async || desk.find_case(|other| other["id"] == id).await.ok().flatten()).await
    }

    async fn until(&self, desk: &Desk, case: &Value, what: &str, holds: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let id = case["id"].clone();
        self.poll(what, async || desk.find_case(|other| other["id"] == id).await.ok().flatten().filter(|case| holds(case))).await
    }

    /// Waits until no alarm of the case stands, then acknowledges and checks what came meanwhile.
    async fn settle(&self, desk: &Desk, case: &Value) -> anyhow::Result<()> {
        let case = self
            .until(desk, case, "the alarms to return", |case| {
                let mut states =
                    case["episodes"].as_array().into_iter().flatten().map(|episode| episode["state"].as_str().unwrap_or_default());
                states.all(|state| matches!(state, "normal" | "returned-unacknowledged"))
            })
            .await?;
        let open = |episode: &&Value| episode["outcome"].is_null();
        if case["episodes"].as_array().into_iter().flatten().any(|episode| episode["state"] == "returned-unacknowledged") {
            desk.acknowledge(&case).await?;
        }
        if case["episodes"].as_array().into_iter().flatten().filter(open).count() > 0 {
            desk.check(&case, "process-upset", None, say("同一原因", "same cause")).await?;
        }
        if case["answered"] == false {
            desk.accept(&case).await?;
        }
        Ok(())
    }

    async fn close(&self, desk: &Desk, case: &Value) -> anyhow::Result<()> {
        let case = self.fresh(desk, case).await?;
        desk.close(&case, say("办结", "closed")).await?;
        self.tell(&format!("{} {}", say("已办结", "closed"), case["number"].as_str().unwrap_or_default()))
    }

    async fn poll<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> anyhow::Result<T> {
        let until = self.clock.now() + SCENE_MAX;
        loop {
            if let Some(found) = look().await {
                return Ok(found);
            }
            if self.clock.now() > until {
                bail!("waited {SCENE_MAX} of plant time for {what}");
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
}

/// A tag with a part to play.
struct Role {
    id: String,
    equipment: String,
    target: f64,
    zone: Option<String>,
}

fn told(case: &Value, tier: u64) -> bool {
    case["tiers"].as_array().into_iter().flatten().any(|progress| progress["tier"] == tier && !progress["told"].is_null())
}
