//! The program, started and stopped, and what it logs.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Nothing in these tests takes longer on any machine.
pub const LONG: Duration = Duration::from_secs(60);
pub const TOKEN: &str = "a-token-nobody-may-see";

/// A running program. Killed when dropped.
pub struct Program {
    child: Child,
    log: Arc<Mutex<String>>,
}

/// The program with a token file, ready for more arguments.
pub fn command() -> Command {
    // The program as it is installed can be put to the same tests.
    let other = std::env::var("OLLAMA_RELAY_BIN").ok();
    let mut command = Command::new(other.as_deref().unwrap_or(env!("CARGO_BIN_EXE_ollama-relay")));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("RELAY_") || name.starts_with("OLLAMA_")) {
        command.env_remove(name);
    }
    command.env("RELAY_LOG", "debug").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A new file with a token.
pub fn token_file(token: &str) -> PathBuf {
    scratch("token", token)
}

/// A new file.
pub fn scratch(name: &str, text: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}-{number}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path
}

impl Program {
    /// Starts it between a hub and an Ollama.
    pub fn start(hub: &str, ollama: &str, more: &[&str]) -> Program {
        let mut command = command();
        command.args(["--url", hub, "--ollama", ollama]).arg("--token-file").arg(token_file(TOKEN)).args(more);
        Program::run(command)
    }

    pub fn run(mut command: Command) -> Program {
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (into, from) = (log.clone(), BufReader::new(child.stderr.take().unwrap()));
        std::thread::spawn(move || {
            for line in from.lines().map_while(Result::ok) {
                let mut log = into.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        Program { child, log }
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits for a line.
    pub async fn says(&self, text: &str) {
        let began = Instant::now();
        while !self.log().contains(text) {
            assert!(began.elapsed() < LONG, "{text:?} was not logged:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end and returns the exit code.
    pub async fn exit(&mut self) -> i32 {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(began.elapsed() < LONG, "it does not end:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A line of /proc/<pid>/status, kB.
    pub fn memory(&self, what: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(what)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        assert!(!self.log().contains(TOKEN), "the token is in the log:\n{}", self.log());
    }
}
