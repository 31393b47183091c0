//! Watches the disk under the store: a full one stops every commit, and with it every alarm, so people hear of it before.

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

/// Tells the engine whenever the state of its storage changes, and once at the start, so that an alarm of an earlier run
/// returns when the matter is settled. `complaint` is what a start found in it, such as a journal that contradicts its anchor; only a new
/// start clears it.
pub async fn watch(data: PathBuf, complaint: Option<String>, queue: flume::Sender<EngineInput>, shutdown: CancellationToken) {
    let mut told = None;
    loop {
        let used = used_percent(&data);
        let limit = if told == Some(true) { USED_PERCENT_CLEAR } else { USED_PERCENT_MAX };
        let full = used.is_some_and(|used| used >= limit);
        let active = full || complaint.is_some();
        if told != Some(active) {
            let detail = match (&complaint, used) {
                (Some(complaint), _) => complaint.clone(),
                (None, Some(used)) => format!("the disk that holds the store is {used} % full"),
                (None, None) => "the disk that holds the store cannot be looked at".to_owned(),
            };
            if queue.send_async(EngineInput::System { name: "storage", active, detail }).await.is_err() {
                return;
            }
            told = Some(active);
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
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
    async fn a_journal_that_contradicts_its_anchor_is_told_at_the_start() {
        let (queue, engine) = flume::bounded(1);
        let stop = CancellationToken::new();
        let watching = tokio::spawn(watch(std::env::temp_dir(), Some("cut off".to_owned()), queue, stop.clone()));
        let EngineInput::System { name, active, detail } = engine.recv_async().await.unwrap() else { panic!("a system input") };
        assert_eq!((name, active, detail.as_str()), ("storage", true, "cut off"));
        stop.cancel();
        watching.await.unwrap();
    }

    #[test]
    fn a_file_system_has_a_used_share() {
        assert!(used_percent(&std::env::temp_dir()).is_some_and(|used| used <= 100));
        assert_eq!(used_percent(Path::new("/no/such/folder")), None);
    }
}
