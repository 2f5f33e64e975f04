// The pages docs/registry/clients.md and verdaccio.md.
import { CLIENTS } from './clients.mjs'
import { compare } from './compare.mjs'

const NAMES = { npm: 'npm', pnpm: 'pnpm', yarn: 'Yarn 4', bun: 'Bun', yarn1: 'Yarn 1' }

const table = (head, rows) => [head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n')

/** The page with the exit code of every command. */
export function clientsPage (results, versions) {
  const ids = [...new Set([...results].sort((one, other) => one.order - other.order).map(result => result.id))]
  const clients = CLIENTS.filter(client => results.some(result => result.client === client))
  const cell = (id, client) => {
    const found = results.find(result => result.id === id && result.client === client)
    return found ? `${found.code}${found.right ? '' : ' (wrong)'}` : ''
  }
  const rows = ids.map(id => [id, ...clients.map(client => cell(id, client))])
  const wrong = results.filter(result => !result.right).length
  return `# dx-registry: clients

Each command of each client with a fresh \`dx-registry\`, an upstream of generated packages, and the exit code. Written by
\`cargo xtask registry clients\`, which fails where a code is not the expected one or an install has not installed: ${results.length} commands,
${wrong} wrong. An empty cell is a command that the client does not have. ${clients.map(client => `${NAMES[client]} is ${versions[client]}`).join(', ')}.

${table(['Command', ...clients.map(client => NAMES[client])], rows)}

Codes other than 0 are what is right there: \`outdated\` and \`audit\` end with 1 where they find something, a second publish of a version,
one of an unpublished version, of a name that the upstream has, and one without a token are refused. Logins are made in the
browser's form. Once the upstream is stopped, each client begins with empty caches of its own. The project of
a framework (Next.js, React, ESLint, Tailwind, TypeScript) comes from a recorded registry, which lacks what only Yarn asks for.
Two commands are broken in the client
itself: Yarn 1 changes owners with a revision that no abbreviated packument has, and ends with 0 when it is told that a package is not there.
\`npm audit signatures\` is not in the table, since npm asks Sigstore's repository of keys before it asks any registry.
`
}

/** Why the two registries differ: the steps, the places in the output, and the reason. */
const REASONS = [
  [/^publish an upstream's name$/, /exit code/, 'dx-registry refuses a name that the upstream has, so that no private package hides a public one by mistake; Verdaccio publishes into it.'],
  [/^publish an unpublished version$/, /exit code/, 'An unpublished version is never free again with dx-registry; with Verdaccio it is.'],
  [/^owner/, /exit code/, "Verdaccio refuses npm's change of owners (422) and does not have pnpm's."],
  [/^owner ls$/, /./, 'With dx-registry the first to publish is the owner; Verdaccio keeps what the client sent.'],
  [/^(access|team|org|stage)/, /exit code/, 'Verdaccio 6 does not have these endpoints.'],
  [/^audit$/, /./, 'Verdaccio asks the public registry, whatever its upstream is, which this machine does not reach; its answer is none or an error. dx-registry asks the upstream.'],
  [/^search for it$/, /./, "Verdaccio answers with whole packuments, dx-registry with the fields of npm's search."],
  [/^view/, /(^|\.)(_contentLength)$/, 'npm puts the length of the answer there.'],
  [/^view/, /(^|\.)(users|contributors|_attachments|_rev|readmeFilename)$/, 'Verdaccio adds fields of its own; dx-registry shows a `_rev` in the full packument of its own packages only.'],
  [/^view$/, /dist\.signatures\.0\.(keyid|sig)$/, 'The upstream of each run signs with a key of its own.'],
  [/^view what was published$/, /dist\.(fileCount|unpackedSize|signatures)$/, 'dx-registry computes `dist` from the tarball that arrived, and signs it.'],
  [/^view what was published$/, /(^|\.)(maintainers|_npmUser)(\.|$)/, 'dx-registry records who published; Verdaccio keeps what the client sent, which may be nothing.'],
  [/^view what was published$/, /(^|\.)readme$/, 'dx-registry shows the README that the client sent with the version.'],
  [/^view what was published$/, /data\.dist\.(integrity|shasum)$/, 'Yarn 1 packs the time into its tarballs, so that no two are equal.'],
]

/** Compares the results of both registries, and returns the page with the counts. */
export function verdaccioPage (own, other, versions = {}) {
  const rows = []
  const unexplained = []
  let equal = 0
  const cited = new Map()
  for (const result of own.results) {
    const beside = other.results.find(one => one.client === result.client && one.id === result.id)
    const found = compare(result, own.urls, beside, other.urls)
    const reasons = new Set()
    for (const place of found) {
      const at = REASONS.findIndex(([id, path]) => id.test(result.id) && path.test(place))
      at < 0 ? unexplained.push({ result, why: place }) : reasons.add(at)
    }
    equal += found.length === 0 ? 1 : 0
    const outcome = found.length === 0 ? 'equal' : [...reasons].map(at => {
      cited.has(at) || cited.set(at, cited.size + 1)
      return `[${cited.get(at)}](#differences)`
    }).join(' ')
    rows.push([NAMES[result.client], result.id, `${result.code}`, `${beside.code}`, found.some(place => place.startsWith('exit')) ? '' : result.json || result.text ? 'compared' : '', outcome])
  }
  const compared = own.results.length
  const explained = compared - equal - new Set(unexplained.map(({ result }) => result)).size
  const text = `# dx-registry beside Verdaccio

The same commands of the same clients with a fresh dx-registry and a fresh Verdaccio ${versions.verdaccio ?? '6'}, each with the same upstream: exit
codes, and what is printed where it is JSON or a list. Written by \`cargo xtask registry verdaccio\`, which fails where a difference has
no reason below. Run on ${new Date().toISOString().slice(0, 10)}. ${compared} commands: ${equal} equal, ${explained} different for a reason, ${compared - equal - explained} without one.

${table(['Client', 'Command', 'dx-registry', 'Verdaccio', 'Output', 'Outcome'], rows)}

## Differences

${[...cited].map(([at, number]) => `${number}. ${REASONS[at][2]}`).join('\n')}
`
  return { text, compared, equal, explained, unexplained }
}
