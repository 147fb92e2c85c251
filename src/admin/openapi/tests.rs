//! The document against the handlers: it reads, what it refers to is there, every route in it is routed, every routed one
//! is in it, and its lists of words are those of the types.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::slice::from_ref;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::DOCUMENT;
use crate::admin::Area;
use crate::admin::request::{Answer, Method};
use crate::admin::testing::TestOffice;
use crate::text::Lang;

/// Routes the router answers itself, beside the API.
const OUTSIDE: [&str; 2] = ["/metrics", "/healthz"];
/// What stands for a name or number in a path.
const NAMES: [&str; 3] = ["main", "1", "main:1001"];

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// Every route: its method and path, and what the document says of it.
fn routes(document: &Value) -> Vec<(Method, String, Value)> {
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = match method.as_str() {
                "get" => Method::Get,
                "post" => Method::Post,
                other => panic!("{path}: {other}"),
            };
            routes.push((method, path.clone(), operation.clone()));
        }
    }
    routes
}

/// The path with every word that a parameter may be, or a name in its place.
fn examples(document: &Value, path: &str, operation: &Value) -> Vec<String> {
    let mut examples = vec![path.trim_start_matches("/api/").to_owned()];
    for parameter in parameters(document, operation).iter().filter(|parameter| parameter["in"] == "path") {
        let name = parameter["name"].as_str().unwrap();
        let number = parameter["schema"]["type"] == "integer";
        let usual = vec![Value::from(if number {
            "1"
        } else if name == "session" {
            "main:1001"
        } else {
            "main"
        })];
        let words = parameter["schema"]["enum"].as_array().unwrap_or(&usual).clone();
        let placed = |path: &String| {
            let words: Vec<String> =
                words.iter().map(|word| path.replace(&format!("{{{name}}}"), word.as_str().unwrap())).collect();
            words
        };
        examples = examples.iter().flat_map(placed).collect();
    }
    assert!(examples.iter().all(|path| !path.contains('{')), "{path}: a parameter is not described");
    examples
}

/// The parameters of a route, references followed.
fn parameters(document: &Value, operation: &Value) -> Vec<Value> {
    let listed = operation["parameters"].as_array().cloned().unwrap_or_default();
    listed.into_iter().map(|parameter| resolved(document, &parameter).clone()).collect()
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(to) => document.pointer(to.strip_prefix('#').unwrap()).unwrap_or_else(|| panic!("{to} is not there")),
        None => value,
    }
}

/// Whether a handler takes the request on, with whatever result.
fn is_routed(office: &TestOffice, method: Method, path: &str, form: &str) -> bool {
    match office.ask(Area::Api, method, path, form, Lang::En) {
        Answer::Json { status: 404, json } => !json.contains("No such route."),
        _ => true,
    }
}

fn all_refs<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| all_refs(value, found));
        }
        Value::Array(entries) => entries.iter().for_each(|value| all_refs(value, found)),
        _ => {}
    }
}

#[test]
fn it_is_a_document_whose_references_lead_somewhere_and_nothing_is_left_over() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let mut refs = BTreeSet::new();
    all_refs(&document, &mut refs);
    for to in &refs {
        assert!(document.pointer(to.strip_prefix('#').unwrap()).is_some(), "{to} is not there");
    }
    for kind in ["schemas", "parameters", "responses"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            assert!(refs.contains(format!("#/components/{kind}/{name}").as_str()), "nothing refers to {kind}/{name}");
        }
    }
    let schemes = &document["components"]["securitySchemes"];
    for needed in [&document["security"], &document["paths"]["/metrics"]["get"]["security"]] {
        for scheme in needed.as_array().unwrap().iter().flat_map(|any| any.as_object().unwrap().keys()) {
            assert!(schemes.get(scheme).is_some(), "{scheme}");
        }
    }
}

#[test]
fn every_object_is_closed_and_says_what_is_always_there() {
    fn look(value: &Value, at: &str) {
        if let Some(properties) = value.get("properties").and_then(Value::as_object) {
            assert_eq!(value["additionalProperties"], false, "{at} is open");
            for name in value["required"].as_array().into_iter().flatten() {
                assert!(properties.contains_key(name.as_str().unwrap()), "{at}: {name} is required and not described");
            }
        }
        match value {
            Value::Object(fields) => fields.iter().for_each(|(name, value)| look(value, &format!("{at}/{name}"))),
            Value::Array(entries) => entries.iter().for_each(|value| look(value, at)),
            _ => {}
        }
    }
    look(&document()["components"]["schemas"], "");
}

#[test]
fn every_route_answers_in_a_schema_or_with_the_one_error() {
    for (method, path, operation) in routes(&document()) {
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{path}");
        let content = operation["responses"]["200"]["content"].as_object().unwrap();
        assert!(content.values().all(|content| content.get("schema").is_some()), "{method:?} {path}");
        assert_eq!(operation["responses"]["default"]["$ref"], "#/components/responses/Error", "{path}");
    }
}

#[test]
fn every_documented_route_is_routed() {
    let (document, office) = (document(), TestOffice::new());
    for (method, path, operation) in routes(&document) {
        if OUTSIDE.contains(&path.as_str()) {
            continue;
        }
        assert!(path.starts_with("/api/"), "{path}");
        for example in examples(&document, &path, &operation) {
            assert!(is_routed(&office, method, &example, ""), "{method:?} {example}");
        }
    }
    assert!(!is_routed(&office, Method::Get, "people/main/1/approve", ""), "the test can fail");
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect()
}

/// The patterns of paths in a source, as lists of the words that may stand in each place: `["a", id, "b" | "c"]` is
/// `a`, any, `b` or `c`. `..` and what binds the rest ends a pattern.
fn patterns(source: &str) -> Vec<Vec<Vec<String>>> {
    let mut patterns = Vec::new();
    for line in source.lines().filter(|line| line.contains("=>")) {
        let Some((pattern, _)) = line.split_once("=>") else { continue };
        let Some((_, inside)) = pattern.split_once('[') else { continue };
        let Some((inside, _)) = inside.rsplit_once(']') else { continue };
        let place = |part: &str| {
            let words: Vec<String> = part
                .split('|')
                .filter_map(|word| Some(word.trim().strip_prefix('"')?.strip_suffix('"')?.to_owned()))
                .collect();
            words
        };
        let places = inside.split(',').map(str::trim).filter(|part| !part.is_empty() && !part.contains(".."));
        patterns.push(places.map(place).collect());
    }
    patterns
}

/// Words that stand alone in front of an arrow: what an act is called.
fn words(source: &str) -> BTreeSet<String> {
    let arms = source.lines().filter_map(|line| line.trim().split_once(" =>"));
    let words = arms.flat_map(|(pattern, _)| pattern.split('|').map(str::trim).map(str::to_owned).collect::<Vec<_>>());
    words.filter_map(|word| Some(word.strip_prefix('"')?.strip_suffix('"')?.to_owned())).collect()
}

/// Every way to fill the places; an open one with names and with `acts`.
fn filled(pattern: &[Vec<String>], acts: &BTreeSet<String>) -> Vec<Vec<String>> {
    let mut paths = vec![Vec::new()];
    for place in pattern {
        let open: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).chain(acts.iter().cloned()).collect();
        let choice = if place.is_empty() { &open } else { place };
        let longer = |path: &Vec<String>| {
            choice.iter().map(|word| path.iter().chain([word]).cloned().collect()).collect::<Vec<Vec<String>>>()
        };
        paths = paths.iter().flat_map(longer).collect();
    }
    paths
}

#[test]
fn every_routed_path_is_documented() {
    let (document, office) = (document(), TestOffice::new());
    let admin = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/admin");
    let top = fs::read_to_string(admin.join("mod.rs")).unwrap();
    let api = top.split("async fn api<").nth(1).unwrap();
    let firsts: BTreeSet<String> = patterns(api).into_iter().flat_map(|pattern| pattern[0].clone()).collect();
    assert!(firsts.contains("whoami") && firsts.contains("usage") && firsts.len() > 10, "{firsts:?}");

    let mut asked = BTreeSet::new();
    for file in rust_files(&admin) {
        let source = fs::read_to_string(file).unwrap();
        let acts = words(&source);
        for pattern in patterns(&source) {
            for path in filled(&pattern, &acts) {
                asked.insert(path.join("/"));
                asked.extend(firsts.iter().map(|first| [from_ref(first), path.as_slice()].concat().join("/")));
            }
        }
    }
    let known: Vec<(Method, Vec<String>)> = routes(&document)
        .into_iter()
        .map(|(method, path, _)| (method, path.trim_start_matches("/api/").split('/').map(str::to_owned).collect()))
        .collect();
    let is_known = |method: Method, path: &str| {
        let path: Vec<&str> = path.split('/').collect();
        known.iter().any(|(known, places)| {
            let fits = |(place, word): (&String, &&str)| place.starts_with('{') || place == word;
            *known == method && places.len() == path.len() && places.iter().zip(&path).all(fits)
        })
    };
    let mut routed = 0;
    for path in asked.iter().filter(|path| !path.is_empty()) {
        for method in [Method::Get, Method::Post] {
            if is_routed(&office, method, path, "") {
                routed += 1;
                assert!(is_known(method, path), "{method:?} /api/{path} is routed and not documented");
            }
        }
    }
    assert!(routed >= known.len(), "{routed} routes were found in the sources, {} are documented", known.len());
}

/// The words a type reads, as it says itself of one that is none.
fn words_of<T: DeserializeOwned>() -> BTreeSet<String> {
    let error = serde_json::from_str::<T>("\"no-such-word\"").err().expect("a closed list of words").to_string();
    let words = error.split_once("expected").unwrap().1.split('`').skip(1).step_by(2);
    words.map(str::to_owned).collect()
}

#[test]
fn lists_of_words_are_those_of_the_types() {
    use crate::directory::backups::What;
    use crate::directory::config::diff::Kind;
    use crate::directory::desk::people::{GroupAct, PersonAct};
    use crate::directory::{AlertKind, DmPolicy, GroupState, InviteState, Level, PersonState};
    use crate::llm::{ErrorClass, Feature, Thinking};

    let document = document();
    let at = |place: &str| -> BTreeSet<String> {
        let words = document.pointer(place).unwrap_or_else(|| panic!("{place}"))["enum"].as_array().unwrap();
        words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let schema = |place: &str| at(&format!("/components/schemas/{place}"));
    let act = |path: &str| {
        let operation = &document["paths"][path]["post"];
        let parameters = parameters(&document, operation);
        let words = parameters.iter().find(|parameter| parameter["name"] == "act").unwrap()["schema"]["enum"].clone();
        serde_json::from_value::<BTreeSet<String>>(words).unwrap()
    };
    let pairs: BTreeMap<&str, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::from([
        ("policies", (schema("DmPolicy"), words_of::<DmPolicy>())),
        ("classes", (schema("ErrorClass"), words_of::<ErrorClass>())),
        ("features", (schema("Feature"), words_of::<Feature>())),
        ("levels", (schema("Level"), words_of::<Level>())),
        ("what", (schema("What"), words_of::<What>())),
        ("alerts", (schema("Logs/properties/alerts/items/properties/kind"), words_of::<AlertKind>())),
        ("people", (schema("People/properties/people/items/properties/state"), words_of::<PersonState>())),
        ("groups", (schema("Groups/properties/groups/items/properties/state"), words_of::<GroupState>())),
        ("invites", (schema("Invites/properties/invites/items/properties/state"), words_of::<InviteState>())),
        ("changes", (schema("Change/properties/kind"), words_of::<Kind>())),
        ("thinking", (schema("Resolved/properties/thinking"), words_of::<Thinking>())),
        ("acts on people", (act("/api/people/{bot}/{id}/{act}"), words_of::<PersonAct>())),
    ]);
    for (name, (documented, typed)) in pairs {
        assert_eq!(documented, typed, "{name}");
    }
    let mut acts = words_of::<GroupAct>();
    acts.retain(|act| !act.starts_with("mention_"));
    assert_eq!(act("/api/groups/{bot}/{chat}/{act}"), acts, "these have a route of their own");
}
