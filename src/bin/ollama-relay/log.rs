//! The log, on standard error: lines for people, or JSON for machines. Never a token, never a body.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use super::args::LogFormat;

/// Sets it up. Libraries are silent: what they would say at `debug` is not for owners.
pub fn start(format: LogFormat, level: LevelFilter) {
    let ours = Targets::new().with_target("ollama_relay", level);
    let layer = fmt::layer().with_writer(std::io::stderr).with_target(false);
    let layer = match format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
    };
    tracing_subscriber::registry().with(layer.with_filter(ours)).init();
}
