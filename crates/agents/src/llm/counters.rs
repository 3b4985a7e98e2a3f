//! What was asked of the model and what it cost, since the process started.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::wire::Usage;

/// Counts that only grow.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    calls: AtomicU64,
    retries: AtomicU64,
    failures: AtomicU64,
    refusals: AtomicU64,
    prompt_tokens: AtomicU64,
    completion_tokens: AtomicU64,
    microdollars: AtomicU64,
}

impl Counters {
    pub(super) fn called(&self) {
        self.calls.fetch_add(1, Relaxed);
    }

    pub(super) fn retried(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Relaxed);
    }

    /// The budget did not allow a call.
    pub(super) fn refused(&self) {
        self.refusals.fetch_add(1, Relaxed);
    }

    pub(super) fn spent(&self, usage: Usage, microdollars: u64) {
        self.prompt_tokens.fetch_add(usage.prompt_tokens, Relaxed);
        self.completion_tokens.fetch_add(usage.completion_tokens, Relaxed);
        self.microdollars.fetch_add(microdollars, Relaxed);
    }

    /// Each count with its name and what it means, as a page of metrics shows them.
    pub(crate) fn all(&self) -> [(&'static str, &'static str, u64); 7] {
        [
            (
                "llm_calls_total",
                "Calls to the language model.",
                self.calls.load(Relaxed),
            ),
            (
                "llm_retries_total",
                "Attempts after the first.",
                self.retries.load(Relaxed),
            ),
            (
                "llm_failures_total",
                "Calls without an answer of use.",
                self.failures.load(Relaxed),
            ),
            (
                "llm_refusals_total",
                "Calls that the daily cap did not allow.",
                self.refusals.load(Relaxed),
            ),
            (
                "llm_prompt_tokens_total",
                "Tokens sent.",
                self.prompt_tokens.load(Relaxed),
            ),
            (
                "llm_completion_tokens_total",
                "Tokens received.",
                self.completion_tokens.load(Relaxed),
            ),
            (
                "llm_microdollars_total",
                "Millionths of a US dollar, at the prices set.",
                self.microdollars.load(Relaxed),
            ),
        ]
    }
}
