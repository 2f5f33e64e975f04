// Edits of a lockfile: what other tools, old versions of npm, merges and bots make of one.
'use strict'

const OF_A_VERSION = [
  'dependencies', 'optionalDependencies', 'peerDependencies', 'peerDependenciesMeta', 'bundleDependencies', 'bin', 'engines', 'os',
  'cpu', 'license', 'funding', 'deprecated', 'hasInstallScript', 'workspaces',
]

const strip = (lock, { strip: fields, share }) => {
  Object.values(lock.packages).forEach((entry, index) => {
    if (index && !entry.link && entry.resolved && index % 2 < share * 2) {
      fields.forEach(field => delete entry[field])
    }
  })
}

const drop = (lock, name) => {
  for (const path of Object.keys(lock.packages)) {
    if (path.endsWith(`node_modules/${name}`)) {
      delete lock.packages[path]
    }
  }
}

const lose = (lock, share) => {
  const paths = Object.keys(lock.packages).filter(path => path.includes('node_modules/') && !lock.packages[path].link)
  if (paths.length) {
    delete lock.packages[paths[Math.floor(share * paths.length)]]
  }
}

/** Moves one entry to another version, and the project's entry to its new manifest, as a bot does. */
const move = (lock, { name, version, lockfile }, root, registry) => {
  const entry = lock.packages[`node_modules/${name}`]
  if (!lockfile || !entry || entry.link) {
    return
  }
  const manifest = registry[name].versions[version]
  entry.version = version
  entry.resolved = manifest.dist.tarball
  entry.integrity = manifest.dist.integrity
  for (const field of OF_A_VERSION) {
    delete entry[field]
    if (manifest[field] !== undefined && field !== 'bin' && field !== 'funding' && field !== 'license') {
      entry[field] = manifest[field]
    }
  }
  for (const section of ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']) {
    if (root[section]) {
      lock.packages[''][section] = Object.fromEntries(Object.entries(root[section]).sort(([a], [b]) => a.localeCompare(b, 'en')))
    }
  }
}

/** Applies what a step does to the lockfile before either tool sees it; returns the new text. */
exports.edit = (text, step, registry) => {
  if (!step.edit && !step.bot) {
    return text
  }
  const lock = JSON.parse(text)
  if (step.edit?.strip) {
    strip(lock, step.edit)
  }
  if (step.edit?.drop) {
    drop(lock, step.edit.drop)
  }
  if (step.edit?.lose !== undefined) {
    lose(lock, step.edit.lose)
  }
  if (step.bot) {
    move(lock, step.bot, step.root, registry)
  }
  return JSON.stringify(lock, null, 2) + '\n'
}
