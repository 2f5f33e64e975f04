// Writes what npm makes of random projects, one case a line:
//   node npm.js <npm package folder> <first seed> <number of cases> > corpus.jsonl
//   node npm.js <npm package folder> --cases <file of cases, one a line> > corpus.jsonl
//
// npm's own tree builder runs in this process; packuments come from memory, projects lie in a temporary folder.
'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { generate } = require('./generate.js')

const npm = path.resolve(process.argv[2])
const Arborist = require(path.join(npm, 'node_modules/@npmcli/arborist'))

/** Answers every look-up, so that nothing is ever asked over a network. */
class Packuments {
  constructor (registry) {
    this.registry = new Map(Object.entries(registry).map(([name, packument]) => [name, JSON.stringify(packument)]))
  }

  has () {
    return true
  }

  get (key) {
    const name = decodeURIComponent(key.replace(/^.*registry\.example\//, ''))
    const text = this.registry.get(name)
    if (!text) {
      throw Object.assign(new Error(`404 ${name}`), { code: 'E404' })
    }
    return JSON.parse(text)
  }

  set () {}

  delete () {}
}

/** npm goes round for ever on a few projects: a build that takes this many steps is given up. */
const MOST_STEPS = 1500
let steps = 0
process.on('time', level => {
  if (level === 'start' && ++steps > MOST_STEPS) {
    throw Object.assign(new Error('npm does not come to an end'), { code: 'ENDLESS' })
  }
})

const SECTIONS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies', 'peerDependenciesMeta']

const write = (folder, name, value) => {
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(path.join(folder, name), JSON.stringify(value, null, 2) + '\n')
}

const build = async (project, one, step, force, lockfileVersion) => {
  write(project, 'package.json', step.root)
  for (const [folder, manifest] of Object.entries(one.folders)) {
    write(path.join(project, folder), 'package.json', manifest)
  }
  const options = {
    ...one.options,
    before: one.options.before && new Date(one.options.before),
    force,
    path: project,
    registry: 'https://registry.example/',
    cache: path.join(project, '.cache'),
    save: true,
    lockfileVersion,
    os: 'linux',
    cpu: 'x64',
    libc: 'glibc',
    packumentCache: new Packuments(one.registry),
    minReleaseAgeExclude: [],
  }
  steps = 0
  const arborist = new Arborist(options)
  const request = { ...options, add: step.add, rm: step.remove, update: step.update ? { names: step.update } : undefined }
  const tree = await arborist.buildIdealTree(request)
  await tree.meta.commit()
  const inert = [...tree.inventory.values()].filter(node => node.inert).map(node => node.location)
  return { lock: JSON.parse(tree.meta.toString()), inert }
}

/** Whether npm keeps its own lockfile when it is run again. */
const isStable = async (project, one, step) => {
  try {
    const again = await build(project, one, { root: step.root }, true)
    return JSON.stringify(again.lock) === JSON.stringify(step.lock)
  } catch (error) {
    return false
  }
}

const run = async one => {
  const project = fs.mkdtempSync(path.join(fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'oracle-'))
  try {
    for (const step of one.steps) {
      let outcome
      try {
        outcome = await build(project, one, step, false)
      } catch (error) {
        if (error.code !== 'ERESOLVE' && error.code !== 'EBADPLATFORM') {
          step.error = { code: error.code || '', message: error.message }
          break // what a failed `add` would have written is not known: such a state is left out below
        }
        step.refused = error.code
        if (error.code === 'ERESOLVE' && one.options.strictPeerDeps) {
          break
        }
        try {
          outcome = await build(project, one, step, true)
        } catch (other) {
          step.error = { code: other.code || '', message: other.message }
          break
        }
      }
      const { lock, inert } = outcome
      if (step.add) {
        for (const key of SECTIONS) {
          delete step.root[key]
          Object.assign(step.root, lock.packages[''][key] && { [key]: lock.packages[''][key] })
        }
      }
      step.lock = lock
      step.inert = inert
      write(project, 'package-lock.json', lock)
      step.stable = await isStable(project, one, step)
      if (step.lockfileVersion) {
        step.written = (await build(project, one, { root: step.root }, true, step.lockfileVersion)).lock
        write(project, 'package-lock.json', step.written)
      }
    }
    one.steps = one.steps.filter(step => step.lock || !step.add && (step.error || step.refused))
  } finally {
    fs.rmSync(project, { recursive: true, force: true })
  }
  return one
}

const cases = function * () {
  if (process.argv[3] === '--cases') {
    for (const line of fs.readFileSync(process.argv[4], 'utf8').split('\n').filter(Boolean)) {
      yield JSON.parse(line)
    }
    return
  }
  const first = Number(process.argv[3])
  for (let seed = first; seed < first + Number(process.argv[4]); seed++) {
    yield generate(seed)
  }
}

const main = async () => {
  for (const one of cases()) {
    process.stdout.write(JSON.stringify(await run(one)) + '\n')
  }
}

main()
