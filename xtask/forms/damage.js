// Lockfiles that tell less than installing needs: what hands, merges and other tools make of one.
'use strict'

const FIELDS = [
  ['bin'], ['engines'], ['hasInstallScript'], ['integrity'], ['resolved'], ['integrity', 'resolved'], ['os', 'cpu'],
  ['peerDependencies'], ['peerDependenciesMeta'], ['peerDependencies', 'peerDependenciesMeta'], ['dependencies'],
  ['optionalDependencies'], ['dependencies', 'optionalDependencies'], ['version'], ['license', 'funding'],
  ['dev', 'optional', 'devOptional', 'peer'], ['bundleDependencies'], ['inBundle'],
  ['bin', 'engines', 'license', 'funding', 'peerDependencies', 'peerDependenciesMeta', 'os', 'cpu', 'hasInstallScript', 'dependencies'],
]

const packagesOf = lock => Object.entries(lock.packages || {}).filter(([path, entry]) => path.includes('node_modules/') && !entry.link)

const strip = (lock, draw) => {
  const [fields, share] = [draw.pick(FIELDS), draw.pick([1, 1, 0.5, 0.2])]
  for (const [, entry] of packagesOf(lock)) {
    if (draw.chance(share)) {
      fields.forEach(field => delete entry[field])
    }
  }
}

const KINDS_OF_DAMAGE = {
  strip,
  stripTwice: (lock, draw) => { strip(lock, draw); strip(lock, draw) },
  /** Entries as a bad merge leaves them. */
  lose: (lock, draw) => {
    for (const [path] of draw.some(packagesOf(lock), 3)) {
      delete lock.packages[path]
    }
  },
  version: (lock, draw) => {
    const [, entry] = draw.pick(packagesOf(lock)) || []
    if (entry) {
      entry.version = draw.pick([1, '1', '9.9.9', 'not a version', null, '', '=1.0.0', 'v1.0.0', ' 1.0.0 '])
    }
  },
  value: (lock, draw) => {
    const [, entry] = draw.pick(packagesOf(lock)) || []
    if (entry) {
      const [field, value] = draw.pick([
        ['resolved', null], ['resolved', false], ['resolved', ''], ['integrity', ''], ['integrity', null], ['integrity', 'sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA='],
        ['dependencies', []], ['dependencies', null], ['dependencies', { absent: '^1.0.0' }], ['engines', []], ['engines', 'node'], ['bin', null],
        ['bin', 'cli.js'], ['bin', []], ['os', 'linux'], ['os', null], ['license', null], ['optional', 'true'], ['dev', 1], ['peerDependencies', []],
        ['hasInstallScript', 1], ['inBundle', true], ['extraneous', true], ['name', 'other'],
      ])
      entry[field] = value
    }
  },
  empty: (lock, draw) => {
    const [path] = draw.pick(packagesOf(lock)) || []
    if (path) {
      lock.packages[path] = draw.pick([{}, { version: lock.packages[path].version }])
    }
  },
  ranges: (lock, draw) => {
    for (const [, entry] of packagesOf(lock)) {
      for (const name of Object.keys(entry.dependencies || {})) {
        if (draw.chance(0.3)) {
          entry.dependencies[name] = draw.pick(['*', '^9.0.0', '1.0.0', ''])
        }
      }
    }
  },
  root: (lock, draw) => {
    if (draw.chance(0.5)) {
      delete lock.packages?.['']
    } else if (lock.packages?.['']) {
      lock.packages[''] = draw.pick([{}, { name: 'project', version: '1.0.0' }, { name: 'project', dependencies: { alpha: '*' } }])
    }
  },
  head: (lock, draw) => {
    const [field, value] = draw.pick([['lockfileVersion', undefined], ['lockfileVersion', '3'], ['lockfileVersion', 0], ['requires', undefined], ['name', undefined], ['name', 'other'], ['version', undefined]])
    value === undefined ? delete lock[field] : lock[field] = value
  },
  extra: (lock, draw) => {
    if (lock.packages) {
      const found = draw.pick(packagesOf(lock))
      lock.packages[draw.pick(['node_modules/stray', 'node_modules/alpha/node_modules/stray'])] = found ? structuredClone(found[1]) : { version: '1.0.0' }
    }
  },
  /** Version 2 has both parts. */
  half: (lock, draw) => {
    if (lock.packages && lock.dependencies) {
      delete lock[draw.pick(['packages', 'dependencies'])]
    }
  },
  /** Version 1, as npm 5 and others wrote it. */
  ancient: (lock, draw) => {
    const drop = draw.pick([['requires'], ['integrity'], ['resolved'], ['resolved', 'integrity'], ['dev', 'optional'], ['version']])
    const share = draw.pick([1, 0.5])
    const walk = entries => {
      for (const entry of Object.values(entries || {})) {
        draw.chance(share) && drop.forEach(field => delete entry[field])
        walk(entry.dependencies)
      }
    }
    walk(lock.dependencies)
    if (draw.chance(0.5)) {
      delete lock.requires
    }
  },
}

/** A merge that git could not do: the file with both sides, which npm reads. */
const conflict = (text, draw) => {
  const lines = text.split('\n')
  const at = lines.map((line, index) => /"version": /.test(line) && index > 6 ? index : -1).filter(index => index >= 0)
  if (!at.length) {
    return text
  }
  const index = draw.pick(at)
  const other = lines[index].replace(/"[^"]*"(,?)$/, '"0.0.1"$1')
  const [ours, theirs] = draw.chance(0.5) ? [lines[index], other] : [other, lines[index]]
  lines.splice(index, 1, '<<<<<<< HEAD', ours, '=======', theirs, '>>>>>>> theirs')
  return lines.join('\n')
}

/** Damages the text of a lockfile. */
exports.damage = (text, draw, old) => {
  if (!old && draw.chance(0.05)) {
    return conflict(text, draw)
  }
  const lock = JSON.parse(text)
  const kinds = old ? ['ancient', 'ancient', 'head'] : ['strip', 'strip', 'strip', 'stripTwice', ...Object.keys(KINDS_OF_DAMAGE).filter(kind => kind !== 'ancient')]
  KINDS_OF_DAMAGE[draw.pick(kinds)](lock, draw)
  return JSON.stringify(lock, null, 2) + '\n'
}
