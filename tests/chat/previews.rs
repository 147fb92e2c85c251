//! Drafts in private chats: first words soon, paced, growing, never after the final message.

use super::model::Script;
use super::sim::Sim;
use super::telegram::Answer;
use tideclaw::chat::config::Streaming;

fn words(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("word{n} ")).collect()
}

fn say(sim: &Sim, pause: i64, words: &[String]) {
    sim.world.model.next(Script::words(pause, &words.iter().map(String::as_str).collect::<Vec<_>>()));
}

/// No draft is begun once the answer has left.
fn assert_no_draft_after_the_final(sim: &Sim) {
    let calls = sim.world.telegram.calls.borrow();
    let last_draft = calls.iter().rposition(|made| made.method == "sendMessageDraft");
    let first_answer = calls.iter().position(|made| made.method == "sendMessage");
    assert!(last_draft < first_answer, "{:?}", sim.methods());
}

#[test]
fn the_first_words_show_soon_and_the_rest_grows_at_a_steady_pace() {
    let mut sim = Sim::private();
    say(&sim, 50, &words(200));
    sim.text("go");
    sim.run();
    let drafts = sim.calls("sendMessageDraft");
    assert!(drafts[0].at <= 50 + 50, "first words at {}", drafts[0].at);
    assert!(drafts.len() >= 10, "{} drafts in ten seconds", drafts.len());
    for pair in drafts.windows(2) {
        assert!(pair[1].at - pair[0].at >= 800, "{} then {}", pair[0].at, pair[1].at);
        assert!(pair[1].text().starts_with(pair[0].text()), "a growing prefix");
        assert_eq!(pair[0].params["draft_id"], pair[1].params["draft_id"]);
    }
    assert_eq!(drafts[0].params["can_stop"], true);
    assert_no_draft_after_the_final(&sim);
    assert!(sim.calls("sendChatAction").is_empty(), "a draft says typing by itself");
    assert_eq!(sim.screen(), [words(200).concat().trim()]);
}

#[test]
fn an_instant_answer_has_no_draft() {
    let mut sim = Sim::private();
    say(&sim, 0, &words(50));
    sim.text("go");
    sim.run();
    assert_eq!(sim.methods(), ["sendMessage"]);
}

#[test]
fn typing_is_kept_up_until_words_come() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::says("Done").after(13_000));
    sim.text("go");
    sim.run();
    let typing: Vec<i64> = sim.calls("sendChatAction").iter().map(|made| made.at).collect();
    assert_eq!(typing, [4_000, 8_000, 12_000], "the first rode in the webhook's answer");
}

#[test]
fn a_draft_that_stands_still_is_refreshed_before_it_fades() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::partial(100, &["Let me think about it for a while "]).hang());
    sim.text("go");
    sim.run_for(70_000);
    let drafts: Vec<i64> = sim.calls("sendMessageDraft").iter().map(|made| made.at).collect();
    assert!(drafts.len() >= 4 && drafts.windows(2).all(|pair| pair[1] - pair[0] <= 25_000), "{drafts:?}");
}

#[test]
fn a_slow_draft_neither_delays_nor_follows_the_answer() {
    let mut sim = Sim::private();
    sim.world.telegram.always("sendMessageDraft", Answer::Slow(3_000));
    say(&sim, 100, &words(10));
    sim.text("go");
    sim.run();
    assert_no_draft_after_the_final(&sim);
    assert!(sim.calls("sendMessage")[0].at <= 1_000 + 200, "{}", sim.calls("sendMessage")[0].at);
}

#[test]
fn only_one_draft_is_under_way_at_a_time() {
    let mut sim = Sim::private();
    sim.world.telegram.always("sendMessageDraft", Answer::Slow(2_000));
    say(&sim, 100, &words(100));
    sim.text("go");
    sim.run();
    let drafts = sim.calls("sendMessageDraft");
    assert!(drafts.len() >= 4 && drafts.windows(2).all(|pair| pair[1].at - pair[0].at >= 2_000));
}

#[test]
fn a_long_answer_goes_on_in_a_draft_of_its_own_per_piece() {
    let mut sim = Sim::private();
    say(&sim, 10, &words(1_500));
    sim.text("go");
    sim.run();
    let mut ids: Vec<i64> =
        sim.calls("sendMessageDraft").iter().map(|made| made.params["draft_id"].as_i64().unwrap()).collect();
    assert!(ids.is_sorted() && ids[0] != 0);
    ids.dedup();
    assert!(ids.len() >= 3 && ids.len() <= sim.screen().len(), "{} drafts", ids.len());
    assert_no_draft_after_the_final(&sim);
}

#[test]
fn drafts_pause_for_a_flood_and_the_answer_waits_as_told() {
    let mut sim = Sim::private();
    sim.world.telegram.times("sendMessageDraft", 2, 1, Answer::Flood(5));
    say(&sim, 100, &words(100));
    sim.text("go");
    sim.run();
    let drafts: Vec<i64> = sim.calls("sendMessageDraft").iter().map(|made| made.at).collect();
    assert!(drafts[3] - drafts[2] >= 5_000, "{drafts:?}");
    assert!(drafts.len() > 4, "then they go on: {drafts:?}");
    assert_eq!(sim.screen().len(), 1);
}

#[test]
fn a_long_flood_wait_from_a_draft_holds_the_answer_too() {
    let mut sim = Sim::private();
    sim.world.telegram.times("sendMessageDraft", 1, 1, Answer::Flood(400));
    say(&sim, 100, &words(100));
    sim.text("go");
    sim.run();
    let flooded = sim.calls("sendMessageDraft")[1].at + 40;
    assert_eq!(sim.calls("sendMessageDraft").len(), 2);
    assert_eq!(sim.calls("sendMessage").len(), 1);
    assert_eq!(sim.calls("sendMessage")[0].at, flooded + 400_000, "not a moment earlier, and not later");
    assert_eq!(sim.screen().len(), 1);
    assert!(sim.alarms_fired <= 8, "{} alarms", sim.alarms_fired);
}

#[test]
fn drafts_that_fail_are_given_up_and_the_answer_comes() {
    for answer in [Answer::Refuse(400, "Bad Request: TEXTDRAFT_PEER_INVALID"), Answer::LostBefore, Answer::Page(502)] {
        let mut sim = Sim::private();
        sim.world.telegram.always("sendMessageDraft", answer);
        say(&sim, 100, &words(100));
        sim.text("go");
        sim.run();
        assert_eq!(sim.calls("sendMessageDraft").len(), 3);
        assert_eq!(sim.screen().len(), 1);
        assert!(!sim.calls("sendChatAction").is_empty(), "typing takes over");
    }
}

#[test]
fn a_draft_that_hangs_does_not_hold_up_the_answer() {
    let mut sim = Sim::private();
    sim.world.telegram.always("sendMessageDraft", Answer::Hang);
    say(&sim, 100, &words(10));
    sim.text("go");
    sim.run();
    assert!(sim.calls("sendMessage")[0].at < 1_500);
}

#[test]
fn off_means_typing_only() {
    let mut sim = Sim::private();
    sim.config.streaming = Streaming::Off;
    say(&sim, 100, &words(100));
    sim.text("go");
    sim.run();
    assert_eq!(sim.methods(), ["sendChatAction", "sendMessage"]);
}

#[test]
fn a_placeholder_whose_answer_is_lost_is_not_sent_twice() {
    let mut sim = Sim::private();
    sim.config.streaming = Streaming::Edit;
    sim.world.telegram.once("sendMessage", Answer::LostAfter);
    say(&sim, 100, &words(100));
    sim.text("go");
    sim.run();
    assert_eq!(sim.calls("sendMessage").len(), 2, "one placeholder, one answer");
}

#[test]
fn a_placeholder_still_under_way_at_the_end_is_removed() {
    let mut sim = Sim::private();
    sim.config.streaming = Streaming::Edit;
    sim.world.telegram.once("sendMessage", Answer::Slow(3_000));
    say(&sim, 200, &words(10));
    sim.text("go");
    sim.run();
    assert_eq!(sim.screen(), [words(10).concat().trim()]);
}
