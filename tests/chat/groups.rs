//! Groups: who is heard, where the answer goes, how it grows.

use serde_json::json;

use super::model::Script;
use super::sim::Sim;
use super::telegram::Answer;
use super::updates::{from_bot, mention, photo, with};

#[test]
fn only_what_is_meant_for_us_is_answered() {
    let mut sim = Sim::group();
    sim.text("hello all");
    sim.text("/stop@OtherBot");
    sim.run();
    assert!(sim.screen().is_empty() && sim.requests().is_empty());
    let asked = sim.send(mention("hello"));
    sim.run();
    assert_eq!(sim.requests()[0].question(), "Ann: hello", "without our name, with the speaker's");
    let answer = &sim.calls("sendMessage")[0];
    assert_eq!(answer.reply_to(), Some(asked));
    assert_eq!(answer.params["chat_id"], -100_500);
    let ours =
        json!({"message_id": 90, "chat": {"id": -100_500, "type": "supergroup"}, "from": from_bot(), "text": "x"});
    sim.send(json!({"text": "why?", "reply_to_message": ours}));
    sim.run();
    assert_eq!(sim.requests().len(), 2);
    assert_eq!(
        sim.inbox(),
        ["message dropped", "message dropped", "message turn", "message turn"],
        "{:?}",
        sim.store.rows("SELECT detail FROM inbox")
    );
}

#[test]
fn an_album_needs_the_mention_once() {
    let mut sim = Sim::group();
    ["a", "b", "c"].into_iter().for_each(|id| sim.world.storage.put(id, b"\xff\xd8\xff".to_vec()));
    let caption = mention("what is it?");
    let first = json!({"media_group_id": "g", "photo": photo("a"),
        "caption": caption["text"], "caption_entities": caption["entities"]});
    sim.send(first);
    sim.run_for(100);
    sim.send(json!({"media_group_id": "g", "photo": photo("b")}));
    sim.send(json!({"media_group_id": "other", "photo": photo("c")}));
    sim.run();
    assert_eq!(sim.requests().len(), 1);
    assert_eq!(sim.requests()[0].question().matches("cannot open").count(), 2);
    assert_eq!(sim.inbox(), ["message turn", "message merged", "message dropped"]);
}

#[test]
fn a_slow_answer_grows_in_a_placeholder_that_goes_at_the_end() {
    let mut sim = Sim::group();
    let words: Vec<String> = (0..40).map(|n| format!("word{n} ")).collect();
    sim.world.model.next(Script::words(500, &words.iter().map(String::as_str).collect::<Vec<_>>()));
    let asked = sim.send(mention("go"));
    sim.run_for(10_000);
    assert_eq!(sim.screen().len(), 1);
    assert!(sim.screen()[0].starts_with("word0 word1"), "{:?}", sim.screen());
    sim.run();
    let sent = sim.calls("sendMessage");
    assert_eq!(sent.len(), 2, "placeholder and answer");
    assert!(sent[0].is_silent() && sent[0].reply_to() == Some(asked), "the placeholder makes no sound");
    assert!(sent[0].at >= 1_500 && sent[0].at < 1_700, "a second after the first word: {}", sent[0].at);
    assert_eq!(sent[0].params["reply_markup"]["inline_keyboard"][0][0]["text"], "⏹ Stop");
    assert!(!sent[1].is_silent() && sent[1].reply_to() == Some(asked), "the answer rings");
    let edits = sim.calls("editMessageText");
    assert!(edits.len() >= 4, "{}", edits.len());
    for pair in edits.windows(2) {
        assert!(pair[1].at - pair[0].at >= 3_500, "paced: {} and {}", pair[0].at, pair[1].at);
        assert!(pair[1].text().starts_with(pair[0].text()), "it grows");
    }
    assert!(sim.calls("sendMessageDraft").is_empty(), "no drafts in groups");
    assert_eq!(sim.screen(), [words.concat().trim()], "the placeholder is gone");
    assert_eq!(sim.methods().last().unwrap(), "deleteMessage", "and goes after the answer has come");
    let minute = sent.len() + edits.len();
    assert!(minute <= 20, "{minute} calls in a minute");
}

#[test]
fn a_quick_answer_needs_no_placeholder() {
    let mut sim = Sim::group();
    sim.world.model.next(Script::words(100, &["a ", "b ", "c"]));
    sim.send(mention("go"));
    sim.run();
    assert_eq!(sim.methods(), ["sendMessage"]);
}

#[test]
fn the_button_under_the_placeholder_stops_it() {
    let mut sim = Sim::group();
    sim.world.model.next(Script::partial(500, &["One ", "two ", "three "]).hang());
    sim.send(mention("go"));
    sim.run_for(4_000);
    assert_eq!(sim.press("⏹"), "Stopping…");
    sim.run();
    assert_eq!(sim.screen(), ["One two three\n\n⏹ Stopped."]);
}

#[test]
fn a_topic_is_answered_in_the_topic() {
    let mut sim = Sim::group();
    sim.topic = Some(5);
    sim.send(with(mention("hi"), json!({"message_thread_id": 5, "is_topic_message": true})));
    sim.run();
    assert_eq!(sim.calls("sendMessage")[0].params["message_thread_id"], 5);
}

#[test]
fn a_blocked_person_and_other_bots_are_not_heard() {
    let mut sim = Sim::group();
    sim.send(with(mention("hi"), json!({"from": {"id": 55, "is_bot": true, "first_name": "B"}})));
    sim.run();
    assert_eq!(sim.store.rows("SELECT detail FROM inbox"), ["sent by a bot"]);
    assert!(sim.screen().is_empty());
}

#[test]
fn commands_in_a_group_are_answered_as_replies() {
    let mut sim = Sim::group();
    let asked = sim.text("/help@TideBot");
    sim.run();
    assert_eq!(sim.calls("sendMessage")[0].reply_to(), Some(asked));
}

#[test]
fn an_edit_mode_answer_in_private_is_paced_by_the_second() {
    let mut sim = Sim::private();
    sim.config.streaming = tideclaw::chat::config::Streaming::Edit;
    let words: Vec<String> = (0..60).map(|n| format!("word{n} ")).collect();
    sim.world.model.next(Script::words(200, &words.iter().map(String::as_str).collect::<Vec<_>>()));
    sim.text("go");
    sim.run();
    let edits = sim.calls("editMessageText");
    assert!(edits.len() >= 4);
    assert!(edits.windows(2).all(|pair| pair[1].at - pair[0].at >= 1_000));
    assert_eq!(sim.screen().len(), 1);
}

#[test]
fn a_flood_on_an_edit_pauses_the_edits() {
    let mut sim = Sim::group();
    let words: Vec<String> = (0..60).map(|n| format!("word{n} ")).collect();
    sim.world.model.next(Script::words(500, &words.iter().map(String::as_str).collect::<Vec<_>>()));
    sim.world.telegram.once("editMessageText", Answer::Flood(12));
    sim.send(mention("go"));
    sim.run();
    let edits = sim.calls("editMessageText");
    assert!(edits[1].at - edits[0].at >= 12_000 && edits.len() >= 3);
    assert_eq!(sim.screen(), [words.concat().trim()]);
}

#[test]
fn a_placeholder_that_vanished_does_not_matter() {
    let mut sim = Sim::group();
    let words: Vec<String> = (0..40).map(|n| format!("word{n} ")).collect();
    sim.world.model.next(Script::words(500, &words.iter().map(String::as_str).collect::<Vec<_>>()));
    sim.send(mention("go"));
    sim.run_for(6_000);
    sim.world.telegram.chat.borrow_mut().clear();
    sim.run();
    assert_eq!(sim.screen(), [words.concat().trim()]);
}
