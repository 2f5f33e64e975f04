//! One package of a DXL file, read in place.

use dx_pkg_core::PackageId;
use dx_pkg_format::wire::{self, u32_at, words};

use super::encode::flags;
use super::view::text_number;
use super::{DxlView, List, Record, Text, flag, record};
use crate::{LockPackage, Patched};

/// A list of texts, read in place.
pub type Texts<'a> = wire::Texts<'a, DxlView<'a>>;
/// A list of pairs of texts, read in place.
pub type Pairs<'a> = wire::Pairs<'a, DxlView<'a>>;

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
        Texts::new(self.cells(list), self.view)
    }

    fn pairs(self, list: List) -> Pairs<'a> {
        Pairs::new(self.cells(list), self.view)
    }

    /// See [`LockPackage::path`].
    #[must_use]
    pub fn path(self) -> &'a str {
        self.text(Text::Path).unwrap_or_default()
    }

    /// Returns the package's name: the explicit one, else the path's.
    #[must_use]
    pub fn name(self) -> &'a str {
        self.text(Text::Name).unwrap_or_default()
    }

    /// See [`LockPackage::name`].
    #[must_use]
    pub fn explicit_name(self) -> Option<&'a str> {
        self.text(Text::ExplicitName)
    }

    /// Returns the exact version.
    #[must_use]
    pub fn version(self) -> Option<&'a str> {
        self.text(Text::Version)
    }

    /// See [`LockPackage::resolved`].
    #[must_use]
    pub fn resolved(self) -> Option<&'a str> {
        self.text(Text::Resolved)
    }

    /// See [`LockPackage::integrity`].
    #[must_use]
    pub fn integrity(self) -> Option<&'a str> {
        self.text(Text::Integrity)
    }

    /// Returns the package's id in the store, stored when the file was made; `None` without a
    /// usable integrity.
    #[must_use]
    pub fn id(self) -> Option<PackageId> {
        let id = self.record.first_chunk::<32>().copied().unwrap_or_default();
        (id != [0; 32]).then(|| PackageId::from_bytes(id))
    }

    /// Returns the deprecation message.
    #[must_use]
    pub fn deprecated(self) -> Option<&'a str> {
        self.text(Text::Deprecated)
    }

    /// Returns the licence expression.
    #[must_use]
    pub fn license(self) -> Option<&'a str> {
        self.text(Text::License)
    }

    /// Returns `engines` as JSON text.
    #[must_use]
    pub fn engines(self) -> Option<&'a str> {
        self.text(Text::Engines)
    }

    /// Returns `funding` as JSON text.
    #[must_use]
    pub fn funding(self) -> Option<&'a str> {
        self.text(Text::Funding)
    }

    /// Returns `workspaces` as JSON text.
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

    /// See [`LockPackage::private_copy`].
    #[must_use]
    pub fn private_copy(self) -> bool {
        self.flag(flag::PRIVATE_COPY)
    }

    /// Returns the commands: name and file within the package.
    #[must_use]
    pub fn bin(self) -> Pairs<'a> {
        self.pairs(List::Bin)
    }

    /// See [`LockPackage::os`].
    #[must_use]
    pub fn os(self) -> Texts<'a> {
        self.texts(List::Os)
    }

    /// See [`LockPackage::cpu`].
    #[must_use]
    pub fn cpu(self) -> Texts<'a> {
        self.texts(List::Cpu)
    }

    /// See [`LockPackage::libc`].
    #[must_use]
    pub fn libc(self) -> Texts<'a> {
        self.texts(List::Libc)
    }

    /// Returns `dependencies`: name and specifier.
    #[must_use]
    pub fn dependencies(self) -> Pairs<'a> {
        self.pairs(List::Dependencies)
    }

    /// Returns `devDependencies`.
    #[must_use]
    pub fn dev_dependencies(self) -> Pairs<'a> {
        self.pairs(List::DevDependencies)
    }

    /// Returns `optionalDependencies`.
    #[must_use]
    pub fn optional_dependencies(self) -> Pairs<'a> {
        self.pairs(List::OptionalDependencies)
    }

    /// Returns `peerDependencies`.
    #[must_use]
    pub fn peer_dependencies(self) -> Pairs<'a> {
        self.pairs(List::PeerDependencies)
    }

    /// Returns `peerDependenciesMeta`: name and whether that peer is optional.
    pub fn peer_dependencies_meta(
        self,
    ) -> impl ExactSizeIterator<Item = (&'a str, bool)> + use<'a> {
        let pairs = self.cells(List::PeerDependenciesMeta).as_chunks::<8>().0.iter();
        pairs.map(move |pair| {
            (self.view.text(u32_at(pair, 0)).unwrap_or_default(), u32_at(pair, 4) != 0)
        })
    }

    /// See [`LockPackage::bundle_dependencies`].
    #[must_use]
    pub fn bundle_dependencies(self) -> Texts<'a> {
        self.texts(List::BundleDependencies)
    }

    /// Returns the patch that is applied to its files: the patch file and its integrity.
    #[must_use]
    pub fn patched(self) -> Option<(&'a str, &'a str)> {
        self.pairs(List::Extra).next().filter(|_| self.flag(flag::PATCHED))
    }

    /// Returns every other key and its value as JSON text.
    #[must_use]
    pub fn extra(self) -> Pairs<'a> {
        let cells = self.cells(List::Extra);
        // The first pair is the patch.
        let patch = if self.flag(flag::PATCHED) { 8 } else { 0 };
        Pairs::new(cells.get(patch..).unwrap_or_default(), self.view)
    }

    /// Returns whether `other` is the package as plain data, with its lists in the same order.
    #[must_use]
    pub fn is(self, other: &LockPackage) -> bool {
        self.is_made_of(other, other)
    }

    /// Returns whether a package that has path, name and flags of `header` and everything else of
    /// `other` is the package as plain data.
    #[must_use]
    pub fn is_made_of(self, header: &LockPackage, other: &LockPackage) -> bool {
        let same = |own: Texts<'a>, other: &[String]| own.eq(other.iter().map(String::as_str));
        let same_pairs = |own: Pairs<'a>, other: &[(String, String)]| {
            own.eq(other.iter().map(|(key, value)| (key.as_str(), value.as_str())))
        };
        let texts = [
            (self.explicit_name(), &header.name),
            (self.version(), &other.version),
            (self.resolved(), &other.resolved),
            (self.integrity(), &other.integrity),
            (self.deprecated(), &other.deprecated),
            (self.license(), &other.license),
            (self.engines(), &other.engines),
            (self.funding(), &other.funding),
            (self.workspaces(), &other.workspaces),
        ];
        let lists = [
            (self.bin(), &other.bin),
            (self.dependencies(), &other.dependencies),
            (self.dev_dependencies(), &other.dev_dependencies),
            (self.optional_dependencies(), &other.optional_dependencies),
            (self.peer_dependencies(), &other.peer_dependencies),
            (self.extra(), &other.extra),
        ];
        let meta = other.peer_dependencies_meta.iter().map(|(name, set)| (name.as_str(), *set));
        self.path() == header.path
            && u32_at(self.record, record::FLAGS) == flags(header)
            && texts.into_iter().all(|(own, other)| own == other.as_deref())
            && lists.into_iter().all(|(own, other)| same_pairs(own, other))
            && same(self.os(), &other.os)
            && same(self.cpu(), &other.cpu)
            && same(self.libc(), &other.libc)
            && same(self.bundle_dependencies(), &other.bundle_dependencies)
            && self.peer_dependencies_meta().eq(meta)
            && self.patched()
                == other.patched.as_ref().map(|patch| (&*patch.path, &*patch.integrity))
    }

    /// Returns the package as plain data.
    #[must_use]
    pub fn to_package(self) -> LockPackage {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let texts = |texts: Texts<'a>| texts.map(str::to_owned).collect();
        let pairs = |pairs: Pairs<'a>| {
            pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
        };
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
            private_copy: self.private_copy(),
            deprecated: text(self.deprecated()),
            license: text(self.license()),
            engines: text(self.engines()),
            funding: text(self.funding()),
            bin: pairs(self.bin()),
            os: texts(self.os()),
            cpu: texts(self.cpu()),
            libc: texts(self.libc()),
            dependencies: pairs(self.dependencies()),
            dev_dependencies: pairs(self.dev_dependencies()),
            optional_dependencies: pairs(self.optional_dependencies()),
            peer_dependencies: pairs(self.peer_dependencies()),
            peer_dependencies_meta: self
                .peer_dependencies_meta()
                .map(|(name, set)| (name.to_owned(), set))
                .collect(),
            bundle_dependencies: texts(self.bundle_dependencies()),
            workspaces: text(self.workspaces()),
            patched: self.patched().map(|(path, integrity)| Patched {
                path: path.to_owned(),
                integrity: integrity.to_owned(),
            }),
            extra: pairs(self.extra()),
        }
    }
}
