//! One link after the other, for as long as the process lives: how long to wait between them, and what the owner hears of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::time::Instant;

use super::address::Address;
use super::house::House;
use super::link::{self, Ended, Loss};
use super::stop::Stop;
use super::token::Token;

const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A link that lasted so long was a good one: the next wait is a short one.
const GOOD: Duration = Duration::from_secs(30);
/// The same line is not logged again for so long.
const SAY_AGAIN: Duration = Duration::from_secs(600);

/// The hub and how to get there.
pub struct Way {
    pub hub: Address,
    pub token: Token,
    pub tls: Arc<ClientConfig>,
}

/// Keeps a link up. Returns only when the process is to end.
pub async fn keep(house: &Arc<House>, way: &Way, stop: &Stop) -> Outcome {
    let mut wait = FIRST_WAIT;
    let lines = Lines::default();
    loop {
        let began = Instant::now();
        let opened = tokio::select! {
            opened = link::open(&way.hub, &way.token, &way.tls) => opened,
            () = idle(house, stop) => return Outcome::Stopped,
        };
        let ended = match opened {
            Ok(socket) => {
                link::live(house, socket, |release| greeted(house, way, &lines, release), || stop.is_asked()).await
            }
            Err(loss) => Ended::Lost(loss),
        };
        house.figures.links.fetch_add(1, Ordering::Relaxed);
        let loss = match ended {
            Ended::Stopped => return Outcome::Stopped,
            Ended::Lost(Loss::Token(why)) => {
                tracing::error!("{}", Loss::Token(why));
                return Outcome::Refused;
            }
            Ended::Lost(loss) => loss,
        };
        if began.elapsed() >= GOOD {
            wait = FIRST_WAIT;
        }
        let pause = match loss {
            Loss::Replaced => {
                house.with(|relay, _| relay.replaced());
                LONGEST_WAIT
            }
            Loss::Version => LONGEST_WAIT,
            _ => jittered(wait),
        };
        lines.say(&loss_line(house, &loss));
        wait = (wait * 2).min(LONGEST_WAIT);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = idle(house, stop) => return Outcome::Stopped,
        }
    }
}

/// Returns when the process is asked to stop and nobody waits for an answer.
async fn idle(house: &Arc<House>, stop: &Stop) {
    stop.asked().await;
    while house.quietly(|relay, _| relay.in_flight()) > 0 {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Why the process is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Stopped,
    Refused,
}

fn greeted(house: &Arc<House>, way: &Way, lines: &Lines, release: &str) {
    let (name, models) = house.with(|relay, _| (relay.name().to_owned(), relay.state().models.len()));
    let plural = if models == 1 { "" } else { "s" };
    let line = format!("connected to {} (release {release}) as {name}, {models} model{plural}", way.hub.host);
    lines.say(&line);
}

fn loss_line(house: &Arc<House>, loss: &Loss) -> String {
    match loss {
        Loss::Replaced => {
            let name = house.with(|relay, _| relay.name().to_owned());
            format!(
                "another relay named {name} took over; this one asks every 30 s whether the name is free. Give one of them another --name"
            )
        }
        _ => loss.to_string(),
    }
}

/// Between half of it and all of it, so that relays that lost the same hub do not come back at once.
fn jittered(wait: Duration) -> Duration {
    let share = f64::from(getrandom::u32().unwrap_or(u32::MAX)) / f64::from(u32::MAX);
    wait.mul_f64(0.5 + share / 2.0)
}

/// What was said lately: a link that comes and goes must not fill the disk.
#[derive(Default)]
struct Lines(std::cell::RefCell<Vec<(String, Instant, u32)>>);

impl Lines {
    fn say(&self, line: &str) {
        let mut lines = self.0.borrow_mut();
        let now = Instant::now();
        match lines.iter_mut().find(|(said, _, _)| said == line) {
            Some((_, at, times)) if now < *at + SAY_AGAIN => {
                *times += 1;
                tracing::debug!("{line}");
            }
            Some((_, at, times)) => {
                tracing::info!("{line} ({times} times more in the last minutes)");
                (*at, *times) = (now, 0);
            }
            None => {
                tracing::info!("{line}");
                if lines.len() >= 20 {
                    lines.remove(0);
                }
                lines.push((line.to_owned(), now, 0));
            }
        }
    }
}
