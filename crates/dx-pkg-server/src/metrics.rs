//! Counters of requests, for Prometheus.

use axum::http::StatusCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The upper bounds of the classes of durations, in milliseconds.
const BOUNDS: [u64; 10] = [1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000];

/// A figure: its name, its meaning, and its value.
pub(crate) type Figure = (&'static str, &'static str, u64);

/// A function that returns figures.
type Source = Box<dyn Fn() -> Vec<Figure> + Send + Sync>;

/// How long something took.
#[derive(Default)]
struct Durations {
    /// How often it took no longer than each bound.
    within: [AtomicU64; BOUNDS.len()],
    count: AtomicU64,
    microseconds: AtomicU64,
}

impl Durations {
    fn add(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.count.fetch_add(1, Relaxed);
        self.microseconds.fetch_add(micros, Relaxed);
        for (bound, count) in BOUNDS.iter().zip(&self.within) {
            if micros <= bound * 1000 {
                count.fetch_add(1, Relaxed);
            }
        }
    }

    /// Writes the lines of a histogram without its head; `label` is empty, or a label and a comma.
    fn write(&self, name: &str, label: &str, line: &mut impl FnMut(String)) {
        for (bound, count) in BOUNDS.iter().zip(&self.within) {
            let (bound, count) = (*bound as f64 / 1000.0, count.load(Relaxed));
            line(format!("dx_registry_{name}_bucket{{{label}le=\"{bound}\"}} {count}"));
        }
        let count = self.count.load(Relaxed);
        line(format!("dx_registry_{name}_bucket{{{label}le=\"+Inf\"}} {count}"));
        let seconds = self.microseconds.load(Relaxed) as f64 / 1e6;
        let label = match label.trim_end_matches(',') {
            "" => String::new(),
            label => format!("{{{label}}}"),
        };
        line(format!("dx_registry_{name}_sum{label} {seconds}"));
        line(format!("dx_registry_{name}_count{label} {count}"));
    }
}

/// The counters.
#[derive(Default)]
pub(crate) struct Metrics {
    /// Answers by the first digit of their status.
    answers: [AtomicU64; 6],
    requests: Durations,
    /// Plans that were in memory, and plans that were checked or made.
    kept_plans: Durations,
    made_plans: Durations,
    /// Versions published.
    published: AtomicU64,
    /// Further figures.
    more: OnceLock<Source>,
}

impl Metrics {
    /// Counts an answer.
    pub(crate) fn answered(&self, status: StatusCode, time: Duration) {
        let class = usize::from(status.as_u16() / 100).min(self.answers.len() - 1);
        self.answers[class].fetch_add(1, Relaxed);
        self.requests.add(time);
    }

    /// Counts the answer to a question for a plan, which was in memory or not.
    pub(crate) fn planned(&self, time: Duration, was_kept: bool) {
        let plans = if was_kept { &self.kept_plans } else { &self.made_plans };
        plans.add(time);
    }

    /// Counts a publish.
    pub(crate) fn published(&self) {
        self.published.fetch_add(1, Relaxed);
    }

    /// Adds figures that others keep; only the first source counts.
    pub(crate) fn add(&self, figures: impl Fn() -> Vec<Figure> + Send + Sync + 'static) {
        let _ = self.more.set(Box::new(figures));
    }

    /// Writes the counters, and other figures, in Prometheus' text format.
    pub(crate) fn text(&self, others: &[Figure]) -> String {
        let mut out = String::new();
        let mut line = |text: String| {
            out.push_str(&text);
            out.push('\n');
        };
        line("# HELP dx_registry_requests_total Requests answered, by class of status.".to_owned());
        line("# TYPE dx_registry_requests_total counter".to_owned());
        for (class, count) in self.answers.iter().enumerate().skip(1) {
            let count = count.load(Relaxed);
            line(format!("dx_registry_requests_total{{status=\"{class}xx\"}} {count}"));
        }
        line("# HELP dx_registry_request_seconds Time until the answer begins.".to_owned());
        line("# TYPE dx_registry_request_seconds histogram".to_owned());
        self.requests.write("request_seconds", "", &mut line);
        line("# HELP dx_registry_dxrp_plan_seconds Time until a plan of DXRP is sent.".to_owned());
        line("# TYPE dx_registry_dxrp_plan_seconds histogram".to_owned());
        self.kept_plans.write("dxrp_plan_seconds", "kept=\"yes\",", &mut line);
        self.made_plans.write("dxrp_plan_seconds", "kept=\"no\",", &mut line);
        let published = ("published_total", "Versions published.", self.published.load(Relaxed));
        let more = self.more.get().map(|figures| figures()).unwrap_or_default();
        for (name, help, value) in std::iter::once(&published).chain(others).chain(&more) {
            let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
            line(format!("# HELP dx_registry_{name} {help}"));
            line(format!("# TYPE dx_registry_{name} {kind}"));
            line(format!("dx_registry_{name} {value}"));
        }
        out
    }
}
