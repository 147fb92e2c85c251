//! Cloudflare Access: configured, its keys there, the guarded paths shut, the open ones open (cloudflare.md §3).

use super::Desk;
use crate::admin::doctor::facts::{Facts, Probe};
use crate::text::admin::doctor as words;

pub fn check(facts: &Facts, desk: &mut Desk) {
    let (access, lang) = (&facts.access, desk.lang);
    if access.unset.is_empty() {
        desk.ok("access_configured", words::access_set(lang));
    } else {
        desk.error("access_configured", words::access_unset(lang, &access.unset.join(", ")));
    }
    match access.keys {
        Some(true) => desk.ok("access_keys", words::keys_reachable(lang)),
        Some(false) => desk.error("access_keys", words::no_keys(lang)),
        None => desk.unknown("access_keys", "Access"),
    }
    guarded(&access.guarded, desk);
    match access.health {
        Probe::Answered { status: 200, ours: true } => desk.ok("open_paths", words::webhook_open(lang)),
        Probe::Answered { status, .. } => {
            desk.error("open_paths", words::webhook_behind_access(lang, "/healthz", status));
        }
        Probe::Silent => desk.unknown("open_paths", "/healthz"),
        Probe::NotFromHere => desk.info("open_paths", words::not_from_here(lang)),
    }
}

/// One finding: the first path that stands open, else the first that could not be looked at.
fn guarded(paths: &[(&'static str, Probe)], desk: &mut Desk) {
    let lang = desk.lang;
    let shut = |status: u16| matches!(status, 301 | 302 | 303 | 307 | 401 | 403 | 503);
    let open = paths.iter().find_map(|(path, probe)| match probe {
        Probe::Answered { status, .. } if !shut(*status) => Some((*path, *status)),
        _ => None,
    });
    if let Some((path, status)) = open {
        desk.error("guarded_paths", words::path_open(lang, path, status));
    } else if paths.iter().any(|(_, probe)| *probe == Probe::NotFromHere) {
        desk.info("guarded_paths", words::not_from_here(lang));
    } else if let Some((path, _)) = paths.iter().find(|(_, probe)| *probe == Probe::Silent) {
        desk.unknown("guarded_paths", path);
    } else {
        desk.ok("guarded_paths", words::paths_covered(lang));
    }
}
