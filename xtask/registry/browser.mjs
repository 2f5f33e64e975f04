// The registry's pages in a browser: chromedriver, spoken to by plain WebDriver calls. Each page is opened at two widths, must fit
// its width, and must run no script and break no rule of its policy; then a login of a client is answered in the browser, and those of
// npm and dx themselves, with their one-time passwords, if they are named.
//   node browser.mjs --server DX_REGISTRY [--out FOLDER for the pictures] [--peers FOLDER] [--dx PATH]
import { spawn } from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { programs } from './clients.mjs'
import { logins } from './logins.mjs'
import { DxRegistry, PASSWORD } from './servers.mjs'
import { Upstream } from './upstream.mjs'

const { pack } = createRequire(import.meta.url)('../installs/registry.js')
const { values: options } = parseArgs({ options: { server: { type: 'string' }, out: { type: 'string' }, peers: { type: 'string' }, dx: { type: 'string' } } })
const place = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'dx-browser-')))
const out = path.resolve(options.out ?? path.join(place, 'pictures'))
fs.mkdirSync(out, { recursive: true })
const README = '# A tool\n\n<script>document.title = "run"</script><img src=x onerror="document.title=\'run\'">\n\n```js\n' + 'a_long_line_of_code_that_fits_no_telephone('.repeat(4) + '\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n'

let faults = 0
const check = (right, text) => { right || faults++; console.log(`${right ? 'right' : 'WRONG'}  ${text}`) }

const upstream = await new Upstream().start()
const server = new DxRegistry(path.resolve(options.server), path.join(place, 'dx'))
server.users()
await server.start(upstream.url)
const token = await server.token('alice')
for (const version of ['1.0.0', '1.1.0']) {
  const manifest = { name: '@acme/tool', version, description: 'What <script>document.title="run"</script> the team needs', scripts: { postinstall: 'node index.js' } }
  const bytes = pack({ 'package.json': { text: JSON.stringify(manifest), mode: 0o644 }, 'index.js': { text: `// ${version}\n`, mode: 0o644 }, 'README.md': { text: README, mode: 0o644 } })
  const dist = { integrity: `sha512-${crypto.createHash('sha512').update(bytes).digest('base64')}`, tarball: `${server.url}x` }
  const answer = await fetch(`${server.url}@acme%2ftool`, {
    method: 'PUT', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ _id: '@acme/tool', name: '@acme/tool', readme: README, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, readme: README, dist } }, _attachments: { 'tool.tgz': { data: bytes.toString('base64'), length: bytes.length } } }),
  })
  check(answer.status === 201, `publish ${version}: ${answer.status}`)
}

const port = await new Promise(resolve => {
  const probe = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address()
    probe.close(() => resolve(port))
  })
})
const driver = spawn('chromedriver', [`--port=${port}`], { stdio: 'ignore' })

/** A WebDriver call; returns its value. */
async function call (method, words, body) {
  const answer = await fetch(`http://127.0.0.1:${port}${words}`, { method, ...body && { body: JSON.stringify(body) } })
  const { value } = await answer.json()
  if (!answer.ok) {
    throw new Error(`${method} ${words}: ${value.message}`)
  }
  return value
}

let session
try {
  for (let tries = 0; !await call('GET', '/status').then(value => value.ready, () => false); tries++) {
    if (tries > 200) {
      throw new Error('chromedriver does not start')
    }
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  const { sessionId } = await call('POST', '/session', { capabilities: { alwaysMatch: {
    'goog:chromeOptions': { args: ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${place}/chrome`] },
    'goog:loggingPrefs': { browser: 'ALL' },
  } } })
  session = `/session/${sessionId}`
  const open = url => call('POST', `${session}/url`, { url })
  const run = script => call('POST', `${session}/execute/sync`, { script, args: [] })
  const element = async css => Object.values(await call('POST', `${session}/element`, { using: 'css selector', value: css }))[0]
  const type = async (css, text) => call('POST', `${session}/element/${await element(css)}/value`, { text })
  // A click sends a form; what follows is about the page that answers.
  const click = async css => {
    await run('window.isBefore = true')
    await call('POST', `${session}/element/${await element(css)}/click`, {})
    const over = Date.now() + 20_000
    while (!await run('return !window.isBefore && document.readyState === "complete"').catch(() => false)) {
      if (Date.now() > over) {
        throw new Error(`nothing came of ${css}`)
      }
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
  const picture = async name => fs.writeFileSync(path.join(out, `${name}.png`), Buffer.from(await call('GET', `${session}/screenshot`), 'base64'))

  const begin = async () => (await fetch(`${server.url}-/v1/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })).json()
  const asked = await begin()
  const pages = {
    home: `${server.url}-/ui/`, search: `${server.url}-/ui/search?text=tool`, package: `${server.url}-/ui/package/@acme/tool`,
    version: `${server.url}-/ui/package/@acme/tool/v/1.1.0`, difference: `${server.url}-/ui/package/@acme/tool/diff/1.0.0/1.1.0`,
    file: `${server.url}-/ui/package/@acme/tool/diff/1.0.0/1.1.0?file=index.js`, upstream: `${server.url}-/ui/package/up-1`,
    missing: `${server.url}-/ui/package/@acme/none`, login: asked.loginUrl,
  }
  for (const [name, url] of Object.entries(pages)) {
    for (const width of [1280, 400]) {
      // The window is emulated: a real one is not as narrow as a telephone.
      await call('POST', `${session}/goog/cdp/execute`, { cmd: 'Emulation.setDeviceMetricsOverride', params: { width, height: 900, deviceScaleFactor: 1, mobile: width < 500 } })
      await open(url)
      await picture(`${name}-${width}`)
      const [wide, title, scripts, styled] = await run('return [document.documentElement.scrollWidth, document.title, document.scripts.length, document.styleSheets.length]')
      check(wide <= width && title !== 'run' && scripts === 0 && styled === 1, `${name} at ${width}: ${wide} wide, ${scripts} scripts, title ${JSON.stringify(title)}`)
    }
  }
  await open(pages.package)
  // A script in the page itself is the test of the policy, not of the sanitiser.
  const ran = await run(`const script = document.createElement('script'); script.textContent = 'document.title = "run"'; document.body.append(script)
    const picture = document.createElement('p'); picture.innerHTML = '<b onclick="document.title=\\'run\\'">x</b>'; document.body.append(picture); picture.firstChild.click(); return document.title`)
  check(ran !== 'run', `an inline script is not run: title ${JSON.stringify(ran)}`)
  const missing = /404 \(Not Found\)|favicon/
  const log = await call('POST', `${session}/se/log`, { type: 'browser' })
  const broken = log.filter(({ message }) => !missing.test(message))
  check(broken.length === 2 && broken.every(({ message }) => /Content Security Policy/.test(message)), `the policy is broken only by the scripts of the test: ${JSON.stringify(broken.map(({ message }) => message.slice(0, 150)))}`)

  await open(asked.loginUrl)
  await type('input[name=name]', 'alice')
  await type('input[name=password]', 'wrong')
  await click('main button')
  check((await run('return document.querySelector(".warning")?.textContent ?? ""')).includes('do not belong together'), 'a wrong password is told')
  check((await fetch(asked.doneUrl)).status === 202, 'the client waits')
  await type('input[name=name]', 'alice')
  await type('input[name=password]', PASSWORD)
  await click('main button')
  check((await run('return document.querySelector(".notice")?.textContent ?? ""')).startsWith('Done.'), 'the page says that it is done')
  await picture('done-400')
  const given = await (await fetch(asked.doneUrl)).json()
  const who = await (await fetch(`${server.url}-/whoami`, { headers: { authorization: `Bearer ${given.token}` } })).json()
  check(who.username === 'alice', `the client gets a token of ${who.username}`)
  await open(asked.loginUrl)
  await type('input[name=name]', 'alice')
  await type('input[name=password]', PASSWORD)
  await click('main button')
  check((await fetch(asked.doneUrl)).status === 410, 'a login that is over is over, whatever is answered')
  const clients = {
    ...options.peers && { npm: programs(path.resolve(options.peers), '').npm },
    ...options.dx && { dx: [path.resolve(options.dx)] },
  }
  if (Object.keys(clients).length > 0) {
    await logins({ server, tab: { open, run, type, click }, programs: clients, place, check })
  }
} finally {
  // Otherwise the browser outlives its driver.
  session && await call('DELETE', session).catch(() => {})
  driver.kill()
  await server.kill()
  await upstream.stop()
}
options.out && console.log(`pictures in ${out}`)
fs.rmSync(place, { recursive: true, force: true, maxRetries: 5 })
console.log(`${faults} wrong`)
process.exit(faults === 0 ? 0 : 1)
