//! Which versions of a package an advisory is about, and which versions of its dependents cannot
//! escape it: npm's calculation of indirect vulnerabilities.
//!
//! An advisory about a package comes from a registry with a range of versions. A version of a
//! dependent is vulnerable too, if every version that it allows of the package is. Like npm, this
//! looks at the first and the last version of each minor line, and takes those between for
//! vulnerable if both are; otherwise it halves the line.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use dx_pkg_core::{Range, Version};
use dx_pkg_format::packument::{Packument, VersionView};
use serde_json::Value;

/// An advisory of a registry, or what follows from one for a dependent.
pub(super) struct Advisory {
    /// The package that it is about.
    pub(super) name: String,
    /// The vulnerable package that its versions require; the package itself where a registry
    /// advises of it.
    pub(super) dependency: String,
    pub(super) severity: String,
    /// The vulnerable versions.
    pub(super) range: String,
    /// The registry's own words.
    pub(super) told: Rc<Value>,
    /// What tells it from the other advisories of its package.
    pub(super) id: String,
    /// Whether it follows from another.
    pub(super) is_derived: bool,
    /// How many others it follows from in turn.
    pub(super) depth: usize,
    /// The known versions, ascending.
    pub(super) versions: Rc<Versions>,
    parsed: Option<Range>,
    source: Option<Rc<Advisory>>,
    vulnerable: RefCell<HashSet<String>>,
    tested: RefCell<HashMap<String, bool>>,
    specs: RefCell<HashMap<String, bool>>,
}

/// The versions that a registry has of a package, ascending.
pub(super) struct Versions {
    pub(super) packument: Option<Packument>,
    /// As the registry writes them, and parsed.
    pub(super) all: Vec<(String, Version)>,
}

impl Versions {
    /// Returns the versions of a packument; none where there is no packument.
    pub(super) fn of(packument: Option<Packument>) -> Rc<Self> {
        let all = packument.iter().flat_map(Packument::versions);
        let all = all.map(|view| (view.version_str().to_owned(), view.version())).collect();
        Rc::new(Versions { packument, all })
    }

    fn view(&self, version: &str) -> Option<VersionView<'_>> {
        let packument = self.packument.as_ref()?;
        let parsed = Version::parse_loose(version).ok()?;
        packument.find(&parsed).map(|index| packument.version(index))
    }
}

/// The longest range of an advisory, in bytes. A longer one counts as every version, so that it
/// hides nothing.
const LONGEST_RANGE: usize = 64 << 10;

impl Advisory {
    /// Returns a registry's advisory about a package.
    pub(super) fn of_registry(name: &str, told: &Value, versions: Rc<Versions>) -> Self {
        let text = |key: &str| told.get(key).and_then(Value::as_str);
        let is_readable = |text: &&str| !text.is_empty() && text.len() <= LONGEST_RANGE;
        let range = text("vulnerable_versions").filter(is_readable).unwrap_or("*");
        let advisory = Advisory {
            name: name.to_owned(),
            dependency: text("name").unwrap_or(name).to_owned(),
            severity: text("severity").unwrap_or("high").to_owned(),
            range: range.to_owned(),
            id: told.get("id").map(ToString::to_string).unwrap_or_default(),
            told: Rc::new(told.clone()),
            is_derived: false,
            depth: 0,
            parsed: Range::parse(range).ok(),
            versions,
            source: None,
            vulnerable: RefCell::default(),
            tested: RefCell::default(),
            specs: RefCell::default(),
        };
        advisory.test_all();
        advisory
    }

    /// Returns what follows from `source` for a dependent; `number` tells it from all others.
    pub(super) fn of_dependent(
        name: &str,
        source: &Rc<Advisory>,
        versions: Rc<Versions>,
        number: usize,
    ) -> Self {
        let mut advisory = Advisory {
            name: name.to_owned(),
            dependency: source.name.clone(),
            severity: source.severity.clone(),
            range: String::new(),
            id: format!("\0{number}"),
            told: source.told.clone(),
            is_derived: true,
            depth: source.depth + 1,
            parsed: None,
            versions,
            source: Some(source.clone()),
            vulnerable: RefCell::default(),
            tested: RefCell::default(),
            specs: RefCell::default(),
        };
        advisory.test_all();
        advisory.range = advisory.derived_range();
        advisory
    }

    /// Returns whether a version is vulnerable. `spec` is what a version that the registry does not
    /// have requires of the vulnerable package.
    pub(super) fn concerns(&self, version: &str, spec: Option<&str>) -> bool {
        if let Some(known) = self.tested.borrow().get(version) {
            return *known;
        }
        let result = self.vulnerable.borrow().contains(version) || self.test(version, spec);
        if result {
            self.vulnerable.borrow_mut().insert(version.to_owned());
        }
        self.tested.borrow_mut().insert(version.to_owned(), result);
        result
    }

    fn test(&self, version: &str, spec: Option<&str>) -> bool {
        let Some(source) = &self.source else {
            return Version::parse_loose(version).is_ok_and(|version| {
                self.parsed.as_ref().is_some_and(|all| all.satisfies_including_prerelease(&version))
            });
        };
        let view = self.versions.view(version);
        let declared = view.and_then(|view| required(view, &source.name));
        let Some(spec) = spec.or(declared) else { return false };
        let Ok(range) = Range::parse(spec) else {
            // Not a range: nothing is known of what it leads to.
            return true;
        };
        let is_bundled = view.is_some_and(|view| view.bundled().any(|name| name == source.name));
        if is_bundled {
            return Range::parse(&source.range).is_ok_and(|avoided| range.intersects(&avoided));
        }
        source.leaves_nothing(spec, &range)
    }

    /// Returns whether every version that a spec allows is vulnerable.
    fn leaves_nothing(&self, spec: &str, range: &Range) -> bool {
        if let Some(known) = self.specs.borrow().get(spec) {
            return *known;
        }
        let mut allowed =
            self.versions.all.iter().filter(|(_, one)| range.satisfies_including_prerelease(one));
        let result = allowed.all(|(text, _)| self.concerns(text, None));
        self.specs.borrow_mut().insert(spec.to_owned(), result);
        result
    }

    /// Tests the known versions, by minor lines.
    fn test_all(&self) {
        let mut lines: VecDeque<&[(String, Version)]> = self
            .versions
            .all
            .chunk_by(|(_, a), (_, b)| (a.major(), a.minor()) == (b.major(), b.minor()))
            .collect();
        while let Some(line) = lines.pop_front() {
            if let Some((before, after)) = self.test_line(line) {
                lines.extend([before, after]);
            }
        }
    }

    /// Tests the ends of a line; returns its halves where these have to be tested too.
    fn test_line<'l>(&self, line: &'l [(String, Version)]) -> Option<(Line<'l>, Line<'l>)> {
        let test = |at: usize| self.concerns(&line[at].0, None);
        let mark = |range: std::ops::Range<usize>| {
            let marked = line[range].iter().map(|(text, _)| text.clone());
            self.vulnerable.borrow_mut().extend(marked);
        };
        let is_prerelease = |at: usize| line[at].1.is_prerelease();
        let last = line.len().checked_sub(1)?;
        let first_vulnerable = test(0);
        let mut head = (0..line.len()).find(|at| !is_prerelease(*at)).unwrap_or(line.len());
        if head == line.len() {
            head = 0;
        } else if first_vulnerable {
            mark(0..head);
        }
        let last_vulnerable = test(last);
        let mut tail = last;
        while tail > head && is_prerelease(tail) {
            tail -= 1;
        }
        if tail == head {
            tail = last;
        } else if last_vulnerable {
            mark(tail + 1..line.len());
        }
        let head_vulnerable = if head == 0 { first_vulnerable } else { test(head) };
        let tail_vulnerable = if tail == last { last_vulnerable } else { test(tail) };
        if head_vulnerable && tail_vulnerable {
            mark(head..tail.max(head));
            return None;
        }
        if tail < head + 2 {
            return None;
        }
        let middle = line.len() / 2;
        let (mut before, mut after) = line.split_at(middle);
        if before.first().is_some_and(|(_, version)| !version.is_prerelease()) {
            let vulnerable = before.last().is_some_and(|(text, _)| self.concerns(text, None));
            while let Some(((text, version), rest)) = before.split_last()
                && version.is_prerelease()
            {
                if vulnerable {
                    self.vulnerable.borrow_mut().insert(text.clone());
                }
                before = rest;
            }
        }
        if after.last().is_some_and(|(_, version)| !version.is_prerelease()) {
            let vulnerable = after.first().is_some_and(|(text, _)| self.concerns(text, None));
            while let Some(((text, version), rest)) = after.split_first()
                && version.is_prerelease()
            {
                if vulnerable {
                    self.vulnerable.borrow_mut().insert(text.clone());
                }
                after = rest;
            }
        }
        Some((before, after))
    }

    /// Returns the vulnerable versions of a dependent as a range.
    fn derived_range(&self) -> String {
        let all = &self.versions.all;
        let marked = self.vulnerable.borrow();
        let vulnerable: Vec<&String> =
            all.iter().map(|(text, _)| text).filter(|text| marked.contains(*text)).collect();
        let mut ranges: Vec<String> = Vec::new();
        let (mut at, mut next) = (0, 0);
        while at < all.len() {
            let first = &all[at].0;
            let mut last: Option<&String> = None;
            while at < all.len() {
                if vulnerable.get(next) != Some(&&all[at].0) {
                    // Prereleases are not tested.
                    if all[at].1.is_prerelease() {
                        at += 1;
                        continue;
                    }
                    break;
                }
                last = Some(&all[at].0);
                at += 1;
                next += 1;
            }
            if let Some(last) = last {
                ranges.push(if all.last().is_some_and(|(text, _)| text == last) {
                    format!(">={first}")
                } else if first == last {
                    first.clone()
                } else {
                    format!("{first} - {last}")
                });
            }
            at += 1;
        }
        if ranges.is_empty() {
            return "<0.0.0-0".to_owned();
        }
        simplified(all, &ranges.join(" || "))
    }
}

/// Versions of a minor line, ascending.
type Line<'l> = &'l [(String, Version)];

/// Returns what a version requires of a package.
fn required<'v>(view: VersionView<'v>, name: &str) -> Option<&'v str> {
    let lists = [view.dependencies(), view.optional_dependencies(), view.peer_dependencies()];
    lists
        .into_iter()
        .find_map(|mut list| list.find(|(known, _)| *known == name).map(|(_, spec)| spec))
}

/// Returns a range that holds the same of these versions as `range`, the shorter of both, as npm's
/// `simplifyRange` does.
pub(super) fn simplified(versions: &[(String, Version)], range: &str) -> String {
    let parsed = Range::parse(range).ok();
    let holds = |version: &Version| {
        parsed.as_ref().is_some_and(|range| range.satisfies_including_prerelease(version))
    };
    let mut parts: Vec<String> = Vec::new();
    let lowest = versions.first().map(|(text, _)| text);
    let runs = versions.chunk_by(|(_, a), (_, b)| holds(a) == holds(b));
    let mut end = 0;
    for run in runs {
        end += run.len();
        let (Some((min, lower)), Some((max, _))) = (run.first(), run.last()) else { continue };
        if !holds(lower) {
            continue;
        }
        let is_open = end == versions.len();
        parts.push(match (is_open, Some(min) == lowest) {
            (true, true) => "*".to_owned(),
            (true, false) => format!(">={min}"),
            (false, _) if min == max => min.clone(),
            (false, true) => format!("<={max}"),
            (false, false) => format!("{min} - {max}"),
        });
    }
    let short = parts.join(" || ");
    if short.len() < range.len() { short } else { range.to_owned() }
}
