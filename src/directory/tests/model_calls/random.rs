//! Any interleaving of asks, reports, losses and repetitions, against a model of what was promised.

use super::*;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Move {
    /// Ask for a call of this estimate.
    Reserve { session: u8, estimate: u64 },
    /// The oldest call under way ends, at a share of its estimate in percent.
    End { share: u64, twice: bool },
    /// The oldest call under way is never heard of.
    Lose,
    /// Minutes go by.
    Wait(i64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => (0..3u8, 0..USD / 3).prop_map(|(session, estimate)| Move::Reserve { session, estimate }),
        3 => (0..150u64, any::<bool>()).prop_map(|(share, twice)| Move::End { share, twice }),
        1 => Just(Move::Lose),
        1 => (1..400i64).prop_map(Move::Wait),
    ];
    prop::collection::vec(one, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// A day's spending passes the cap by no more than what granted calls cost beyond their estimates, nothing is
    /// counted twice or lost, and nobody is told a threshold twice a day.
    #[test]
    fn the_cap_holds(moves in moves()) {
        let world = World::owned();
        let caps = Caps { month_nano_usd: 1_000 * USD, ..CAPS };
        let mut step = 0;
        let mut under_way: Vec<(String, i64, u64)> = Vec::new();
        let (mut reported, mut presumed, mut excess) = (0, 0, 0);
        let ask = |session: &str, reports, reserve| {
            let ask = ModelAsk { session: session.into(), reports, reserve, ..ModelAsk::default() };
            world.dir.model_call(&ask, &caps, &world.cfg(), world.now()).unwrap().reserved
        };
        // One day only: roll-overs have tests of their own.
        let end_of_day = (T0 / DAY + 1) * DAY;
        for step_taken in moves {
            match step_taken {
                Move::Reserve { session, estimate } => {
                    step += 1;
                    let session = format!("main:{session}");
                    let reserve = Reserve { step, person: Some(ANN), candidates: candidates(&[(GPT, estimate)]) };
                    let reserved = ask(&session, vec![], Some(reserve)).unwrap();
                    let open: u64 = under_way.iter().map(|call| call.2).sum();
                    let fits = reported + presumed + open + estimate <= USD || estimate == 0;
                    prop_assert_eq!(matches!(reserved, Reserved::Granted { .. }), fits);
                    if fits {
                        under_way.push((session, step, estimate));
                    }
                }
                Move::End { share, twice } if !under_way.is_empty() => {
                    let (session, step, estimate) = under_way.remove(0);
                    let cost = estimate * share / 100;
                    excess += cost.saturating_sub(estimate);
                    reported += cost;
                    let report = world.report(step, GPT, cost);
                    for _ in 0..=usize::from(twice) {
                        ask(&session, vec![report.clone()], None);
                    }
                }
                Move::Lose if !under_way.is_empty() => presumed += under_way.remove(0).2,
                Move::Wait(minutes) if world.now() + minutes * MINUTE < end_of_day => world.wait(minutes * MINUTE),
                _ => {}
            }
            let open: u64 = under_way.iter().map(|call| call.2).sum();
            prop_assert!(reported + presumed + open <= USD + excess);
        }
        for (session, step, estimate) in under_way {
            reported += estimate;
            ask(&session, vec![world.report(step, GPT, estimate)], None);
        }
        // What was lost is counted once its time has passed, on the day it was granted.
        world.wait(30 * MINUTE);
        let month = world.usage().month;
        prop_assert_eq!(month.nano_usd, reported + presumed);
        prop_assert!(month.assumed_nano_usd <= presumed);
        let told: Vec<String> = world.deliver().iter().map(|notice| text(notice).to_owned()).collect();
        prop_assert!(told.len() <= 3, "{:?}", told);
    }
}
