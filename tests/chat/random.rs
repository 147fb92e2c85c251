//! Random interleavings of messages, stops, kills, floods and lost answers: nothing is lost, nothing comes twice.

use super::model::Script;
use super::sim::Sim;
use super::telegram::{Answer, Shown};
use tideclaw::chat::config::Streaming;

const SEEDS: std::ops::Range<u64> = 0..200;

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers everywhere.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// An answer with words of its own, so that each can be told apart: some slow, some long, some broken.
fn script(dice: &mut Dice, number: u64) -> Script {
    let word = format!("answer{number} ");
    let words = vec![word.as_str(); 1 + dice.roll(12) as usize];
    match dice.roll(8) {
        0 => Script::says(&word.repeat(900)),
        1 => Script::words(900, &words),
        2 => Script::partial(200, &words).cut(),
        3 => Script::status(500, "x"),
        4 => Script::partial(100, &words).hang(),
        5 => Script::says(&word).after(dice.roll(30_000) as i64),
        _ => Script::words(50, &words),
    }
}

fn play(seed: u64) -> Sim {
    let mut dice = Dice(seed);
    let mut sim = Sim::private();
    sim.world.telegram.acts_late.set(dice.roll(2) == 0);
    sim.config.streaming = [Streaming::Draft, Streaming::Draft, Streaming::Edit][dice.roll(3) as usize];
    for number in 0..60 {
        let script = script(&mut dice, number);
        sim.world.model.next(script);
    }
    let mut last = Some(sim.text("question"));
    for number in 0..25 {
        match dice.roll(12) {
            0..5 => last = Some(sim.text(&format!("question {number}"))),
            5 => {
                sim.text(["/stop", "stop", "/new", "/status", "/model", "/compact"][dice.roll(6) as usize]);
            }
            6 => sim.kill(),
            7 => sim.world.telegram.once("sendMessage", Answer::Flood(1 + dice.roll(20) as i64)),
            8 => sim.world.telegram.once("sendMessage", Answer::LostAfter),
            9 => sim.world.telegram.once("sendMessage", Answer::LostBefore),
            10 => sim.world.telegram.once("", Answer::Refuse(500, "Internal Server Error")),
            _ => {
                if let Some(id) = last {
                    sim.edit(id, serde_json::json!({"text": format!("changed {number}")}));
                }
            }
        }
        match dice.roll(3) {
            0 => sim.run_for(dice.roll(20_000) as i64),
            1 => sim.run_for(dice.roll(500) as i64),
            _ => {
                sim.run_steps(dice.roll(12));
            }
        }
    }
    sim.run();
    sim
}

fn is_placeholder(shown: &Shown) -> bool {
    shown.params["reply_markup"].to_string().contains("stop:")
}

fn check(sim: &Sim, seed: u64) {
    assert_eq!(sim.store.rows("SELECT seq FROM inbox WHERE outcome IS NULL"), [""; 0], "seed {seed}");
    let known = ["turn", "merged", "dropped", "command", "stop", "edit"];
    for row in sim.inbox() {
        assert!(known.iter().any(|outcome| row.ends_with(outcome)), "seed {seed}: {row}");
    }
    let orphans = "SELECT seq FROM inbox WHERE outcome IN ('turn', 'merged') AND kind = 'message'
        AND turn_id NOT IN (SELECT id FROM turn)";
    assert_eq!(sim.store.rows(orphans), [""; 0], "seed {seed}");
    let unanswered = "SELECT id FROM turn WHERE id NOT IN (SELECT turn_id FROM outbox WHERE slot = 'answer')";
    assert_eq!(sim.store.rows(unanswered), [""; 0], "seed {seed}: every turn says something");
    // A deletion made twice finds nothing the second time; a notice is lost eight times at most.
    let open = "SELECT slot, state FROM outbox WHERE state NOT IN ('sent', 'ambiguous')
        AND NOT (slot = 'tidy' AND error = 'the message is gone')
        AND NOT (slot = 'notice' AND attempts = 7)";
    assert_eq!(sim.store.rows(open), [""; 0], "seed {seed}: every delivery has come to its end");
    // Pieces are told apart by their text within their turn's answer; equal texts are counted together.
    let accepted = sim.world.telegram.accepted.borrow();
    let grouped = "SELECT json_extract(call, '$.params.text') AS text FROM outbox WHERE slot = 'answer' GROUP BY text";
    for text in sim.store.rows(grouped) {
        let times = accepted.iter().filter(|shown| shown.text == text && !is_placeholder(shown)).count();
        let quoted = text.replace('\'', "''");
        let count = |state: &str| {
            let query = format!(
                "SELECT count(*) FROM outbox WHERE slot = 'answer' AND state = '{state}'
                 AND json_extract(call, '$.params.text') = '{quoted}'"
            );
            sim.store.rows(&query)[0].parse::<usize>().unwrap()
        };
        let (sent, uncertain) = (count("sent"), count("ambiguous"));
        assert!((sent..=sent + uncertain).contains(&times), "seed {seed}: {text:?} {sent} {uncertain} {times}");
    }
    // The fourth run only says that it gave up.
    let attempts = "SELECT id FROM turn WHERE attempts > 4 OR id IN
        (SELECT turn_id FROM step WHERE kind = 'model' GROUP BY turn_id HAVING count(*) > 9)";
    assert_eq!(sim.store.rows(attempts), [""; 0], "seed {seed}");
}

#[test]
fn no_interleaving_loses_or_repeats_an_answer() {
    for seed in SEEDS {
        check(&play(seed), seed);
    }
}

#[test]
fn the_same_seed_plays_the_same() {
    let story = |seed| {
        let sim = play(seed);
        let calls = sim.world.telegram.calls.borrow();
        calls.iter().map(|made| format!("{} {} {}", made.at, made.method, made.text())).collect::<Vec<_>>()
    };
    assert_eq!(story(1), story(1));
}
