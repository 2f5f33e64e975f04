// Differences between npm and dx that are intended, each described in docs/npm-differences.md. A step that has one is told
// apart from those that differ, with the reason.
'use strict'

const PATH = /(?:#|::)path:([^:&]+)/
const COMMIT = /^(?:git\+\w+|git):\/\/[^#]*#([0-9a-f]{40})(?:::|$)/

/** The entry that `name` means in the folder `from` of a lockfile. */
const found = (packages, from, name) => {
  for (let folder = from; ; folder = folder.replace(/\/?[^/]*$/, '')) {
    const path = `${folder && `${folder}/`}node_modules/${name}`
    if (packages[path] || !folder) {
      return packages[path] && { path, ...packages[path] }
    }
  }
}

/** All requirements for commits and folders of git repositories, with the lockfile's entries for them. */
const gitRequirements = (packages = {}, one, step) => {
  const manifests = { ...packages, ...one.folders, '': step.root }
  return Object.entries(manifests).flatMap(([from, manifest]) => {
    const sections = [manifest.dependencies, manifest.optionalDependencies, manifest.devDependencies]
    const all = Object.assign({}, ...sections)
    return Object.entries(all).filter(([, spec]) => COMMIT.test(spec) || /git/.test(spec) && PATH.test(spec))
      .map(([name, spec]) => ({ spec, entry: found(packages, from, name) }))
  })
}

/** The folders of node_modules whose entries lack the folder of a repository that is required. */
const withoutFolder = requirements => requirements
  .filter(({ spec, entry }) => PATH.test(spec) && entry?.resolved && !entry.resolved.includes('path:'))
  .map(({ entry }) => entry.path)

/** The requirements for whole names of commits that are met by another commit. */
const otherCommit = requirements => requirements.filter(({ spec, entry }) => {
  const [wanted, held] = [COMMIT.exec(spec), COMMIT.exec(entry?.resolved || '')]
  return wanted && held && wanted[1] !== held[1] && spec.split('#')[0] === entry.resolved.split('#')[0]
})

/** Whether a line is about nothing but what is in the folder `path`, or where it is from. */
const isAbout = (path, line) => {
  const text = path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const name = text.replace(/.*node_modules\//, '')
  return new RegExp(`(entry|hidden) ${text} resolved: npm (\\S+), dx \\2::path:`).test(line) ||
    new RegExp(`file project/${text}/(?!node_modules/)`).test(line) ||
    new RegExp(`file project/\\S*\\.bin/\\S+: .*-> \\.\\./${name}/`).test(line)
}

/** Why npm gives no result: errors of its own code. */
const OWN_ERRORS = /^undefined: (Cannot read properties of (null|undefined) \(reading '\w+'\)|Invalid Version: )/

/** Reasons for which a step's outcomes cannot be compared; undefined where they can. */
exports.ofStep = (one, step, result, failed, packages) => {
  if (OWN_ERRORS.test(result.refused)) {
    return 'npm fails by itself'
  }
  const requirements = gitRequirements(packages.npm, one, step)
  const [lost] = withoutFolder(requirements)
  const others = otherCommit(requirements)
  if (step.action === 'ci' && failed?.code === 'DX_LOCKFILE_OUT_OF_DATE') {
    const spec = /that satisfies "([^"]*)"/.exec(failed.message)?.[1]
    if (lost && PATH.test(spec)) {
      return 'npm drops the folder of a git repository'
    }
    return others.some(other => other.spec === spec) ? 'npm installs another commit than the one required' : undefined
  }
  const isRight = !failed && !otherCommit(gitRequirements(packages.dx, one, step)).length
  return others.length && isRight ? 'npm installs another commit than the one required' : undefined
}

/** The lines that remain of a step's differences, and why the others are intended. */
exports.ofLines = (lines, one, step, packages) => {
  const paths = withoutFolder(gitRequirements(packages.npm, one, step))
  const left = lines.filter(line => !paths.some(path => isAbout(path, line)))
  return { left, reason: left.length < lines.length ? 'npm drops the folder of a git repository' : undefined }
}
