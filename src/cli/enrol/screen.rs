//! How progress is shown: a bar on a terminal, plain lines at a bounded rate elsewhere. It decides nothing.

use std::io::IsTerminal;
use std::time::Duration;

use ecg_identity::enrolment::{Advice, Step};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

use crate::enrolment::Progress;

/// Without a terminal, how often progress is told where nothing else happens.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// And at most so often where the advice changes: a contact that comes and goes must not fill a log.
const ADVICE_EVERY: Duration = Duration::from_secs(1);

/// Where progress goes.
pub(super) struct Screen {
    bar: Option<ProgressBar>,
    said: Option<Progress>,
    advised: Option<Advice>,
    at: Instant,
}

impl Screen {
    pub(super) fn new() -> Self {
        let style = ProgressStyle::with_template("{bar:24} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = std::io::stderr().is_terminal().then(|| ProgressBar::new(1000).with_style(style));
        Self { bar, said: None, advised: None, at: Instant::now() }
    }

    /// A line of its own.
    pub(super) fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| note!("{line}")),
            None => note!("{line}"),
        }
    }

    /// Shows the status: a line for every step, and how far it is in between.
    pub(super) fn show(&mut self, progress: &Progress) {
        if self.said.as_ref().is_none_or(|said| progress.is_news_after(said)) {
            self.say(&progress.headline);
            (self.said, self.advised, self.at) = (Some(progress.clone()), Some(progress.advice), Instant::now());
        }
        if let Some(bar) = &self.bar {
            bar.set_position((1000.0 * progress.good_s / progress.needed_s.max(1.0)) as u64);
            bar.set_message(progress.summary.clone());
            return;
        }
        let wait = if self.advised == Some(progress.advice) { LINE_EVERY } else { ADVICE_EVERY };
        if self.at.elapsed() >= wait && !matches!(progress.step, Step::Done | Step::GaveUp) {
            note!("{}", progress.summary);
            (self.advised, self.at) = (Some(progress.advice), Instant::now());
        }
    }

    /// Takes the bar away.
    pub(super) fn close(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
