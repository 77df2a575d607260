//! The same claims, judged by other runs: one run is one machine on one day.

use results::{Claim, Reading, ResultKind, Ruling};
use serde::Serialize;

use super::{Judged, Records};
use crate::summary::Summary;

/// A verdict on a claim by another run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Elsewhere {
    /// The run: its folder in the store.
    pub run: String,
    /// The verdict that follows from it.
    pub verdict: Ruling,
}

impl Records {
    /// Judges every claim by a run, and says beside it what others give, in their order.
    ///
    /// A claim that rests on recorded counts alone has the same verdict in every run, and one
    /// that a run did not measure has none there: neither is listed.
    #[must_use]
    pub fn judge_beside(&self, run: &Summary, others: &[(String, Summary)]) -> Vec<Judged> {
        let mut judged = self.judge(Some(run));
        for (name, other) in others {
            for (claim, there) in judged.iter_mut().zip(self.judge(Some(other))) {
                let rests = self
                    .claims
                    .claims
                    .iter()
                    .any(|one| one.id == claim.id && rests_on_a_run(one));
                if rests && there.verdict != Ruling::NotMeasured {
                    claim.elsewhere.push(Elsewhere {
                        run: name.clone(),
                        verdict: there.verdict,
                    });
                }
            }
        }
        judged
    }
}

/// Whether the rule of a claim asks for a time or a value of a run.
fn rests_on_a_run(claim: &Claim) -> bool {
    let asked = |key: &str| {
        let mut conditions = claim.rule.iter().flat_map(|outcome| &outcome.when);
        conditions.any(|condition| condition.trim_start_matches('!') == key)
    };
    let measured = |reading: &Reading| {
        let mut terms = reading.terms.iter();
        terms.any(|term| matches!(term.kind, ResultKind::Time | ResultKind::Value))
    };
    claim.numbers.iter().any(|number| {
        asked(&number.key) && (measured(&number.of) || number.over.as_ref().is_some_and(measured))
    })
}
