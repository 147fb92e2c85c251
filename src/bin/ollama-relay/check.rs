//! `ollama-relay check`: goes the way to the hub and the way to Ollama step by step, and says at which one it ends and what to do.
//!
//! It says HELLO under the relay's name without taking it from anybody, with no models, and leaves again.

use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tideclaw::relay::pattern::Patterns;
use tideclaw::relay::server::{About, Relay};
use tideclaw::relay::{FailCode, close};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::args::Options;
use super::link::{self, Loss, Socket};
use super::links::Way;
use super::ollama::Ollama;

const PATIENCE: Duration = Duration::from_secs(10);
/// A big model on a slow disk takes minutes.
const LOAD: Duration = Duration::from_secs(600);

/// Prints what it finds. Returns whether all is well.
pub async fn run(options: &Options, way: &Way, warnings: &[String], ollama: &Ollama, model: Option<&str>) -> bool {
    let mut report = Report { well: true };
    warnings.iter().for_each(|warning| report.note(warning));
    println!("The way to your bot, {}", way.hub.url);
    hub(options, way, &mut report).await;
    println!("The way to Ollama, {}", options.ollama);
    machine(options, ollama, model, &mut report).await;
    println!("{}", if report.well { "All is well." } else { "Something has to be mended: see the lines with FAIL." });
    report.well
}

struct Report {
    well: bool,
}

impl Report {
    fn good(&self, line: &str) {
        println!("  ok    {line}");
    }

    fn note(&self, line: &str) {
        println!("  note  {line}");
    }

    fn bad(&mut self, line: &str) {
        self.well = false;
        println!("  FAIL  {line}");
    }
}

async fn hub(options: &Options, way: &Way, report: &mut Report) {
    let opened = link::open(&way.hub, &way.token, &way.tls).await;
    let secure = if way.hub.tls { "name, network, secure connection" } else { "name, network" };
    match &opened {
        Err(Loss::Name(..) | Loss::Connect(..) | Loss::Tls(_)) => {}
        Err(Loss::Token(_)) => report.good(&format!("{secure}, the Worker answers")),
        Err(_) => report.good(secure),
        Ok(_) => report.good(&format!("{secure}, the Worker answers, the token is right")),
    }
    let greeted = match opened {
        Ok(socket) => greet(options, socket).await,
        Err(loss) => Err(loss),
    };
    match greeted {
        Ok(greeting) => {
            report.good(&format!(
                "the hub (release {}) speaks version {} of the protocol",
                greeting.release, greeting.version
            ));
            report.good(&format!("the name {} is free", options.name));
        }
        Err(Loss::Replaced) => report.note(&format!(
            "a relay named {} is connected: right, if it is the one that runs here; otherwise choose another --name",
            options.name
        )),
        Err(Loss::Tls(why)) if options.ca_file.is_none() => {
            report.bad(&format!("{}; a certificate of your own is trusted with --ca-file", Loss::Tls(why)));
        }
        Err(loss) => report.bad(&loss.to_string()),
    }
}

struct Greeting {
    release: String,
    version: u32,
}

/// Says HELLO, and goodbye.
async fn greet(options: &Options, mut socket: Socket) -> Result<Greeting, Loss> {
    let about = About {
        name: options.name.clone(),
        instance: format!("check-{:08x}", getrandom::u32().unwrap_or_default()),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        max_parallel: options.max_parallel,
        allowed: Patterns::default(),
    };
    let mut relay = Relay::new(about);
    relay.replaced();
    relay.drain();
    relay.connected();
    let broken = |error: &dyn std::fmt::Display| Loss::Broke(error.to_string());
    let work = async {
        while let Some(frame) = relay.transmit(0) {
            socket.send(Message::Binary(frame.into())).await.map_err(|error| broken(&error))?;
        }
        loop {
            match socket.next().await {
                Some(Ok(Message::Binary(frame))) => match relay.receive(&frame, 0) {
                    Ok(Some(welcome)) => return Ok(Greeting { release: welcome.software, version: welcome.version }),
                    Ok(None) => {}
                    Err(breach) => return Err(Loss::Breach(breach)),
                },
                Some(Ok(Message::Close(frame))) => return Err(link::closed(frame)),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(broken(&error)),
                None => return Err(Loss::Closed(close::SILENT)),
            }
        }
    };
    let greeted = timeout(PATIENCE, work).await.unwrap_or(Err(Loss::NoWelcome));
    let goodbye = async {
        let _ = socket.close(None).await;
        while socket.next().await.is_some_and(|message| message.is_ok()) {}
    };
    let _ = timeout(Duration::from_secs(2), goodbye).await;
    greeted
}

async fn machine(options: &Options, ollama: &Ollama, model: Option<&str>, report: &mut Report) {
    let facts = match ollama.facts().await {
        Ok(facts) => facts,
        Err(trouble) => {
            let hint = match trouble.code {
                FailCode::Unreachable => "; is Ollama running, and is --ollama its address?",
                _ => "; is --ollama really Ollama's address?",
            };
            return report.bad(&format!("{}{hint}", trouble.message));
        }
    };
    report.good(&format!("Ollama {} answers", facts.release.as_deref().unwrap_or("of an unknown release")));
    let allowed = Patterns::new(options.allow_model.iter().map(String::as_str));
    let usable: Vec<&str> =
        facts.models.iter().map(|model| model.name.as_str()).filter(|name| allowed.allow(name)).collect();
    match (facts.models.len(), usable.len()) {
        (0, _) => report.bad("it has no models: get one with `ollama pull`"),
        (all, 0) => {
            report.bad(&format!("--allow-model lets none of its {all} models be used: {}", names(&facts.models)))
        }
        (all, some) => report.good(&format!("the bot may use {some} of {all} models: {}", usable.join(", "))),
    }
    for wanted in options.preload.iter().map(String::as_str).chain(model) {
        if !usable.iter().any(|name| *name == wanted || name.strip_suffix(":latest") == Some(wanted)) {
            report.bad(&format!("{wanted} is not among these models"));
        }
    }
    if let Some(model) = model.filter(|_| report.well) {
        word(ollama, model, report).await;
    }
}

fn names(models: &[tideclaw::relay::Model]) -> String {
    models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Lets a model say one word.
async fn word(ollama: &Ollama, model: &str, report: &mut Report) {
    let began = Instant::now();
    let request = json!({
        "model": model, "stream": false, "options": {"num_predict": 1},
        "messages": [{"role": "user", "content": "Say one word."}],
    });
    match ollama.post("/api/chat", &request, LOAD).await {
        Ok(answer) => {
            let loading =
                serde_json::from_slice::<Value>(&answer).ok().and_then(|answer| answer.get("load_duration")?.as_u64());
            let loading =
                loading.map(|ns| format!(", {} ms of them for loading it", ns / 1_000_000)).unwrap_or_default();
            report.good(&format!("{model} answered after {} ms{loading}", began.elapsed().as_millis()));
        }
        Err(trouble) => report.bad(&format!("{model} does not answer: {}", trouble.message)),
    }
}
