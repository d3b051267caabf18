//! What goes wrong with a request, and for which.

use super::gate::Checkpoint;
use super::operation::{Matching, Operation};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It takes this much longer to arrive.
    Delay(Duration),
    /// It is taken and never answered, and so is every later one of any operation, until the
    /// proxy heals.
    Hang,
    /// It does not arrive, and the connection ends.
    LoseRequest,
    /// It is carried out, and the connection ends without an answer.
    LoseReply,
    /// It is answered with this status and code of S3, and not carried out.
    Answer(u16, &'static str),
    /// The body of the answer comes in pieces and takes this long.
    Trickle(Duration),
    /// The connection ends after half of the answer's body.
    CutReply,
    /// Half of the answer's body comes and passes for the whole.
    HalveReply,
    /// The answer is 200 with an error in the body. S3 does so where it begins
    /// to answer before it is done, as for CompleteMultipartUpload:
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>.
    ErrorAfterOk { done: bool },
    /// A bit of the body that is sent is another when it arrives.
    FlipUpload,
    /// A bit of the answer's body is another when it arrives.
    FlipDownload,
}

impl Fault {
    /// What S3 answers while it splits a busy prefix.
    pub(crate) const SLOW_DOWN: Fault = Fault::Answer(503, "SlowDown");
    pub(crate) const INTERNAL_ERROR: Fault = Fault::Answer(500, "InternalError");
    /// S3's list of errors says 400, some of its imitations answer 403:
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
    pub(crate) const EXPIRED_TOKEN: Fault = Fault::Answer(400, "ExpiredToken");
}

/// Faults by chance, the same for the same seed: what happens to the `n`th
/// request of an operation does not depend on how requests of different
/// operations mix, nor on the time.
#[derive(Debug, Clone)]
pub(crate) struct Faults {
    seed: u64,
    probability: f64,
    kinds: Vec<Fault>,
}

impl Faults {
    /// Faults after which a request may be made again and should succeed.
    pub(crate) fn random(seed: u64, probability: f64) -> Faults {
        let moment = Duration::from_millis(50);
        let kinds = vec![
            Fault::Delay(moment),
            Fault::LoseRequest,
            Fault::LoseReply,
            Fault::SLOW_DOWN,
            Fault::INTERNAL_ERROR,
            Fault::Trickle(moment),
            Fault::CutReply,
        ];
        Faults { seed, probability, kinds }
    }

    /// Only faults of these kinds.
    pub(crate) fn only(mut self, kinds: &[Fault]) -> Faults {
        self.kinds = kinds.to_vec();
        self
    }

    fn strike(&self, operation: Operation, nth: u64) -> Option<Fault> {
        let chance = mix(mix(self.seed ^ mix(operation as u64)) ^ nth);
        // 53 bits are what a float holds.
        let drawn = (chance >> 11) as f64 / (1_u64 << 53) as f64;
        let kind = mix(chance) as usize % self.kinds.len();
        (drawn < self.probability).then(|| self.kinds[kind])
    }
}

/// The finalizer of SplitMix64.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Everything that is to happen to the requests of a proxy.
#[derive(Debug, Default)]
pub(super) struct Plan {
    rules: Vec<Rule>,
    random: Option<Faults>,
    seen: BTreeMap<Operation, u64>,
    /// Since a [`Fault::Hang`].
    hangs: bool,
}

#[derive(Debug)]
struct Rule {
    matching: Matching,
    /// Counted from 1, from when the rule was made.
    which: RangeInclusive<u64>,
    seen: u64,
    action: Action,
}

#[derive(Debug)]
enum Action {
    Fault(Fault),
    /// Gone once it was reached.
    Gate(Option<Checkpoint>),
}

impl Plan {
    pub(super) fn fault(&mut self, matching: Matching, which: RangeInclusive<u64>, fault: Fault) {
        self.rules.push(Rule { matching, which, seen: 0, action: Action::Fault(fault) });
    }

    pub(super) fn gate(&mut self, matching: Matching, nth: u64, checkpoint: Checkpoint) {
        let action = Action::Gate(Some(checkpoint));
        self.rules.push(Rule { matching, which: nth..=nth, seen: 0, action });
    }

    pub(super) fn random(&mut self, faults: Faults) {
        self.random = Some(faults);
    }

    /// From here on nothing goes wrong. Gates stay.
    pub(super) fn heal(&mut self) {
        self.rules.retain(|rule| matches!(rule.action, Action::Gate(_)));
        self.random = None;
        self.hangs = false;
    }

    pub(super) fn seed(&self) -> Option<u64> {
        self.random.as_ref().map(|faults| faults.seed)
    }

    /// What is to happen to the next request: the first fault that a rule has
    /// for it, else one by chance; and the gates that it has to pass.
    pub(super) fn next(&mut self, operation: Operation, key: &str) -> (Option<Fault>, Vec<Checkpoint>) {
        let nth = self.seen.entry(operation).or_default();
        *nth += 1;
        let chance = self.random.as_ref().and_then(|faults| faults.strike(operation, *nth));
        let (mut fault, mut gates) = (None, Vec::new());
        for rule in self.rules.iter_mut().filter(|rule| rule.matching.holds(operation, key)) {
            rule.seen += 1;
            if rule.which.contains(&rule.seen) {
                match &mut rule.action {
                    Action::Fault(of_rule) => fault = fault.or(Some(*of_rule)),
                    Action::Gate(checkpoint) => gates.extend(checkpoint.take()),
                }
            }
        }
        let fault = fault.or(chance);
        self.hangs |= fault == Some(Fault::Hang);
        (if self.hangs { Some(Fault::Hang) } else { fault }, gates)
    }
}
