// Dependencies from outside the registry: packages of tarballs, addresses, folders and git repositories.
'use strict'

const { commits } = require('./git.js')
const { FILES } = require('./server.js')

const SECTIONS = ['dependencies', 'dependencies', 'dependencies', 'devDependencies', 'optionalDependencies']
const VERSIONS = ['1.0.0', '1.2.0', '2.0.0']

/** Requires `name` by `spec` in one section of a manifest, and in no other one. */
const require_ = (draw, manifest, name, spec) => {
  const section = draw.pick(SECTIONS)
  for (const other of ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies', 'peerDependenciesMeta']) {
    delete manifest[other]?.[name]
    if (manifest[other] && !Object.keys(manifest[other]).length) {
      delete manifest[other]
    }
  }
  manifest[section] = { ...manifest[section], [name]: spec }
}

const word = name => name.split('/').pop()

/** The names of packages from elsewhere: new ones, and sometimes one that the registry has, too. */
const chosen = (project, most) => {
  const { draw } = project
  const names = ['pack-a', '@own/pack-b', 'pack-c'].slice(0, 1 + draw.below(most))
  return draw.chance(0.3) ? [...names, draw.pick(project.names)] : names
}

const versions = draw => VERSIONS.slice(0, 1 + draw.below(VERSIONS.length))

/** Lets a later state of the project require another version of what it required first. */
const moves = (project, name, specs, changed) => {
  project.moves.push(root => {
    require_(project.draw, root, name, project.draw.pick(specs))
    return changed
  })
}

/** Packages that lie in the project as tarballs. */
const tarballs = (project, root, folders) => {
  const { draw } = project
  const files = []
  for (const name of chosen(project, 3)) {
    const own = []
    for (const version of versions(draw)) {
      const file = `vendor/${word(name)}-${version}.tgz`
      const manifest = project.own(name, version)
      if (files.length && draw.chance(0.15)) {
        require_(draw, manifest, ...draw.pick([draw.pick(files), [name, `file:./${word(name)}-9.0.0.tgz`]]))
      }
      project.files[file] = project.packed(manifest)
      own.push(draw.pick([`file:${file}`, `file:./${file}`, `./${file}`]))
      files.push([name, `file:../../${file}`])
    }
    require_(draw, root, name, draw.pick(own))
    const file = own[0].replace(/^file:/, '').replace(/^\.\//, '')
    const replaced = draw.chance(0.1) ? { files: { [file]: project.packed(project.own(name, '1.0.1')) } } : undefined
    moves(project, name, own, replaced)
  }
  if (draw.chance(0.3)) {
    folders['lib/user'] = project.own('user', '1.0.0')
    require_(draw, folders['lib/user'], ...draw.pick(files))
    require_(draw, root, 'user', 'file:lib/user')
  }
}

/** Packages at addresses, some of them behind a redirect. */
const remote = (project, root, folders) => {
  const { draw } = project
  const all = []
  for (const name of chosen(project, 3)) {
    const own = []
    for (const version of versions(draw)) {
      const path = draw.pick([`${word(name)}-${version}.tgz`, `${word(name)}/archive/v${version}.tar.gz`, `get/${word(name)}?v=${version}`])
      const manifest = project.own(name, version)
      if (all.length && draw.chance(0.3)) {
        require_(draw, manifest, ...draw.pick(all))
      }
      const address = FILES + path
      if (draw.chance(0.2)) {
        project.remote[address] = { location: `http://other.example/${path}` }
        project.remote[`http://other.example/${path}`] = project.packed(manifest)
      } else {
        project.remote[address] = project.packed(manifest)
      }
      own.push(address)
      all.push([name, address])
    }
    require_(draw, root, name, draw.pick(own))
    const replaced = draw.chance(0.1) ? { remote: { [own[0]]: project.packed(project.own(name, '1.0.1')) } } : undefined
    moves(project, name, own, replaced)
  }
  inside(project, root, folders, all)
}

/** Lets packages of the registry and folders require what comes from elsewhere. */
const inside = (project, root, folders, all) => {
  const { draw } = project
  if (draw.chance(0.3)) {
    const packument = project.registry[draw.pick(project.names)]
    for (const manifest of Object.values(packument.versions)) {
      require_(draw, manifest, ...draw.pick(all))
    }
  }
  if (draw.chance(0.2)) {
    folders['lib/user'] = project.own('user', '1.0.0')
    require_(draw, folders['lib/user'], ...draw.pick(all))
    require_(draw, root, 'user', 'file:./lib/user')
  }
}

/** Folders that require each other, in the project and beside it. */
const folders = (project, root, found) => {
  const { draw } = project
  const places = draw.some(['lib/a', 'lib/b', 'lib/a/inner', '../beside', 'c', '../far/away'], 4)
  const names = new Map()
  for (const place of places.length ? places : ['lib/a']) {
    const name = draw.chance(0.2) ? draw.pick(project.names) : draw.chance(0.2) ? `@own/${word(place)}` : word(place)
    if (![...names.values()].includes(name)) {
      names.set(place, name)
      found[place] = project.own(name, draw.pick(VERSIONS))
    }
  }
  const path = require('node:path').posix
  for (const [place, name] of names) {
    if (draw.chance(0.7)) {
      require_(draw, root, name, draw.pick([`file:${place}`, `file:./${place}`, place.startsWith('.') ? place : `./${place}`]))
    }
    for (const other of draw.some([...names.keys()], 2)) {
      if (other !== place) {
        const between = path.relative(path.join('/r/p', place), path.join('/r/p', other))
        require_(draw, found[place], names.get(other), `file:${between}`)
      }
    }
  }
  const [place, name] = draw.pick([...names])
  project.moves.push(next => {
    if (draw.chance(0.5)) {
      return { folders: { [place]: project.own(name, draw.pick(VERSIONS)) } }
    }
    require_(draw, next, name, draw.chance(0.5) && project.registry[name] ? '*' : `file:${place}`)
  })
}

/** The files of a package in a repository, with some that npm does not pack. */
const checkout = (project, manifest, extra = {}) => {
  const { draw } = project
  const text = value => ({ text: value, mode: 0o644 })
  const files = { 'package.json': text(JSON.stringify(manifest, null, 2) + '\n'), 'index.js': text(`module.exports = '${manifest.version}'\n`), ...extra }
  const bins = typeof manifest.bin === 'string' ? [manifest.bin] : Object.values(manifest.bin || {})
  bins.forEach(bin => { files[bin.replace(/^\.\//, '')] = { text: '#!/usr/bin/env node\n', mode: draw.pick([0o644, 0o755]) } })
  if (draw.chance(0.4)) {
    files['test/test.js'] = text('1\n')
    files['.gitignore'] = text('build\n*.log\n')
    files['README.md'] = text('# read\n')
    files['.github/workflow.yml'] = text('a: 1\n')
    if (draw.chance(0.5)) {
      files['.npmignore'] = text('test\n')
    }
  }
  return files
}

const ADDRESSES = [
  path => `git+https://git.example/${path}.git`, path => `git+ssh://git@git.example/${path}.git`,
  path => `git+http://git.example/${path}.git`, path => `git://git.example/${path}.git`,
]

/** Packages in git repositories, by branch, tag, version, commit and folder. */
const git = (project, root, folders_) => {
  const { draw } = project
  const all = []
  for (const name of chosen(project, 2)) {
    const path = `owner/${word(name)}`
    const described = { commits: [] }
    const sub = draw.chance(0.2)
    for (const version of versions(draw)) {
      const manifest = project.own(name, version)
      if (draw.chance(0.3)) {
        manifest.files = draw.pick([['index.js', 'cli.js', 'bin'], ['*.js'], ['index.js']])
      }
      if (draw.chance(0.2)) {
        manifest.scripts = { prepare: 'exit 1', test: 'true' }
      }
      if (all.length && draw.chance(0.3)) {
        require_(draw, manifest, ...draw.pick(all))
      }
      const inner = {}
      if (sub) {
        for (const [file, content] of Object.entries(checkout(project, project.own('inner', version)))) {
          inner[`packages/inner/${file}`] = content
        }
      }
      described.commits.push({ files: checkout(project, manifest, inner), tags: draw.chance(0.8) ? [draw.pick(['v', '', 'v']) + version] : [], branches: draw.chance(0.4) ? ['next'] : [] })
    }
    project.repositories[path] = described
    const address = draw.chance(0.05) ? `https://git.example/${path}.git` : draw.pick(ADDRESSES)(path)
    const tag = described.commits.flatMap(commit => commit.tags)[0]
    const forms = ['', '', '#semver:*', '#semver:^1.0.0', `#${draw.pick(commits(described))}`, `#${draw.pick(commits(described)).slice(0, 7)}`, '#main']
    tag && forms.push(`#${tag}`, `#${tag}`)
    described.commits.some(commit => commit.branches.length) && forms.push('#next')
    const own = forms.map(form => address + form)
    require_(draw, root, name, draw.pick(own))
    all.push([name, draw.pick(own)])
    if (sub) {
      const spec = address + draw.pick(['#path:packages/inner', `#${commits(described)[0]}::path:packages/inner`, '#main::path:packages/inner'])
      require_(draw, root, 'inner', spec)
    }
    const later = { commits: [...described.commits, { files: checkout(project, project.own(name, '2.1.0')), tags: ['v2.1.0'] }] }
    moves(project, name, own, draw.chance(0.4) ? { repositories: { [path]: later } } : undefined)
  }
  inside(project, root, folders_, all)
}

module.exports = { folders, git, remote, requireFrom: require_, tarballs }
