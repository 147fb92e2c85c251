//! SIGTERM and SIGINT: the hub is told, what runs may finish for 30 s, then the process ends. A second signal ends it at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::house::House;

/// What runs may take so long.
const FINISH: Duration = Duration::from_secs(30);
/// Then the callers are told, and the hub gets a goodbye.
const TELL: Duration = Duration::from_secs(3);

/// Whether the process was asked to stop.
#[derive(Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it is asked.
    pub async fn asked(&self) {
        // The sender lives as long as the process.
        let _ = self.0.clone().wait_for(|asked| *asked).await;
    }
}

/// Listens for signals. The future returns when the process has to end whatever still runs.
pub fn watch(house: Arc<House>) -> std::io::Result<(Stop, impl Future<Output = ()>)> {
    let mut signals = Signals::new()?;
    let (sender, receiver) = watch::channel(false);
    let over = async move {
        signals.next().await;
        let running = house.with(|relay, _| {
            relay.drain();
            relay.in_flight()
        });
        tracing::info!("stopping; {running} requests may finish within {} s", FINISH.as_secs());
        let _ = sender.send(true);
        house.outward.notify_one();
        tokio::select! {
            () = signals.next() => return tracing::warn!("stopped at once"),
            () = tokio::time::sleep(FINISH) => {}
        }
        tracing::warn!("some requests did not finish");
        house.with(|relay, _| relay.give_up());
        tokio::select! {
            () = signals.next() => {}
            () = tokio::time::sleep(TELL) => {}
        }
    };
    Ok((Stop(receiver), over))
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Signals> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
