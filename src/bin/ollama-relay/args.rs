//! What can be said on the command line and in the environment. The token has no argument: others could read it in the list of processes.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tideclaw::relay::is_name;

/// Lets your Tideclaw bot use an Ollama on this machine. It dials out to your Worker; no port is opened.
#[derive(Debug, Parser)]
#[command(name = "ollama-relay", version)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub options: Options,
}

#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Test both sides and say what is wrong. Exit code 0 if all is well, 1 if not.
    Check {
        /// Let this model say one word; it is loaded for that.
        #[arg(long)]
        model: Option<String>,
    },
    /// Ask the relay that runs here whether its connection is up (by its metrics port). Exit code 0 if so.
    Healthy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Address of your Worker, such as wss://tideclaw.example.workers.dev/relay
    #[arg(long, env = "RELAY_URL", global = true)]
    pub url: Option<String>,
    /// File with the token (the Worker's secret RELAY_TOKEN); without it the variable RELAY_TOKEN is read
    #[arg(long, env = "RELAY_TOKEN_FILE", global = true)]
    pub token_file: Option<PathBuf>,
    /// Address of Ollama
    #[arg(long, env = "OLLAMA_URL", default_value = "http://127.0.0.1:11434", global = true)]
    pub ollama: String,
    /// Name of this relay, as in relay:<name>/<model>: 1-32 of a-z, 0-9, -
    #[arg(long, env = "RELAY_NAME", default_value = "home", value_parser = name, global = true)]
    pub name: String,
    /// How many requests Ollama gets at a time
    #[arg(long, env = "RELAY_MAX_PARALLEL", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64), global = true)]
    pub max_parallel: u32,
    /// Models the bot may use, with * and ?; may be repeated; without it all of them
    #[arg(long, env = "RELAY_ALLOW_MODEL", value_delimiter = ',', global = true)]
    pub allow_model: Vec<String>,
    /// Models to keep in memory; may be repeated
    #[arg(long, env = "RELAY_PRELOAD", value_delimiter = ',', global = true)]
    pub preload: Vec<String>,
    /// Serve /metrics and /healthz here, such as 127.0.0.1:9464 (a port alone is on 127.0.0.1)
    #[arg(long, env = "RELAY_METRICS", value_parser = metrics, global = true)]
    pub metrics: Option<SocketAddr>,
    /// Trust the certificates in this PEM file too
    #[arg(long, env = "RELAY_CA_FILE", global = true)]
    pub ca_file: Option<PathBuf>,
    #[arg(long, env = "RELAY_LOG_FORMAT", value_enum, default_value = "text", global = true)]
    pub log_format: LogFormat,
    /// How much to log: error, warn, info, debug
    #[arg(long, env = "RELAY_LOG", default_value = "info", global = true)]
    pub log_level: tracing::level_filters::LevelFilter,
}

fn name(text: &str) -> Result<String, String> {
    if is_name(text) {
        Ok(text.to_owned())
    } else {
        Err("a name has 1 to 32 of a-z, 0-9 and -, and is not \"any\"".to_owned())
    }
}

fn metrics(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.trim_start_matches(':').parse::<u16>() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    text.parse().map_err(|_| "an address such as 127.0.0.1:9464, or a port".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, clap::Error> {
        let all = std::iter::once("ollama-relay").chain(arguments.iter().copied());
        Arguments::try_parse_from(all).map(|parsed| parsed.options)
    }

    #[test]
    fn options_stand_before_or_after_the_command() {
        assert_eq!(parse(&["--name", "vds", "check"]).unwrap().name, "vds");
        assert_eq!(parse(&["check", "--name", "vds", "--model", "x"]).unwrap().name, "vds");
        assert_eq!(parse(&["--allow-model", "a*,b", "--allow-model", "c"]).unwrap().allow_model, ["a*", "b", "c"]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for wrong in [
            &["--name", "My Home"][..],
            &["--name", ""],
            &["--name", "any"],
            &["--max-parallel", "0"],
            &["--max-parallel", "65"],
            &["--metrics", "everywhere"],
            &["--log-format", "xml"],
            &["--token", "secret"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_port_alone_is_not_open_to_others() {
        assert_eq!(parse(&["--metrics", "9464"]).unwrap().metrics, Some("127.0.0.1:9464".parse().unwrap()));
        assert_eq!(parse(&["--metrics", ":9464"]).unwrap().metrics, Some("127.0.0.1:9464".parse().unwrap()));
        assert_eq!(parse(&["--metrics", "0.0.0.0:1"]).unwrap().metrics, Some("0.0.0.0:1".parse().unwrap()));
    }
}
