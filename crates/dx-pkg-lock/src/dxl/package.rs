//! One package of a DXL file, in place.

use dx_pkg_core::PackageId;
use dx_pkg_format::wire::{u32_at, words};

use super::view::text_number;
use super::{DxlView, List, Record, Text, flag, record};
use crate::LockPackage;

/// One package of a [`DxlView`].
#[derive(Clone, Copy)]
pub struct Package<'a> {
    view: DxlView<'a>,
    record: &'a Record,
}

impl<'a> Package<'a> {
    pub(super) fn new(view: DxlView<'a>, record: &'a Record) -> Self {
        Self { view, record }
    }

    fn text(self, text: Text) -> Option<&'a str> {
        self.view.text(text_number(self.record, text))
    }

    fn flag(self, bit: u32) -> bool {
        u32_at(self.record, record::FLAGS) & bit != 0
    }

    fn cells(self, list: List) -> &'a [u8] {
        let mut start = u32_at(self.record, record::CELLS) as usize;
        let mut counts = words(&self.record[record::COUNTS..]);
        start += counts.by_ref().take(list as usize).map(|count| count as usize).sum::<usize>();
        let end = start + counts.next().unwrap_or(0) as usize;
        self.view.cells.get(4 * start..4 * end).unwrap_or_default()
    }

    fn texts(self, list: List) -> Texts<'a> {
        Texts { view: self.view, cells: self.cells(list) }
    }

    fn pairs(self, list: List) -> Pairs<'a> {
        Pairs { view: self.view, cells: self.cells(list) }
    }

    /// Where it is; see [`LockPackage::path`].
    #[must_use]
    pub fn path(self) -> &'a str {
        self.text(Text::Path).unwrap_or_default()
    }

    /// The package's name: the explicit one, else the path's.
    #[must_use]
    pub fn name(self) -> &'a str {
        self.text(Text::Name).unwrap_or_default()
    }

    /// The name only where the path does not tell it.
    #[must_use]
    pub fn explicit_name(self) -> Option<&'a str> {
        self.text(Text::ExplicitName)
    }

    /// The exact version.
    #[must_use]
    pub fn version(self) -> Option<&'a str> {
        self.text(Text::Version)
    }

    /// Where it comes from.
    #[must_use]
    pub fn resolved(self) -> Option<&'a str> {
        self.text(Text::Resolved)
    }

    /// Subresource integrity as written.
    #[must_use]
    pub fn integrity(self) -> Option<&'a str> {
        self.text(Text::Integrity)
    }

    /// The store's key, decoded from the integrity when the file was made; `None` without a usable integrity.
    #[must_use]
    pub fn id(self) -> Option<PackageId> {
        let id = self.record.first_chunk::<32>().copied().unwrap_or_default();
        (id != [0; 32]).then(|| PackageId::from_bytes(id))
    }

    /// The deprecation message.
    #[must_use]
    pub fn deprecated(self) -> Option<&'a str> {
        self.text(Text::Deprecated)
    }

    /// The licence expression.
    #[must_use]
    pub fn license(self) -> Option<&'a str> {
        self.text(Text::License)
    }

    /// `engines` as JSON text.
    #[must_use]
    pub fn engines(self) -> Option<&'a str> {
        self.text(Text::Engines)
    }

    /// `funding` as JSON text.
    #[must_use]
    pub fn funding(self) -> Option<&'a str> {
        self.text(Text::Funding)
    }

    /// `workspaces` as JSON text.
    #[must_use]
    pub fn workspaces(self) -> Option<&'a str> {
        self.text(Text::Workspaces)
    }

    /// See [`LockPackage::link`].
    #[must_use]
    pub fn link(self) -> bool {
        self.flag(flag::LINK)
    }

    /// See [`LockPackage::dev`].
    #[must_use]
    pub fn dev(self) -> bool {
        self.flag(flag::DEV)
    }

    /// See [`LockPackage::optional`].
    #[must_use]
    pub fn optional(self) -> bool {
        self.flag(flag::OPTIONAL)
    }

    /// See [`LockPackage::dev_optional`].
    #[must_use]
    pub fn dev_optional(self) -> bool {
        self.flag(flag::DEV_OPTIONAL)
    }

    /// See [`LockPackage::peer`].
    #[must_use]
    pub fn peer(self) -> bool {
        self.flag(flag::PEER)
    }

    /// See [`LockPackage::in_bundle`].
    #[must_use]
    pub fn in_bundle(self) -> bool {
        self.flag(flag::IN_BUNDLE)
    }

    /// See [`LockPackage::extraneous`].
    #[must_use]
    pub fn extraneous(self) -> bool {
        self.flag(flag::EXTRANEOUS)
    }

    /// See [`LockPackage::has_install_script`].
    #[must_use]
    pub fn has_install_script(self) -> bool {
        self.flag(flag::HAS_INSTALL_SCRIPT)
    }

    /// See [`LockPackage::has_shrinkwrap`].
    #[must_use]
    pub fn has_shrinkwrap(self) -> bool {
        self.flag(flag::HAS_SHRINKWRAP)
    }

    /// Commands: name and file within the package.
    #[must_use]
    pub fn bin(self) -> Pairs<'a> {
        self.pairs(List::Bin)
    }

    /// Operating systems it is for.
    #[must_use]
    pub fn os(self) -> Texts<'a> {
        self.texts(List::Os)
    }

    /// Processors it is for.
    #[must_use]
    pub fn cpu(self) -> Texts<'a> {
        self.texts(List::Cpu)
    }

    /// C libraries it is for.
    #[must_use]
    pub fn libc(self) -> Texts<'a> {
        self.texts(List::Libc)
    }

    /// `dependencies`: name and specifier.
    #[must_use]
    pub fn dependencies(self) -> Pairs<'a> {
        self.pairs(List::Dependencies)
    }

    /// `devDependencies`.
    #[must_use]
    pub fn dev_dependencies(self) -> Pairs<'a> {
        self.pairs(List::DevDependencies)
    }

    /// `optionalDependencies`.
    #[must_use]
    pub fn optional_dependencies(self) -> Pairs<'a> {
        self.pairs(List::OptionalDependencies)
    }

    /// `peerDependencies`.
    #[must_use]
    pub fn peer_dependencies(self) -> Pairs<'a> {
        self.pairs(List::PeerDependencies)
    }

    /// `peerDependenciesMeta`: name and whether that peer is optional.
    pub fn peer_dependencies_meta(
        self,
    ) -> impl ExactSizeIterator<Item = (&'a str, bool)> + use<'a> {
        let pairs = self.cells(List::PeerDependenciesMeta).as_chunks::<8>().0.iter();
        pairs.map(move |pair| {
            (self.view.text(u32_at(pair, 0)).unwrap_or_default(), u32_at(pair, 4) != 0)
        })
    }

    /// Names of dependencies that the package's tarball contains.
    #[must_use]
    pub fn bundle_dependencies(self) -> Texts<'a> {
        self.texts(List::BundleDependencies)
    }

    /// Every other key and its value as JSON text.
    #[must_use]
    pub fn extra(self) -> Pairs<'a> {
        self.pairs(List::Extra)
    }

    /// The package as plain data.
    #[must_use]
    pub fn to_package(self) -> LockPackage {
        let text = |text: Option<&str>| text.map(str::to_owned);
        LockPackage {
            path: self.path().to_owned(),
            name: text(self.explicit_name()),
            version: text(self.version()),
            resolved: text(self.resolved()),
            integrity: text(self.integrity()),
            link: self.link(),
            dev: self.dev(),
            optional: self.optional(),
            dev_optional: self.dev_optional(),
            peer: self.peer(),
            in_bundle: self.in_bundle(),
            extraneous: self.extraneous(),
            has_install_script: self.has_install_script(),
            has_shrinkwrap: self.has_shrinkwrap(),
            deprecated: text(self.deprecated()),
            license: text(self.license()),
            engines: text(self.engines()),
            funding: text(self.funding()),
            bin: self.bin().to_vec(),
            os: self.os().to_vec(),
            cpu: self.cpu().to_vec(),
            libc: self.libc().to_vec(),
            dependencies: self.dependencies().to_vec(),
            dev_dependencies: self.dev_dependencies().to_vec(),
            optional_dependencies: self.optional_dependencies().to_vec(),
            peer_dependencies: self.peer_dependencies().to_vec(),
            peer_dependencies_meta: self
                .peer_dependencies_meta()
                .map(|(name, set)| (name.to_owned(), set))
                .collect(),
            bundle_dependencies: self.bundle_dependencies().to_vec(),
            workspaces: text(self.workspaces()),
            extra: self.extra().to_vec(),
        }
    }
}

/// A list of texts in place.
#[derive(Clone, Copy)]
pub struct Texts<'a> {
    view: DxlView<'a>,
    cells: &'a [u8],
}

impl<'a> Texts<'a> {
    /// How many there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.cells.len() / 4
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.cells.is_empty()
    }

    /// The texts in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = &'a str> + use<'a> {
        words(self.cells).map(move |number| self.view.text(number).unwrap_or_default())
    }

    fn to_vec(self) -> Vec<String> {
        self.iter().map(str::to_owned).collect()
    }
}

/// A list of pairs of texts in place.
#[derive(Clone, Copy)]
pub struct Pairs<'a> {
    view: DxlView<'a>,
    cells: &'a [u8],
}

impl<'a> Pairs<'a> {
    /// How many pairs there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.cells.len() / 8
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.cells.is_empty()
    }

    /// The pairs in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = (&'a str, &'a str)> + use<'a> {
        let text = move |number| self.view.text(number).unwrap_or_default();
        self.cells
            .as_chunks::<8>()
            .0
            .iter()
            .map(move |pair| (text(u32_at(pair, 0)), text(u32_at(pair, 4))))
    }

    fn to_vec(self) -> Vec<(String, String)> {
        self.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }
}
