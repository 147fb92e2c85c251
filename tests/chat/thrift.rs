//! A conversation of 200 messages: what it sends, beside what its full history would have been.
//!
//! The model counts tokens by bytes, not as the conversation guesses them, and says so in every answer. The figures are
//! also a row of `npm run bench`, which reads the line that starts with FIGURES.

use std::rc::Rc;

use super::model::{Request, Script};
use super::random::Dice;
use super::sim::Sim;

const EXCHANGES: usize = 100;
/// Providers keep no shorter beginning of a prompt than this (OpenAI 1,024; Gemini 4,096 tokens).
const SHORTEST_CACHED: u64 = 1_024;

const ENGLISH: [&str; 12] =
    ["the", "harbour", "tomorrow", "we", "should", "compare", "prices", "before", "a", "train", "leaves", "quietly"];
const RUSSIAN: [&str; 12] =
    ["завтра", "поезд", "мы", "сравним", "цены", "в", "гавани", "перед", "отъездом", "и", "подумаем", "спокойно"];

/// Four bytes a token, and four tokens for the frame of a message.
fn tokens_of(text: &str) -> u64 {
    text.len() as u64 / 4 + 4
}

fn contents(request: &Request) -> Vec<String> {
    let all = request.body["messages"].as_array().unwrap();
    all.iter().map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}

fn count(request: &Request) -> u64 {
    contents(request).iter().map(|text| tokens_of(text)).sum()
}

/// A text of a length people and models really write, one in five with a fact to remember.
fn text(dice: &mut Dice, number: usize, lengths: [(u64, u64, u64); 3]) -> String {
    let roll = dice.roll(100);
    let (_, least, most) = lengths.into_iter().find(|(share, ..)| roll < *share).unwrap();
    let words = if dice.roll(2) == 0 { ENGLISH } else { RUSSIAN };
    let mut text: Vec<String> = Vec::new();
    for _ in 0..least + dice.roll(most - least) {
        text.push(words[dice.roll(12) as usize].to_owned());
    }
    if number.is_multiple_of(5) {
        text.push(format!("fact{number}"));
    }
    text.join(" ")
}

const QUESTIONS: [(u64, u64, u64); 3] = [(60, 4, 20), (90, 20, 60), (100, 100, 200)];
const ANSWERS: [(u64, u64, u64); 3] = [(30, 10, 40), (80, 60, 180), (100, 250, 450)];

struct Played {
    sim: Sim,
    /// Questions and answers in order.
    said: Vec<String>,
    full: u64,
}

fn play(seed: u64) -> Played {
    let mut dice = Dice(seed);
    let mut sim = Sim::private();
    sim.world.model.counter.set(Some(count));
    sim.world.model.summary_filler.set(300);
    let mut said: Vec<String> = Vec::new();
    let mut full = 0;
    for number in 0..EXCHANGES {
        let question = text(&mut dice, number, QUESTIONS);
        let answer = text(&mut dice, number + 1_000, ANSWERS);
        sim.world.model.next(Script::says(&answer));
        sim.text(&question);
        sim.run();
        said.push(question);
        let system = sim.answer_requests().first().map_or(0, |first| tokens_of(&contents(first)[0]));
        full += system + said.iter().map(|text| tokens_of(text)).sum::<u64>();
        said.push(answer);
        sim.run_for(60_000);
    }
    Played { sim, said, full }
}

/// Tokens at the beginning of `request` that are those of `before`.
fn cached(request: &Request, before: &Request) -> u64 {
    let (texts, earlier) = (contents(request), contents(before));
    let same = texts.iter().zip(&earlier).take_while(|(a, b)| a == b);
    let tokens = same.map(|(text, _)| tokens_of(text)).sum();
    if tokens < SHORTEST_CACHED { 0 } else { tokens }
}

#[test]
fn two_hundred_messages_send_less_than_forty_percent_of_the_full_history() {
    for seed in 1..=3 {
        let played = play(seed);
        let requests = played.sim.requests();
        let sent: u64 = requests.iter().map(count).sum();
        let answers = played.sim.answer_requests();
        let cached: u64 = answers.windows(2).map(|pair| cached(&pair[1], &pair[0])).sum();
        let saved = 100.0 - 100.0 * sent as f64 / played.full as f64;
        let share = 100.0 * cached as f64 / sent as f64;
        let summaries = played.sim.summary_requests().len();
        println!(
            r#"FIGURES {{"full":{},"sent":{sent},"saved":{saved:.1},"cached":{share:.1},"summaries":{summaries}}}"#,
            played.full
        );
        assert_eq!(answers.len(), EXCHANGES);
        assert!(saved >= 60.0, "seed {seed}: {saved:.1} % saved");
        assert!(share >= 50.0, "seed {seed}: {share:.1} % from the cache");
        assert!((2..=10).contains(&summaries), "seed {seed}: {summaries} summaries");
    }
}

#[test]
fn the_last_three_exchanges_are_always_word_for_word_and_no_fact_is_lost() {
    let played = play(4);
    for (number, request) in played.sim.answer_requests().iter().enumerate() {
        let sent = contents(request);
        let said = &played.said[..2 * number + 1];
        let tail = &said[said.len().saturating_sub(7)..];
        assert_eq!(&sent[sent.len() - tail.len()..], tail, "question {number}");
        let all = sent.join(" ");
        for fact in (0..number).step_by(5) {
            assert!(all.contains(&format!("fact{fact}")), "fact{fact} is gone at question {number}");
        }
    }
    assert_eq!(played.sim.store.rows("SELECT count(*) FROM message WHERE hidden = 0"), ["200"], "nothing is deleted");
}

#[test]
fn between_two_compactions_a_prompt_only_grows_at_its_end() {
    let sim = Rc::new(play(5).sim);
    let requests = sim.requests();
    let mut compared = 0;
    for pair in requests.windows(2) {
        if pair[0].is_summary() || pair[1].is_summary() {
            continue;
        }
        let before = pair[0].body["messages"].to_string();
        let after = pair[1].body["messages"].to_string();
        let beginning = before.strip_suffix(']').unwrap();
        assert!(after.starts_with(beginning), "{}", pair[1].question());
        compared += 1;
    }
    assert!(compared > 80, "{compared}");
}

#[test]
fn reports_correct_the_estimate() {
    let mut sim = Sim::private();
    // Twice what we guess.
    sim.world.model.counter.set(Some(|request| 2 * contents(request).iter().map(|text| tokens_of(text)).sum::<u64>()));
    for _ in 0..10 {
        sim.world.model.next(Script::says(&"word ".repeat(800)));
        sim.text(&"word ".repeat(60));
        sim.run();
    }
    let rows = sim.store.rows("SELECT json_extract(value, '$.corrections[0][1]') FROM setting WHERE key = 'settings'");
    let correction: i64 = rows[0].parse().unwrap();
    assert!((1_800..=2_100).contains(&correction), "{correction}");
    let first = sim.requests().iter().position(Request::is_summary).unwrap();
    assert!((5..=7).contains(&first), "compacted at 12,000 of its tokens, not of ours: after {first} answers");
    sim.text("/status");
    sim.run();
    let status = sim.screen().last().cloned().unwrap();
    let told: u64 = status.split("about ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    sim.text("x");
    sim.run();
    let counted = 2 * count(sim.requests().last().unwrap());
    assert!(told.abs_diff(counted) * 10 < counted, "/status said {told}, the server {counted}");
}
