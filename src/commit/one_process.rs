//! What a run asks of its table before it stages anything and after it has
//! staged everything, where one process does both.

use super::{Committed, History, Outcome, Recovered, SignsOfLife, Standing, Steps, Table, Verified};
use crate::documents::{Manifest, Plan, TaskReport};
use crate::error::{Aftermath, Error, ErrorKind, Result};

/// What a run finds before it stages anything.
pub(crate) enum Prepared {
    /// Something to do. The log as it was when the table was looked at.
    ToStage(History),
    /// The table holds the rows of this very job already.
    AlreadyDone(Box<Committed>),
}

/// Finishes or removes what earlier runs left half done, looks whether there is
/// anything to do, and says that it is about to be done.
pub(crate) async fn prepare(plan: &Plan, table: &Table) -> Result<(Recovered, Prepared)> {
    let (recovered, prepared) = table.until_stopped(look_around(plan, table)).await?;
    if let Prepared::ToStage(history) = &prepared {
        // Not dropped half-way: what is withdrawn afterwards could be written once more.
        let intended = table.cancel.in_time(table.intend(plan, Steps::OneProcess, history)).await;
        intended.unwrap_or_else(|| Err(ErrorKind::Interrupted.into()))?;
    }
    Ok((recovered, prepared))
}

async fn look_around(plan: &Plan, table: &Table) -> Result<(Recovered, Prepared)> {
    let mut history = table.checked_history().await?;
    let mut recovered = tidy(table, &mut history).await?;
    let read_until = history.tip;
    match table.standing(&mut history, plan).await? {
        Standing::AlreadyDone(done) => {
            if done.version > read_until {
                // Decided a moment ago: it may not be visible yet.
                recovered.add(tidy(table, &mut history).await?);
            }
            // It was not recovered where a target is away, and then it is not visible anywhere.
            if !table.absent().is_empty() && table.unfinished(&history).await?.contains(&done.version) {
                return Err(table.waits_for_absent(done.version));
            }
            Ok((recovered, Prepared::AlreadyDone(done)))
        }
        Standing::Free => Ok((recovered, Prepared::ToStage(history))),
    }
}

/// Finishes or removes what earlier runs left half done, unless a target is away.
async fn tidy(table: &Table, history: &mut History) -> Result<Recovered> {
    if !table.absent().is_empty() {
        return Ok(Recovered::default());
    }
    let recovered = table.recover(history, None).await?;
    table.check_complete(history).await?;
    Ok(recovered)
}

/// How a run ended whose files were staged.
pub(crate) enum Concluded {
    /// They are visible in every target.
    Committed(Box<Manifest>),
    /// Another run did the same job first, and they are removed.
    AlreadyDone(Box<Committed>),
}

/// A run that was not decided, and whether that is certain and nothing is left of it.
pub(crate) struct Unsettled {
    pub(crate) error: Error,
    pub(crate) withdrawn: bool,
}

impl From<Error> for Unsettled {
    fn from(error: Error) -> Self {
        Unsettled { error, withdrawn: false }
    }
}

/// Commits what was staged, or removes it. `alive` are its signs of life, which
/// end before what they are written to is removed.
pub(crate) async fn conclude(
    plan: &Plan,
    table: &Table,
    history: History,
    reports: &[TaskReport],
    staged: Result<()>,
    mut alive: Option<SignsOfLife>,
) -> Result<Concluded, Unsettled> {
    let verified = match staged.and_then(|()| Verified::check(plan, reports)) {
        Ok(verified) => verified,
        Err(error) => {
            table.withdraw(&plan.attempt, reports, alive.take()).await;
            return Err(Unsettled { error, withdrawn: true });
        }
    };
    match decide(&verified, table, history, reports, &mut alive).await? {
        Outcome::Decided(decided, history) => {
            let manifest = table.finish_in_time(*decided, history).await?;
            table.cancel.shutdown().settled();
            table.remove_strays(&plan.attempt).await;
            Ok(Concluded::Committed(Box::new(manifest)))
        }
        Outcome::AlreadyDone(done) => {
            table.withdraw(&plan.attempt, reports, alive.take()).await;
            let recovered = async {
                let mut history = table.history().await?;
                table.recover(&mut history, None).await
            };
            table.until_stopped(recovered).await?;
            Ok(Concluded::AlreadyDone(done))
        }
    }
}

/// Decides; where that fails, gives the attempt up, unless it cannot be known
/// whether it was decided.
async fn decide(
    verified: &Verified<'_>,
    table: &Table,
    history: History,
    reports: &[TaskReport],
    alive: &mut Option<SignsOfLife>,
) -> Result<Outcome> {
    let attempt = verified.attempt();
    let checked = table.cancel.or(verified.check_staged(table)).await;
    if let Err(error) = checked.and_then(|()| verified.check_inputs()) {
        table.withdraw(attempt, reports, alive.take()).await;
        return Err(error);
    }
    let error = match table.cancel.or(verified.decide(table, history.clone())).await {
        Ok(outcome) => return Ok(outcome),
        Err(error) => error,
    };
    if matches!(error.kind(), ErrorKind::Conflict { .. }) {
        // The log is clear: the attempt is not in it and cannot come to be.
        table.withdraw(attempt, reports, alive.take()).await;
        return Err(error);
    }
    match table.give_up(attempt, reports, "its run failed").await {
        Ok(_) => Err(error.leaving_nothing()),
        Err(refused) if matches!(refused.kind(), ErrorKind::Conflict { .. }) => {
            // It was decided, and the answer was lost.
            let decided = table.cancel.in_time(verified.decide(table, history)).await;
            decided.unwrap_or_else(|| Err(unknown(ErrorKind::Interrupted.into())))
        }
        Err(_) => Err(unknown(error)),
    }
}

fn unknown(error: Error) -> Error {
    error.leaving(Aftermath::Unknown).remedy(
        "it is not known whether the run was decided: what it staged is left as it is. Fix the target, then \
         `sawmill recover` with the same job finishes or removes it",
    )
}
