//! Watches the disk under the store: a full one stops every commit once the log of them is full, and with it every alarm, so people
//! hear of it before.

use crate::engine::EngineInput;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the disk is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Above this share of the disk it is an alarm.
const USED_PERCENT_MAX: u64 = 90;
/// Below this it is none any more.
const USED_PERCENT_CLEAR: u64 = 88;

/// Tells the engine whenever the state of its disk changes, and once at the start, so that an alarm of an earlier run returns when the
/// matter is settled.
pub async fn watch(data: PathBuf, queue: flume::Sender<EngineInput>, shutdown: CancellationToken) {
    watch_disk(move || used_percent(&data), LOOK_EVERY, queue, shutdown).await;
}

async fn watch_disk(
    used_percent: impl Fn() -> Option<u64>,
    every: Duration,
    queue: flume::Sender<EngineInput>,
    shutdown: CancellationToken,
) {
    let mut told = None;
    loop {
        let used = used_percent();
        let limit = if told == Some(true) { USED_PERCENT_CLEAR } else { USED_PERCENT_MAX };
        let active = used.is_some_and(|used| used >= limit);
        if told != Some(active) {
            let detail = match used {
                Some(used) => format!("the disk that holds the store is {used} % full"),
                None => "the disk that holds the store cannot be looked at".to_owned(),
            };
            if queue.send_async(EngineInput::System { name: "storage", active, detail }).await.is_err() {
                return;
            }
            told = Some(active);
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
    }
}

/// Tells the engine what its start found, such as a journal that contradicts its anchor; only a new start clears it. An alarm of its own:
/// while it stands, nothing else may hide behind it.
pub async fn tell_start(complaints: Vec<String>, queue: flume::Sender<EngineInput>) {
    let active = !complaints.is_empty();
    let detail = if active { complaints.join("; ") } else { "the start found nothing amiss".to_owned() };
    // Nobody takes it only where the engine has ended.
    let _ = queue.send_async(EngineInput::System { name: "start", active, detail }).await;
}

/// The used share of the file system that holds `path`, as `df` reckons it.
fn used_percent(path: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    let used = stat.f_blocks.checked_sub(stat.f_bfree)?;
    let usable = used + stat.f_bavail;
    (usable > 0).then(|| (used * 100).div_ceil(usable))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_disk_that_fills_is_told_though_what_the_start_found_still_stands() {
        let (queue, engine) = flume::bounded(1);
        let (stop, looks) = (CancellationToken::new(), std::sync::atomic::AtomicU64::new(0));
        let next = async || match engine.recv_async().await.unwrap() {
            EngineInput::System { name, active, detail } => (name, active, detail),
            _ => panic!("a system input"),
        };
        tokio::spawn(tell_start(vec!["the journal is cut off".to_owned()], queue.clone()));
        assert_eq!(next().await, ("start", true, "the journal is cut off".to_owned()));
        let filling = move || Some(50 + 20 * looks.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        let watching = tokio::spawn(watch_disk(filling, Duration::from_millis(1), queue.clone(), stop.clone()));
        assert_eq!(next().await, ("storage", false, "the disk that holds the store is 50 % full".to_owned()));
        assert_eq!(next().await, ("storage", true, "the disk that holds the store is 90 % full".to_owned()));
        stop.cancel();
        watching.await.unwrap();
        tell_start(Vec::new(), queue).await;
        assert!(!next().await.1, "an alarm of an earlier run returns");
    }

    #[test]
    fn a_file_system_has_a_used_share() {
        assert!(used_percent(&std::env::temp_dir()).is_some_and(|used| used <= 100));
        assert_eq!(used_percent(Path::new("/no/such/folder")), None);
    }
}
