//! The story that every view tells: which interactions come, what goes wrong in them, how often.
//! All of it is a pure function of the seed and the number of the request.

use serde::Serialize;

use crate::dice::Dice;
use crate::landscape::{Caller, MOBILE_APP, PARTNER_EDI, WEB_SHOP};

/// The business interactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interaction {
    /// A shopper places an order.
    PlaceOrder,
    /// The app shows an order.
    GetOrder,
    /// A shopper's profile is shown.
    CustomerView,
    /// A customer changes contact data.
    ContactUpdate,
    /// The app shows stock, past the process layer.
    StockLookup,
    /// A partner ships an order.
    Shipment,
    /// A partner sends a batch of orders.
    PartnerBatch,
}

impl Interaction {
    /// Who starts it.
    #[must_use]
    pub fn caller(self) -> &'static Caller {
        match self {
            Self::PlaceOrder | Self::CustomerView => &WEB_SHOP,
            Self::GetOrder | Self::ContactUpdate | Self::StockLookup => &MOBILE_APP,
            Self::Shipment | Self::PartnerBatch => &PARTNER_EDI,
        }
    }
}

/// The mix of interactions: weights sum to one.
pub const MIX: [(Interaction, f64); 7] = [
    (Interaction::PlaceOrder, 0.36),
    (Interaction::GetOrder, 0.16),
    (Interaction::CustomerView, 0.14),
    (Interaction::ContactUpdate, 0.08),
    (Interaction::StockLookup, 0.14),
    (Interaction::Shipment, 0.08),
    (Interaction::PartnerBatch, 0.04),
];

/// The first requests of every run are scripted, so that the whole story is seen within seconds
/// whatever the seed: among them one order that ends dead-lettered (number 1), one whose charge
/// succeeds at the second try and whose capture is redelivered (number 4), one 404 (number 7).
pub const SCRIPT: [Interaction; 10] = [
    Interaction::PlaceOrder,
    Interaction::PlaceOrder,
    Interaction::StockLookup,
    Interaction::CustomerView,
    Interaction::PlaceOrder,
    Interaction::ContactUpdate,
    Interaction::Shipment,
    Interaction::GetOrder,
    Interaction::PartnerBatch,
    Interaction::GetOrder,
];

/// The true shares of what goes wrong (probabilities, outside the scripted requests).
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Shares {
    /// The acquirer times out on the first charge of an order.
    pub charge_timeout: f64,
    /// … and on the retry, given that the first timed out.
    pub charge_retry_timeout: f64,
    /// … and on each attempt of payment-service to collect an outstanding payment.
    pub collect_timeout: f64,
    /// payment-service fails at the first delivery of an authorised order and asks for redelivery.
    pub capture_flaky: f64,
    /// notification-service fails at the first delivery and asks for redelivery.
    pub mail_flaky: f64,
    /// An order asked for does not exist (404).
    pub order_unknown: f64,
    /// A stock item asked for does not exist (404).
    pub sku_unknown: f64,
    /// A paid event carries a value date that is not RFC 3339.
    pub bad_value_date: f64,
}

/// The shares of this landscape.
pub const SHARES: Shares = Shares {
    charge_timeout: 0.22,
    charge_retry_timeout: 0.65,
    collect_timeout: 0.6,
    capture_flaky: 0.06,
    mail_flaky: 0.04,
    order_unknown: 0.08,
    sku_unknown: 0.05,
    bad_value_date: 0.25,
};

/// Decision key of the scripted order that ends dead-lettered.
const DOOMED: u64 = 10;
/// Decision key of the scripted order whose charge needs a retry and whose capture is redelivered.
const BUMPY: u64 = 40;

/// Which interaction request `number` is.
#[must_use]
pub fn interaction(seed: u64, number: u64) -> Interaction {
    if let Some(scripted) = usize::try_from(number).ok().and_then(|index| SCRIPT.get(index)) {
        return *scripted;
    }
    let weights = MIX.map(|(_, weight)| weight);
    MIX[Dice::new(seed, number, "interaction").weighted(&weights)].0
}

/// What will happen to the order placed under a key: a pure function of seed and key, the same for
/// every service that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fate {
    /// The first charge times out.
    pub charge_times_out: bool,
    /// The retry times out, too.
    pub retry_times_out: bool,
    /// Which attempts of payment-service to collect an outstanding payment time out.
    pub collect_times_out: [bool; 3],
    /// payment-service stumbles over the first delivery of an authorised order.
    pub capture_stumbles: bool,
    /// Amount in cents.
    pub cents: u64,
}

impl Fate {
    /// The fate of the order under `key`.
    #[must_use]
    pub fn of(seed: u64, key: u64) -> Self {
        let draw = |what: &str, share: f64| Dice::new(seed, key, what).chance(share);
        let mut fate = Self {
            charge_times_out: draw("charge", SHARES.charge_timeout),
            retry_times_out: draw("charge-retry", SHARES.charge_retry_timeout),
            collect_times_out: ["collect-1", "collect-2", "collect-3"].map(|what| draw(what, SHARES.collect_timeout)),
            capture_stumbles: draw("capture", SHARES.capture_flaky),
            cents: Dice::new(seed, key, "amount").between(990, 24_900),
        };
        match key {
            DOOMED => {
                fate.charge_times_out = true;
                fate.retry_times_out = true;
                fate.collect_times_out = [true; 3];
            }
            BUMPY => {
                fate.charge_times_out = true;
                fate.retry_times_out = false;
                fate.capture_stumbles = true;
            }
            key if key < 10 * SCRIPT.len() as u64 => {
                fate.charge_times_out = false;
                fate.capture_stumbles = false;
            }
            _ => {}
        }
        fate
    }

    /// Whether the shop is told that the order could not be charged.
    #[must_use]
    pub fn charge_fails(&self) -> bool {
        self.charge_times_out && self.retry_times_out
    }
}

/// The key of the newest order before request `number` that was paid at once, if there is one near.
#[must_use]
pub fn earlier_order(seed: u64, number: u64) -> Option<u64> {
    (number.saturating_sub(200)..number)
        .rev()
        .find(|n| interaction(seed, *n) == Interaction::PlaceOrder && !Fate::of(seed, 10 * n).charge_fails())
        .map(|n| 10 * n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_repeats_for_a_seed() {
        let story = |seed| (0..300).map(|n| (interaction(seed, n), Fate::of(seed, 10 * n))).collect::<Vec<_>>();
        assert_eq!(story(5), story(5));
        assert_ne!(story(5), story(6));
    }

    #[test]
    fn the_script_shows_a_dead_letter_and_a_redelivery_whatever_the_seed() {
        for seed in 0..50 {
            assert_eq!(interaction(seed, 1), Interaction::PlaceOrder);
            let doomed = Fate::of(seed, DOOMED);
            assert!(doomed.charge_fails() && doomed.collect_times_out == [true; 3]);
            let bumpy = Fate::of(seed, BUMPY);
            assert!(bumpy.charge_times_out && !bumpy.charge_fails() && bumpy.capture_stumbles);
            // A shipment or a query is about an order that was paid.
            assert_eq!(earlier_order(seed, 6), Some(40));
        }
    }

    #[test]
    fn the_shares_are_the_true_ones() {
        let keys = 1_000..41_000;
        let hits = |of: fn(&Fate) -> bool| keys.clone().filter(|key| of(&Fate::of(9, *key))).count() as f64 / 40_000.0;
        assert!((hits(|fate| fate.charge_times_out) - SHARES.charge_timeout).abs() < 0.01);
        assert!((hits(Fate::charge_fails) - SHARES.charge_timeout * SHARES.charge_retry_timeout).abs() < 0.01);
        assert!((hits(|fate| fate.capture_stumbles) - SHARES.capture_flaky).abs() < 0.01);
    }
}
