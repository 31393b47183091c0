//! Live events. Each stream takes from what every commit changed only what its login may see.
//!
//! A stream never holds anybody up: what a client is too slow for is dropped and it is told to fetch everything again. What
//! has piled up is sent as one event. It ends with the session, with the account's change, and with the engine.

use super::App;
use crate::access::{LoggedIn, Viewer};
use crate::bounds::{CHANGES_BEHIND_MAX, HEARTBEAT_EVERY, STREAMS_PER_SESSION_MAX};
use crate::error::ApiError;
use crate::json::{BeatJson, ChangeJson, ErrorJson, SirenJson, ValuesJson};
use crate::live::{Change, LiveEvent, LiveValue};
use crate::render::{Render, TagBeside, body_name};
use crate::sessions::TokenHash;
use crate::{LiveAlarm, Message};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use model::{AlarmId, BodyId, Case, CaseId, Siren, TagId, TagIndex, ZoneId};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{OwnedSemaphorePermit, broadcast, mpsc};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_stream::wrappers::ReceiverStream;

/// Events written but not yet taken by the connection.
const WRITTEN_AHEAD_MAX: usize = 8;
/// The first change is sent at once, those that follow on its heels together: a page cannot draw faster, and an overview is
/// counted once for all of them.
const CHANGES_APART: Duration = Duration::from_millis(100);

/// Live events: `change`, `values`, `heartbeat`, `resync`.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", responses(
    (status = 200, description = "Server-sent events; `id` is opaque: sequence and start of the engine. `change` carries ChangeJson, `values` ValuesJson, \
        `heartbeat` (every 5 s) and `resync` (fetch everything again) BeatJson.",
        content_type = "text/event-stream", body = ChangeJson),
    (status = 401, description = "not-logged-in", body = ErrorJson),
    (status = 503, description = "too-many-streams", body = ErrorJson),
))]
pub(crate) async fn events(State(app): State<App>, login: LoggedIn, headers: HeaderMap) -> Response {
    let Some(place) = Place::take(&app, login.session) else {
        return ApiError::unavailable("too-many-streams").language(login.language).into_response();
    };
    let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let (sender, receiver) = mpsc::channel(WRITTEN_AHEAD_MAX);
    let stream = Stream::new(app, login, sender, place);
    tokio::spawn(stream.run(last_id));
    let mut response = Sse::new(ReceiverStream::new(receiver)).into_response();
    // A buffering proxy would turn live events into late ones.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// One of a bounded number of streams; given back when dropped.
struct Place {
    app: App,
    session: TokenHash,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    fn take(app: &App, session: TokenHash) -> Option<Self> {
        let permit = app.streams.clone().try_acquire_owned().ok()?;
        let mut streams = app.streams_by_session.lock().unwrap_or_else(PoisonError::into_inner);
        let count = streams.entry(session).or_default();
        if *count >= STREAMS_PER_SESSION_MAX {
            return None;
        }
        *count += 1;
        drop(streams);
        app.metrics.streams.inc();
        Some(Self { app: app.clone(), session, _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.app.metrics.streams.dec();
        let mut streams = self.app.streams_by_session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = streams.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
                streams.remove(&self.session);
            }
        }
    }
}

/// What has come and is not yet sent: the newest of each thing.
#[derive(Default)]
struct Gathered {
    alarms: BTreeMap<AlarmId, Arc<LiveAlarm>>,
    cases: BTreeMap<CaseId, Arc<Case>>,
    messages: BTreeMap<String, Arc<Message>>,
    sirens: BTreeMap<(BodyId, ZoneId), Siren>,
    restated: BTreeSet<TagId>,
    values: BTreeMap<TagIndex, LiveValue>,
    seq: u64,
    everybody: bool,
    /// Another configuration is in force.
    new_plant: bool,
}

impl Gathered {
    fn add(&mut self, event: LiveEvent, viewer: &Viewer, sees_tag: &[bool]) {
        match event {
            LiveEvent::Change(change) => self.add_change(&change, viewer),
            // Values of a plant that this stream does not know yet: it is about to be told to fetch everything.
            LiveEvent::Values(plant, values) if Arc::ptr_eq(&plant, &viewer.plant) => {
                self.values.extend(values.iter().filter(|(tag, _)| sees_tag.get(tag.at()).copied().unwrap_or(false)).copied());
            }
            LiveEvent::Values(..) => {}
            LiveEvent::Plant(_) => self.new_plant = true,
        }
    }
    fn add_change(&mut self, change: &Change, viewer: &Viewer) {
        self.seq = self.seq.max(change.seq);
        self.everybody |= change.link;
        let alarms = change.alarms.iter().filter(|alarm| viewer.sees(&alarm.id.tag.enterprise));
        self.alarms.extend(alarms.map(|alarm| (alarm.id.clone(), alarm.clone())));
        let cases = change.cases.iter().filter(|case| viewer.sees(&case.enterprise));
        self.cases.extend(cases.map(|case| (case.id.clone(), case.clone())));
        let messages = change.messages.iter().filter(|message| {
            let notification = &message.notification;
            viewer.sees(&notification.alarm.tag.enterprise) && viewer.sees_person(&notification.key.recipient)
        });
        self.messages.extend(messages.map(|message| (message.notification.key.to_string(), message.clone())));
        let sirens = change.sirens.iter().filter(|siren| viewer.sees(&siren.enterprise));
        self.sirens.extend(sirens.map(|siren| ((siren.enterprise.clone(), siren.zone.clone()), siren.clone())));
        self.restated.extend(change.restated.iter().filter(|tag| viewer.sees(&tag.enterprise)).cloned());
    }
    fn changes(&self) -> bool {
        self.everybody || !(self.alarms.is_empty() && self.cases.is_empty() && self.messages.is_empty() && self.sirens.is_empty())
    }
}

struct Stream {
    app: App,
    login: LoggedIn,
    sender: mpsc::Sender<Result<Event, Infallible>>,
    receiver: broadcast::Receiver<LiveEvent>,
    sees_tag: Vec<bool>,
    scene: Option<String>,
    /// Everything up to this sequence has been sent or is none of this login's business.
    sent: u64,
    next_send: Instant,
    _place: Place,
}

impl Stream {
    fn new(app: App, login: LoggedIn, sender: mpsc::Sender<Result<Event, Infallible>>, place: Place) -> Self {
        // Subscribed before anything is read, so that nothing falls between.
        let receiver = app.view.subscribe();
        let sees_tag = sees_tag(&app, &login.viewer);
        let scene = scene(&app);
        let sent = app.view.seq();
        Self { app, login, sender, receiver, sees_tag, scene, sent, next_send: Instant::now(), _place: place }
    }

    async fn run(mut self, last_id: Option<String>) {
        let (shutdown, ended, sender) = (self.app.shutdown.clone(), self.login.ended.clone(), self.sender.clone());
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = ended.cancelled() => {}
            () = sender.closed() => {}
            _ = self.follow(last_id) => {}
        }
    }

    async fn follow(&mut self, last_id: Option<String>) -> ControlFlow<()> {
        // A client that comes back after missing something must not believe what it still shows.
        let missed = last_id.is_some_and(|id| id != self.id());
        self.beat(if missed { "resync" } else { "heartbeat" }).await?;
        let mut heartbeat = tokio::time::interval(HEARTBEAT_EVERY);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        heartbeat.reset();
        loop {
            tokio::select! {
                biased;
                _ = heartbeat.tick() => {
                    if !self.may_go_on() {
                        return ControlFlow::Break(());
                    }
                    if self.scene != scene(&self.app) {
                        self.send_change(Gathered { everybody: true, ..Gathered::default() }).await?;
                    }
                    self.beat("heartbeat").await?;
                }
                event = self.receiver.recv() => match event {
                    Ok(event) => self.pass_on(event).await?,
                    Err(RecvError::Lagged(_)) => self.resync().await?,
                    Err(RecvError::Closed) => return ControlFlow::Break(()),
                },
            }
        }
    }

    /// The session still lives and its account has not changed.
    fn may_go_on(&self) -> bool {
        let account = &self.login.viewer.account;
        let same = self.app.accounts.find(&account.username).is_some_and(|now| now.enabled && now.stamp == account.stamp);
        same && self.app.sessions.is_alive(&self.login.session, (self.app.settings.monotonic)())
    }

    async fn pass_on(&mut self, first: LiveEvent) -> ControlFlow<()> {
        tokio::time::sleep_until(self.next_send).await;
        let mut gathered = Gathered::default();
        gathered.add(first, &self.login.viewer, &self.sees_tag);
        for _ in 1..CHANGES_BEHIND_MAX {
            match self.receiver.try_recv() {
                Ok(event) => gathered.add(event, &self.login.viewer, &self.sees_tag),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                Err(TryRecvError::Lagged(_)) => return self.resync().await,
            }
        }
        if gathered.new_plant {
            return self.resync().await;
        }
        self.sent = self.sent.max(gathered.seq);
        self.next_send = Instant::now() + CHANGES_APART;
        let values = std::mem::take(&mut gathered.values);
        if gathered.changes() {
            self.send_change(gathered).await?;
        }
        if !values.is_empty() {
            let tag = |index: TagIndex| self.login.viewer.plant.tag(index).id.to_string();
            let rows = values.into_iter().map(|(at, value)| (tag(at), value.value, value.quality, value.source_time.as_millis()));
            let values = ValuesJson { now: self.app.now(), values: rows.collect() };
            self.send("values", false, &values).await?;
        }
        ControlFlow::Continue(())
    }

    async fn send_change(&mut self, gathered: Gathered) -> ControlFlow<()> {
        self.scene = scene(&self.app);
        let render = Render { app: &self.app, viewer: &self.login.viewer };
        let overview = render.overview();
        let beside = (!gathered.restated.is_empty()).then(|| TagBeside::now(&self.app.view));
        let tag = |id: &TagId| {
            let index = render.plant().tag_index(id)?;
            Some(render.tag(index, render.plant().tag(index), beside.as_ref()?))
        };
        let change = ChangeJson {
            seq: self.sent,
            cases: gathered.cases.values().map(|case| render.case(case)).collect(),
            alarms: gathered.alarms.values().map(|alarm| render.alarm(alarm)).collect(),
            messages: gathered.messages.values().map(|message| render.message(message)).collect(),
            sirens: gathered.sirens.values().map(|siren| SirenJson::new(siren, body_name(render.plant(), &siren.enterprise))).collect(),
            tags: gathered.restated.iter().filter_map(tag).collect(),
            overview,
        };
        self.send("change", true, &change).await
    }

    async fn resync(&mut self) -> ControlFlow<()> {
        self.app.metrics.resyncs.inc();
        // What is still waiting is older than what the client will fetch now.
        self.receiver = self.receiver.resubscribe();
        let plant = self.app.plant();
        if !Arc::ptr_eq(&plant, &self.login.viewer.plant) {
            self.login.viewer.plant = plant;
            self.sees_tag = sees_tag(&self.app, &self.login.viewer);
        }
        self.sent = self.app.view.seq();
        self.beat("resync").await
    }

    async fn beat(&self, name: &'static str) -> ControlFlow<()> {
        self.send(name, true, &BeatJson { now: self.app.now(), seq: self.sent }).await
    }

    /// What the client hands back when it comes again. A sequence alone could be met again after a restart.
    fn id(&self) -> String {
        format!("{}-{}", self.sent, self.app.instance)
    }

    async fn send(&self, name: &'static str, tells_sequence: bool, data: &impl Serialize) -> ControlFlow<()> {
        let data = match serde_json::to_string(data) {
            Ok(data) => data,
            Err(error) => {
                // It cannot be told, so the client must fetch it.
                tracing::error!(%error, name, "event cannot be written");
                return ControlFlow::Break(());
            }
        };
        let mut event = Event::default().event(name).data(data);
        if tells_sequence {
            event = event.id(self.id());
        }
        if self.sender.send(Ok(event)).await.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// By tag, whether a login sees it.
fn sees_tag(app: &App, viewer: &Viewer) -> Vec<bool> {
    let mut sees = vec![false; viewer.plant.tags.len()];
    for (index, _) in (Render { app, viewer }).tags() {
        sees[index.at()] = true;
    }
    sees
}

fn scene(app: &App) -> Option<String> {
    app.settings.scene.read().unwrap_or_else(PoisonError::into_inner).clone()
}
