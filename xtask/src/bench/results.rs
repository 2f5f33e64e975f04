//! The measurements, as `results.json` has them.

use super::exec::Cost;
use serde::{Deserialize, Serialize};

/// One timed run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) cost: Cost,
    /// Requests for packuments and manifests, and for tarballs.
    pub(crate) metadata_requests: u64,
    pub(crate) tarball_requests: u64,
    pub(crate) other_requests: u64,
    pub(crate) connections: u64,
    pub(crate) bytes_received: u64,
    pub(crate) bytes_sent: u64,
    /// The registry's own processor time in seconds.
    pub(crate) registry_cpu: f64,
}

impl Run {
    /// Processor time of the command and of all that it left running, in seconds.
    pub(crate) fn all_cpu(&self) -> f64 {
        self.cost.cpu + self.cost.after_cpu
    }

    pub(crate) fn requests(&self) -> u64 {
        self.metadata_requests + self.tarball_requests + self.other_requests
    }
}

/// One manager in one scenario.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cell {
    /// The day of the measurement.
    pub(crate) date: String,
    pub(crate) fixture: String,
    pub(crate) network: String,
    pub(crate) scenario: String,
    pub(crate) manager: String,
    pub(crate) runs: Vec<Run>,
    /// Why there is no run, or why a run failed.
    pub(crate) failure: Option<String>,
    /// By how many bytes project and caches grew in the last run.
    pub(crate) disk: Option<i64>,
    /// The bytes that project and caches took after the first run, and after what it left running
    /// had ended; older results lack them.
    #[serde(default)]
    pub(crate) occupied: Option<u64>,
    /// System calls of a run of its own, with what it left running.
    pub(crate) system_calls: Option<u64>,
}

impl Cell {
    /// The median of a figure over the runs; `None` where there is none, or a run failed.
    pub(crate) fn median(&self, figure: impl Fn(&Run) -> f64) -> Option<f64> {
        if self.failure.is_some() {
            return None;
        }
        median(self.runs.iter().map(figure).collect())
    }

    /// The least of a figure.
    pub(crate) fn least(&self, figure: impl Fn(&Run) -> f64) -> Option<f64> {
        self.runs.iter().map(figure).reduce(f64::min)
    }
}

/// The middle value, or the mean of the two in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        length if length % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// A part measured beside its baseline.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    /// The group of the figures, such as `lockfile`.
    pub(crate) group: String,
    pub(crate) name: String,
    /// Seconds for the work; `None` where it could not be measured.
    pub(crate) seconds: Option<f64>,
    /// The work, or the reason why it was not measured.
    pub(crate) note: String,
}

/// A whole session of measurements.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    /// The machine of the measurements.
    pub(crate) machine: Vec<(String, String)>,
    pub(crate) versions: Vec<(String, String)>,
    pub(crate) missing: Vec<String>,
    /// The duration of the last default run, in seconds.
    pub(crate) took: f64,
    pub(crate) cells: Vec<Cell>,
    pub(crate) parts: Vec<Part>,
}

impl Results {
    /// Loads the results of the last session; none where there was no session.
    pub(crate) fn load() -> Result<Results, String> {
        let path = path();
        if !path.exists() {
            return Ok(Results::default());
        }
        let text = crate::workspace::read(&path)?;
        serde_json::from_str(&text)
            .map_err(|error| format!("{}: {error}; remove it", path.display()))
    }

    /// Keeps everything; returns where.
    pub(crate) fn save(&self) -> Result<std::path::PathBuf, String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        crate::dx::write(&path(), &text)?;
        Ok(path())
    }

    /// Takes new cells in the place of those of the same fixture, network, scenario and manager.
    pub(crate) fn replace(&mut self, cells: Vec<Cell>) {
        let same = |one: &Cell, other: &Cell| {
            (&one.fixture, &one.network, &one.scenario, &one.manager)
                == (&other.fixture, &other.network, &other.scenario, &other.manager)
        };
        self.cells.retain(|old| !cells.iter().any(|new| same(old, new)));
        self.cells.extend(cells);
    }

    /// The cells of one table row, in the order in which the managers ran.
    pub(crate) fn row<'a>(
        &'a self,
        fixture: &'a str,
        network: &'a str,
        scenario: &'a str,
    ) -> Vec<&'a Cell> {
        let wanted = |cell: &&Cell| {
            cell.fixture == fixture && cell.network == network && cell.scenario == scenario
        };
        self.cells.iter().filter(wanted).collect()
    }

    /// The seconds of a part.
    pub(crate) fn part(&self, group: &str, name: &str) -> Option<f64> {
        self.parts.iter().find(|part| part.group == group && part.name == name)?.seconds
    }
}

fn path() -> std::path::PathBuf {
    super::folder().join("results.json")
}

/// Measurements that nobody made.
#[cfg(test)]
pub(crate) mod examples {
    use super::super::exec::Cost;
    use super::{Cell, Run};

    fn run(wall: f64) -> Run {
        Run {
            cost: Cost { wall, cpu: wall, after_cpu: wall / 2.0, peak: 3 << 20, ..Cost::default() },
            metadata_requests: 2,
            tarball_requests: 1,
            other_requests: 0,
            connections: 1,
            bytes_received: 10,
            bytes_sent: 2_500_000,
            registry_cpu: 0.0,
        }
    }

    pub(crate) fn cell(
        scenario: &str,
        manager: &str,
        walls: &[f64],
        failure: Option<&str>,
    ) -> Cell {
        Cell {
            date: "2026-01-31".to_owned(),
            fixture: "large".to_owned(),
            network: "none".to_owned(),
            scenario: scenario.to_owned(),
            manager: manager.to_owned(),
            runs: walls.iter().copied().map(run).collect(),
            failure: failure.map(str::to_owned),
            disk: Some(1_000_000),
            occupied: Some(2_000_000),
            system_calls: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(Vec::new()), None);
    }
}
