// Well-known packages from tarballs and git repositories in every spelling, installed by dx, loaded by Node.js, and installed
// again offline when the places they came from are gone; and packages with native parts, with scripts allowed and denied.
//   node sources.mjs --dx PATH [--npm CLI] [--only tarballs,add,git,native]
// With --npm, a bin/npm-cli.js, the lockfiles are compared with npm's. Asks the configured registry for each package once.
import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { reason, World } from './world.mjs'

const { values: flags } = parseArgs({ options: { dx: { type: 'string' }, npm: { type: 'string' }, only: { type: 'string' } } })
const wants = part => !flags.only || flags.only.split(',').includes(part)
const world = new World(flags)

const PACKAGES = {
  'left-pad': '1.3.0', ms: '2.1.3', 'is-odd': '3.0.1', chalk: '5.3.0', semver: '7.6.3', yargs: '17.7.2', debug: '4.3.7',
  lodash: '4.17.21', commander: '12.1.0', uuid: '10.0.0', react: '18.3.1', picocolors: '1.1.1', '@sindresorhus/is': '7.0.1',
}
const OLDER = { ms: '2.1.2', semver: '7.5.4', debug: '4.3.4', commander: '11.1.0', uuid: '9.0.1', 'left-pad': '1.2.0', chalk: '4.1.2' }
const FROM_GIT = ['left-pad', 'ms', 'is-odd', 'chalk', 'semver', 'yargs', 'debug', 'lodash', 'commander', 'uuid', 'picocolors', 'react']

const flat = name => name.replace('@', '').replace('/', '-')
const tarballs = Object.fromEntries(Object.entries(PACKAGES).map(([name, version]) => [name, world.tarball(`${name}@${version}`)]))

/** Puts each tarball into a folder under a name. */
const lay = (folder, ending) => Object.fromEntries(Object.entries(tarballs).map(([name, file]) => {
  const own = `${flat(name)}${ending}`
  fs.mkdirSync(folder, { recursive: true })
  fs.copyFileSync(file, path.join(folder, own))
  return [name, own]
}))

const lockOf = folder => fs.readFileSync(path.join(folder, 'package-lock.json'), 'utf8')

/** Compares the lockfile with npm's of the same project. */
const compared = (folder, copy, words) => {
  if (!flags.npm) {
    return undefined
  }
  const run = world.run(process.execPath, [flags.npm, ...words, '--ignore-scripts'], copy)
  if (!run.ok) {
    return `npm fails: ${reason(run)}`
  }
  const [own, its] = [lockOf(folder), lockOf(copy)]
  const at = own.split('\n').findIndex((line, index) => line !== its.split('\n')[index])
  return own === its ? undefined : `another lockfile than npm's, line ${at + 1}: ${own.split('\n')[at]} | ${its.split('\n')[at]}`
}

/**
 * Installs a project, loads its packages, and installs it again offline without what `forget` takes away; `alone` leaves no
 * program but Node.js either.
 */
const check = (what, folder, versions, { words = ['install'], forget, copy, alone } = {}) => {
  const run = world.run(world.dx, words, folder)
  const wrong = !run.ok ? reason(run) : world.loads(folder, versions) ?? (copy && compared(folder, copy, words))
  if (wrong) {
    return world.report(what, wrong)
  }
  const lock = lockOf(folder)
  const back = forget?.()
  fs.rmSync(path.join(folder, 'node_modules'), { recursive: true })
  const later = alone ? { ...world.env, PATH: path.dirname(process.execPath) } : world.env
  const again = world.run(world.dx, ['ci', '--offline'], folder, later)
  const problem = !again.ok ? `ci --offline: ${reason(again)}` : world.loads(folder, versions) ?? (lockOf(folder) === lock ? undefined : 'ci changes the lockfile')
  back?.()
  world.report(what, problem, `${Object.keys(versions).length} packages`)
}

/** Moves a folder away; returns what brings it back. */
const away = folder => () => {
  fs.renameSync(folder, `${folder}.gone`)
  return () => fs.renameSync(`${folder}.gone`, folder)
}

const address = name => `${world.registry}${name}/-/${name.split('/').pop()}-${PACKAGES[name]}.tgz`

const SPELLINGS = {
  'file:x.tgz': ['.', '.tgz', (own) => `file:${own}`],
  'file:./x.tgz': ['.', '.tgz', (own) => `file:./${own}`],
  './x.tgz': ['.', '.tgz', (own) => `./${own}`],
  'x.tgz': ['.', '.tgz', (own) => own],
  './x.tar.gz': ['.', '.tar.gz', (own) => `./${own}`],
  'x.tar.gz': ['.', '.tar.gz', (own) => own],
  './x.tar': ['.', '.tar', (own) => `./${own}`],
  'file:vendor/x.tgz': ['vendor', '.tgz', (own) => `file:vendor/${own}`],
  'file:../vendor/x.tgz': ['../vendor', '.tgz', (own) => `file:../vendor/${own}`],
  'file:/abs/x.tgz': ['vendor', '.tgz', (own, folder) => `file:${folder}/vendor/${own}`],
  'file:///abs/x.tgz': ['vendor', '.tgz', (own, folder) => `file://${folder}/vendor/${own}`],
  '/abs/x.tgz': ['vendor', '.tgz', (own, folder) => `${folder}/vendor/${own}`],
  'file:~/x.tgz': [() => path.join(world.folder, 'home/kept'), '.tgz', (own) => `file:~/kept/${own}`],
}

const inManifest = () => {
  const put = (name, manifestOf, lays) => [name, `${name}-npm`].map(own => {
    const folder = path.join(world.folder, 'projects', own)
    world.project(own, {})
    lays?.(folder)
    world.project(own, manifestOf(folder))
    lays?.(folder)
    return folder
  })
  const versions = PACKAGES
  let number = 0
  for (const [spelling, [place, ending, spec]] of Object.entries(SPELLINGS)) {
    const at = folder => typeof place === 'function' ? place() : path.resolve(folder, place)
    let own
    const [folder, copy] = put(`manifest-${++number}`, base => ({
      dependencies: Object.fromEntries(Object.keys(PACKAGES).map(name => [name, spec(own[name], base)])),
    }), base => { own = lay(at(base), ending) })
    // An absolute path differs between the two projects.
    const options = spelling.includes('abs') ? {} : { copy }
    check(`package.json, ${spelling}`, folder, versions, { ...options, forget: own && forgetAll(at(folder), own) })
  }
  const addresses = Object.fromEntries(Object.keys(PACKAGES).map(name => [name, address(name)]))
  const [folder, copy] = put('manifest-address', () => ({ dependencies: addresses }))
  check('package.json, the address at the registry', folder, versions, { copy })
  const aliased = put('manifest-alias', () => ({
    dependencies: Object.fromEntries(Object.keys(PACKAGES).map(name => [`my-${flat(name)}`, `file:${flat(name)}.tgz`])),
  }), base => lay(base, '.tgz'))
  const named = Object.fromEntries(Object.entries(PACKAGES).map(([name, version]) => [`my-${flat(name)}`, version]))
  check('package.json, another name: file:x.tgz', aliased[0], named, { copy: aliased[1] })
}

/** Removes the laid files; returns what brings them back. */
const forgetAll = (folder, own) => () => {
  const kept = path.join(world.folder, 'kept')
  fs.mkdirSync(kept, { recursive: true })
  Object.values(own).forEach(name => fs.renameSync(path.join(folder, name), path.join(kept, name)))
  return () => Object.values(own).forEach(name => fs.renameSync(path.join(kept, name), path.join(folder, name)))
}

const byAdd = () => {
  const names = Object.keys(PACKAGES)
  const file = name => `${flat(name)}.tgz`
  const my = name => `my-${flat(name)}`
  const ways = {
    'x.tgz': [file], './x.tgz': [name => `./${file(name)}`], 'file:x.tgz': [name => `file:${file(name)}`],
    'name@file:x.tgz': [name => `${name}@file:${file(name)}`], 'name@./x.tgz': [name => `${name}@./${file(name)}`],
    'alias@file:x.tgz': [name => `${my(name)}@file:${file(name)}`, my],
    'the address': [address], 'name@address': [name => `${name}@${address(name)}`],
    'alias@address': [name => `${my(name)}@${address(name)}`, my],
  }
  let number = 0
  for (const [spelling, [argument, as = name => name]] of Object.entries(ways)) {
    const own = `add-${++number}`
    const [folder, copy] = [own, `${own}-npm`].map(each => {
      const made = world.project(each, {})
      lay(made, '.tgz')
      return made
    })
    const versions = Object.fromEntries(names.map(name => [as(name), PACKAGES[name]]))
    const laid = Object.fromEntries(names.map(name => [name, file(name)]))
    check(`dx add ${spelling}`, folder, versions, { words: ['add', ...names.map(argument)], copy, forget: forgetAll(folder, laid) })
  }
}

const fromGit = async () => {
  const commits = {}
  for (const name of FROM_GIT) {
    if (OLDER[name]) {
      world.commit(name, world.tarball(`${name}@${OLDER[name]}`))
      world.git(path.join(world.folder, 'work', name), 'tag', `v${OLDER[name]}`)
    }
    commits[name] = world.commit(name, tarballs[name])
    const work = path.join(world.folder, 'work', name)
    world.git(work, 'tag', '-a', `v${PACKAGES[name]}`, '-m', 'x')
    world.git(work, 'branch', 'stable')
    world.commit('all', tarballs[name], `packages/${name}`)
    world.publish(name, `o/${name}.git`)
  }
  world.publish('all', 'o/all.git')
  const server = await world.daemon()
  const base = `git+file://${world.folder}/git/o`
  const all = Object.fromEntries(FROM_GIT.map(name => [name, PACKAGES[name]]))
  const old = Object.fromEntries(FROM_GIT.map(name => [name, OLDER[name] ?? PACKAGES[name]]))
  const minor = name => `^${PACKAGES[name].split('.').slice(0, 2).join('.')}.0`
  const ways = {
    'git+file': name => `${base}/${name}.git`,
    'git+file, #branch': name => `${base}/${name}.git#stable`,
    'git+file, #tag': name => `${base}/${name}.git#v${PACKAGES[name]}`,
    'git+file, #older tag': [name => `${base}/${name}.git#v${OLDER[name] ?? PACKAGES[name]}`, old],
    'git+file, #commit': name => `${base}/${name}.git#${commits[name]}`,
    'git+file, #short commit': name => `${base}/${name}.git#${commits[name].slice(0, 9)}`,
    'git+file, #semver:^': name => `${base}/${name}.git#semver:${minor(name)}`,
    'git+file, #semver:exact': [name => `${base}/${name}.git#semver:${OLDER[name] ?? PACKAGES[name]}`, old],
    'git daemon': name => `${server}/o/${name}.git`,
    'git daemon, #semver:': name => `${server}/o/${name}.git#semver:${minor(name)}`,
    'github:user/repo by insteadOf': name => `github:o/${name}`,
    'user/repo': name => `o/${name}`,
    'github:user/repo#tag': name => `github:o/${name}#v${PACKAGES[name]}`,
    'user/repo#semver:': name => `o/${name}#semver:${minor(name)}`,
    'gitlab:user/repo': name => `gitlab:o/${name}`,
    'bitbucket:user/repo': name => `bitbucket:o/${name}`,
    'git+https': name => `git+https://github.com/o/${name}.git`,
    'https, .git': name => `https://github.com/o/${name}.git#v${PACKAGES[name]}`,
    'git+ssh': name => `git+ssh://git@github.com/o/${name}.git#stable`,
    '::path:': name => `${base}/all.git#main::path:packages/${name}`,
    '&path:': name => `${base}/all.git#main&path:/packages/${name}`,
    '#path:': name => `${base}/all.git#path:packages/${name}`,
    'github:, ::path:': name => `github:o/all#main::path:packages/${name}`,
  }
  let number = 0
  for (const [spelling, way] of Object.entries(ways)) {
    const [spec, versions] = Array.isArray(way) ? way : [way, all]
    const manifest = { dependencies: Object.fromEntries(FROM_GIT.map(name => [name, spec(name)])) }
    const [folder, copy] = [`git-${++number}`, `git-${number}-npm`].map(own => world.project(own, manifest))
    // npm drops the folder of a repository, knows no short commits, and asks sites for their archives.
    const options = /^git(\+file| daemon)/.test(spelling) && !/path:|short/.test(spelling) ? { copy } : {}
    check(`git, ${spelling}`, folder, versions, { ...options, alone: true, forget: away(path.join(world.folder, 'git')) })
  }
  const added = world.project('git-add', {})
  check('dx add, git+file', added, all, {
    words: ['add', ...FROM_GIT.map((name, index) => `${index % 2 ? `${name}@` : ''}${base}/${name}.git#semver:${minor(name)}`)],
    forget: away(path.join(world.folder, 'git')),
  })
}

const native = () => {
  const dependencies = { 'better-sqlite3': '12.4.1', sharp: '0.34.4', esbuild: '0.25.10', husky: '9.1.7' }
  const folder = world.project('native', { dependencies })
  const denied = world.run(world.dx, ['install'], folder)
  const named = ['better-sqlite3', 'esbuild'].filter(name => !denied.stderr.includes(name))
  world.report('native, scripts denied', !denied.ok ? reason(denied) : named.length ? `${named} not named: ${denied.stderr}` : undefined, reason(denied))
  const allowed = world.project('native-allowed', {
    dependencies, scripts: { prepare: 'husky' }, allowScripts: { 'better-sqlite3': true, esbuild: true, sharp: true },
  })
  world.run('git', ['init', '-q'], allowed)
  const env = { ...world.env, npm_config_nodedir: path.resolve(process.execPath, '../..'), npm_config_build_from_source: 'true' }
  const run = world.run(world.dx, ['install'], allowed, env)
  const program = `
    const Database = require('better-sqlite3')
    const row = new Database(':memory:').prepare('select 40 + 2 as n').get()
    const { code } = require('esbuild').transformSync('let a: number = 1', { loader: 'ts' })
    require('sharp')({ create: { width: 2, height: 2, channels: 3, background: 'red' } }).png().toBuffer()
      .then(png => console.log(row.n, code.trim(), png.length > 50))`
  const used = run.ok ? world.run(process.execPath, ['-e', program], allowed) : run
  const husky = world.run('git', ['config', 'core.hooksPath'], allowed).stdout.trim()
  const wrong = !used.ok ? reason(used) : husky.startsWith('.husky') ? undefined : 'husky has not run'
  world.report('native, scripts allowed', wrong, `${used.stdout.trim()}, hooks in ${husky}`)
}

try {
  wants('tarballs') && inManifest()
  wants('add') && byAdd()
  wants('git') && await fromGit()
  wants('native') && native()
} finally {
  world.end()
}
