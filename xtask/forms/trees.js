// Differences in trees, and refusals, that are faults of npm's, each recognised by its form; see docs/npm-differences.md.
'use strict'

/** The entry that a line about a lockfile, or about a file below node_modules, belongs to. */
const pathOf = (line, packages) => {
  const [, entry] = / (?:entry|hidden) (\S+?)(?: \w+)?: /.exec(line) || []
  if (entry) {
    return entry
  }
  let [, at] = / file project\/([^:]+): /.exec(line) || []
  const [, command] = /\/\.bin\/[^/]+: .*-> \.\.\/(\S+)$/.exec(line.replace(/, dx nothing$/, '')) || []
  at = command ? `${at.slice(0, at.lastIndexOf('/.bin/'))}/${command}` : at
  while (at && !packages[at]) {
    at = at.includes('/') ? at.slice(0, at.lastIndexOf('/')) : undefined
  }
  return at
}

/** The paths of the packages that one is nested in, the nearest first. */
const parents = at => {
  const found = []
  for (let end = at.lastIndexOf('/node_modules/'); end > 0; end = at.lastIndexOf('/node_modules/', end - 1)) {
    found.push(at.slice(0, end))
  }
  return found
}

/** The entries of a lockfile; none where it has the markers of a merge, or is of version 1. */
const packagesOf = text => {
  try {
    return JSON.parse(text).packages || {}
  } catch {
    return {}
  }
}

const SECTIONS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']

/** The workspaces that one lockfile has and the other lacks, as pairs of link and folder. */
const workspacesLeftOut = (theirs, ours) =>
  Object.entries(ours).filter(([at, { link, resolved }]) =>
    link && /^node_modules\/(?:@[^/]+\/)?[^/]+$/.test(at) && !theirs[at] && ours[resolved] && !theirs[resolved]
  ).map(([at, { resolved }]) => [at, resolved])

/** Whether what is at `at` is what a package finds in place of the one of that name at `path`, if that is not there. */
const standsFor = (at, path) => {
  const name = at.split('node_modules/').pop()
  return at !== path && path.endsWith(`/node_modules/${name}`) && path.startsWith(at.slice(0, -`node_modules/${name}`.length))
}

/** Whether npm marks a package as bundled and has its address all the same: it is not in the tarball, and is not installed. */
const isMarked = (path, packages) => Boolean(packages[path]?.inBundle && packages[path].resolved) &&
  parents(path).some(holder => holder.includes('node_modules/') && packages[holder]?.bundleDependencies)

const FORMS = [
  {
    reason: 'npm leaves out a workspace whose version a peer excludes',
    fits: ({ at, line, theirs, ours }) => workspacesLeftOut(theirs, ours).some(([link, folder]) => {
      const name = at.split('node_modules/').pop()
      const isRequired = SECTIONS.some(section => ours[folder][section]?.[name])
      return / (?:npm nothing, dx (?:has|\d|->))/.test(line) && (at === link || at === folder || at.startsWith(`${folder}/`) || isRequired)
    }),
  },
  {
    reason: 'npm writes what a workspace bundles as bundled and does not install it',
    fits: ({ at, theirs }) => {
      const folder = at.slice(0, at.indexOf('/node_modules/'))
      const isOfFolder = !at.startsWith('node_modules/') && theirs[folder]?.bundleDependencies
      return isOfFolder && theirs[at]?.inBundle && theirs[at].resolved
    },
  },
  {
    reason: 'npm locks what a folder within a linked folder requires and does not install it',
    fits: ({ at, line, theirs }) => {
      const folder = at.slice(0, at.indexOf('/node_modules/'))
      const isLinked = path => path && !path.includes('node_modules/') && folder.startsWith(`${path}/`)
      return / file .*: npm nothing, dx /.test(line) && theirs[at] && theirs[folder] && Object.keys(theirs).some(isLinked)
    },
  },
  {
    reason: 'npm marks a package that it adds beside bundled ones as bundled and does not install it',
    fits: ({ at, line, theirs }) => {
      const isFlag = / hidden \S+ (?:dev|optional|devOptional|peer): npm /.test(line)
      return [at, ...parents(at)].some(path => isMarked(path, theirs)) ||
        isFlag && Object.keys(theirs).some(path => standsFor(at, path) && isMarked(path, theirs))
    },
  },
  {
    reason: 'npm links the commands of an optional bundled package for another platform',
    fits: ({ at, theirs }) => theirs[at]?.inBundle && theirs[at].optional && theirs[at].os && !theirs[at].os.includes('linux'),
  },
  {
    reason: 'npm keeps the entry of a bundled package that nothing requires',
    fits: ({ at, line, theirs }) => {
      const [, where] = / (entry|hidden) \S+: npm has \S+, dx nothing$/.exec(line) || []
      // The hidden lockfile does not always say that it is extraneous.
      return where && theirs[at]?.inBundle && (theirs[at].extraneous || where === 'hidden')
    },
  },
  {
    reason: 'npm ci leaves out an optional package that bundles one for another Node.js',
    fits: ({ at, line, theirs }) => {
      const holders = [at, ...parents(at)].filter(path => theirs[path]?.optional && theirs[path].bundleDependencies)
      const isUnfit = path => holders.some(holder => path.startsWith(`${holder}/`)) && theirs[path].engines?.node === '>=99'
      return / ci: (?:file|hidden) .*: npm nothing, dx /.test(line) && Object.keys(theirs).some(isUnfit)
    },
  },
  {
    reason: "npm puts the registry's package over that of the tarball",
    fits: ({ at, line, theirs, ours }) => {
      const entry = theirs[at]
      return / file /.test(line) && entry && !entry.resolved && !entry.inBundle && !entry.link && ours[at]?.inBundle
    },
  },
]

/** Whether npm's lockfile has a folder inside another package or folder, where none is: it reads paths in overrides as paths there. */
const hasLostFolder = (theirs, folders) => Object.keys(theirs).some(at =>
  at && !folders[at] && !/(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+$/.test(at) && Object.keys(folders).some(folder => at.endsWith(`/${folder}`)))

/**
 * Why a line about lockfiles or files is intended, if it is; `theirs` and `ours` are all entries of both lockfiles, `folders` the
 * project's folders.
 */
exports.reasonOf = (line, theirs, ours, folders) => {
  if (hasLostFolder(theirs, folders)) {
    return 'npm looks for the folder of an override in the package that requires it'
  }
  const at = pathOf(line, { ...theirs, ...ours })
  return at && FORMS.find(({ fits }) => fits({ at, line, theirs, ours }))?.reason
}

/** The sections in which any manifest of a project or its registry has the requirement that npm stops at, as nobody meets it. */
const sectionsOf = (refused, manifests) => {
  const [, name, range] = /^ETARGET: No matching version found for (@?[^@]+)@(.*)\.$/.exec(refused || '') || []
  return name ? SECTIONS.filter(section => manifests.some(manifest => manifest[section]?.[name] === range)) : []
}

/** Whether npm stops as no version meets a requirement that packages have as a peer, and as nothing else. */
const isUnmeetablePeer = sections => sections.join() === 'peerDependencies'

/** Whether npm stops at an optional dependency that nobody has: in its place it takes it for what others require there by `*`. */
const isUnmeetableOption = sections => sections.join() === 'optionalDependencies'

/** Whether npm stops as nobody has what only packages in tarballs require, which its first install does not look at. */
const isBundledLack = (refused, start) => {
  const [, name, range] = /^ETARGET: No matching version found for (@?[^@]+)@(.*)\.$/.exec(refused || '') || []
  const packages = packagesOf(start)
  const dependents = Object.entries(packages).filter(([, entry]) => SECTIONS.some(section => entry[section]?.[name] === range))
  const isInTarball = ([at, entry]) => entry.inBundle || !entry.resolved && parents(at).some(path => packages[path]?.bundleDependencies)
  return Boolean(name) && dependents.length > 0 && dependents.every(isInTarball)
}

/** Whether npm does not find a reference (`$name`) of an override that the project's manifest does have. */
const isLostReference = (refused, root) => {
  const [, name] = /^undefined: Unable to resolve reference \$(\S+)$/.exec(refused || '') || []
  return ['dependencies', 'devDependencies', 'optionalDependencies'].some(section => root[section]?.[name])
}

/** Whether npm refuses packages for other platforms that are in a tarball, which its first install does not look at. */
const isBundledPlatform = (refused, start) => {
  if (!/^EBADPLATFORM: /.test(refused || '')) {
    return false
  }
  const entries = Object.values(packagesOf(start))
  const unfit = entries.filter(({ os, optional }) => os && !optional && !os.includes('linux'))
  return unfit.length > 0 && unfit.every(entry => entry.inBundle)
}

/** Why the refusal by dx of a lockfile that npm takes is intended, if it is: it lacks a workspace, or has a folder that is not there. */
exports.ownRefusalOf = (failed, start, folders) => {
  const packages = packagesOf(start)
  if (failed.code !== 'DX_LOCKFILE_OUT_OF_DATE') {
    return undefined
  }
  const [, folder] = /satisfies "file:([^"]+)", which project asks for/.exec(failed.message) || []
  if (folder && !packages[folder]) {
    return 'dx ci refuses a lockfile without a workspace'
  }
  return hasLostFolder(packages, folders) ? 'dx ci refuses the folder of an override in the package that requires it' : undefined
}

/** Why npm's refusal of a step that dx carries out is intended, if it is; `manifests` are all but the project's own. */
exports.refusalOf = ({ refused, start }, root, manifests) => {
  const sections = sectionsOf(refused, [root, ...Object.values(root.packageExtensions || {}), ...manifests])
  const [, reason] = [
    [isBundledPlatform(refused, start), 'npm refuses a bundled package for another platform at its second install'],
    [isBundledLack(refused, start), 'npm refuses what a bundled package lacks at its second install'],
    [isLostReference(refused, root), 'npm does not find the reference of an override among peers'],
    [isUnmeetablePeer(sections), 'npm stops at a peer that no version meets'],
    [isUnmeetableOption(sections), 'npm stops at an optional package that nobody has'],
  ].find(([fits]) => fits) || []
  return reason
}
