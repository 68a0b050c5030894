//! Whether a trace is sent: decided once for a call, by the id of its trace and what its caller does, so that calls whose
//! traces are not sent make no span.
//!
//! The decision is a function of the call alone: each of its spans, on whatever thread, and each service that is asked about
//! the same trace with the same share, comes to the same.

use opentelemetry::trace::SpanKind;
use opentelemetry_sdk::trace;
use opentelemetry_sdk::trace::SamplingDecision;
use opentelemetry_sdk::trace::ShouldSample;

use crate::config::sampling::Sampling;
use crate::telemetry::traces::current::Call;

/// Takes the traces that are sent.
#[derive(Clone, Debug)]
pub struct Sampler {
    follows_caller: bool,
    of_trace: trace::Sampler,
}

impl Sampler {
    pub fn new(sampling: Sampling) -> Sampler {
        Sampler {
            follows_caller: sampling.follows_caller,
            of_trace: trace::Sampler::TraceIdRatioBased(sampling.share),
        }
    }

    /// Whether the spans of `call` are sent. Work that is done for no call is made into spans, for [`Sampler::of_spans`] to
    /// decide upon.
    pub fn takes(&self, call: Option<Call>) -> bool {
        let Some(call) = call else {
            return true;
        };
        match call.sampled_by_caller {
            Some(sampled) if self.follows_caller => sampled,
            _ => {
                let kind = SpanKind::Server;
                let result = self
                    .of_trace
                    .should_sample(None, call.trace, "", &kind, &[], &[]);
                result.decision == SamplingDecision::RecordAndSample
            }
        }
    }

    /// The same decision about a span that has been made.
    pub fn of_spans(&self) -> trace::Sampler {
        match self.follows_caller {
            true => trace::Sampler::ParentBased(Box::new(self.of_trace.clone())),
            false => self.of_trace.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::TraceId;

    fn call(trace: u128, sampled_by_caller: Option<bool>) -> Option<Call> {
        Some(Call {
            trace: TraceId::from_bytes(trace.to_be_bytes()),
            sampled_by_caller,
        })
    }

    fn sampler(follows_caller: bool, share: f64) -> Sampler {
        Sampler::new(Sampling {
            follows_caller,
            share,
        })
    }

    #[test]
    fn a_caller_is_followed_where_that_is_asked_for() {
        for sampled in [true, false] {
            assert_eq!(sampler(true, 0.0).takes(call(7, Some(sampled))), sampled);
            assert_eq!(sampler(true, 1.0).takes(call(7, Some(sampled))), sampled);
            assert!(!sampler(false, 0.0).takes(call(7, Some(sampled))));
            assert!(sampler(false, 1.0).takes(call(7, Some(sampled))));
        }
    }

    #[test]
    fn of_many_traces_the_share_is_taken_and_each_one_again_when_asked_again() {
        let sampler = sampler(true, 0.25);
        // The golden ratio spreads the ids evenly.
        let ids = (1..=4_000_u128).map(|id| id.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let taken: Vec<bool> = ids
            .clone()
            .map(|id| sampler.takes(call(id, None)))
            .collect();
        let share = taken.iter().filter(|taken| **taken).count();
        assert!((950..=1_050).contains(&share), "{share} of 4000");
        let again: Vec<bool> = ids.map(|id| sampler.takes(call(id, None))).collect();
        assert_eq!(again, taken);
    }
}
