//! The figure each part is known by, beside what was measured, and why the two differ.

/// A part's claim and the measurement that stands beside it.
pub(crate) struct Claim {
    /// The part and the work that was measured.
    pub(crate) work: &'static str,
    /// The measurement of dx: group and name.
    pub(crate) ours: (&'static str, &'static str),
    /// The baseline: what it is, group and name.
    pub(crate) baseline: (&'static str, &'static str, &'static str),
    /// The claimed factor of speed over the baseline; `None` without a claim.
    pub(crate) claim: &'static str,
    pub(crate) reason: &'static str,
}

/// A link to a file beside its copy, of those measured in `group`.
const fn link(
    work: &'static str,
    group: &'static str,
    name: &'static str,
    reason: &'static str,
) -> Claim {
    let baseline = ("reading and writing it", group, "read-and-write");
    Claim { work, ours: (group, name), baseline, claim: "50–60×", reason }
}

const NO_CLAIM: &str = "–";

/// Every part that has a claim, and what else tells something about it.
pub(crate) const CLAIMS: &[Claim] = &[
    Claim {
        work: "DXL: map, check and look up every package of a lockfile",
        ours: ("lockfile", "dxl"),
        baseline: (
            "serde_json parsing package-lock.json and the same look-ups",
            "lockfile",
            "serde_json",
        ),
        claim: "1000–5000×",
        reason: "A parser of 670 KB takes 2 to 4 ms, not the tens that the claim supposes, and opening alone takes more than the \
                 claim's 0.02 ms, as every byte is read and compared with the checksum; then every offset and text is \
                 checked, and every package looked up by its path.",
    },
    Claim {
        work: "DXL: map and check",
        ours: ("lockfile", "dxl-open"),
        baseline: ("Node's JSON.parse of package-lock.json", "lockfile", "node-package-lock"),
        claim: NO_CLAIM,
        reason: "Reading the file is not counted for Node, but is for dx.",
    },
    Claim {
        work: "DXL: map, check and look up every package",
        ours: ("lockfile", "dxl"),
        baseline: ("Bun's own parser on bun.lock", "lockfile", "bun-bun-lock"),
        claim: NO_CLAIM,
        reason: "The same project's lockfile as Bun writes it.",
    },
    Claim {
        work: "DXL: map, check and look up every package",
        ours: ("lockfile", "dxl"),
        baseline: ("Bun's YAML parser on pnpm-lock.yaml", "lockfile", "bun-pnpm-lock"),
        claim: NO_CLAIM,
        reason: "The same project's lockfile as pnpm writes it; pnpm's own parser cannot be called from outside.",
    },
    Claim {
        work: "DXP: map a package, find one file and read it",
        ours: ("package", "one-file-of-dxp"),
        baseline: ("inflating the .tar.gz and finding the file", "package", "one-file-of-tgz"),
        claim: "500×",
        reason: "One file needs no other to be inflated, but the tables of all of them are checked when the package is opened: \
                 the more and the smaller the files, the smaller the factor.",
    },
    Claim {
        work: "DXP: read every byte of every file",
        ours: ("package", "all-files-of-dxp"),
        baseline: ("inflating the .tar.gz and reading them", "package", "all-files-of-tgz"),
        claim: NO_CLAIM,
        reason: "Every byte has to be touched either way; what is saved is inflating them.",
    },
    Claim {
        work: "Store: open a package by its digest",
        ours: ("store", "open"),
        baseline: (
            "index entry, JSON and contents as npm's cache has them",
            "store",
            "indexed-cache",
        ),
        claim: NO_CLAIM,
        reason: "One open and one map; the index costs another open, a parse and a name.",
    },
    Claim {
        work: "Fetcher: 20 downloads of 200 ms",
        ours: ("downloads", "fetcher"),
        baseline: ("one after the other", "downloads", "one-by-one"),
        claim: "3.5–20×",
        reason: "All twenty run at once; what is missing to 20× is setting up the connections.",
    },
    Claim {
        work: "Resolve from scratch, nothing cached",
        ours: ("resolve", "dx-scratch"),
        baseline: ("npm", "resolve", "npm-scratch"),
        claim: "100×",
        reason: "Both ask the registry for every packument and read it; that, not choosing versions, takes the time. \
                 The claim is for pre-computed graphs, further below.",
    },
    Claim {
        work: "Resolve from scratch, nothing cached",
        ours: ("resolve", "dx-scratch"),
        baseline: ("Bun", "resolve", "bun-scratch"),
        claim: NO_CLAIM,
        reason: "dx --package-lock-only asks for packuments in full: package-lock.json has licences, \
                 which the short form does not tell, and no tarball is there to read them from. bun.lock has none.",
    },
    Claim {
        work: "Resolve from cached packuments",
        ours: ("resolve", "dx-cached"),
        baseline: ("npm", "resolve", "npm-cached"),
        claim: "100×",
        reason: "Packuments are mapped, not parsed, and only what resolution looks at is read.",
    },
    Claim {
        work: "Resolve what was resolved before on this machine, and install the tree",
        ours: ("resolve", "dx-precomputed"),
        baseline: ("npm resolving from cached packuments, without a tree", "resolve", "npm-cached"),
        claim: "100×",
        reason: "A look at everything the remembered resolution rests on, then one rename; dx does more of the work here than \
                 npm.",
    },
    Claim {
        work: "Resolve from cached packuments",
        ours: ("resolve", "dx-cached"),
        baseline: ("Bun", "resolve", "bun-cached"),
        claim: NO_CLAIM,
        reason: "Bun keeps packuments in binary files as well.",
    },
    link(
        "Link: hardlink of 1 MB on ext4",
        "files-ext4-1MB",
        "hardlink",
        "A link costs the same whatever the size, a copy grows with it: the factor is the size of the file.",
    ),
    link("Link: hardlink of 100 MB on ext4", "files-ext4-100MB", "hardlink", "As above."),
    link(
        "Link: reflink of 1 MB on Btrfs",
        "files-btrfs-1MB",
        "reflink",
        "A reflink creates a file and shares its blocks: more than a hardlink, and less than a copy by what the \
                 bytes weigh.",
    ),
    link("Link: reflink of 100 MB on Btrfs", "files-btrfs-100MB", "reflink", "As above."),
    link(
        "Link: reflink of 1 MB on XFS",
        "files-xfs-1MB",
        "reflink",
        "XFS takes a written megabyte into memory in a tenth of the time that Btrfs does, and gives it blocks later.",
    ),
    link("Link: reflink of 100 MB on XFS", "files-xfs-100MB", "reflink", "As above."),
];
