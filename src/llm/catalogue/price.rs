//! From tokens to money, in integers: 10⁻⁹ dollars for amounts, 10⁻⁶ dollars per million tokens for rates.
//!
//! Not here: which model has which price. Results are rounded up and saturate: a budget never errs on the cheap side.

use crate::llm::Usage;

/// Millionths of a dollar per million tokens; what costs $0.75 a million has 750,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    pub input: u32,
    pub output: u32,
    /// Of input read from the provider's cache; never above `input`.
    pub cached_input: u32,
}

impl Rates {
    pub(super) const FREE: Rates = Rates { input: 0, output: 0, cached_input: 0 };
}

/// A model's price, with what is announced about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    pub rates: Rates,
    /// Other rates from this time on, Unix milliseconds.
    pub later: Option<(i64, Rates)>,
    /// Other rates, never lower, for calls with more input tokens than this.
    pub long: Option<(u32, Rates)>,
    /// Not known, but assumed, and high.
    pub assumed: bool,
}

impl Price {
    pub(super) const FREE: Price = Price::of(Rates::FREE);

    pub(super) const fn of(rates: Rates) -> Price {
        Price { rates, later: None, long: None, assumed: false }
    }

    fn rates(&self, input_tokens: u64, now: i64) -> Rates {
        match (self.long, self.later) {
            (Some((over, long)), _) if input_tokens > u64::from(over) => long,
            (_, Some((from, later))) if now >= from => later,
            _ => self.rates,
        }
    }
}

/// What a call cost, 10⁻⁹ dollars; the server's own bill goes before our table.
pub fn cost_nano_usd(price: &Price, usage: &Usage, now: i64) -> u64 {
    if let Some(billed) = usage.cost_nano_usd {
        return billed;
    }
    let rates = price.rates(usage.input, now);
    let cached = usage.cached_input.min(usage.input);
    let part = |tokens: u64, rate: u32| u128::from(tokens) * u128::from(rate);
    let sum =
        part(usage.input - cached, rates.input) + part(cached, rates.cached_input) + part(usage.output, rates.output);
    // 10⁻⁶ dollars per 10⁶ tokens are 10⁻¹² dollars a token.
    u64::try_from(sum.div_ceil(1_000)).unwrap_or(u64::MAX)
}

/// What a call of so many tokens may cost, nothing of it cached, 10⁻⁹ dollars.
pub fn estimate_nano_usd(price: &Price, input_tokens: u64, expected_output: u64, now: i64) -> u64 {
    let usage = Usage { input: input_tokens, output: expected_output, ..Usage::default() };
    cost_nano_usd(price, &usage, now)
}
