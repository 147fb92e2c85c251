//! Troubles in virtual time, over a real Directory: what owners get, through which bot, in which language.

use super::*;
use crate::directory::*;
use crate::llm::{ErrorClass, Usage};
use crate::store::native::Sqlite;

const T0: i64 = 1_795_000_000_000;
const USD: u64 = 1_000_000_000;
const OWNER: i64 = 1;
const OTHER: i64 = 2;
const CAPS: Caps = Caps { day_nano_usd: USD, month_nano_usd: 10 * USD, person_day_nano_usd: None };

struct World {
    directory: Directory<Sqlite>,
    now: i64,
    step: i64,
    outside: Outside,
}

impl World {
    fn new() -> World {
        let directory = Directory::new(Sqlite::memory().unwrap()).unwrap();
        let outside = Outside { last_backup_at: Some(T0), bots: vec!["main".into()], ..Outside::default() };
        World { directory, now: T0, step: 0, outside }
    }

    /// Lets time pass, looks, and says what owner 1 got.
    fn after(&mut self, minutes: i64) -> Vec<String> {
        self.now += minutes * MINUTE;
        self.directory.look_out(&self.outside, &CAPS, &self.cfg(), self.now).unwrap();
        self.sent().into_iter().filter(|(_, chat, _, _)| *chat == OWNER).map(|(_, _, text, _)| text).collect()
    }

    fn cfg(&self) -> Config<'static> {
        Config { owners: &[OWNER, OTHER], claim_code: None }
    }

    /// Delivers what waits: bot, chat, text, silent.
    fn sent(&self) -> Vec<(String, i64, String, bool)> {
        let mut sent = Vec::new();
        while let Some(notice) = self.directory.take_due(self.now).unwrap() {
            let field = |name: &str| notice.payload[name].clone();
            let text = field("text").as_str().unwrap().to_owned();
            sent.push((
                notice.bot.clone(),
                field("chat_id").as_i64().unwrap(),
                text,
                field("disable_notification") == true,
            ));
            self.directory.record(notice.id, &Outcome::Sent { message_id: None }, self.now).unwrap();
        }
        sent
    }

    /// A call that ended now.
    fn call(&mut self, model: &str, class: Option<ErrorClass>, nano_usd: u64) {
        self.step += 1;
        let failure = class.map(|class| Failure {
            class,
            retry_after_ms: None,
            scope: None,
            reset: None,
            feature: None,
            relay: false,
        });
        let report = CallReport {
            step: self.step,
            person: None,
            model: model.parse().unwrap(),
            at: self.now,
            usage: Usage::default(),
            cost_nano_usd: nano_usd,
            assumed: false,
            failure,
        };
        let ask = ModelAsk { session: "main:1".into(), reports: vec![report], ..ModelAsk::default() };
        self.directory.model_call(&ask, &CAPS, &self.cfg(), self.now).unwrap();
    }

    /// The same every minute for a while, without a look.
    fn failing(&mut self, model: &str, minutes: i64) {
        for _ in 0..minutes {
            self.now += MINUTE;
            self.call(model, Some(ErrorClass::Transient), 0);
        }
    }
}

const GPT: &str = "ollama/gpt-oss:120b";
const GLM: &str = "ollama/glm-5.3";

#[test]
fn a_provider_that_fails_for_five_minutes_is_told_each_hour_and_when_it_answers_again() {
    let mut world = World::new();
    world.call(GPT, Some(ErrorClass::Transient), 0);
    world.failing(GPT, 4);
    assert!(world.after(0).is_empty(), "four minutes");
    world.failing(GPT, 1);
    let told = world.after(0);
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("⚠️ “ollama” has not answered for 5 min."), "{told:?}");
    world.failing(GPT, 55);
    assert!(world.after(0).is_empty());
    world.failing(GPT, 5);
    assert_eq!(world.after(0), ["⚠️ “ollama” has not answered for 65 min. Other models stand in where there are any."]);
    world.call(GPT, None, 0);
    assert_eq!(world.after(5), ["✅ “ollama” is no longer failing."]);
    assert!(world.after(5).is_empty());
    assert!(world.directory.open_alerts().unwrap().is_empty());
}

#[test]
fn a_provider_is_not_down_while_one_of_its_models_answers() {
    let mut world = World::new();
    world.call(GLM, None, 0);
    world.failing(GPT, 30);
    assert!(world.after(0).is_empty());
    world.failing(GLM, 6);
    world.failing(GPT, 1);
    assert_eq!(world.after(0).len(), 1, "now all of them");
}

#[test]
fn one_failure_is_no_outage_and_an_old_one_is_over() {
    let mut world = World::new();
    world.call(GPT, Some(ErrorClass::Transient), 0);
    assert!(world.after(10).is_empty(), "nobody called since");
    world.failing(GPT, 10);
    assert_eq!(world.after(0).len(), 1);
    assert_eq!(world.after(59), Vec::<String>::new(), "it is not known to be over");
    assert_eq!(world.after(61), ["✅ “ollama” is no longer failing."]);
}

#[test]
fn a_used_up_allowance_is_told_once_it_lasts_and_a_refused_key_is_not_told_twice() {
    let mut world = World::new();
    world.call("gemini/flash", Some(ErrorClass::Quota), 0);
    assert!(world.after(4).is_empty());
    assert_eq!(world.after(1), ["⚠️ “gemini” has not answered for 5 min. Other models stand in where there are any."]);

    let mut world = World::new();
    world.call(GPT, Some(ErrorClass::Auth), 0);
    assert!(world.sent()[0].2.starts_with("🔑"), "at once, by another way");
    assert!(world.after(30).is_empty());
    world.call(GPT, None, 0);
    assert_eq!(world.after(5), ["✅ “ollama” is no longer failing."]);
}

#[test]
fn a_backup_older_than_a_day() {
    let mut world = World::new();
    assert!(world.after(25 * 60).is_empty());
    assert_eq!(world.after(5), ["⚠️ The last backup is 25 h old. See “Backups” on the admin page."]);
    assert!(world.after(59).is_empty());
    assert_eq!(world.after(1), ["⚠️ The last backup is 26 h old. See “Backups” on the admin page."]);
    world.outside.last_backup_at = Some(world.now);
    assert_eq!(world.after(5), ["✅ There is a fresh backup again."]);
}

#[test]
fn no_backup_matters_once_there_is_something_to_lose() {
    let mut world = World::new();
    world.outside.last_backup_at = None;
    assert!(world.after(100 * 24 * 60).is_empty(), "nobody ever wrote");
    world.directory.note_session("main", "main:1", world.now).unwrap();
    assert!(world.after(25 * 60).is_empty());
    assert_eq!(world.after(5), ["⚠️ There is no backup yet. See “Backups” on the admin page."]);
}

fn webhook(bot: &str, last_error_at: Option<i64>, pending: i64) -> WebhookSeen {
    let error = "Wrong response from the webhook: 500".to_owned();
    WebhookSeen { bot: bot.into(), health: Some(WebhookHealth { last_error_at, error, pending }) }
}

#[test]
fn a_webhook_that_fails_or_holds_back_updates() {
    let mut world = World::new();
    world.outside.webhooks = vec![webhook("main", Some(T0 - 11 * MINUTE), 49)];
    assert!(world.after(0).is_empty(), "long ago, and not many");
    world.outside.webhooks = vec![webhook("main", Some(T0), 3)];
    let line =
        "⚠️ Telegram cannot deliver to the bot “main”: Wrong response from the webhook: 500. Updates waiting: 3.";
    assert_eq!(world.after(5), [line]);
    world.outside.webhooks = vec![WebhookSeen { bot: "main".into(), health: None }];
    assert!(world.after(5).is_empty(), "Telegram did not say");
    world.outside.webhooks = vec![webhook("main", Some(T0), 0)];
    assert_eq!(world.after(5), ["✅ Telegram delivers to the bot “main” again."]);
    world.outside.webhooks = vec![webhook("main", None, 50)];
    assert!(world.after(5).is_empty(), "within the hour");
    assert_eq!(world.after(60), ["⚠️ Telegram cannot deliver to the bot “main”. Updates waiting: 50."]);
}

#[test]
fn two_kinds_at_once_do_not_wait_for_each_other() {
    let mut world = World::new();
    world.outside.last_backup_at = Some(T0 - 2 * DAY);
    world.outside.webhooks = vec![webhook("main", Some(T0), 0), webhook("work", Some(T0), 0)];
    world.outside.bots = vec!["main".into(), "work".into()];
    assert_eq!(world.after(0).len(), 3);
    assert!(world.after(5).is_empty());
    world.outside.last_backup_at = Some(world.now);
    world.outside.webhooks = vec![webhook("main", Some(world.now), 0), webhook("work", Some(world.now), 0)];
    assert_eq!(world.after(5), ["✅ There is a fresh backup again."]);
    assert_eq!(world.directory.open_alerts().unwrap().len(), 2, "the webhooks still fail");
}

#[test]
fn a_restart_in_between_changes_nothing() {
    let folder = std::env::temp_dir().join(format!("tideclaw-alerts-{}", std::process::id()));
    let path = folder.with_extension("sqlite");
    let open = || Directory::new(Sqlite::open(&path).unwrap()).unwrap();
    let mut world = World { directory: open(), ..World::new() };
    world.outside.last_backup_at = Some(T0 - 2 * DAY);
    assert_eq!(world.after(0).len(), 1);
    world.directory = open();
    assert!(world.after(5).is_empty(), "told before the restart");
    world.directory = open();
    world.outside.last_backup_at = Some(world.now);
    assert_eq!(world.after(5), ["✅ There is a fresh backup again."]);
    drop(world);
    std::fs::remove_file(path).unwrap();
}

#[test]
fn the_end_of_a_budgets_trouble_is_told_quietly_and_its_beginning_not_again() {
    let mut world = World::new();
    world.call(GPT, None, 850_000_000);
    let told = world.sent();
    assert_eq!(told.len(), 2, "both owners, of the threshold");
    assert!(told[0].2.starts_with("💸"));
    assert!(world.after(120).is_empty());
    world.now += DAY;
    world.directory.look_out(&world.outside, &CAPS, &world.cfg(), world.now).unwrap();
    let ends: Vec<_> = world.sent().into_iter().filter(|(_, _, text, _)| text.contains("budget")).collect();
    assert_eq!(ends[0].2, "✅ The day's model budget has room again.");
    assert!(ends.iter().all(|(_, _, _, silent)| *silent));
}

#[test]
fn messages_that_do_not_leave_are_told_through_another_bot() {
    let mut world = World::new();
    world.outside.bots = vec!["main".into(), "work".into()];
    world.directory.queue(prompt::line("main", 77, "stuck"), world.now).unwrap();
    world.now += 16 * MINUTE;
    world.directory.look_out(&world.outside, &CAPS, &world.cfg(), world.now).unwrap();
    let waiting = world.directory.notices(10).unwrap();
    let told: Vec<_> = waiting.iter().filter(|notice| notice.payload["text"] != "stuck").collect();
    assert_eq!(told.len(), 2, "two owners");
    assert!(told.iter().all(|notice| notice.bot == "work"), "{told:?}");
    world.sent();
    assert_eq!(world.after(5), ["✅ Messages of the bot “main” leave again."]);
}

#[test]
fn owners_read_their_own_language_and_only_what_is_new_rings() {
    let mut world = World::new();
    let sender = Sender {
        user_id: OTHER,
        is_bot: false,
        first_name: "Аня".into(),
        last_name: None,
        username: None,
        language_code: Some("ru".into()),
    };
    world.directory.remember("main", &sender, T0).unwrap();
    world.outside.last_backup_at = Some(T0 - 2 * DAY);
    for silent in [false, true] {
        world.directory.look_out(&world.outside, &CAPS, &world.cfg(), world.now).unwrap();
        let sent = world.sent();
        assert_eq!(sent.len(), 2);
        assert!(sent.iter().any(|(_, chat, text, _)| *chat == OTHER && text.contains("резервной копии")), "{sent:?}");
        assert!(sent.iter().all(|(_, _, _, quiet)| *quiet == silent));
        world.now += HOUR;
    }
}

#[test]
fn the_log_has_it_too() {
    let mut world = World::new();
    world.outside.last_backup_at = Some(T0 - 2 * DAY);
    world.after(0);
    let lines = world.directory.events(&EventQuery { what: Some("alert".into()), ..EventQuery::default() }).unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].level, lines[0].text.contains("backup")), (Level::Warning, true));
}

const QWEN: &str = "relay/qwen3:8b";

fn relay(name: &str, connected: bool, since: i64) -> RelaySeen {
    RelaySeen { name: name.into(), connected, since, models: vec!["qwen3:8b".into()], ..RelaySeen::default() }
}

/// A world in which `models` are to answer.
fn relays(models: &[&str], seen: Vec<RelaySeen>) -> World {
    let mut world = World::new();
    world.outside.models_of_relays = models.iter().map(|name| name.parse().unwrap()).collect();
    world.outside.relays = Relays::Seen(seen);
    world
}

#[test]
fn a_relay_that_models_need_is_told_after_ten_minutes_and_when_it_has_been_back_for_two() {
    let mut world = relays(&[QWEN], vec![relay("home", false, T0)]);
    assert!(world.after(9).is_empty());
    let line =
        "⚠️ The relay “home” has been away for 10 min. Look at its machine; other models stand in where there are any.";
    assert_eq!(world.after(1), [line]);
    assert!(world.after(5).is_empty());
    world.outside.relays = Relays::Silent;
    assert!(world.after(5).is_empty(), "not known to be over");
    let back = world.now + 4 * MINUTE;
    world.outside.relays = Relays::Seen(vec![relay("home", true, back)]);
    assert!(world.after(5).is_empty(), "for a minute");
    assert_eq!(world.after(5), ["✅ The relay “home” is no longer missing."]);
    assert!(world.after(100).is_empty());
}

#[test]
fn a_relay_that_comes_and_goes_is_told_once_an_hour() {
    let mut world = relays(&[QWEN], vec![]);
    let mut told = Vec::new();
    // Away for 12 minutes, there for 3, for four hours.
    for minute in 0..240 {
        let began = world.now - (minute % 15) * MINUTE;
        let seen =
            if minute % 15 < 12 { relay("home", false, began) } else { relay("home", true, began + 12 * MINUTE) };
        world.outside.relays = Relays::Seen(vec![seen]);
        told.extend(world.after(1));
    }
    assert!((4..=8).contains(&told.len()), "{told:?}");
    // One that never stays away for ten minutes is not told at all.
    let mut world = relays(&[QWEN], vec![]);
    for minute in 0..240 {
        world.outside.relays = Relays::Seen(vec![relay("home", minute % 9 == 0, world.now - (minute % 9) * MINUTE)]);
        assert!(world.after(1).is_empty());
    }
}

#[test]
fn a_relay_nobody_needs_or_somebody_stands_in_for_is_not_told() {
    assert!(relays(&[], vec![relay("home", false, T0)]).after(600).is_empty());
    assert!(relays(&["relay/other"], vec![relay("home", false, T0)]).after(600).is_empty(), "it never had that model");
    let both = || vec![relay("home", false, T0), relay("vds", true, T0)];
    assert!(relays(&[QWEN], both()).after(600).is_empty());
    let by_name = ModelRef::new("relay:home", "other");
    let mut world = relays(&[], both());
    world.outside.models_of_relays = vec![by_name];
    assert_eq!(world.after(600).len(), 1);
    // The configuration changed: nothing waits for it any more.
    world.outside.relays = Relays::NotAsked;
    assert_eq!(world.after(5), ["✅ The relay “home” is no longer missing."]);
}

#[test]
fn one_outage_of_a_relay_is_told_once() {
    let mut world = relays(&[QWEN], vec![relay("home", false, T0)]);
    world.failing(QWEN, 9);
    assert!(world.after(0).is_empty(), "its calls fail because it is away");
    assert_eq!(world.after(1).len(), 1, "that it is away");
    world.failing(QWEN, 5);
    world.outside.relays = Relays::Seen(vec![relay("home", true, world.now)]);
    assert_eq!(world.after(5), ["✅ The relay “home” is no longer missing."], "what failed before says nothing");
    // There, and its Ollama does not answer: a provider like any other.
    world.failing(QWEN, 6);
    assert!(world.after(0)[0].starts_with("⚠️ “relay” has not answered for"));
}
