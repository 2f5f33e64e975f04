// The forms that fields of a package.json take: aliases, bundles, overrides, workspaces, extensions, patches, and
// packages with a lockfile of their own.
'use strict'

const { FILES } = require('./server.js')
const { requireFrom } = require('./sources.js')

const VERSIONS = ['1.0.0', '1.1.0', '2.0.0', '3.0.0']

const every = function * (project) {
  for (const packument of Object.values(project.registry)) {
    yield * Object.values(packument.versions)
  }
}

/** Packages below other names, sometimes two versions of one, or one below the name of another. */
exports.aliases = (project, root) => {
  const { draw } = project
  const target = () => {
    const name = draw.pick(project.names)
    return `npm:${name}${draw.pick(['', `@${project.range(name) || '*'}`, `@${draw.pick(project.versions.get(name))}`, '@latest'])}`
  }
  for (const name of draw.some(['first', 'second', '@s/third', ...project.names], 4)) {
    requireFrom(draw, root, name, target())
  }
  for (const manifest of every(project)) {
    if (draw.chance(0.1)) {
      requireFrom(draw, manifest, draw.pick(['first', '@s/inner', ...project.names]), target())
      delete manifest.devDependencies
    }
  }
  project.moves.push(next => requireFrom(draw, next, draw.pick(['first', 'second', '@s/third']), target()))
}

/**
 * The packages that a bundle of these names has, with theirs: flat, as far as their versions fit, and in `node_modules`
 * folders inside each other where they do not, as `npm pack` finds them.
 */
const bundleOf = (project, manifest, names) => {
  const { draw, semver } = project
  const top = new Map()
  const wants = one => Object.entries({ ...one.dependencies, ...one.optionalDependencies })
  const fits = (found, range) => semver.satisfies(found.version, range, { includePrerelease: true })
  const add = (name, range, dependent, depth) => {
    const visible = dependent.inner.get(name) || top.get(name)?.manifest || name === manifest.name && manifest
    if (visible && fits(visible, range) || depth > 6 || draw.chance(0.03)) {
      return
    }
    const best = project.best(name, range)
    if (!best) {
      return
    }
    const own = { manifest: structuredClone(best), bundled: [], inner: new Map() }
    if (!top.has(name) && name !== manifest.name) {
      top.set(name, own)
    } else if (dependent.bundled && name !== dependent.manifest.name) {
      dependent.bundled.push(own)
      dependent.inner.set(name, own.manifest)
    } else {
      return
    }
    wants(own.manifest).forEach(([other, spec]) => add(other, spec, own, depth + 1))
  }
  for (const name of names) {
    add(name, manifest.dependencies?.[name] || manifest.optionalDependencies?.[name] || '*', { inner: new Map() }, 0)
  }
  return [...top.values()].map(bare)
}

const bare = ({ manifest, bundled }) => ({ manifest, bundled: bundled.map(bare) })

const bundle = (project, manifest) => {
  const { draw } = project
  const names = [...Object.keys(manifest.dependencies || {}), ...Object.keys(manifest.optionalDependencies || {})]
  const chosen = draw.chance(0.3) ? names : draw.some(names, names.length)
  if (!chosen.length) {
    return
  }
  manifest[draw.chance(0.8) ? 'bundleDependencies' : 'bundledDependencies'] = draw.chance(0.15) ? true : draw.chance(0.04) ? [...chosen, 'unrelated'] : chosen
  const bundled = bundleOf(project, manifest, chosen)
  if (draw.chance(0.03)) {
    bundled.push({ manifest: structuredClone(project.best(draw.pick(project.names), '*') || { name: 'stray', version: '1.0.0' }) })
  }
  const unique = new Map(bundled.map(one => [one.manifest.name, one]))
  project.contents[`${manifest.name}@${manifest.version}`] = { bundled: [...unique.values()] }
}

/** Packages that bring others in their tarballs: of the registry, of addresses, in workspaces, folders and the project. */
exports.bundles = (project, root, folders) => {
  const { draw } = project
  for (const manifest of every(project)) {
    draw.chance(0.25) && bundle(project, manifest)
  }
  for (const manifest of every(project)) {
    if (draw.chance(0.08)) {
      manifest.os = [draw.pick(['win32', 'linux'])]
    }
  }
  if (draw.chance(0.3)) {
    const manifest = project.own('pack-a', '1.0.0')
    bundle(project, manifest)
    project.remote[`${FILES}pack-a.tgz`] = project.packed(manifest)
    requireFrom(draw, root, 'pack-a', `${FILES}pack-a.tgz`)
  }
  for (const manifest of [root, ...Object.values(folders)]) {
    const names = Object.keys(manifest.dependencies || {})
    if (names.length && draw.chance(0.2)) {
      manifest.bundleDependencies = draw.chance(0.3) ? true : draw.some(names, 2)
    }
  }
}

const overrides = (project, root, depth) => {
  const { draw } = project
  const found = {}
  const isDirect = name => ['dependencies', 'devDependencies', 'optionalDependencies'].some(section => root[section]?.[name])
  const indirect = project.names.filter(name => !isDirect(name))
  for (let i = draw.below(3); i >= 0; i--) {
    const name = draw.pick(indirect.length && draw.chance(0.85) ? indirect : project.names)
    const key = draw.pick([name, name, `${name}@${project.range(name) || '*'}`, `${name}@${draw.pick(project.versions.get(name))}`])
    const direct = Object.keys({ ...root.dependencies, ...root.devDependencies })
    const other = draw.pick(project.names)
    const value = () => draw.pick([
      draw.pick(project.versions.get(name)), project.range(name) || '*', `npm:${other}@${draw.pick(project.versions.get(other))}`,
      `npm:${name}@${project.range(name) || '*'}`, direct.length ? `$${draw.pick(direct)}` : '*', '', root.dependencies?.[name] || '*',
    ])
    if (depth < 3 && draw.chance(0.4)) {
      found[key] = { ...draw.chance(0.4) ? { '.': value() } : {}, ...overrides(project, root, depth + 1) }
    } else {
      found[key] = value()
    }
  }
  return found
}

exports.overrides = (project, root) => {
  root.overrides = overrides(project, root, 0)
  if (project.draw.chance(0.2)) {
    project.remote[`${FILES}pack-a.tgz`] = project.packed(project.own('pack-a', '1.0.0'))
    root.overrides[project.draw.pick(project.names)] = project.draw.pick([`${FILES}pack-a.tgz`, { '.': `${FILES}pack-a.tgz` }])
  }
  project.moves.push(next => {
    if (project.draw.chance(0.2)) {
      delete next.overrides
    } else {
      next.overrides = overrides(project, next, 0)
    }
  })
}

/** Workspaces that require each other, in all the forms in which they are declared. */
exports.workspaces = (project, root, folders) => {
  const { draw } = project
  Object.keys(folders).forEach(folder => delete folders[folder])
  Object.values(root).forEach(section => section?.here && delete section.here)
  const places = ['packages/one', 'packages/two', 'apps/web', 'apps/@own/deep', 'tool'].slice(0, 2 + draw.below(4))
  root.workspaces = draw.pick([['packages/*', 'apps/**', 'tool'], { packages: ['packages/*', 'apps/*', 'apps/@own/*', './tool'] }, ['packages/*', 'apps/*', '!packages/two', 'tool'], ['*/*', 'tool/'], places])
  const names = new Map()
  for (const place of places) {
    const word = place.split('/').pop()
    const name = draw.chance(0.2) ? draw.pick(project.names) : draw.chance(0.2) ? `@own/${word}` : word
    if (![...names.values()].includes(name)) {
      names.set(place, name)
      folders[place] = project.own(name, draw.pick(VERSIONS))
      if (draw.chance(0.15)) {
        delete folders[place].version
      }
    }
  }
  const path = require('node:path').posix
  const link = (place, manifest) => {
    for (const other of draw.some([...names.keys()], 2)) {
      if (other !== place) {
        const { version = '1.0.0' } = folders[other]
        const between = path.relative(path.join('/p', place), path.join('/p', other))
        requireFrom(draw, manifest, names.get(other), draw.pick([`^${version}`, '*', version, `>=${version}`, '^9.0.0', `file:${between}`]))
      }
    }
  }
  names.forEach((_, place) => link(place, folders[place]))
  draw.chance(0.4) && link('', root)
  const [place, name] = draw.pick([...names])
  project.moves.push(next => {
    if (draw.chance(0.3) && Array.isArray(next.workspaces)) {
      next.workspaces = draw.some(next.workspaces, 3)
      return undefined
    }
    const changed = project.own(name, draw.pick(VERSIONS))
    link(place, changed)
    return { folders: { [place]: changed } }
  })
}

const extension = (project, name) => {
  const { draw } = project
  const known = new Set(Object.values(project.registry[name].versions).flatMap(manifest =>
    ['dependencies', 'optionalDependencies', 'peerDependencies'].flatMap(section => Object.keys(manifest[section] || {}))))
  const free = project.names.filter(one => one !== name && !known.has(one))
  const other = () => draw.pick(free.length && draw.chance(0.9) ? free : project.names.filter(one => one !== name))
  const section = draw.pick(['dependencies', 'dependencies', 'peerDependencies', 'optionalDependencies'])
  const found = other()
  const rule = { [section]: { [found]: project.range(found) || '*' } }
  if (draw.chance(0.2)) {
    rule.peerDependenciesMeta = { [other()]: { optional: true } }
  }
  return rule
}

const extensions = project => {
  const { draw } = project
  const found = {}
  for (const name of [...draw.some(project.names, 3), ...draw.chance(0.1) ? [project.names[0]] : []]) {
    const key = draw.pick([name, name, `${name}@${draw.pick(['1', '^1.0.0', '>=2', '*', '1.0.0'])}`])
    found[key] = extension(project, name)
  }
  return found
}

exports.extensions = (project, root) => {
  root.packageExtensions = extensions(project)
  project.moves.push(next => {
    if (project.draw.chance(0.2)) {
      delete next.packageExtensions
    } else {
      next.packageExtensions = extensions(project)
    }
  })
}

/** Packages with a lockfile of their own, which npm 12 leaves alone. */
exports.shrinkwraps = project => {
  const { draw } = project
  for (const manifest of every(project)) {
    if (!draw.chance(0.4)) {
      continue
    }
    manifest._hasShrinkwrap = true
    const [packages, dependencies] = [{ '': { name: manifest.name, version: manifest.version, dependencies: manifest.dependencies } }, {}]
    for (const name of Object.keys(manifest.dependencies || {})) {
      const version = draw.pick(project.versions.get(name) || ['1.0.0'])
      packages[`node_modules/${name}`] = { version, resolved: `${FILES}${name}.tgz` }
      dependencies[name] = { version, bundled: draw.chance(0.2) || undefined }
    }
    const head = { name: manifest.name, version: manifest.version, requires: true }
    const lock = draw.pick([
      { ...head, lockfileVersion: 1, dependencies }, { ...head, lockfileVersion: 2, packages, dependencies }, { ...head, lockfileVersion: 3, packages },
      { ...head, lockfileVersion: 3, packages: { '../../../outside': { version: '1.0.0' } } },
    ])
    const key = `${manifest.name}@${manifest.version}`
    project.contents[key] = { files: { 'npm-shrinkwrap.json': draw.chance(0.1) ? '{ damaged' : JSON.stringify(lock, null, 2) } }
  }
}

/** Patches of packages, as `npm patch` writes them. */
const patches = project => {
  const { draw } = project
  const found = {}
  for (const name of draw.some(project.names, 2)) {
    const version = draw.pick(project.versions.get(name))
    const file = `patches/${name.replace('/', '+')}-${version}.patch`
    const line = draw.chance(0.1) ? 'other' : `module.exports = '${name}@${version}'`
    project.texts[file] = `diff --git a/index.js b/index.js\n--- a/index.js\n+++ b/index.js\n@@ -1,1 +1,2 @@\n-${line}\n+${line} + 'x'\n+// patched\n`
    found[draw.pick([`${name}@${version}`, `${name}@${version}`, name, `${name}@^${version}`])] = file
  }
  return found
}

exports.patches = (project, root) => {
  root.patchedDependencies = patches(project)
  project.moves.push(next => {
    next.patchedDependencies = patches(project)
  })
}
