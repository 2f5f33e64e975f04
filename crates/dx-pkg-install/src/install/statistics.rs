//! The counters of an install, by name.

use dx_pkg_acquire::{Counters, prediction};
use dx_pkg_link::LinkReport;

use crate::Session;

/// Returns the counters of requests, downloads and links.
pub(super) fn of(
    session: &Session,
    counters: &Counters,
    report: &LinkReport,
) -> Vec<(&'static str, u64)> {
    let mut statistics = vec![
        ("metadata requests", counters.packuments_requested.get()),
        ("tarballs", counters.tarballs_unpacked.get()),
        ("tarball bytes", counters.tarball_bytes.get()),
    ];
    if let Some(network) = session.context.network_used() {
        statistics.extend(network.statistics());
        let prefetched = counters.prefetched();
        statistics.extend([
            ("speculation table", prediction::table_date()),
            ("speculated", prefetched.requested),
            ("speculation used", prefetched.used),
            ("speculation wasted bytes", prefetched.wasted_bytes),
        ]);
    }
    statistics.extend([
        ("prepared trees", u64::from(report.was_prepared)),
        ("directories", report.directories),
        ("hardlinks", report.hardlinks),
        ("reflinks", report.reflinks),
        ("copies", report.copies),
        ("moves", report.moves),
        ("moved packages", report.packages_moved),
        ("bytes saved", report.bytes_saved),
        ("bytes copied", report.bytes_copied),
    ]);
    statistics
}
