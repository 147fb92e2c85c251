//! The answer to a call is lost: whether it arrived, nobody knows.

use super::model::Script;
use super::sim::Sim;
use super::telegram::Answer;

#[test]
fn a_lost_answer_to_a_message_is_not_repeated_and_the_person_can_ask() {
    for answer in [Answer::LostAfter, Answer::LostBefore, Answer::Hang, Answer::Page(502)] {
        let arrived = matches!(answer, Answer::LostAfter);
        let mut sim = Sim::private();
        sim.world.telegram.once("sendMessage", answer);
        sim.text("Hello");
        sim.run();
        let sent = sim.calls("sendMessage");
        assert_eq!(sent.len(), 2, "the answer once, and a notice");
        assert!(sent[1].text().starts_with("⚠️ Telegram did not confirm"), "{}", sent[1].text());
        assert!(sent[1].is_silent());
        assert_eq!(sim.outbox(), ["answer ambiguous", "notice sent"]);
        assert_eq!(sim.press("🔁 Send again"), "Sending again");
        sim.run();
        let answers = sim.screen().iter().filter(|text| *text == "Re: Hello").count();
        assert_eq!((answers, sim.screen().len()), (1 + usize::from(arrived), answers), "{:?}", sim.screen());
        assert_eq!(sim.press_data(102, "again:1"), "This button is no longer of use.");
        sim.run();
        assert_eq!(sim.outbox()[..3], ["answer resent", "notice sent", "answer sent"]);
    }
}

#[test]
fn the_other_pieces_still_come_in_order() {
    let mut sim = Sim::private();
    sim.world.model.next(Script::says(&"many words ".repeat(1_000)));
    sim.world.telegram.times("sendMessage", 1, 1, Answer::LostAfter);
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.outbox(), ["answer sent", "answer ambiguous", "answer sent", "notice sent"]);
    assert!(sim.screen().last().unwrap().starts_with("⚠️"));
}

#[test]
fn a_lost_answer_to_an_edit_or_a_deletion_is_repeated() {
    for answer in [Answer::LostAfter, Answer::LostBefore] {
        let mut sim = Sim::with_two_models();
        sim.text("/model");
        sim.run();
        sim.world.telegram.once("editMessageText", answer.clone());
        sim.press("relay/two");
        sim.run();
        assert_eq!(sim.calls("editMessageText").len(), 2);
        assert_eq!(sim.screen(), ["✓ relay/two answers from now on."]);
        assert_eq!(sim.outbox(), ["command sent", "tidy sent"]);
    }
    for (answer, state) in [(Answer::LostAfter, "failed"), (Answer::LostBefore, "sent")] {
        let mut sim = Sim::with_two_models();
        let id = sim.text("waht?");
        sim.run();
        sim.edit(id, serde_json::json!({"text": "what?"}));
        sim.run();
        sim.world.telegram.once("deleteMessage", answer);
        sim.press("🔁");
        sim.run();
        assert_eq!(sim.screen(), ["Re: what?"]);
        let tidied = sim.store.rows("SELECT state FROM outbox WHERE slot = 'tidy' ORDER BY id");
        assert_eq!(tidied.len(), 2);
        assert!(tidied.contains(&state.to_owned()), "{tidied:?}");
    }
}

#[test]
fn a_lost_answer_to_a_notice_or_a_command_does_not_warn() {
    let mut sim = Sim::private();
    sim.world.telegram.once("sendMessage", Answer::LostAfter);
    sim.text("/help");
    sim.run();
    assert_eq!(sim.outbox(), ["command ambiguous"]);
    assert_eq!(sim.screen().len(), 1);
}

#[test]
fn the_warning_itself_gets_through() {
    let mut sim = Sim::private();
    sim.world.telegram.times("sendMessage", 0, 3, Answer::LostBefore);
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.screen().len(), 1);
    assert!(sim.screen()[0].starts_with("⚠️"));
}

#[test]
fn a_message_under_way_when_the_process_dies_is_uncertain() {
    for acts_late in [false, true] {
        let mut sim = Sim::private();
        sim.world.telegram.acts_late.set(acts_late);
        sim.text("Hello");
        sim.run_until(|world| world.telegram.calls.borrow().len() == 1);
        sim.kill();
        sim.run();
        assert_eq!(sim.calls("sendMessage").len(), 2);
        assert_eq!(sim.outbox(), ["answer ambiguous", "notice sent"]);
        assert_eq!(sim.press("🔁 Send again"), "Sending again");
        sim.run();
        assert!(sim.screen().contains(&"Re: Hello".to_owned()));
    }
}

#[test]
fn the_warning_survives_a_killed_process() {
    let mut sim = Sim::private();
    sim.world.telegram.acts_late.set(true);
    sim.world.telegram.once("sendMessage", Answer::LostBefore);
    sim.text("Hello");
    sim.run_until(|world| world.telegram.calls.borrow().len() == 2);
    sim.kill();
    sim.run();
    assert!(sim.screen()[0].starts_with("⚠️"), "{:?}", sim.outbox());
}
