//! Work that takes a while, beside the threads that answer: a health check waits for none of it.

use std::future::pending;
use std::panic::resume_unwind;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// So many computations go on at once; more would only slow each other down, and hold their input meanwhile.
static TURNS: Semaphore = Semaphore::const_new(2);

/// What `work` gives. It goes on to its end even if nobody waits for it any more, and has its turn for so long.
pub(crate) async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let turn = TURNS.acquire().await.expect("nobody closes it");
    blocking(move || {
        let _turn = turn;
        work()
    })
    .await
}

/// What `work` gives, on a thread that may wait. Where the process ends before its turn comes, nobody waits for it either.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(_cancelled) => pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn others_go_on_meanwhile() {
        let (tell, told) = mpsc::channel();
        // On the only thread there is to answer, this would wait for ever.
        let computing = tokio::spawn(compute(move || told.recv().unwrap()));
        let answering = tokio::spawn(async move { tell.send("answered").unwrap() });
        answering.await.unwrap();
        assert_eq!(computing.await.unwrap(), "answered");
    }
}
