//! The forms of an audit: npm's report for people, and npm's JSON.

use std::path::Path;

use dx_pkg_install::summary::{ChangeKind, ChangedPackage, Summary};
use serde_json::{Map, Value, json};

use super::advisory::Advisory;
use super::{Audit, Fix, SEVERITIES, Via, Vulnerability};

/// Returns an advisory of a registry as npm's JSON has it.
pub(super) fn advisory_json(advisory: &Advisory) -> Value {
    let mut object = Map::new();
    let mut insert = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            object.insert(key.to_owned(), value);
        }
    };
    let told = |key: &str| advisory.told.get(key).cloned();
    insert("source", told("id"));
    insert("name", Some(advisory.name.clone().into()));
    insert("dependency", Some(advisory.dependency.clone().into()));
    insert("title", told("title"));
    insert("url", told("url"));
    insert("severity", Some(advisory.severity.clone().into()));
    insert("cwe", told("cwe"));
    insert("cvss", told("cvss"));
    insert("range", Some(advisory.range.clone().into()));
    Value::Object(object)
}

/// Returns a time in milliseconds since 1970 as JavaScript's `toISOString` writes it.
pub(crate) fn iso_time(milliseconds: u64) -> String {
    let (days, rest) = (milliseconds / 86_400_000, milliseconds % 86_400_000);
    let (year, month, day) = date(days);
    let (hours, minutes) = (rest / 3_600_000, rest / 60_000 % 60);
    let (seconds, millis) = (rest / 1000 % 60, rest % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z")
}

/// Returns year, month and day of a day after 1970 (Howard Hinnant's `civil_from_days`).
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

impl Fix {
    fn json(&self) -> Value {
        match self {
            Fix::Allowed => true.into(),
            Fix::Nothing => false.into(),
            Fix::Forced { name, version, is_major } => {
                json!({ "name": name, "version": version, "isSemVerMajor": is_major })
            }
        }
    }
}

impl Vulnerability {
    fn json(&self) -> Value {
        let via: Vec<Value> = self
            .via
            .iter()
            .map(|via| match via {
                Via::Advisory(json) => json.clone(),
                Via::Package(name) => name.clone().into(),
            })
            .collect();
        let mut object = json!({
            "name": self.name,
            "severity": self.severity,
            "isDirect": self.is_direct,
            "via": via,
            "effects": self.effects,
            "range": self.range,
            "nodes": self.nodes,
            "fixAvailable": self.fix.json(),
        });
        if let Some((version, before)) = &self.too_new {
            object["fixBlockedByReleaseAge"] =
                json!({ "version": version, "before": iso_time(*before) });
        }
        object
    }
}

impl Audit {
    /// Returns the audit as JSON, in npm's form.
    #[must_use]
    pub fn json(&self) -> Value {
        let vulnerabilities: Map<String, Value> =
            self.vulnerabilities.iter().map(|one| (one.name.clone(), one.json())).collect();
        json!({
            "auditReportVersion": 2,
            "vulnerabilities": vulnerabilities,
            "metadata": self.metadata(),
        })
    }

    /// Returns what a fix changed, and what is left, as JSON in npm's form.
    #[must_use]
    pub fn json_of_fix(&self, summary: &Summary, root: &Path) -> Value {
        let entry = |package: &ChangedPackage, version: &Option<String>| {
            let path = root.join(&package.path).display().to_string();
            json!({ "name": package.name, "version": version, "path": path })
        };
        let list = |kind: ChangeKind, show: &dyn Fn(&ChangedPackage) -> Value| -> Vec<Value> {
            summary.changes.iter().filter(|package| package.kind == kind).map(show).collect()
        };
        json!({
            "add": list(ChangeKind::Added, &|one| entry(one, &one.version)),
            "added": summary.added,
            "audited": self.total,
            "change": list(ChangeKind::Changed, &|one| {
                json!({ "from": entry(one, &one.before), "to": entry(one, &one.version) })
            }),
            "changed": summary.changed,
            "funding": 0,
            "remove": list(ChangeKind::Removed, &|one| entry(one, &one.before)),
            "removed": summary.removed,
            "audit": self.json(),
        })
    }

    /// Returns the numbers of an audit as JSON, in npm's form.
    #[must_use]
    pub fn metadata(&self) -> Value {
        let counts = self.counts();
        let mut vulnerabilities = Map::new();
        for (word, _) in SEVERITIES {
            vulnerabilities.insert(word.to_owned(), counts[word].into());
        }
        vulnerabilities.insert("total".to_owned(), self.vulnerabilities.len().into());
        let [prod, dev, optional, peer] = self.kinds;
        json!({
            "vulnerabilities": vulnerabilities,
            "dependencies": {
                "prod": prod, "dev": dev, "optional": optional, "peer": peer, "peerOptional": 0,
                "total": self.total.saturating_sub(1),
            },
        })
    }

    /// Returns the audit as npm reports it to people.
    #[must_use]
    pub fn text(&self) -> String {
        if self.vulnerabilities.is_empty() {
            return self.summary();
        }
        let mut lines = vec!["# npm audit report".to_owned(), String::new()];
        let mut printed: Vec<&str> = Vec::new();
        for one in &self.vulnerabilities {
            if one.via.iter().any(|via| matches!(via, Via::Advisory(_))) {
                // As in npm's report, one that was told below another leaves its empty line.
                lines.push(self.report(one, "", &mut printed).unwrap_or_default());
            }
        }
        lines.push(self.summary());
        lines.join("\n")
    }

    /// Returns what is said of a vulnerable package and of those that require it.
    fn report<'a>(
        &'a self,
        one: &'a Vulnerability,
        indent: &str,
        printed: &mut Vec<&'a str>,
    ) -> Option<String> {
        if printed.contains(&one.name.as_str()) {
            return None;
        }
        printed.push(&one.name);
        let is_first = indent.is_empty();
        let mut lines = vec![format!("{}  {}", one.name, one.range)];
        let severity = one.severity.as_deref().unwrap_or_default();
        if is_first && severity != "low" {
            lines.push(format!("Severity: {severity}"));
        }
        for via in &one.via {
            match via {
                Via::Package(name) => {
                    lines.push(format!("Depends on vulnerable versions of {name}"));
                }
                Via::Advisory(json) if is_first => {
                    let text = |key: &str| json.get(key).map_or("undefined".into(), super::plain);
                    lines.push(format!("{} - {}", text("title"), text("url")));
                }
                Via::Advisory(_) => {}
            }
        }
        if is_first {
            lines.extend(one.fix.lines());
        }
        lines.extend(one.nodes.iter().cloned());
        for effect in &one.effects {
            let effect = self.vulnerabilities.iter().find(|other| other.name == *effect);
            let below = effect.and_then(|effect| self.report(effect, "  ", printed));
            lines.extend(below.iter().flat_map(|text| text.split('\n')).map(str::to_owned));
        }
        if is_first {
            lines.push(String::new());
        }
        let lines: Vec<String> = lines.iter().map(|line| format!("{indent}{line}")).collect();
        Some(lines.join("\n"))
    }

    /// Returns how many vulnerabilities there are, and what helps.
    fn summary(&self) -> String {
        if self.vulnerabilities.is_empty() {
            return "found 0 vulnerabilities".to_owned();
        }
        let counts = self.counts();
        // npm names the least severity only in JSON, and fails where there is no other.
        let is_named = |word: &str| word != "info" || counts["info"] == self.vulnerabilities.len();
        let found: Vec<(&str, usize)> = SEVERITIES
            .iter()
            .map(|(word, _)| (*word, counts[word]))
            .filter(|(word, count)| *count > 0 && is_named(word))
            .collect();
        let total = self.vulnerabilities.len();
        let mut lines = vec![match found.as_slice() {
            [(word, count)] => {
                let plural = if *count == 1 { "y" } else { "ies" };
                format!("{count} {word} severity vulnerabilit{plural}")
            }
            [] => format!("{total} vulnerabilities of unknown severity"),
            all => {
                let parts: Vec<String> =
                    all.iter().map(|(word, count)| format!("{count} {word}")).collect();
                format!("{total} vulnerabilities ({})", parts.join(", "))
            }
        }];
        let has = |test: fn(&Fix) -> bool| self.vulnerabilities.iter().any(|one| test(&one.fix));
        let forced = has(|fix| matches!(fix, Fix::Forced { .. }));
        let unfixable = has(|fix| *fix == Fix::Nothing);
        if has(|fix| *fix == Fix::Allowed) {
            let which = if forced || unfixable {
                "issues that do not require attention"
            } else {
                "all issues"
            };
            lines.extend([String::new(), format!("To address {which}, run:\n  dx audit fix")]);
        }
        if forced {
            let possible = if unfixable { " possible" } else { "" };
            let breaking = match has(|fix| matches!(fix, Fix::Forced { is_major: true, .. })) {
                true => " (including breaking changes)",
                false => "",
            };
            lines.push(String::new());
            lines.push(format!(
                "To address all issues{possible}{breaking}, run:\n  dx audit fix --force"
            ));
        }
        if unfixable {
            lines.extend([
                String::new(),
                "Some issues need review, and may require choosing".to_owned(),
                "a different dependency.".to_owned(),
            ]);
        }
        lines.join("\n")
    }
}

impl Fix {
    fn lines(&self) -> Vec<String> {
        match self {
            Fix::Nothing => vec!["No fix available".to_owned()],
            Fix::Allowed => vec!["fix available via `dx audit fix`".to_owned()],
            Fix::Forced { name, version, is_major } => {
                let how = if *is_major {
                    "a breaking change"
                } else {
                    "outside the stated dependency range"
                };
                vec![
                    "fix available via `dx audit fix --force`".to_owned(),
                    format!("Will install {name}@{version}, which is {how}"),
                ]
            }
        }
    }
}
