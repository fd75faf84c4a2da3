//! Many records on the available cores, with progress on the terminal.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use indicatif::{ProgressBar, ProgressStyle};

/// Applies `work` to every item, on as many threads as there are cores; results in the order of the items.
///
/// `state` makes what one thread keeps between its items (a model). The bar is drawn on standard error, and only where
/// that is a terminal.
pub fn for_each<T: Sync, S: Send, R: Send>(
    what: &'static str,
    items: &[T],
    state: impl Fn() -> S,
    work: impl Fn(&mut S, &T) -> R + Sync,
) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(items.len().max(1));
    let bar = progress_bar(items.len() as u64, what);
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(items.len())));
    thread::scope(|scope| {
        let (next, done, bar, work) = (&next, &done, &bar, &work);
        for _ in 0..threads {
            let mut state = state();
            scope.spawn(move || {
                while let Some((index, item)) = take(next, items) {
                    let result = work(&mut state, item);
                    bar.inc(1);
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((index, result));
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Whether all of `count` records went well; `failed` says what was wrong with those that did not.
///
/// # Errors
/// Every failed record with its problem.
pub fn all_went_well(failed: &BTreeMap<String, String>, count: usize) -> anyhow::Result<()> {
    if failed.is_empty() {
        return Ok(());
    }
    let list: Vec<_> = failed.iter().map(|(name, problem)| format!("{name}: {problem}")).collect();
    anyhow::bail!("{} of {count} records failed: {}", list.len(), list.join("; "))
}

fn take<'a, T>(next: &AtomicUsize, items: &'a [T]) -> Option<(usize, &'a T)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    items.get(index).map(|item| (index, item))
}

fn progress_bar(length: u64, what: &'static str) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style).with_message(what)
}
