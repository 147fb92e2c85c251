//! Every check in each of its verdicts, over made-up facts; then the whole over a real Directory.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::*;
use super::*;
use crate::admin::Area;
use crate::admin::port::Fetched;
use crate::admin::request::Method;
use crate::admin::testing::{T0, TestOffice, relay};
use crate::directory::DmPolicy;
use crate::directory::desk::{DoctorBackups, DoctorFacts, DoctorGroup, Waiting};
use crate::llm::{ErrorClass, ModelRef};
use crate::relay::{HubView, RelayView};
use crate::telegram::update::ALLOWED_UPDATES;
use crate::telegram::webhook_info::WebhookInfo;

const HOUR: i64 = 3_600_000;
const DOLLAR: u64 = 1_000_000_000;

/// A deployment at which nothing is wrong.
fn well() -> Facts {
    let ours = |status| Probe::Answered { status, ours: true };
    Facts {
        now: T0,
        version: "0.1.0",
        origin: "https://bot.example".into(),
        bots: vec![BotFacts {
            id: "main".into(),
            has_secret: true,
            me: Me::Is(Profile { username: "tideclaw_bot".into(), can_read_all_group_messages: false }),
            webhook: Some(WebhookInfo {
                url: "https://bot.example/telegram/main".into(),
                allowed_updates: ALLOWED_UPDATES.map(str::to_owned).to_vec(),
                max_connections: Some(20),
                ..WebhookInfo::default()
            }),
            commands: Some(true),
            unsigned: ours(401),
        }],
        bots_left_out: 0,
        access: AccessFacts {
            unset: vec![],
            keys: Some(true),
            guarded: vec![
                ("/_admin", ours(401)),
                ("/api", Probe::Answered { status: 302, ours: false }),
                ("/debug", ours(401)),
            ],
            health: ours(200),
        },
        models: ModelFacts {
            default: Some("ollama/gpt-oss:120b".into()),
            fallbacks: vec!["gemini/gemini-3.8-flash".into()],
            providers: vec![
                ProviderFacts {
                    name: "ollama",
                    has_key: true,
                    needs_key: true,
                    list: Listed::Models(vec!["gpt-oss:120b".into(), "x".into()]),
                },
                ProviderFacts {
                    name: "gemini",
                    has_key: true,
                    needs_key: true,
                    list: Listed::Models(vec!["gemini-3.8-flash".into()]),
                },
            ],
        },
        relays: RelayFacts {
            token: Some(64),
            hub: Some(HubView {
                relays: vec![RelayView { software: "0.1.0".into(), ..relay("home") }],
                ..HubView::default()
            }),
        },
        storage: Stored::Well,
        variables: Variables { owner_ids: true, ..Variables::default() },
        telegram_time: Some(T0 - 2_000),
        directory: Some(directory()),
    }
}

fn directory() -> DoctorFacts {
    let caps = format!(r#"{{"day_nano_usd":{DOLLAR},"month_nano_usd":{},"person_day_nano_usd":null}}"#, 10 * DOLLAR);
    DoctorFacts {
        version: "0.1.0".into(),
        now: T0,
        has_owner: true,
        private: DmPolicy::Pairing,
        people_waiting: Waiting::default(),
        groups_waiting: Waiting::default(),
        groups: vec![DoctorGroup { bot: "main".into(), title: "Home".into(), require_mention: true }],
        usage: serde_json::from_str(&format!(r#"{{"owner":true,"day":{{}},"month":{{}},"caps":{caps}}}"#)).unwrap(),
        default_model: None,
        fallbacks: None,
        unread_config: None,
        outbox: Waiting::default(),
        deliveries: Some(0),
        errors: Some(0),
        backups: Some(DoctorBackups { last_at: Some(T0 - 3 * HOUR), failed: 0, since: Some(T0 - 90 * HOUR) }),
        state: None,
    }
}

/// The severities of `id` with facts changed by `change`; English and Russian must agree.
fn severity(id: &str, change: &dyn Fn(&mut Facts)) -> Severity {
    let mut facts = well();
    change(&mut facts);
    let [en, ru] = [Lang::En, Lang::Ru].map(|lang| {
        let report = report(&facts, lang);
        let found: Vec<_> = report.findings.iter().filter(|finding| finding.id == id).cloned().collect();
        assert!(!found.is_empty(), "{id} found nothing");
        found.into_iter().max_by_key(|finding| finding.severity).unwrap()
    });
    assert_eq!(en.severity, ru.severity, "{id}");
    assert_ne!(en.reason, ru.reason, "{id}: said in both languages");
    assert_eq!(en.action.is_some(), ru.action.is_some());
    if en.severity >= Severity::Warning {
        assert!(en.action.is_some(), "{id}: {} says what to do", en.reason);
    }
    en.severity
}

fn bot(facts: &mut Facts) -> &mut BotFacts {
    &mut facts.bots[0]
}

fn info(facts: &mut Facts) -> &mut WebhookInfo {
    bot(facts).webhook.as_mut().unwrap()
}

fn dir(facts: &mut Facts) -> &mut DoctorFacts {
    facts.directory.as_mut().unwrap()
}

fn spent(facts: &mut Facts, day: u64, month: u64) {
    dir(facts).usage.day.nano_usd = day;
    dir(facts).usage.month.nano_usd = month;
}

fn capped(facts: &mut Facts, day: u64, month: u64) {
    let caps = dir(facts).usage.caps.as_mut().unwrap();
    (caps.day_nano_usd, caps.month_nano_usd) = (day, month);
}

fn hub(facts: &mut Facts) -> &mut HubView {
    facts.relays.hub.as_mut().unwrap()
}

fn away(facts: &mut Facts, minutes: i64) {
    let relay = &mut hub(facts).relays[0];
    (relay.connected, relay.since) = (false, T0 - minutes * 60_000);
}

fn erred(facts: &mut Facts, minutes: i64, text: &str) {
    let info = info(facts);
    info.last_error_date = Some(T0 / 1_000 - minutes * 60);
    info.last_error_message = Some(text.into());
}

#[test]
fn all_is_well_when_all_is_well() {
    for lang in [Lang::En, Lang::Ru] {
        let report = report(&well(), lang);
        let bad: Vec<_> = report.findings.iter().filter(|finding| finding.severity != Severity::Ok).collect();
        assert!(bad.is_empty(), "{bad:?}");
        let ids: BTreeSet<_> = report.findings.iter().map(|finding| finding.id).collect();
        assert!(ids.len() >= 30, "{}: {ids:?}", ids.len());
    }
}

type Case = (&'static str, Severity, Box<dyn Fn(&mut Facts)>);

fn case(id: &'static str, severity: Severity, change: impl Fn(&mut Facts) + 'static) -> Case {
    (id, severity, Box::new(change))
}

fn cases() -> Vec<Case> {
    use Severity::{Error, Info, Ok, Warning};
    let foreign = |status| Probe::Answered { status, ours: false };
    let ours = |status| Probe::Answered { status, ours: true };
    vec![
        case("bot_token", Error, |f| bot(f).me = Me::Refused),
        case("bot_token", Warning, |f| bot(f).me = Me::Unknown),
        case("webhook_set", Error, |f| info(f).url.clear()),
        case("webhook_set", Error, |f| info(f).url = "https://bot.example/telegram/work".into()),
        case("webhook_set", Warning, |f| info(f).url = "https://other.example/telegram/main".into()),
        case("webhook_set", Info, |f| bot(f).webhook = None),
        // The proxy of `npm start` is at another port of this machine.
        case("webhook_set", Ok, |f| {
            f.origin = "http://localhost:8788".into();
            info(f).url = "http://127.0.0.1:8787/telegram/main".into();
        }),
        case("webhook_secret", Error, |f| bot(f).has_secret = false),
        case("webhook_secret", Error, move |f| bot(f).unsigned = ours(200)),
        case("webhook_secret", Error, move |f| bot(f).unsigned = foreign(302)),
        case("webhook_secret", Error, move |f| bot(f).unsigned = foreign(403)),
        case("webhook_secret", Error, move |f| bot(f).unsigned = foreign(404)),
        case("webhook_secret", Info, |f| bot(f).unsigned = Probe::Silent),
        case("webhook_secret", Info, |f| bot(f).unsigned = Probe::NotFromHere),
        case("webhook_updates", Error, |f| info(f).allowed_updates.clear()),
        case("webhook_updates", Error, |f| info(f).allowed_updates.push("poll".into())),
        case("webhook_pending", Ok, |f| info(f).pending_update_count = 10),
        case("webhook_pending", Warning, |f| info(f).pending_update_count = 11),
        case("webhook_pending", Error, |f| info(f).pending_update_count = 101),
        case("webhook_errors", Error, |f| erred(f, 1, "Wrong response from the webhook: 500 Internal Server Error")),
        case("webhook_errors", Error, |f| erred(f, 30, "Wrong response from the webhook: 401 Unauthorized")),
        case("webhook_errors", Warning, |f| erred(f, 30, "Connection timed out")),
        case("webhook_errors", Ok, |f| erred(f, 90, "Connection timed out")),
        case("privacy", Warning, |f| dir(f).groups[0].require_mention = false),
        case("privacy", Info, |f| {
            bot(f).me = Me::Is(Profile { username: "x".into(), can_read_all_group_messages: true })
        }),
        case("privacy", Ok, |f| {
            bot(f).me = Me::Is(Profile { username: "x".into(), can_read_all_group_messages: true });
            dir(f).groups[0].require_mention = false;
        }),
        case("commands", Warning, |f| bot(f).commands = Some(false)),
        case("commands", Info, |f| bot(f).commands = None),
        case("bots_left_out", Info, |f| f.bots_left_out = 1),
        case("access_configured", Error, |f| f.access.unset = vec!["CF_ACCESS_AUD"]),
        case("access_keys", Error, |f| f.access.keys = Some(false)),
        case("access_keys", Info, |f| f.access.keys = None),
        case("guarded_paths", Error, move |f| f.access.guarded[2].1 = ours(200)),
        case("guarded_paths", Error, move |f| f.access.guarded[0].1 = foreign(404)),
        case("guarded_paths", Info, |f| f.access.guarded[1].1 = Probe::Silent),
        case("guarded_paths", Info, |f| f.access.guarded[1].1 = Probe::NotFromHere),
        case("open_paths", Error, move |f| f.access.health = foreign(302)),
        case("open_paths", Error, move |f| f.access.health = foreign(200)),
        case("open_paths", Info, |f| f.access.health = Probe::NotFromHere),
        case("caps", Error, |f| f.variables.bad_budgets = vec!["DAILY_BUDGET_USD"]),
        case("caps", Warning, |f| capped(f, 101 * DOLLAR, 500 * DOLLAR)),
        case("caps", Warning, |f| capped(f, 20 * DOLLAR, 10 * DOLLAR)),
        case("caps", Info, |f| capped(f, 0, 10 * DOLLAR)),
        case("caps", Info, |f| f.directory = None),
        case("budget", Ok, |f| spent(f, DOLLAR / 100 * 79, 0)),
        case("budget", Warning, |f| spent(f, DOLLAR / 100 * 80, 0)),
        case("budget", Error, |f| spent(f, 0, 10 * DOLLAR)),
        case("budget", Ok, |f| capped(f, 0, 0)),
        case("default_model", Error, |f| f.models.default = Some("gpt-oss".into())),
        case("default_model", Error, |f| f.models.fallbacks = vec!["x".into()]),
        case("default_model", Ok, |f| f.models.default = None),
        case("provider_keys", Error, |f| f.models.providers[0].has_key = false),
        case("provider_keys", Warning, |f| f.models.providers.truncate(1)),
        case("provider_keys", Error, |f| dir(f).default_model = Some(ModelRef::new("openai", "gpt"))),
        case("provider_keys", Ok, |f| dir(f).default_model = Some(ModelRef::new("relay", "qwen3:8b"))),
        case("provider_answers", Error, |f| f.models.providers[0].has_key = false),
        case("provider_answers", Error, |f| f.models.providers[1].list = Listed::Refused),
        case("provider_answers", Warning, |f| {
            f.models.fallbacks.clear();
            f.models.providers[1].list = Listed::Refused;
        }),
        case("provider_answers", Warning, |f| f.models.providers[0].list = Listed::Odd(500)),
        case("provider_answers", Warning, |f| f.models.providers[0].list = Listed::Silent),
        case("provider_answers", Warning, |f| f.models.providers[0].list = Listed::Models(vec!["other".into()])),
        case("provider_answers", Ok, |f| {
            f.models.providers[0].list = Listed::Models(vec!["gpt-oss:120b-cloud".into()])
        }),
        case("provider_answers", Info, |f| {
            f.models.providers.push(ProviderFacts {
                name: "openai",
                has_key: false,
                needs_key: true,
                list: Listed::Silent,
            });
        }),
        case("cooldowns", Warning, |f| {
            dir(f).usage.resting = vec![("ollama".into(), T0 + HOUR, ErrorClass::Auth)];
        }),
        case("fallbacks", Info, |f| f.models.fallbacks.clear()),
        case("relay_token", Ok, |f| f.relays = RelayFacts::default()),
        case("relay_token", Error, |f| {
            f.relays = RelayFacts::default();
            dir(f).default_model = Some(ModelRef::new("relay", "qwen3:8b"));
        }),
        case("relay_token", Warning, |f| {
            f.relays = RelayFacts::default();
            dir(f).fallbacks = Some(vec![ModelRef::new("relay:home", "qwen3:8b")]);
        }),
        case("relay_token", Warning, |f| f.relays.token = Some(23)),
        case("relay_token", Ok, |f| f.relays.token = Some(24)),
        case("relay_connected", Warning, |f| f.relays.hub = None),
        case("relay_connected", Warning, |f| hub(f).relays.clear()),
        case("relay_connected", Info, |f| hub(f).relays[0].draining = true),
        // Nobody waits for it.
        case("relay_connected", Info, |f| away(f, 600)),
        case("relay_connected", Info, |f| {
            away(f, 9);
            dir(f).default_model = Some(ModelRef::new("relay", "qwen3:8b"));
        }),
        case("relay_connected", Warning, |f| {
            away(f, 10);
            dir(f).fallbacks = Some(vec![ModelRef::new("relay", "qwen3:8b")]);
        }),
        case("relay_connected", Warning, |f| {
            away(f, 10);
            dir(f).fallbacks = Some(vec![ModelRef::new("relay:home", "other")]);
        }),
        // Another one has the model too.
        case("relay_connected", Info, |f| {
            away(f, 10);
            hub(f).relays.push(relay("vds"));
            dir(f).fallbacks = Some(vec![ModelRef::new("relay", "qwen3:8b")]);
        }),
        case("relay_ollama", Warning, |f| hub(f).relays[0].trouble = Some("connection refused".into())),
        case("relay_ollama", Warning, |f| hub(f).relays[0].models.clear()),
        case("relay_release", Info, |f| hub(f).relays[0].software = "0.0.9".into()),
        case("relay_models", Ok, |f| dir(f).default_model = Some(ModelRef::new("relay", "nomic-embed-text"))),
        case("relay_models", Ok, |f| dir(f).default_model = Some(ModelRef::new("relay:home", "qwen3:8b"))),
        case("relay_models", Error, |f| dir(f).default_model = Some(ModelRef::new("relay", "qwen3"))),
        case("relay_models", Error, |f| dir(f).default_model = Some(ModelRef::new("relay:vds", "qwen3:8b"))),
        case("relay_models", Warning, |f| dir(f).fallbacks = Some(vec![ModelRef::new("relay", "other")])),
        case("relay_models", Error, |f| {
            away(f, 1);
            dir(f).default_model = Some(ModelRef::new("relay", "qwen3:8b"));
        }),
        case("relay_models", Info, |f| f.relays.hub = None),
        case("storage", Warning, |f| f.storage = Stored::Unbound),
        case("storage", Error, |f| f.storage = Stored::NotWritten),
        case("storage", Error, |f| f.storage = Stored::NotRead),
        case("storage", Warning, |f| f.storage = Stored::NotDeleted),
        case("storage", Error, |f| f.storage = Stored::Silent),
        case("backup_age", Warning, |f| dir(f).backups.as_mut().unwrap().last_at = Some(T0 - 26 * HOUR)),
        case("backup_age", Error, |f| dir(f).backups.as_mut().unwrap().last_at = Some(T0 - 50 * HOUR)),
        case("backup_age", Error, |f| dir(f).backups.as_mut().unwrap().last_at = None),
        case("backup_age", Warning, |f| {
            dir(f).backups = Some(DoctorBackups { last_at: None, failed: 0, since: Some(T0 - HOUR) })
        }),
        case("backup_age", Ok, |f| dir(f).backups = Some(DoctorBackups::default())),
        case("backup_age", Info, |f| dir(f).backups = None),
        case("backup_failures", Warning, |f| dir(f).backups.as_mut().unwrap().failed = 2),
        case("private_policy", Warning, |f| dir(f).private = DmPolicy::Open),
        case("groups_unmentioned", Info, |f| dir(f).groups[0].require_mention = false),
        case("waiting_people", Info, |f| dir(f).people_waiting = Waiting { count: 1, since: Some(T0 - HOUR) }),
        case("waiting_people", Warning, |f| dir(f).groups_waiting = Waiting { count: 1, since: Some(T0 - 30 * HOUR) }),
        case("owner", Error, |f| dir(f).has_owner = false),
        case("owner", Warning, |f| {
            dir(f).has_owner = false;
            f.variables.claim_code = true;
        }),
        case("claim_code", Info, |f| f.variables.claim_code = true),
        case("unused_tokens", Info, |f| f.variables.gateway_token = true),
        case("debug_token", Warning, |f| f.variables.debug_token = true),
        case("debug_token", Info, |f| {
            f.variables.debug_token = true;
            f.origin = "http://127.0.0.1:8787".into();
        }),
        case("clock", Warning, |f| f.telegram_time = Some(T0 + 61_000)),
        case("clock", Error, |f| f.telegram_time = Some(T0 - 301_000)),
        case("clock", Info, |f| f.telegram_time = None),
        case("versions", Warning, |f| dir(f).version = "0.0.9".into()),
        case("directory", Error, |f| f.directory = None),
        case("config", Error, |f| dir(f).unread_config = Some(7)),
        case("public_url", Info, |f| f.origin = "http://127.0.0.1:8787".into()),
        case("outbox", Warning, |f| dir(f).outbox = Waiting { count: 1, since: Some(T0 - 11 * 60_000) }),
        case("outbox", Error, |f| dir(f).outbox = Waiting { count: 1, since: Some(T0 - 2 * HOUR) }),
        case("outbox", Warning, |f| dir(f).deliveries = Some(51)),
        case("outbox", Ok, |f| dir(f).outbox = Waiting { count: 1, since: Some(T0 - 60_000) }),
        case("errors", Info, |f| dir(f).errors = Some(1)),
        case("errors", Warning, |f| dir(f).errors = Some(20)),
        case("errors", Info, |f| dir(f).errors = None),
    ]
}

#[test]
fn each_check_in_each_of_its_verdicts() {
    let mut seen: BTreeMap<&str, BTreeSet<Severity>> = BTreeMap::new();
    for (number, (id, expected, change)) in cases().iter().enumerate() {
        assert_eq!(severity(id, change.as_ref()), *expected, "case {number}: {id}");
        seen.entry(id).or_default().insert(*expected);
    }
    let report = report(&well(), Lang::En);
    for finding in &report.findings {
        assert!(seen.contains_key(finding.id), "{} is never anything but well", finding.id);
    }
    let whole = seen.len();
    assert!(whole >= 30, "{whole} checks");
}

#[test]
fn the_worst_is_first_in_its_group_and_the_worst_of_all_is_told() {
    let mut facts = well();
    facts.storage = Stored::NotRead;
    facts.variables.debug_token = true;
    let report = report(&facts, Lang::En);
    assert_eq!(report.worst, Severity::Error);
    let storage: Vec<_> = report.findings.iter().filter(|finding| finding.group == Group::Storage).collect();
    assert_eq!(storage[0].id, "storage");
    let json = serde_json::to_value(storage[0]).unwrap();
    let expected = serde_json::json!({"id": "storage", "group": "storage", "severity": "error",
        "reason": storage[0].reason, "action": storage[0].action});
    assert_eq!(json, expected);
}

fn page(status: u16, body: &str) -> Fetched {
    Fetched { status, date: Some(T0), body: body.as_bytes().to_vec() }
}

/// An office behind which everything is well, at the Worker's side.
fn office() -> TestOffice {
    let mut office = TestOffice::new();
    let refusal = r#"{"error":{"code":"unauthorized","message":"Unauthorized."}}"#;
    for path in ["/_admin", "/api", "/debug", "/telegram/main"] {
        office.pages.get_mut().insert(format!("https://bot.example{path}"), page(401, refusal));
    }
    let pages = office.pages.get_mut();
    pages.insert("https://bot.example/healthz".into(), page(200, r#"{"status":"ok","version":"0.1.0"}"#));
    pages.insert("https://api.telegram.org".into(), page(302, ""));
    pages.insert(
        "https://team.cloudflareaccess.com/cdn-cgi/access/certs".into(),
        page(200, r#"{"keys":[{"kid":"a"}]}"#),
    );
    pages.insert("https://ollama.com/api/tags".into(), page(200, r#"{"models":[{"name":"gpt-oss:120b"}]}"#));
    let variables = [
        ("CF_ACCESS_TEAM_DOMAIN", "team"),
        ("CF_ACCESS_AUD", "a1"),
        ("OLLAMA_API_KEY", "secret-key"),
        ("TELEGRAM_WEBHOOK_SECRET", "secret-webhook"),
    ];
    office.variables.extend(variables.map(|(name, value)| (name, value.to_owned())));
    let menu = crate::text::chat::menu(Lang::En)
        .map(|(command, description)| serde_json::json!({"command": command, "description": description}));
    let webhook = serde_json::json!({"url": "https://bot.example/telegram/main", "has_custom_certificate": false,
        "pending_update_count": 0, "allowed_updates": ALLOWED_UPDATES});
    let answers = [
        (
            "getMe",
            serde_json::json!({"id": 7, "is_bot": true, "username": "tideclaw_bot", "can_read_all_group_messages": false}),
        ),
        ("getWebhookInfo", webhook),
        ("getMyCommands", serde_json::json!(menu)),
    ];
    for (method, result) in answers {
        let body = serde_json::json!({"ok": true, "result": result}).to_string();
        office.telegram.get_mut().insert(method.into(), body);
    }
    office
}

fn look(office: &TestOffice) -> serde_json::Value {
    let Answer::Json { status: 200, json } = office.ask(Area::Api, Method::Get, "doctor", "", Lang::En) else {
        panic!()
    };
    assert!(!json.contains("secret-"), "{json}");
    serde_json::from_str(&json).unwrap()
}

fn verdict(report: &serde_json::Value, id: &str) -> String {
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["id"] == id).unwrap_or_else(|| panic!("{id}: {report}"));
    found["severity"].as_str().unwrap().to_owned()
}

#[test]
fn the_whole_over_a_real_directory() {
    let office = office();
    let report = look(&office);
    for id in [
        "bot_token",
        "webhook_set",
        "webhook_secret",
        "webhook_updates",
        "commands",
        "access_keys",
        "guarded_paths",
        "open_paths",
        "provider_answers",
        "default_model",
        "caps",
        "budget",
        "storage",
        "owner",
        "clock",
        "versions",
        "config",
    ] {
        assert_eq!(verdict(&report, id), "ok", "{id}: {report}");
    }
    // The tables of other features are as the Directory's part reads them.
    for id in ["backup_age", "backup_failures", "errors", "outbox", "waiting_people", "groups_unmentioned"] {
        assert_eq!(verdict(&report, id), "ok", "{id}: {report}");
    }
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    // One of each, and nothing twice.
    let asked = office.fetched.borrow().len() + office.called.borrow().len();
    assert!(asked <= 40, "{asked} sub-requests");
    assert_eq!(asked, 11);
    assert!(office.fetched.borrow().contains(&("POST", "https://bot.example/telegram/main".to_owned())));
}

#[test]
fn nobody_answers_and_the_doctor_does() {
    let mut office = office();
    office.pages.get_mut().clear();
    office.telegram.get_mut().clear();
    office.storage.set(Stored::Silent);
    let report = look(&office);
    assert_eq!(report["worst"], "error");
    assert_eq!(verdict(&report, "bot_token"), "warning");
    assert_eq!(verdict(&report, "webhook_set"), "info");
    assert_eq!(verdict(&report, "guarded_paths"), "info");
    assert_eq!(verdict(&report, "provider_answers"), "warning");
}

#[test]
fn what_stands_before_us_and_what_the_platform_does_not_allow_are_told_apart() {
    let mut office = office();
    let pages = office.pages.get_mut();
    pages.insert("https://bot.example/telegram/main".into(), page(302, "<html>Sign in</html>"));
    pages.insert("https://bot.example/healthz".into(), page(404, "error code: 1042"));
    let report = look(&office);
    assert_eq!(verdict(&report, "webhook_secret"), "error");
    assert_eq!(verdict(&report, "open_paths"), "info");
}

#[test]
fn at_most_five_bots_are_looked_at() {
    let mut office = office();
    office.bots = (0..8).map(|n| format!("bot{n}")).collect();
    let report = look(&office);
    assert_eq!(verdict(&report, "bots_left_out"), "info");
    let asked = office.fetched.borrow().len() + office.called.borrow().len();
    // The Directory and three calls of storage come on top.
    assert!(asked + 4 <= 40, "{asked} sub-requests");
}

#[test]
fn the_page_says_it_in_both_languages_and_shows_foreign_text_as_text() {
    let mut office = office();
    let webhook = serde_json::json!({"ok": true, "result": {"url": "https://bot.example/telegram/main",
        "pending_update_count": 0, "allowed_updates": ALLOWED_UPDATES, "last_error_date": T0 / 1_000 - 60,
        "last_error_message": "<script>alert(1)</script>"}});
    office.telegram.get_mut().insert("getWebhookInfo".into(), webhook.to_string());
    let html = office.page("doctor");
    assert!(html.contains("The token works: @tideclaw_bot.") && html.contains("badge bad"));
    assert!(!html.contains("<script>alert") && html.contains("&lt;script&gt;alert"));
    let Answer::Page { html, .. } = office.ask(Area::Pages, Method::Get, "doctor", "", Lang::Ru) else { panic!() };
    assert!(html.contains("Токен действует") && html.contains("Диагностика"));
}

/// What `npm run setup` tells Telegram. If this fails, write what the test expects into the file.
#[test]
fn the_wizard_and_the_worker_tell_telegram_the_same() {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../../local-dev/operate/telegram.json")).unwrap();
    assert_eq!(file["allowed_updates"], serde_json::json!(ALLOWED_UPDATES));
    for (code, lang) in [("", Lang::En), ("ru", Lang::Ru)] {
        let menu = crate::text::chat::menu(lang)
            .map(|(command, description)| serde_json::json!({"command": command, "description": description}));
        assert_eq!(file["commands"][code], serde_json::json!(menu), "language {code:?}");
    }
    assert_eq!(file["commands"].as_object().unwrap().len(), 2);
}
