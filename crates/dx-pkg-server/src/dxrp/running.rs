//! Work for one answer: so much at a time, in the order in which it is finished.

use super::asker::Stop;
use super::out::Out;
use crate::failure::Failure;
use tokio::task::JoinSet;

/// The tasks that run. They are given up with this, as when the client goes.
pub(super) struct Running<T> {
    tasks: JoinSet<T>,
    most: usize,
}

impl<T: Send + 'static> Running<T> {
    /// Creates room for `most` tasks at a time.
    pub(super) fn new(most: usize) -> Self {
        Self { tasks: JoinSet::new(), most }
    }

    /// Starts what `next` returns as long as there is room, and returns what is finished next;
    /// `None` once there is nothing left. Where it has to be waited for, what was collected for the
    /// client is sent first.
    pub(super) async fn next<F>(
        &mut self,
        out: &mut Out<'_>,
        mut next: impl FnMut() -> Option<F>,
    ) -> Result<Option<T>, Stop>
    where
        F: Future<Output = T> + Send + 'static,
    {
        while self.tasks.len() < self.most
            && let Some(task) = next()
        {
            self.tasks.spawn(task);
        }
        let ready = match self.tasks.try_join_next() {
            Some(ready) => ready,
            None => {
                out.flush().await?;
                let Some(ready) = self.tasks.join_next().await else { return Ok(None) };
                ready
            }
        };
        Ok(Some(ready.map_err(Failure::internal)?))
    }
}
