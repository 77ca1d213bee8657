//! Where the time went: waits for messages, and shares of participants.

use maud::{Markup, html};

use crate::api::JourneyView;
use crate::share::text::{clock, duration, plain, wait};

/// Waits and participants told at most.
const SHOWN: usize = 50;

/// The longest waits and the largest shares; nothing where nobody waited and only one did the work.
pub(super) fn time(journey: &JourneyView) -> Markup {
    let mut gaps: Vec<_> = journey.gaps.iter().collect();
    gaps.sort_by(|a, b| b.duration_ms.total_cmp(&a.duration_ms));
    html! {
        @if !gaps.is_empty() {
            h2 { "Waits" }
            table {
                thead { tr { th { "Waited" } th { "Where" } th { "From" } th.w-num.num { "How long" } } }
                tbody { @for gap in gaps.iter().take(SHOWN) { tr {
                    td { (wait(&gap.kind)) @if gap.critical { span.quiet { ", on the way to the last effect" } } }
                    td { (plain(&gap.participant_name)) }
                    td.mono { (clock(gap.start_at)) }
                    td.num { (duration(Some(gap.duration_ms))) }
                } } }
            }
            @if gaps.len() > SHOWN { p.quiet { (gaps.len() - SHOWN) " shorter waits are left out." } }
        }
        @if journey.time_by.len() > 1 {
            h2 { "Time up to the last effect" }
            table {
                thead { tr { th { "Participant" } th.w-num.num { "Time" } } }
                tbody { @for share in journey.time_by.iter().take(SHOWN) { tr {
                    td { (plain(&share.name)) } td.num { (duration(Some(share.ms))) }
                } } }
            }
        }
    }
}
