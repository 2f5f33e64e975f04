// A world of its own for real packages: a home with the settings, a store, npm's cache, and projects. Its tarballs are fetched
// once each from the configured registry, and its repositories are made of them.
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'

const AUTHOR = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@localhost', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@localhost' }

export class World {
  constructor ({ dx, npm }) {
    this.folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dx-real-')))
    this.dx = path.resolve(dx)
    this.npm = npm
    this.lines = []
    this.failures = 0
    const registry = this.run('npm', ['config', 'get', 'registry'], os.homedir(), process.env).stdout.trim()
    this.registry = registry.endsWith('/') ? registry : `${registry}/`
    this.write('home/.npmrc', `registry=${this.registry}\naudit=false\nfund=false\nallow-git=all\nallow-remote=all\n`)
    this.write('home/.gitconfig', `[url "file://${this.folder}/git/"]\n${['https', 'ssh', 'git+ssh'].flatMap(protocol =>
      ['github.com', 'gitlab.com', 'bitbucket.org'].map(host => `\tinsteadOf = ${protocol}://${protocol === 'https' ? '' : 'git@'}${host}/\n`)).join('')}`)
    const { PATH, NODE_EXTRA_CA_CERTS } = process.env
    this.env = {
      PATH, HOME: path.join(this.folder, 'home'), DX_STORE: path.join(this.folder, 'store'), DX_BACKGROUND: '0',
      npm_config_cache: path.join(this.folder, 'cache'), GIT_TERMINAL_PROMPT: '0', ...(NODE_EXTRA_CA_CERTS && { NODE_EXTRA_CA_CERTS }),
    }
  }

  write (name, text) {
    const file = path.resolve(this.folder, name)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, text)
    return file
  }

  run (program, words, cwd, env = this.env) {
    const { status, stdout, stderr, error } = spawnSync(program, words, { cwd, env, encoding: 'utf8', maxBuffer: 1 << 28 })
    return { ok: status === 0, stdout: stdout ?? '', stderr: stderr || String(error ?? ''), status }
  }

  /** Runs a program that must succeed. */
  must (program, words, cwd, more = {}) {
    const run = this.run(program, words, cwd, { ...this.env, ...more })
    if (!run.ok) {
      throw new Error(`${path.basename(program)} ${words.join(' ')}: ${run.stderr || run.stdout}`)
    }
    return run
  }

  /** A new project; returns its folder. */
  project (name, manifest, files = {}) {
    const folder = path.join(this.folder, 'projects', name)
    fs.rmSync(folder, { recursive: true, force: true })
    this.write(path.join(folder, 'package.json'), `${JSON.stringify({ name: 'p', version: '1.0.0', ...manifest }, null, 2)}\n`)
    for (const [file, text] of Object.entries(files)) {
      this.write(path.join(folder, file), text)
    }
    return folder
  }

  /** The tarball of a package of the registry, by npm. */
  tarball (spec) {
    const folder = path.join(this.folder, 'tarballs')
    fs.mkdirSync(folder, { recursive: true })
    const made = this.must('npm', ['pack', '--silent', '--pack-destination', folder, spec], this.folder).stdout.trim()
    return path.join(folder, made)
  }

  git (folder, ...words) {
    return this.must('git', words, folder, AUTHOR).stdout.trim()
  }

  /** Commits the contents of a tarball, below `into`, to a repository; returns the commit. */
  commit (repository, tarball, into = '.') {
    const work = path.join(this.folder, 'work', repository)
    if (!fs.existsSync(work)) {
      fs.mkdirSync(work, { recursive: true })
      this.git(work, 'init', '-q', '-b', 'main')
    }
    const place = path.join(work, into)
    for (const name of into === '.' ? fs.readdirSync(work) : []) {
      if (name !== '.git') {
        fs.rmSync(path.join(work, name), { recursive: true })
      }
    }
    fs.mkdirSync(place, { recursive: true })
    this.must('tar', ['-xzf', tarball, '--strip-components=1', '-C', place], work)
    this.git(work, 'add', '-A', '-f')
    this.git(work, 'commit', '-q', '--allow-empty', '-m', 'x')
    return this.git(work, 'rev-parse', 'HEAD')
  }

  /** Makes the bare repository that dx and npm see. */
  publish (repository, as) {
    const bare = path.join(this.folder, 'git', as)
    fs.mkdirSync(path.dirname(bare), { recursive: true })
    this.git(this.folder, 'clone', '-q', '--bare', path.join(this.folder, 'work', repository), bare)
    return bare
  }

  /** Starts `git daemon` on loopback; returns its address. */
  async daemon () {
    const port = await new Promise(resolve => {
      const server = net.createServer().listen(0, '127.0.0.1', () => {
        const { port } = server.address()
        server.close(() => resolve(port))
      })
    })
    const words = ['daemon', '--reuseaddr', '--listen=127.0.0.1', `--port=${port}`, '--export-all', `--base-path=${this.folder}/git`]
    this.server = spawn('git', words, { env: this.env, stdio: 'ignore', detached: true })
    for (let tries = 0; tries < 100; tries++) {
      const is = await new Promise(resolve => {
        const socket = net.connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false))
        socket.on('connect', () => socket.destroy())
      })
      if (is) {
        break
      }
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    return `git://127.0.0.1:${port}`
  }

  /** Loads packages in real Node.js and reads their versions; returns what is wrong. */
  loads (folder, versions) {
    const program = `
      const { createRequire } = require('node:module')
      const fs = require('node:fs')
      const of = createRequire(process.cwd() + '/x.js')
      const all = ${JSON.stringify(versions)}
      ;(async () => {
        for (const [name, version] of Object.entries(all)) {
          const own = JSON.parse(fs.readFileSync('node_modules/' + name + '/package.json')).version
          if (own !== version) throw new Error(name + ' is ' + own + ' instead of ' + version)
          let value
          try { value = of(name) } catch (error) {
            if (!/ERR_REQUIRE_ESM|ERR_PACKAGE_PATH|ERR_REQUIRE_ASYNC/.test(error.code)) throw error
            value = await import(require('node:url').pathToFileURL(of.resolve(name)))
          }
          if (!['object', 'function'].includes(typeof value)) throw new Error(name + ' exports ' + typeof value)
        }
      })().catch(error => { console.error(error.message); process.exit(1) })`
    const run = this.run(process.execPath, ['-e', program], folder)
    return run.ok ? undefined : `loading: ${run.stderr.trim().split('\n').slice(0, 3).join(' ')}`
  }

  /** Records one result; `wrong` is what is wrong, if anything. */
  report (what, wrong, more = '') {
    this.failures += wrong ? 1 : 0
    console.log(`${wrong ? 'FAILED' : 'ok    '} ${what}${wrong ? `: ${wrong}` : more && ` (${more})`}`)
  }

  end () {
    if (this.server) {
      process.kill(this.server.pid)
    }
    fs.rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 })
    console.log(this.failures ? `${this.failures} failed` : 'all as they should be')
    process.exitCode = this.failures ? 1 : 0
  }
}

/** The first lines of what a command says of its failure. */
export const reason = run => (run.stderr || run.stdout).trim().split('\n').slice(0, 3).join(' | ')
