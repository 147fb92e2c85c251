//! `ollama-relay`: lets the bot use an Ollama on this machine, with no port open to the outside.
//!
//! One thread: everything waits for the network. The protocol and all that may pass is in `tideclaw::relay`; here are sockets, HTTP, clocks,
//! signals. Each file is one of them.

mod address;
mod args;
mod calls;
mod check;
mod healthy;
mod house;
mod http;
mod link;
mod links;
mod log;
mod metrics;
mod models;
mod ollama;
mod preload;
mod stop;
mod tls;
mod token;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tideclaw::relay::pattern::Patterns;
use tideclaw::relay::server::About;

use address::Address;
use args::{Arguments, Command, Options};
use house::House;
use links::{Outcome, Way};
use ollama::Ollama;

const FIRST_LOOK: Duration = Duration::from_secs(3);
/// Arguments that make no sense, as clap has it.
const WRONG_USE: u8 = 2;
/// The token is refused: only a person can mend that.
const REFUSED: u8 = 3;

fn main() -> ExitCode {
    let Arguments { command, options } = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(2).build() {
        Ok(runtime) => runtime,
        Err(error) => return wrong(&format!("the system gives no way to wait: {error}")),
    };
    let code = match command {
        None => runtime.block_on(run(&options)),
        Some(Command::Check { model }) => runtime.block_on(check(&options, model.as_deref())),
        Some(Command::Healthy) => runtime.block_on(healthy(&options)),
    };
    // A look-up of a name may hang in a thread of its own; nobody waits for it.
    runtime.shutdown_background();
    code.map_or_else(|message| wrong(&message), ExitCode::from)
}

fn wrong(message: &str) -> ExitCode {
    eprintln!("ollama-relay: {message}");
    ExitCode::from(WRONG_USE)
}

/// Serves until it is stopped. An error is one of the arguments.
async fn run(options: &Options) -> Result<u8, String> {
    let (way, warnings) = way(options)?;
    let ollama = Ollama::new(&options.ollama, &way.tls)?;
    log::start(options.log_format, options.log_level);
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let about = About {
        name: options.name.clone(),
        instance: format!("{:016x}", getrandom::u64().map_err(|error| error.to_string())?),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        max_parallel: options.max_parallel,
        allowed: Patterns::new(options.allow_model.iter().map(String::as_str)),
    };
    let house = House::new(about, ollama);
    let (stop, over) = stop::watch(house.clone()).map_err(|error| format!("no signals: {error}"))?;
    // The first look comes before the first link, so that the hub is told of models at once; an Ollama that hangs is not waited for.
    let _ = tokio::time::timeout(FIRST_LOOK, models::look(&house)).await;
    tokio::spawn(models::watch(house.clone()));
    tokio::spawn(house::keep_time(house.clone()));
    if let Some(address) = options.metrics {
        tokio::spawn(metrics::serve(house.clone(), metrics::listen(address).await?));
    }
    if !options.preload.is_empty() {
        tokio::spawn(preload::keep(house.clone(), options.preload.clone()));
    }
    let outcome = tokio::select! {
        outcome = links::keep(&house, &way, &stop) => outcome,
        () = over => Outcome::Stopped,
    };
    match outcome {
        Outcome::Stopped => tracing::info!("stopped"),
        Outcome::Refused => return Ok(REFUSED),
    }
    Ok(0)
}

async fn check(options: &Options, model: Option<&str>) -> Result<u8, String> {
    let (way, warnings) = way(options)?;
    let ollama = Ollama::new(&options.ollama, &way.tls)?;
    Ok(u8::from(!check::run(options, &way, &warnings, &ollama, model).await))
}

async fn healthy(options: &Options) -> Result<u8, String> {
    let metrics =
        options.metrics.ok_or("no metrics port: give --metrics, or set RELAY_METRICS, to what the relay has")?;
    let answer = healthy::ask(metrics).await;
    match &answer {
        Ok(true) => println!("the connection to the hub is up"),
        Ok(false) => println!("the connection to the hub is down"),
        Err(why) => println!("{why}"),
    }
    Ok(u8::from(answer != Ok(true)))
}

/// The way to the hub, and what the owner should hear about it.
fn way(options: &Options) -> Result<(Way, Vec<String>), String> {
    let url = options.url.as_deref().ok_or("no address: give --url wss://<your Worker>/relay, or set RELAY_URL")?;
    let hub = Address::parse(url)?;
    let variable = std::env::var("RELAY_TOKEN").ok();
    let (token, warning) = token::find(options.token_file.as_deref(), variable)?;
    let exposed = hub
        .is_exposed()
        .then(|| "the token and all conversations cross the network unencrypted: use wss://".to_owned());
    let tls = tls::config(options.ca_file.as_deref())?;
    Ok((Way { hub, token, tls }, warning.into_iter().chain(exposed).collect()))
}
