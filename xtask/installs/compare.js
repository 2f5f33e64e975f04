// Whole installs of random projects with npm and with dx: the same lockfile, the same tree, the same refusals.
//   node compare.js <npm package folder> <dx> <first seed> <number> [--kind NAME] [--keep FOLDER]
// Prints a line for each project that differs, then the sums. npm's own code runs in processes of this script, a batch of
// projects in each, so that a project takes a tenth of a second and one at which npm does not come to an end is left out.
// Each step starts from npm's lockfile, which a step may edit first.
'use strict'

const { execFile, spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { parseArgs } = require('node:util')
const { Registry } = require('./registry.js')
const { generate } = require('./projects.js')
const lockfile = require('./lockfile.js')

const { values: flags, positionals } = parseArgs({
  options: { kind: { type: 'string' }, keep: { type: 'string' }, worker: { type: 'boolean' } },
  allowPositionals: true,
})
const [npm, dx] = positionals.map(one => path.resolve(one))
const [first, number] = positionals.slice(2).map(Number)
const library = name => require(path.join(npm, 'node_modules', name))
const Arborist = library('@npmcli/arborist')
const validateLockfile = require(path.join(npm, 'lib/utils/validate-lockfile.js'))
const semver = library('semver')
const { resetSeen } = library('bin-links')

const write = (file, text) => {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, text)
}
const json = value => JSON.stringify(value, null, 2) + '\n'
const read = file => fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined
const remove = folder => fs.rmSync(folder, { recursive: true, force: true })

/** npm goes round for ever on a few projects: a build that takes this many steps is given up. */
const MOST_STEPS = 4000
let steps = 0
process.on('time', level => {
  if (level === 'start' && ++steps > MOST_STEPS) {
    throw Object.assign(new Error('npm does not come to an end'), { code: 'ENDLESS' })
  }
})

class Npm {
  constructor (folder, registry) {
    this.project = path.join(folder, 'npm/project')
    this.options = {
      path: this.project, registry, cache: path.join(folder, 'cache'), ignoreScripts: true, audit: false, fund: false,
      save: true, packageLock: true, savePrefix: '^', binLinks: true, installLinks: false, allowRemote: 'all', preferOffline: true,
      npmVersion: '12.0.0', nodeVersion: process.version, minReleaseAgeExclude: [],
    }
  }

  async run ({ action, specs }, force) {
    const options = { ...this.options, force }
    steps = 0
    resetSeen() // a command is linked once in a process
    if (action === 'ci') {
      return this.frozen({ ...options, save: false })
    }
    const request = { ...options, add: action === 'add' ? specs : [], rm: action === 'remove' ? specs : undefined }
    await new Arborist(request).reify(request)
  }

  async frozen (options) {
    const virtual = new Arborist(options)
    await virtual.loadVirtual()
    const inventory = new Map(virtual.virtualTree.inventory)
    const arborist = new Arborist(options)
    await arborist.buildIdealTree()
    const errors = validateLockfile(inventory, arborist.idealTree.inventory)
    if (errors.length) {
      throw Object.assign(new Error(errors.join('\n')), { code: 'EUSAGE' })
    }
    remove(path.join(this.project, 'node_modules'))
    await arborist.reify(options)
  }

  /** Rewrites the lockfile in another version of its format. */
  async convert (lockfileVersion) {
    steps = 0
    const options = { ...this.options, lockfileVersion, force: true }
    const tree = await new Arborist(options).buildIdealTree(options)
    await tree.meta.commit()
    return tree.meta.toString()
  }
}

class Dx {
  constructor (folder, registry) {
    this.project = path.join(folder, 'dx/project')
    this.environment = {
      PATH: process.env.PATH, HOME: path.join(folder, 'home'), DX_STORE: path.join(folder, 'store'), DX_BACKGROUND: '0',
      DX_PREPARED_TREES: '0', npm_config_registry: registry, npm_config_min_release_age: '0', npm_config_allow_remote: 'all',
    }
  }

  run ({ action, specs = [] }) {
    const words = [action, ...specs, '--ignore-scripts']
    return new Promise((resolve, reject) => {
      execFile(dx, words, { cwd: this.project, env: this.environment, timeout: 60000 }, (error, stdout, stderr) => {
        this.said = stdout + stderr
        error ? reject(Object.assign(new Error(stderr), { code: /\[(DX_\w+)\]/.exec(stderr)?.[1] || `exit ${error.code}` })) : resolve()
      })
    })
  }
}

/** Everything below the folders' node_modules: packages, links, commands, other files with their permission bits. */
const tree = top => {
  const found = {}
  const walk = (folder, inside) => {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const full = path.join(folder, entry.name)
      const at = path.relative(top, full)
      const isModules = inside || entry.name === 'node_modules'
      if (entry.name === '.dx' || entry.name === '.package-lock.json') {
        continue
      }
      if (entry.isDirectory()) {
        walk(full, isModules)
      } else if (isModules && entry.isSymbolicLink()) {
        found[at] = `-> ${fs.readlinkSync(full)}`
      } else if (isModules) {
        const mode = (fs.statSync(full).mode & 0o777).toString(8)
        found[at] = entry.name === 'package.json' ? `${mode} ${fs.readFileSync(full, 'utf8')}` : mode
      }
    }
  }
  walk(top, false)
  return found
}

const short = value => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text === undefined ? 'nothing' : text.replace(/\s+/g, ' ').slice(0, 160)
}

const differences = (theirs, ours, what) => {
  const keys = [...new Set([...Object.keys(theirs || {}), ...Object.keys(ours || {})])]
  const differ = keys.filter(key => JSON.stringify(theirs?.[key]) !== JSON.stringify(ours?.[key]))
  return differ.map(key => `${what} ${key}: npm ${short(theirs?.[key])}, dx ${short(ours?.[key])}`)
}

/** The members in which two entries of a lockfile differ. */
const entryDifferences = (theirs, ours, what) => {
  const both = path => theirs?.[path] && ours?.[path]
  const paths = [...new Set([...Object.keys(theirs || {}), ...Object.keys(ours || {})])]
  return paths.flatMap(at => {
    const label = `${what} ${at || '(project)'}`
    if (both(at)) {
      return differences(theirs[at], ours[at], label)
    }
    return [theirs?.[at] ? `${label}: npm has ${short(theirs[at].version)}, dx nothing` : `${label}: npm nothing, dx has ${short(ours[at].version)}`]
  })
}

const lockDifferences = (theirs, ours) => {
  if (theirs === ours) {
    return []
  }
  if (theirs === undefined || ours === undefined) {
    return [`lockfile: npm ${short(theirs)}, dx ${short(ours)}`]
  }
  const [npms, dxs] = [theirs, ours].map(text => JSON.parse(text))
  // npm leaves a dependency that `add` made optional in both sections.
  const root = npms.packages?.['']
  for (const name of Object.keys(root?.optionalDependencies || {})) {
    delete root.dependencies?.[name]
  }
  if (root?.dependencies && !Object.keys(root.dependencies).length) {
    delete root.dependencies
  }
  const list = [
    ...entryDifferences(npms.packages, dxs.packages, 'entry'),
    ...entryDifferences(npms.dependencies, dxs.dependencies, 'part for old npm'),
  ]
  delete npms.packages
  delete dxs.packages
  delete npms.dependencies
  delete dxs.dependencies
  list.push(...differences(npms, dxs, 'head'))
  return list.length ? list : ['lockfile: the same entries, another text']
}

const furnish = (project, one, step, lock) => {
  write(path.join(project, 'package.json'), json(step.root))
  for (const [folder, manifest] of Object.entries(one.folders)) {
    write(path.join(project, folder, 'package.json'), json(manifest))
    write(path.join(project, folder, 'cli.js'), '#!/usr/bin/env node\n')
  }
  if (lock !== undefined) {
    write(path.join(project, 'package-lock.json'), lock)
  }
  if (!step.keep) {
    remove(path.join(project, 'node_modules'))
  }
}

/**
 * What dx does otherwise on purpose, see docs/npm-differences.md: a digest that nobody published is recorded, each
 * package of two with a command of one name can be executed, and a package that npm breaks a circle with by a link to it
 * keeps its own commands.
 */
const isIntended = (one, line) =>
  one.digests === 'none' && / integrity: npm nothing, dx sha512-/.test(line) ||
  / file .*: npm 644, dx 755$/.test(line) ||
  one.linksInside && / file .*\/.bin\/.*: npm nothing, dx -> /.test(line)

/** Runs one step with npm, as `--force` would where it refuses peers, and notes that; returns its error, if it fails. */
const withNpm = async (tool, step) => {
  try {
    await tool.run(step, false)
  } catch (error) {
    if (error.code !== 'ERESOLVE') {
      return error
    }
    step.forced = true
    try {
      await tool.run(step, true)
    } catch (other) {
      return other
    }
  }
}

/** Compares the steps of a project; returns what differs, and how many steps were compared. */
const compare = async (one, folder, registry) => {
  const [theirs, ours] = [new Npm(folder, registry), new Dx(folder, registry)]
  const found = []
  let lock
  let compared = 0
  for (const [number, step] of one.steps.entries()) {
    if (step.lockfileVersion && lock) {
      try {
        furnish(theirs.project, one, step, lock)
        lock = await theirs.convert(step.lockfileVersion)
      } catch {
        break // npm cannot build such a lockfile
      }
    }
    lock = lock && lockfile.edit(lock, step, one.registry)
    furnish(theirs.project, one, step, lock)
    furnish(ours.project, one, step, lock)
    const refused = await withNpm(theirs, step)
    if (refused?.code === 'ENDLESS') {
      break
    }
    const failed = await ours.run(step).then(() => undefined, error => error)
    if (step.forced && failed?.code === 'DX_UNSUPPORTED_PLATFORM') {
      break // npm's --force goes past platforms, too
    }
    compared++
    const label = line => `step ${number} ${step.action}: ${line}`
    if (!refused !== !failed) {
      found.push(label(`npm ${short(refused?.message || 'goes on')}, dx ${short(failed?.message || 'goes on')}`))
    }
    if (refused || failed) {
      if (step.action === 'ci') {
        continue
      }
      break
    }
    const breaksCircle = text => /"resolved": "node_modules\/[^"]*",\s*"link": true/.test(text)
    const results = [theirs, ours].map(tool => read(path.join(tool.project, 'package-lock.json')))
    one.linksInside ||= results.some(breaksCircle)
    found.push(...lockDifferences(...results).map(label))
    found.push(...differences(tree(path.dirname(theirs.project)), tree(path.dirname(ours.project)), 'file').map(label))
    found.push(...differences(...[theirs, ours].map(tool => JSON.parse(read(path.join(tool.project, 'package.json')))), 'package.json').map(label))
    if (step.action !== 'ci') {
      lock = results[0]
    }
    if (step.specs) {
      const saved = JSON.parse(read(path.join(theirs.project, 'package.json')))
      one.steps.slice(number + 1).filter(later => later.root === step.root).forEach(later => { later.root = saved })
    }
  }
  return { found, compared }
}

const work = async () => {
  const place = fs.mkdtempSync(path.join(fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'installs-'))
  const server = new Registry()
  await server.start()
  const sums = {}
  for (let seed = first; seed < first + number; seed++) {
    const one = generate(seed, semver, flags.kind)
    const registry = server.publish(`s${seed}`, one.registry, one.bundles, one.digests)
    const folder = path.join(place, String(seed))
    let outcome
    try {
      outcome = await compare(one, folder, registry)
    } catch (error) {
      outcome = { found: [`not compared: ${error.stack}`], compared: 0 }
    }
    const sum = sums[one.kind] ||= { projects: 0, steps: 0, different: 0 }
    sum.projects++
    sum.steps += outcome.compared
    outcome.found = outcome.found.filter(line => !isIntended(one, line))
    if (outcome.found.length) {
      sum.different++
      console.log(`seed ${seed} ${one.kind}: ${outcome.found.slice(0, 12).join('\n    ')}`)
      if (flags.keep) {
        fs.cpSync(folder, path.join(flags.keep, String(seed)), { recursive: true, verbatimSymlinks: true })
      }
    }
    remove(folder)
    server.forget()
  }
  remove(place)
  server.server.close()
  console.log(JSON.stringify(sums))
}

/** The projects of one process, the most that lie in memory when npm does not come to an end, and its time in ms. */
const BATCH = 20
const MEMORY = 700
const TIME = 240000

/** Compares `count` projects from `seed` on in another process; false if that dies. */
const batch = (seed, count, sums) => {
  const given = ['kind', 'keep'].filter(name => flags[name]).flatMap(name => [`--${name}`, flags[name]])
  const words = [`--max-old-space-size=${MEMORY}`, __filename, npm, dx, String(seed), String(count), ...given, '--worker']
  const done = spawnSync(process.execPath, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: TIME })
  if (done.status !== 0) {
    return false
  }
  const lines = done.stdout.trimEnd().split('\n')
  for (const [kind, sum] of Object.entries(JSON.parse(lines.pop()))) {
    const all = sums[kind] ||= { projects: 0, steps: 0, different: 0 }
    Object.keys(all).forEach(key => { all[key] += sum[key] })
  }
  lines.forEach(line => console.log(line))
  return true
}

const main = () => {
  const sums = {}
  const leftOut = []
  for (let seed = first; seed < first + number; seed += BATCH) {
    const count = Math.min(BATCH, first + number - seed)
    if (!batch(seed, count, sums)) {
      for (let one = seed; one < seed + count; one++) {
        batch(one, 1, sums) || leftOut.push(one)
      }
    }
  }
  for (const [kind, { projects, steps: count, different }] of Object.entries(sums)) {
    console.log(`${kind}: ${projects} projects in ${count} steps, ${different} different`)
    process.exitCode ||= Number(different > 0)
  }
  if (leftOut.length) {
    console.log(`left out, as npm does not come to an end: seeds ${leftOut.join(', ')}`)
  }
}

flags.worker ? work() : main()
