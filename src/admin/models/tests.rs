//! The page and its routes against the real Directory, with scripted servers.

use serde_json::{Value, json};

use crate::admin::Area;
use crate::admin::port::{Ended, ModelReply};
use crate::admin::request::{Answer, Method};
use crate::admin::testing::{T0, TestOffice};
use crate::directory::{Actor, Config};
use crate::text::Lang;

const GPT: &str = "ollama/gpt-oss:120b";

fn office() -> TestOffice {
    let mut office = TestOffice::new();
    office.variables.insert("OLLAMA_API_KEY", "s3cret-key".into());
    office.variables.insert("DEFAULT_MODEL", GPT.into());
    office.variables.insert("FALLBACK_MODELS", "gemini/gemini-3.8-flash, ollama/glm-5.3".into());
    office
}

fn api(office: &TestOffice, method: Method, path: &str, form: &str) -> (u16, Value) {
    match office.ask(Area::Api, method, path, form, Lang::En) {
        Answer::Json { status, json } => (status, serde_json::from_str(&json).unwrap()),
        other => panic!("{other:?}"),
    }
}

fn ping(office: &TestOffice, model: &str) -> Value {
    let (status, json) =
        api(office, Method::Post, "models/ping", &format!("model={}", crate::admin::look::encode(model)));
    assert_eq!(status, 200, "{json}");
    json
}

/// What an Ollama server says.
fn pong() -> ModelReply {
    let body = concat!(
        r#"{"model":"gpt-oss:120b","created_at":"2026-11-20T00:00:00Z","message":{"role":"assistant","content":"pong"},"done":false}"#,
        "\n",
        r#"{"model":"gpt-oss:120b","created_at":"2026-11-20T00:00:00Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":30,"eval_count":4}"#,
        "\n"
    );
    reply(200, body)
}

fn reply(status: u16, body: &str) -> ModelReply {
    ModelReply {
        status: Some(status),
        body: body.as_bytes().to_vec(),
        first_ms: Some(120),
        total_ms: 345,
        ended: Ended::Whole,
        ..ModelReply::default()
    }
}

#[test]
fn a_ping_is_a_real_call_that_is_counted() {
    let office = office();
    office.models.borrow_mut().push(ModelReply { log_id: Some("01LOG".into()), ..pong() });
    let answer = ping(&office, GPT);
    let cost = answer["nano_usd"].as_u64().unwrap();
    assert!(cost > 0, "{answer}");
    let expected = json!({
        "model": GPT, "ok": true, "first_ms": 120, "total_ms": 345, "input": 30, "output": 4, "nano_usd": cost,
        "assumed": answer["assumed"], "log_id": "01LOG", "trouble": null,
    });
    assert_eq!(answer, expected);
    let sent = office.modelled.borrow();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].url, "https://ollama.com/api/chat");
    assert!(sent[0].body.as_text().unwrap().contains("pong"));
    let (_, usage) = api(&office, Method::Get, "usage?days=1", "");
    assert_eq!((&usage["total"]["calls"], &usage["total"]["nano_usd"]), (&json!(1), &json!(cost)));
    assert_eq!(usage["by_person"][0]["user_id"], 0, "nobody in particular");
    let audit = office.directory.audit_log(None, 1).unwrap();
    assert_eq!((audit[0].what.as_str(), audit[0].subject.as_str()), ("ping", GPT));
}

#[test]
fn an_ollama_of_ones_own_is_asked_for_the_window_that_conversations_ask_for() {
    let mut office = office();
    office.variables.insert("RELAY_TOKEN", "x".repeat(64));
    office.variables.insert("MODEL_CATALOGUE", json!({ "relay:home/small:1b": { "context": 8_192 } }).to_string());
    office.models.borrow_mut().extend([pong(), pong(), pong()]);
    for (model, url, window) in [
        ("relay/qwen3:8b", "relay://any/api/chat", json!(32_768)),
        ("relay:home/small:1b", "relay://home/api/chat", json!(8_192)),
        (GPT, "https://ollama.com/api/chat", Value::Null),
    ] {
        assert_eq!(ping(&office, model)["nano_usd"] == 0, model != GPT, "what is behind a relay costs nothing");
        let sent = office.modelled.borrow_mut().pop().unwrap();
        let body: Value = serde_json::from_str(sent.body.as_text().unwrap()).unwrap();
        assert_eq!((sent.url.as_str(), &body["options"]["num_ctx"]), (url, &window), "{model}");
    }
}

#[test]
fn what_fails_is_said_in_plain_words_and_rests() {
    let office = office();
    let cases = [
        (reply(401, r#"{"error":"unauthorized"}"#), "auth", "missing, wrong or refused", Some("auth")),
        (reply(404, r#"{"error":"model 'x' not found"}"#), "retired", "no such model any more", Some("retired")),
        (ModelReply::default(), "transient", "not reachable", Some("transient")),
        (
            ModelReply { ended: Ended::TimedOut, total_ms: 20_000, ..ModelReply::default() },
            "timed_out",
            "within 20 seconds",
            None,
        ),
        (ModelReply { ended: Ended::TimedOut, ..reply(200, "") }, "timed_out", "within 20 seconds", None),
        (ModelReply { ended: Ended::Cut, ..reply(200, "{\"mes") }, "transient", "not reachable", Some("transient")),
        (reply(200, "<html>hello</html>"), "transient", "not reachable", Some("transient")),
    ];
    for (reply, code, words, rests) in cases {
        office.models.borrow_mut().extend([reply.clone(), reply]);
        let answer = ping(&office, GPT);
        assert_eq!((&answer["ok"], answer["trouble"]["code"].as_str()), (&json!(false), Some(code)), "{answer}");
        let (_, report) = api(&office, Method::Get, "models", "");
        assert_eq!(report["resting"][0]["class"].as_str(), rests, "{code}: {report}");
        let form = format!("model={}", crate::admin::look::encode(GPT));
        let Answer::Page { status: 200, html } = office.ask(Area::Pages, Method::Post, "models/ping", &form, Lang::En)
        else {
            panic!()
        };
        assert!(html.contains(words), "{code}");
        for model in ["", "gpt-oss:120b"] {
            let form = format!("provider=ollama&model={}", crate::admin::look::encode(model));
            api(&office, Method::Post, "models/rest/clear", &form);
        }
    }
    assert!(office.models.borrow().is_empty(), "two calls each and no retries");
}

#[test]
fn caps_hold_for_a_ping() {
    let mut office = office();
    office.variables.insert("MODEL_CATALOGUE", json!({ GPT: { "input_usd": 0, "output_usd": 4000 } }).to_string());
    let answer = ping(&office, GPT);
    assert_eq!(
        (&answer["ok"], &answer["trouble"]["code"], &answer["total_ms"]),
        (&json!(false), &json!("capped_day"), &json!(0))
    );
    assert!(office.modelled.borrow().is_empty(), "no call was made");
}

#[test]
fn a_rest_is_shown_ends_with_a_good_call_and_can_be_cleared() {
    let office = office();
    office.models.borrow_mut().extend([reply(500, "oh"), pong(), reply(401, "{}")]);
    ping(&office, GPT);
    let html = office.page("models");
    assert!(html.contains("not reachable or in trouble") && html.contains("/_admin/models/rest/clear"));
    // A ping goes through although the model rests.
    assert_eq!(ping(&office, GPT)["ok"], true);
    assert!(office.page("models").contains("Nothing rests"));
    ping(&office, GPT);
    let (_, report) = api(&office, Method::Get, "models", "");
    assert_eq!((&report["resting"][0]["provider"], &report["resting"][0]["model"]), (&json!("ollama"), &Value::Null));
    assert!(report["providers"][0]["rests_until"].as_i64().unwrap() > T0);
    assert!(report["models"][2]["rests"].is_object(), "every model of the provider");
    let see = office.ask(Area::Pages, Method::Post, "models/rest/clear", "provider=ollama&model=", Lang::En);
    assert_eq!(see, Answer::See("/_admin/models?done=1".into()));
    assert_eq!(api(&office, Method::Get, "models", "").1["resting"], json!([]));
    assert_eq!(api(&office, Method::Post, "models/rest/clear", "provider=ollama").1, json!({ "changed": false }));
    let audit = office.directory.audit_log(None, 1).unwrap();
    assert_eq!((audit[0].what.as_str(), audit[0].subject.as_str()), ("clear_rest", "ollama"));
}

#[test]
fn a_feature_a_model_refused_is_left_out_and_shown() {
    let office = office();
    let refusal = reply(400, r#"{"error":"\"gpt-oss:120b\" does not support thinking"}"#);
    office.models.borrow_mut().push(refusal);
    assert_eq!(ping(&office, GPT)["trouble"]["code"], "bad_request");
    let (_, report) = api(&office, Method::Get, "models", "");
    assert_eq!((&report["without"][0]["model"], &report["without"][0]["feature"]), (&json!(GPT), &json!("thinking")));
    assert_eq!(report["models"][0]["without"], json!(["thinking"]));
    assert!(office.page("models").contains("the wish how hard to think"));
}

#[test]
fn the_report_says_what_is_set_and_never_a_key() {
    let mut office = office();
    office.variables.insert("OPENAI_BASE_URL", "http://user:pa55@192.168.1.5:8000/v1".into());
    office.variables.insert("MODEL_CATALOGUE", r#"{"ollama/glm-5.3":{"context":1000},"nonsense":{}}"#.into());
    let (_, report) = api(&office, Method::Get, "models", "");
    let rows: Vec<_> =
        report["models"].as_array().unwrap().iter().map(|one| (&one["model"], &one["role"], &one["set_up"])).collect();
    let expected = [
        (&json!(GPT), &json!("default"), &json!(true)),
        (&json!("gemini/gemini-3.8-flash"), &json!("stand_in"), &json!(false)),
        (&json!("ollama/glm-5.3"), &json!("stand_in"), &json!(true)),
    ];
    assert_eq!(rows, expected);
    let providers = json!([
        { "name": "ollama", "has_key": true, "host": "ollama.com", "route": "direct", "rests_until": null },
        { "name": "gemini", "has_key": false, "host": null, "route": null, "rests_until": null },
        { "name": "openai", "has_key": false, "host": "192.168.1.5:8000", "route": "own", "rests_until": null },
        { "name": "relay", "has_key": false, "host": null, "route": null, "rests_until": null },
    ]);
    assert_eq!(report["providers"], providers);
    assert_eq!(report["overrides"], json!(["ollama/glm-5.3"]));
    assert_eq!(report["catalogue_problems"].as_array().unwrap().len(), 1);
    for text in [report.to_string(), office.page("models")] {
        assert!(!text.contains("s3cret") && !text.contains("pa55"));
    }
    office.variables.insert("AI_GATEWAY_BASE_URL", "https://gateway.ai.cloudflare.com/v1/a/g".into());
    let (_, report) = api(&office, Method::Get, "models", "");
    assert_eq!(
        (&report["providers"][0]["route"], &report["providers"][0]["host"]),
        (&json!("gateway"), &json!("gateway.ai.cloudflare.com"))
    );
}

#[test]
fn the_documents_chain_goes_before_the_environments() {
    let office = office();
    let document = json!({
        "models": { "default": "ollama/glm-5.3", "fallbacks": [] },
        "agents": { "tutor": { "model": "ollama/tutor:1b" } },
    });
    let cfg = Config::default();
    office.directory.save_config(0, &document.to_string(), "", &Actor::System, T0).unwrap();
    let _ = cfg;
    let (_, report) = api(&office, Method::Get, "models", "");
    let rows: Vec<_> =
        report["models"].as_array().unwrap().iter().map(|one| (&one["model"], &one["role"], &one["from"])).collect();
    let expected = [
        (&json!("ollama/glm-5.3"), &json!("default"), &json!("document")),
        (&json!("ollama/tutor:1b"), &json!("of_agent"), &json!("document")),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn caps_are_saved_as_a_version_of_the_configuration() {
    let office = office();
    let form = "base=0&day_usd=2.5&month_usd=&person_day_usd=0.25";
    let see = office.ask(Area::Pages, Method::Post, "models/caps", form, Lang::En);
    assert_eq!(see, Answer::See("/_admin/models?done=1".into()));
    let (_, report) = api(&office, Method::Get, "models", "");
    let caps = json!({ "day_nano_usd": 2_500_000_000_u64, "month_nano_usd": 10_000_000_000_u64, "person_day_nano_usd": 250_000_000 });
    assert_eq!((&report["caps"], &report["config"]), (&caps, &json!(1)));
    assert!(office.page("models").contains("value=\"2.5\""));
    // Somebody else was faster.
    assert_eq!(api(&office, Method::Post, "models/caps", form).0, 409);
    for wrong in ["base=1&day_usd=-1", "base=1&day_usd=lots", "base=1&day_usd=1e9", "base=1&day_usd=NaN", "day_usd=1"] {
        assert_eq!(api(&office, Method::Post, "models/caps", wrong).0, 400, "{wrong}");
    }
    assert_eq!(api(&office, Method::Get, "models", "").1["caps"], caps, "a refused change leaves the old ones");
    // What is not given stays.
    assert_eq!(api(&office, Method::Post, "models/caps", "base=1&person_day_usd=").0, 200);
    let (_, report) = api(&office, Method::Get, "models", "");
    assert_eq!(
        (&report["caps"]["day_nano_usd"], &report["caps"]["person_day_nano_usd"]),
        (&json!(2_500_000_000_u64), &Value::Null)
    );
}

#[test]
fn charts_are_drawn_with_attributes_and_read_as_tables() {
    let office = office();
    let names = "<script>alert(1)</script>";
    office.directory.approve("main", 55, &Actor::System, &Config::default(), T0).unwrap();
    office.models.borrow_mut().extend([pong(), pong()]);
    ping(&office, GPT);
    office.now.set(T0 + 3 * 86_400_000);
    ping(&office, GPT);
    let html = office.page("models?days=90");
    assert!(html.contains("viewBox=\"0 0 900 100\"") && html.matches("class=\"bar\"").count() == 90);
    assert!(html.contains("Spend of 90 days") && html.contains("scope=\"row\""));
    assert!(!html.contains(" style=") && !html.contains(names));
    assert!(html.contains("aria-current=\"page\">90 days"));
    let Answer::Page { html, .. } = office.ask(Area::Pages, Method::Get, "models", "", Lang::Ru) else { panic!() };
    assert!(html.contains("Расходы за 30 дн.") && html.contains("никто конкретно"));
    assert_eq!(api(&office, Method::Get, "usage?days=100000", "").1["days"], 366);
}

#[test]
fn nonsense_is_refused() {
    let office = office();
    for (path, form, status) in [
        ("models/ping", "model=nonsense", 400),
        ("models/ping", "model=gemini/x", 400),
        ("models/ping", "", 400),
        ("models/rest/clear", "", 400),
        ("models/rest", "", 404),
        ("models", "", 404),
        ("usage", "", 404),
    ] {
        assert_eq!(api(&office, Method::Post, path, form).0, status, "{path} {form}");
    }
    let form = "model=%3Cscript%3Ealert(1)%3C%2Fscript%3E%2Fx";
    let Answer::Page { html, .. } = office.ask(Area::Pages, Method::Post, "models/ping", form, Lang::En) else {
        panic!()
    };
    assert!(!html.contains("<script>"));
    let form = "model=gemini%2Fx";
    let Answer::Page { status: 400, html } = office.ask(Area::Pages, Method::Post, "models/ping", form, Lang::Ru)
    else {
        panic!()
    };
    assert!(html.contains("Провайдер модели `gemini/x` не настроен."), "people read it in their language");
}

#[test]
fn every_class_of_failure_and_every_feature_has_words() {
    use crate::llm::{ErrorClass, Feature};
    use crate::text::admin::models::{feature, why};
    use ErrorClass::*;
    for class in [Auth, Plan, Quota, Rate, Transient, Overflow, BadRequest, Retired, Content, Empty] {
        for lang in [Lang::En, Lang::Ru] {
            let word = super::ping::word(class);
            assert_ne!(why(lang, &word), why(lang, "unheard_of"), "{word}");
        }
    }
    let features = [Feature::Thinking, Feature::Tools, Feature::Media, Feature::StreamUsage, Feature::Signatures];
    let mut words = features.map(|one| feature(Lang::En, &super::ping::word(one)));
    words.sort();
    assert!(words.windows(2).all(|pair| pair[0] != pair[1]));
}
