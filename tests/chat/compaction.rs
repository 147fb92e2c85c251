//! Compaction: `/compact`, what happens by itself, and everything that can come in between.

use tideclaw::directory::{Cap, Reserved};

use super::model::{Request, Script, State};
use super::sim::Sim;
use super::updates::mention;

/// A text of about `tokens` tokens that begins with `head`.
fn long(head: &str, tokens: usize) -> String {
    format!("{head} {}", "word ".repeat(tokens * 4 / 5))
}

/// Exchanges `first..=last`, each of about `tokens` tokens, in peace.
fn talk(sim: &mut Sim, first: usize, last: usize, tokens: usize) {
    for number in first..=last {
        sim.world.model.next(Script::says(&long(&format!("answer{number}"), tokens * 3 / 4)));
        say(sim, &long(&format!("fact{number}"), tokens / 4));
        sim.run();
    }
}

fn say(sim: &mut Sim, text: &str) {
    if sim.in_group {
        sim.send(mention(text));
    } else {
        sim.text(text);
    }
}

/// The first words of the messages of a prompt.
fn heads(request: &Request) -> Vec<String> {
    let first = |line: &String| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    request.prompt().iter().map(first).collect()
}

fn steps(sim: &Sim) -> Vec<String> {
    sim.store.rows("SELECT state FROM step WHERE kind = 'compact' ORDER BY id")
}

fn summaries(sim: &Sim) -> usize {
    sim.store.rows("SELECT id FROM summary WHERE model IS NOT NULL").len()
}

const DONE: &str = "🗜 Folded into a summary: ";

// Asked for.

#[test]
fn compact_folds_all_but_the_last_three_exchanges() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 5, 400);
    sim.text("/compact the harbour");
    assert_eq!(sim.webhook_replies.last().unwrap()["action"], "typing");
    sim.run();
    let line = sim.screen().last().cloned().unwrap();
    assert!(line.starts_with(&format!("{DONE}4 messages. About 2")), "{line}");
    let asked = &sim.summary_requests()[0];
    assert!(asked.question().contains("Keep above all what concerns: the harbour"));
    assert!(asked.question().contains("User: fact1") && asked.question().contains("Assistant: answer2"));
    assert!(!asked.question().contains("fact3"), "the last three stay out of it");
    assert_eq!((&asked.body["think"], asked.body.get("tools")), (&serde_json::json!(false), None));
    assert!(asked.body["options"]["num_predict"].as_u64().is_some());
    sim.text("Next");
    sim.run();
    let request = sim.requests().last().cloned().unwrap();
    assert_eq!(
        heads(&request),
        [
            "user: [Summary",
            "user: fact3",
            "assistant: answer3",
            "user: fact4",
            "assistant: answer4",
            "user: fact5",
            "assistant: answer5",
            "user: Next"
        ]
    );
    assert!(request.prompt()[0].ends_with("Summary: fact1 fact2."));
    assert_eq!(sim.inbox().iter().filter(|row| *row == "compact command").count(), 1);
    assert_eq!(sim.store.rows("SELECT focus, upto FROM summary"), ["the harbour 4"]);
    assert_eq!(sim.store.rows("SELECT count(*) FROM message WHERE hidden = 0"), ["12"], "nothing is deleted");
}

#[test]
fn twice_the_second_has_nothing_to_do_and_a_later_one_merges() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 5, 400);
    sim.text("/compact");
    sim.text("/compact");
    sim.run();
    let screen = sim.screen();
    assert!(screen[5].starts_with(DONE), "{screen:?}");
    assert_eq!(screen[6], "Nothing to compact yet: the last 3 exchanges stay as they are.");
    assert_eq!(sim.summary_requests().len(), 1);
    talk(&mut sim, 6, 7, 400);
    sim.text("/compact");
    sim.run();
    assert!(sim.summary_requests()[1].question().starts_with("Earlier summary:\nSummary: fact1 fact2."));
    assert!(sim.summary_requests()[1].question().contains("fact4"));
    sim.text("x");
    sim.run();
    assert!(sim.requests().last().unwrap().prompt()[0].ends_with("Summary: fact1 fact2 fact3 fact4."));
}

#[test]
fn a_repeated_update_is_one_request() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 5, 400);
    let update = serde_json::json!({"update_id": 7_000, "message": super::updates::message(900, false,
        serde_json::json!({"text": "/compact", "entities": [{"type": "bot_command", "offset": 0, "length": 8}]}))});
    for _ in 0..3 {
        sim.post(&update.to_string()).unwrap();
        sim.run();
    }
    assert_eq!(sim.screen().iter().filter(|line| line.starts_with(DONE)).count(), 1);
}

#[test]
fn during_a_turn_it_waits_for_its_end_and_typing_is_shown() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 4, 400);
    sim.world.model.next(Script::says("Done").after(10_000));
    sim.text("Slow");
    sim.run_for(1_000);
    sim.world.model.next_summary(Script::says("Summary: all.").after(20_000));
    sim.text("/compact");
    sim.run_for(5_000);
    assert!(sim.summary_requests().is_empty());
    let typing = sim.calls("sendChatAction").len();
    sim.run();
    assert!(sim.screen().last().unwrap().starts_with(&format!("{DONE}4 messages")), "{:?}", sim.screen().last());
    let shown = sim.calls("sendChatAction").len() - typing;
    assert!((4..=8).contains(&shown), "{shown} typing actions in 25 s");
}

#[test]
fn a_failure_is_told_and_changes_nothing() {
    for (script, reason) in [
        (Script::status(500, "x"), "The connection to the model"),
        (Script::status(401, "x"), "key"),
        (Script::words(0, &[" "]), "empty answer"),
        (Script::partial(0, &["Sum"]).hang(), "The connection to the model"),
    ] {
        let mut sim = Sim::private();
        talk(&mut sim, 1, 5, 400);
        sim.world.model.next_summary(script);
        sim.text("/compact");
        sim.run();
        let line = sim.screen().last().cloned().unwrap();
        assert!(line.starts_with("Could not compact the conversation; nothing has changed.\n⚠️"), "{line}");
        assert!(line.contains(reason), "{line}");
        sim.text("x");
        sim.run();
        assert_eq!(sim.requests().last().unwrap().prompt().len(), 11);
        sim.text("/compact");
        sim.run();
        assert!(sim.screen().last().unwrap().starts_with(DONE), "a person may try again at once");
    }
}

#[test]
fn what_the_model_refuses_is_left_out_and_asked_again() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 5, 400);
    sim.world.model.next_summary(Script::status(400, r#"{"error":"\"one\" does not support thinking"}"#));
    sim.text("/compact");
    sim.run();
    assert!(sim.screen().last().unwrap().starts_with(DONE), "{:?}", sim.screen().last());
    let asked = sim.summary_requests();
    assert!(asked[0].body.get("think").is_some() && asked[1].body.get("think").is_none());
}

#[test]
fn without_leave_it_says_so() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 5, 400);
    sim.world.directory.next(Reserved::Capped { cap: Cap::Day, until: sim.world.clock.now() + 3_600_000 });
    sim.text("/compact");
    sim.run();
    assert!(sim.screen().last().unwrap().starts_with("Could not compact"), "{:?}", sim.screen().last());
    assert!(sim.summary_requests().is_empty());
}

#[test]
fn stop_ends_it_by_command_and_by_word() {
    for way in ["/stop", "stop"] {
        let mut sim = Sim::private();
        talk(&mut sim, 1, 5, 400);
        sim.world.model.next_summary(Script::says("Summary: late.").after(60_000));
        sim.text("/compact");
        sim.run_for(5_000);
        sim.text(way);
        sim.run_for(500);
        assert_ne!(sim.summary_requests()[0].state.get(), State::Open, "{way}: ended at once");
        sim.run();
        let stopped = sim.screen().iter().filter(|line| line.starts_with("⏹ Compaction stopped")).count();
        assert_eq!(stopped, 1, "{way}: {:?}", &sim.screen()[5..]);
        assert_eq!((summaries(&sim), steps(&sim)), (0, vec!["stopped".to_owned()]), "{way}");
        sim.text("/compact");
        sim.run();
        assert!(sim.screen().last().unwrap().starts_with(DONE), "{way}: the next one works");
    }
}

#[test]
fn a_message_waits_for_what_the_person_asked_for() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 5, 400);
    sim.world.model.next_summary(Script::says("Summary: fact1.").after(5_000));
    sim.text("/compact");
    sim.run_for(1_000);
    sim.text("Next");
    sim.run();
    assert_eq!(summaries(&sim), 1);
    let screen = sim.screen();
    assert!(screen[5].starts_with(DONE) && screen[6] == "Re: Next", "{:?}", &screen[5..]);
    assert_eq!(heads(sim.requests().last().unwrap())[0], "user: [Summary");
}

#[test]
fn new_during_it_ends_it() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 5, 400);
    sim.world.model.next_summary(Script::says("Summary: late.").after(60_000));
    sim.text("/compact");
    sim.run_for(5_000);
    sim.text("/new");
    sim.run();
    assert_eq!(summaries(&sim), 0);
    assert!(sim.screen().iter().any(|line| line.starts_with("⏹ Compaction stopped")));
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.requests().last().unwrap().prompt(), ["user: Hello"]);
}

#[test]
fn a_fresh_conversation_has_no_summary() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 5, 400);
    sim.text("/compact");
    sim.run();
    sim.text("/new");
    sim.run();
    sim.text("Hello");
    sim.run();
    assert_eq!(sim.requests().last().unwrap().prompt(), ["user: Hello"]);
    sim.text("/compact");
    sim.run();
    assert!(sim.screen().last().unwrap().starts_with("Nothing to compact"));
}

#[test]
fn killed_at_every_step_it_is_answered_once() {
    for steps in 0.. {
        let mut sim = Sim::private();
        talk(&mut sim, 1, 4, 400);
        sim.text("/compact");
        let over = sim.run_steps(steps);
        sim.kill();
        sim.run();
        let answers: Vec<String> = sim.screen().into_iter().skip(4).collect();
        let at = format!("killed after {steps} steps: {answers:?}");
        let queued = sim.store.rows("SELECT count(*) FROM outbox WHERE slot = 'command'");
        assert_eq!(queued, ["1"], "{at}");
        assert!(answers.len() <= 1 && answers.iter().all(|line| line.starts_with(DONE)), "{at}");
        assert_eq!(summaries(&sim), 1, "{at}");
        assert_eq!(sim.store.rows("SELECT id FROM step WHERE state IN ('begun', 'asking')"), [""; 0], "{at}");
        if over {
            assert!(steps > 5);
            break;
        }
    }
}

#[test]
fn in_a_group_it_is_answered_as_a_reply() {
    let mut sim = Sim::group();
    talk(&mut sim, 1, 5, 400);
    let id = sim.text("/compact@TideBot");
    sim.run();
    let sent = sim.calls("sendMessage");
    assert!(sent.last().unwrap().params["text"].as_str().unwrap().starts_with(DONE));
    assert_eq!(sent.last().unwrap().reply_to(), Some(id));
    assert!(sim.summary_requests()[0].question().contains("User: Ann: fact1"), "who said what is kept");
}

// By itself.

#[test]
fn it_happens_by_itself_after_an_answer_and_nobody_is_told() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 7, 2_000);
    assert_eq!(summaries(&sim), 1);
    assert!(sim.screen().iter().all(|line| line.starts_with("answer") || line.starts_with("word")));
    let typing = sim.calls("sendChatAction").len();
    assert_eq!(typing, 0, "nothing to see of it");
    sim.text("x");
    sim.run();
    assert_eq!(heads(sim.requests().last().unwrap())[..2], ["user: [Summary", "user: fact4"]);
}

#[test]
fn a_new_message_goes_first() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 5, 2_000);
    sim.world.model.next_summary(Script::says("Summary: late.").after(60_000));
    talk_until_summary(&mut sim, 6);
    let at = sim.world.clock.elapsed();
    sim.text("Quick");
    sim.run_for(500);
    assert_eq!(sim.summary_requests()[0].state.get(), State::Aborted(at), "given up at once");
    assert_eq!(sim.screen().last().unwrap(), "Re: Quick", "answered within half a second");
    sim.run();
    assert_eq!((steps(&sim).concat(), summaries(&sim)), ("stoppeddone".to_owned(), 1), "tried again after that turn");
    assert!(!sim.screen().iter().any(|line| line.contains('⏳')), "nothing ran that the person had to wait for");
}

fn talk_until_summary(sim: &mut Sim, number: usize) {
    sim.world.model.next(Script::says(&long(&format!("answer{number}"), 1_500)));
    sim.text(&long(&format!("fact{number}"), 500));
    sim.run_until(|world| world.model.requests.borrow().iter().any(Request::is_summary));
    sim.run_for(1_000);
}

#[test]
fn new_during_it_ends_it_too() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 5, 2_000);
    sim.world.model.next_summary(Script::says("Summary: late.").after(60_000));
    talk_until_summary(&mut sim, 6);
    sim.text("/new");
    sim.run();
    assert_eq!((summaries(&sim), steps(&sim).concat()), (0, "stopped".to_owned()));
}

#[test]
fn without_a_summary_all_stays_until_it_grows_too_large_and_then_the_oldest_are_left_out() {
    let mut sim = Sim::private();
    for _ in 0..9 {
        sim.world.model.next_summary(Script::status(500, "x"));
    }
    talk(&mut sim, 1, 11, 2_000);
    let tries = sim.summary_requests().len();
    assert_eq!(tries, 2, "at most once in three turns");
    assert_eq!(heads(sim.requests().last().unwrap()).len(), 21, "nothing is lost meanwhile");
    talk(&mut sim, 12, 14, 2_000);
    assert_eq!(summaries(&sim), 0);
    assert_eq!(sim.turns(), ["answered"; 14]);
    sim.text("x");
    sim.run();
    let prompt = sim.requests().last().unwrap().prompt();
    assert_eq!(prompt[0], "user: [earlier messages are not shown]");
    assert!(prompt.len() <= 14, "{}", prompt.len());
    // The next summary has what was left out.
    sim.world.model.summary_filler.set(0);
    sim.world.model.forget_scripts();
    talk(&mut sim, 15, 24, 2_000);
    sim.text("x");
    sim.run();
    let done = steps(&sim).iter().filter(|state| *state == "done").count();
    assert!(done > summaries(&sim), "{done} calls: more than one call can take");
    let shown = &sim.answer_requests().last().unwrap().prompt()[0];
    assert!(shown.contains("Summary: fact1 fact2") && !shown.contains("not shown"), "{shown}");
}

#[test]
fn a_turn_that_cannot_be_sent_makes_room_first() {
    // One huge exchange after the other: nothing to fold after the answers, too much before the next.
    let mut sim = Sim::private();
    talk(&mut sim, 1, 3, 8_000);
    assert!(sim.summary_requests().is_empty());
    sim.text(&long("Now", 900));
    sim.run();
    let sent = sim.answer_requests().last().cloned().unwrap();
    assert_eq!(heads(&sent), ["user: [Summary", "user: fact3", "assistant: answer3", "user: Now"]);
    assert_eq!(sim.store.rows("SELECT turn_id = (SELECT max(id) FROM turn) FROM step WHERE kind = 'compact'"), ["1"]);
    assert!(sim.screen().last().unwrap().starts_with("Re: Now"));
}

#[test]
fn ten_thousand_messages_from_before_there_were_summaries() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 1, 400);
    sim.store.rows(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
         INSERT INTO message (epoch, turn_id, tokens, body, created_at)
         SELECT 0, 1000 + i / 2, 300, json_object('role', iif(i % 2, 'assistant', 'user'), 'parts',
           json_array(json_object('text', 'old' || i || printf(' %.*c', 1200, 'x')))), i FROM n",
    );
    sim.text("Now");
    sim.run();
    assert_eq!(sim.screen().last().unwrap(), "Re: Now");
    let calls = sim.summary_requests();
    assert!((1..=4).contains(&calls.len()), "{} calls", calls.len());
    assert!(calls[0].question().contains("[earlier messages are not shown]"), "and the summary knows it");
    assert!(sim.requests().iter().all(|request| request.body.to_string().len() < 130_000));
    assert_eq!(sim.answer_requests()[1].prompt().len(), 6, "the summary, two exchanges and the question");
}

#[test]
fn making_room_ends_with_a_stop_and_survives_a_kill() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 3, 8_000);
    sim.world.model.next_summary(Script::says("Summary: late.").after(60_000));
    sim.text(&long("Now", 900));
    sim.run_for(5_000);
    sim.text("/stop");
    sim.run();
    assert_eq!(sim.screen().last().unwrap(), "⏹ Stopped.");
    assert_eq!((sim.answer_requests().len(), summaries(&sim)), (3, 0));
    sim.world.model.next_summary(Script::says("Summary: late.").after(60_000));
    sim.text(&long("Again", 900));
    sim.run_for(5_000);
    sim.kill();
    sim.run();
    assert!(sim.screen().last().unwrap().starts_with("Re: Again"), "taken up, without a second try for a summary");
    assert_eq!(sim.answer_requests().last().unwrap().prompt()[0], "user: [earlier messages are not shown]");
}

#[test]
fn killed_at_every_step_of_an_automatic_one_nothing_is_lost() {
    let mut killed = 0;
    for steps in 0.. {
        let mut sim = Sim::private();
        talk(&mut sim, 1, 5, 2_000);
        sim.world.model.next(Script::says(&long("answer6", 1_500)));
        sim.world.model.next(Script::says(&long("answer6", 1_500)));
        sim.text(&long("fact6", 500));
        let over = sim.run_steps(steps);
        sim.kill();
        sim.run();
        let at = format!("killed after {steps} steps");
        assert_eq!(sim.turns(), ["answered"; 6], "{at}");
        assert_eq!(sim.store.rows("SELECT id FROM step WHERE state IN ('begun', 'asking')"), [""; 0], "{at}");
        assert!(summaries(&sim) <= 1, "{at}");
        killed += usize::from(summaries(&sim) == 0);
        sim.text("Next");
        sim.run();
        let prompt = sim.answer_requests().last().unwrap().prompt();
        assert_eq!(prompt.last().unwrap(), "user: Next", "{at}");
        assert!((1..=6).all(|n| prompt.iter().any(|text| text.contains(&format!("fact{n}")))), "{at}");
        if over {
            break;
        }
    }
    assert!(killed > 3, "{killed}: it was killed before the summary was made");
}

// Overflow.

fn overflow() -> Script {
    Script::status(400, r#"{"error":"prompt is longer than the context length"}"#)
}

#[test]
fn an_overflow_is_compacted_and_tried_once_more() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 5, 400);
    sim.world.model.next(overflow());
    sim.text("Now");
    sim.run();
    assert_eq!(sim.screen().last().unwrap(), "Re: Now");
    assert_eq!((summaries(&sim), sim.screen().len()), (1, 6));
    let (first, second) = (&sim.answer_requests()[5], &sim.answer_requests()[6]);
    assert_eq!(heads(second)[0], "user: [Summary");
    assert!(second.body.to_string().len() * 3 < first.body.to_string().len() * 2, "clearly smaller");
    assert_eq!(sim.turns().last().unwrap(), "answered");
}

#[test]
fn a_second_overflow_is_told() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 5, 400);
    sim.world.model.next(overflow());
    sim.world.model.next(overflow());
    sim.text("Now");
    sim.run();
    assert!(sim.screen().last().unwrap().contains("too long for the model"), "{:?}", sim.screen().last());
    assert_eq!(sim.answer_requests().len(), 7, "tried once more, not twice");
}

#[test]
fn a_message_that_alone_is_too_long_is_told_at_once() {
    let mut sim = Sim::private();
    sim.world.model.next(overflow());
    sim.text(&long("Now", 900));
    sim.run();
    assert!(sim.screen().last().unwrap().contains("too long for the model"));
    assert_eq!(sim.requests().len(), 1, "there is nothing to fold");
}

#[test]
fn an_overflow_without_a_summary_leaves_the_oldest_out() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 5, 400);
    sim.world.model.next(overflow());
    sim.world.model.next_summary(overflow());
    sim.text("Now");
    sim.run();
    assert_eq!(sim.screen().last().unwrap(), "Re: Now", "the person's turn does not wait for a summary");
    assert_eq!(sim.answer_requests().last().unwrap().prompt()[0], "user: [earlier messages are not shown]");
}

fn says_with_usage(text: &str, input: u64) -> Script {
    let end = serde_json::json!({"message": {"role": "assistant", "content": ""}, "done": true, "done_reason": "stop",
        "prompt_eval_count": input, "eval_count": 5});
    Script::partial(0, &[text]).line(&end.to_string())
}

#[test]
fn a_prompt_that_the_server_cut_silently_is_an_overflow_too() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 5, 400);
    // More than it was asked to hold.
    sim.world.model.next(says_with_usage("Of what?", 32_769));
    sim.world.model.next(says_with_usage("Here.", 32_769));
    sim.text("Now");
    sim.run();
    assert_eq!(sim.screen().last().unwrap(), "Here.", "tried once more; then the answer is as good as any");
    assert_eq!((sim.answer_requests().len(), summaries(&sim)), (7, 1));
    assert_eq!(heads(&sim.answer_requests()[6])[0], "user: [Summary");
}

#[test]
fn with_nothing_to_fold_a_silent_overflow_is_an_answer() {
    let mut sim = Sim::private();
    sim.world.model.next(says_with_usage("Here.", 32_769));
    sim.text("Now");
    sim.run();
    assert_eq!((sim.screen(), sim.requests().len()), (vec!["Here.".to_owned()], 1));
}

#[test]
fn a_small_window_has_small_limits_and_a_summary_in_several_calls() {
    let mut sim = Sim::private();
    let shown =
        r#"{"capabilities":["completion","tools"],"model_info":{"general.architecture":"x","x.context_length":4096}}"#;
    sim.world.model.shown.replace(shown.to_owned());
    talk(&mut sim, 1, 12, 300);
    assert!(summaries(&sim) >= 1, "over half of the window");
    for request in sim.requests() {
        assert!(request.body["messages"].to_string().len() / 4 < 3_300, "within the window");
    }
    // None could be written for a while: there is more than one call can take.
    let asked = sim.summary_requests().len();
    for _ in 0..3 {
        sim.world.model.next_summary(Script::status(500, "x"));
    }
    talk(&mut sim, 13, 20, 300);
    sim.world.model.forget_scripts();
    talk(&mut sim, 21, 26, 300);
    let after: Vec<Request> = sim.summary_requests().split_off(asked + 3);
    let folded = after.iter().position(|request| request.question().starts_with("Earlier summary:")).unwrap();
    assert!(after.len() > folded + 1, "{} calls", after.len());
    let last = sim.answer_requests().last().unwrap().prompt();
    assert!(last[0].contains("fact1 "), "what the first summary said is still there: {}", last[0]);
}

#[test]
fn a_stop_while_room_is_made_after_an_overflow_ends_the_turn_as_stopped() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 5, 400);
    sim.world.model.next(overflow());
    sim.world.model.next_summary(Script::says("Summary: late.").after(60_000));
    sim.text("Now");
    sim.run_for(5_000);
    sim.text("stop");
    sim.run();
    assert_eq!(sim.screen().last().unwrap(), "⏹ Stopped.");
    assert_eq!((sim.turns().last().unwrap().as_str(), summaries(&sim)), ("stopped", 0));
    assert_eq!(sim.answer_requests().len(), 6);
}

#[test]
fn what_was_left_out_can_be_summarised_on_demand() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 5, 400);
    sim.world.model.next(overflow());
    sim.world.model.next_summary(overflow());
    sim.text("Now");
    sim.run();
    let left_out = 12 - (sim.answer_requests().last().unwrap().prompt().len() - 1) - 1;
    sim.text("/compact");
    sim.run();
    let line = sim.screen().last().cloned().unwrap();
    assert!(line.starts_with(&format!("{DONE}{left_out} messages")), "{line}");
    sim.text("x");
    sim.run();
    let first = sim.requests().last().unwrap().prompt()[0].clone();
    assert!(first.contains("Summary: fact1") && !first.contains("not shown"), "{first}");
}

// Answers anew.

#[test]
fn an_exchange_answered_anew_leaves_the_next_material_and_a_summary_made_stays() {
    let mut sim = Sim::private();
    talk(&mut sim, 1, 3, 400);
    sim.world.model.next(Script::says(&long("answer4", 300)));
    let id = sim.text(&long("factwrong", 100));
    sim.run();
    sim.edit(id, serde_json::json!({"text": long("factright", 100)}));
    sim.run();
    sim.world.model.next(Script::says(&long("answer4", 300)));
    sim.press("🔁");
    sim.run();
    talk(&mut sim, 5, 8, 400);
    sim.text("/compact");
    sim.run();
    let material = sim.summary_requests()[0].question().to_owned();
    assert!(material.contains("factright") && !material.contains("factwrong"));
    // The button of the first offer, pressed again: its exchange is behind the mark now.
    let data = sim.store.rows("SELECT id FROM turn ORDER BY id DESC LIMIT 1");
    let made = sim.store.rows("SELECT text FROM summary");
    sim.press_data(1, &format!("redo:{}", data[0]));
    sim.run();
    assert_eq!(sim.store.rows("SELECT text FROM summary"), made);
    assert_eq!(heads(sim.answer_requests().last().unwrap())[0], "user: [Summary");
}
