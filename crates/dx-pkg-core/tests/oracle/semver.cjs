// Writes what npm's `semver` package says about a set of versions and ranges, for `tests/it/semver.rs` to compare.
//
//   node tests/oracle/semver.cjs <folder of the semver package> curated > tests/fixtures/semver.txt
//   node tests/oracle/semver.cjs <folder of the semver package> random <seed> [rounds] > /tmp/oracle.txt
//   SEMVER_ORACLE=/tmp/oracle.txt cargo test -p dx-pkg-core -- --ignored
//
// A round is a list of tab-separated records; `-` stands for "not valid":
//   version <text> <strict> <loose>
//   range <text> <normalised>
//   satisfies <range> <bits> <bits with includePrerelease>, one character per version that is valid when loose
//   intersects <range> <bits>, one per valid range
//   order <version> <signs>, one of < = > per version that is valid when loose
//   end
'use strict';

const [, , packageFolder, mode, seedText = '1', roundsText = '10'] = process.argv;
const semver = require(packageFolder);
const loose = { loose: true };
const including = { loose: true, includePrerelease: true };

const attempt = (make) => {
  try {
    return make();
  } catch {
    return null;
  }
};

// From 10^21 on the package prints numbers with an exponent and misreads them; dx refuses such ranges.
const isMisread = (text) => /\d{21}/.test(text) && /[<>~^x*]|\s-/i.test(text);

function writeRound(versionTexts, rangeTexts) {
  const lines = [];
  const versions = [];
  for (const text of new Set(versionTexts)) {
    const strict = attempt(() => new semver.SemVer(text));
    const parsed = attempt(() => new semver.SemVer(text, loose));
    lines.push(`version\t${text}\t${strict ? strict.version : '-'}\t${parsed ? parsed.version : '-'}`);
    if (parsed) versions.push([text, parsed]);
  }
  const ranges = [];
  for (const text of new Set(rangeTexts)) {
    if (isMisread(text)) continue;
    const range = attempt(() => new semver.Range(text, loose));
    lines.push(`range\t${text}\t${range ? range.range || '*' : '-'}`);
    if (range) ranges.push([text, range]);
  }
  for (const [text, range] of ranges) {
    const withPrerelease = attempt(() => new semver.Range(text, including));
    const bits = versions.map(([, version]) => (range.test(version) ? '1' : '0')).join('');
    const includingBits = versions
      .map(([, version]) => (withPrerelease && withPrerelease.test(version) ? '1' : '0'))
      .join('');
    lines.push(`satisfies\t${text}\t${bits}\t${includingBits}`);
    lines.push(`intersects\t${text}\t${ranges.map(([, other]) => (range.intersects(other, loose) ? '1' : '0')).join('')}`);
  }
  for (const [text, version] of versions) {
    lines.push(`order\t${text}\t${versions.map(([, other]) => '<=>'[version.compare(other) + 1]).join('')}`);
  }
  lines.push('end');
  process.stdout.write(lines.join('\n') + '\n');
}

function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(next() * n);
  const pick = (list) => list[below(list.length)];
  const chance = (p) => next() < p;

  const number = () =>
    chance(0.9) ? String(below(4)) : pick(['10', '12', '01', '00', '007', '9007199254740991', '9007199254740990',
      '9007199254740993', '99999999999999999999999', '20240101']);
  const identifier = () =>
    pick(['0', '1', '2', '10', 'a', 'b', 'alpha', 'beta', 'rc', 'x', 'X', 'v', '-', '--', '-1', '01', '0a', '1a', 'A',
      '20240101', '9007199254740991', '90071992547409910000', 'beta-2']);
  const identifiers = () => Array.from({ length: 1 + below(3) }, identifier).join('.');
  const prerelease = () => (chance(0.35) ? pick(['-', '-', '-', '-', '']) + identifiers() : '');
  const build = () => (chance(0.06) ? '+' + identifiers() : '');
  const full = () => `${number()}.${number()}.${number()}${prerelease()}${build()}`;
  const component = () => (chance(0.85) ? number() : pick(['x', 'X', '*']));
  const partial = () => {
    if (chance(0.55)) return full();
    const count = 1 + below(3);
    const numbers = Array.from({ length: count }, component).join('.');
    return count === 3 ? numbers + prerelease() + build() : numbers;
  };
  const prefix = () => (chance(0.1) ? pick(['v', '=', 'v ', '= ', 'v=', '==', ' =v ', 'vv']) : '');
  const space = () => (chance(0.15) ? pick([' ', '  ']) : '');
  const comparator = () =>
    pick(['', '', '^', '^', '^', '~', '~', '~>', '>', '<', '>=', '>=', '<=', '<=', '=']) + space() + prefix() + partial();
  const alternative = () => {
    if (chance(0.02)) return '';
    if (chance(0.12)) return `${prefix()}${partial()}${space()} - ${space()}${prefix()}${partial()}`;
    return Array.from({ length: 1 + (chance(0.4) ? 1 + below(2) : 0) }, comparator).join(chance(0.95) ? ' ' : '');
  };
  const characters = [...'0123456789.xX*-+~^<>=v |abA_', '||', ' - ', '-0', '.0'];
  const mutated = (text) => {
    while (chance(0.35)) {
      const at = below(text.length + 1);
      text = text.slice(0, at) + (chance(0.7) ? pick(characters) : '') + text.slice(at + below(2));
    }
    return text;
  };
  const range = () => {
    const text = Array.from({ length: 1 + (chance(0.25) ? 1 + below(2) : 0) }, alternative).join(pick(['||', ' || ', ' ||']));
    return chance(0.3) ? mutated(text) : text;
  };
  const version = () => {
    const text = prefix() + full();
    return chance(0.15) ? mutated(text) : text;
  };
  return { range, version };
}

const curatedVersions = [
  '0.0.0', '0.0.0-0', '0.0.0-alpha', '0.0.1', '0.0.1-0', '0.0.2', '0.1.0', '0.1.0-0', '0.1.1', '0.2.0', '0.2.0-0', '0.9.9',
  '1.0.0', '1.0.0-0', '1.0.0-alpha', '1.0.0-alpha.0', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-alpha-1', '1.0.0-beta',
  '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0-rc.1', '1.0.0-Z', '1.0.0-1', '1.0.0-2', '1.0.0-10', '1.0.0-1a', '1.0.0--',
  '1.0.0--1', '1.0.0-x', '1.0.1', '1.0.1-rc', '1.2.0', '1.2.0-0', '1.2.2', '1.2.3', '1.2.3-0', '1.2.3-alpha',
  '1.2.3-alpha.1', '1.2.3-beta', '1.2.3-beta.4', '1.2.3-rc.1', '1.2.3+build', '1.2.3+build.7', '1.2.4', '1.2.4-0',
  '1.2.4-beta', '1.3.0', '1.3.0-0', '1.3.0-beta', '1.9.9', '1.10.0', '2.0.0', '2.0.0-0', '2.0.0-alpha', '2.0.0-rc.9',
  '2.0.1', '2.3.4', '2.5.0', '3.0.0', '3.0.0-0', '3.4.5', '3.5.0-0', '5.0.0', '7.2.3', '7.2.4-0', '9.9.9', '10.0.0',
  '10.20.30', '20.11.1', '1.0.0-20240101', '9007199254740991.9007199254740991.9007199254740991', '1.0.0-9007199254740990',
  '1.0.0-9007199254740991', '1.0.0-90071992547409910000',
  // Loose only, or not versions.
  'v1.2.3', ' 1.2.3 ', 'V1.2.3', 'vv1.2.3', '=1.2.3', '= 1.2.3', 'v 1.2.3', '= v1.2.3', '>1.2.3', '01.2.3', '1.02.3',
  '1.2.03', '1.2.3-01', '1.2.3-0a', '1.2.3beta', '1.2.3beta.1', '1.2.3a-b', '1.2.3-', '1.2.3-.a', '1.2.3.4', '1.2.34.5',
  '1.2.34.a', '1.2.34-.5', '1.2.3-a..b', '1.2.3-a.', '1.2.3+', '1.2.3+a..b', '1.2.3+a+b', '1.2.3-a_b', '1.2.3+a_b', '1.2',
  '1', '', 'x', '1.2.x', '1..3', '.1.2.3', '1.2.3 4', 'latest', '-1.2.3', '+1.2.3', '1.2.-3', '1.2.3--', '1.2.3-é',
  '9007199254740992.0.0', '0.9007199254740992.0', '0.0.9007199254740992', '1.2.3-00000000000000000001',
  '1.2.3-' + 'a'.repeat(250), '1.2.3-' + 'a'.repeat(251), '1.2.3+' + '1'.repeat(250), '0'.repeat(251) + '1.2.3',
];

const curatedRanges = [
  '', '*', 'x', 'X', ' ', '||', '* || 1.2.3', '1.2.3 ||', '|| 1.2.3', '>=0.0.0', '>= 0.0.0', '>=0.0.0-0', '<0.0.0', '<0.0.0-0',
  '>=0', '>=0.0', '>=00.0.0', '<0', '<=0', '>0', '0', '0.0', '0.x', '0.0.x', '1', '1.x', '1.x.x', '1.2', '1.2.x', '1.2.*',
  '1.2.3', '=1.2.3', '= 1.2.3', '== 1.2.3', '=1', '=1.2', 'v1.2.3', 'v1', '=v1.2.3', 'v 1.2.3', '1.2.3-alpha', '1.2.3beta',
  '1.2.3+build', '>1', '>1.2', '>1.2.3', '>=1', '>=1.2', '>=1.2.3', '<1', '<1.2', '<1.2.3', '<=1', '<=1.2', '<=1.2.3',
  '>1.2.3-alpha', '>=1.2.3-alpha', '<1.2.3-beta', '<=1.2.3-beta', '>x', '<x', '>=x', '<=x', '>*', '<*', '=*', '>=*', '^x',
  '~x', '^*', '~*', '>  1.2.3', '>=  1.2', '> = 1.2.3', '>= v1.2.3', '>=v 1.2', '>== 1.2.3', '=> 1.2.3', '=<1.2.3',
  '^0', '^0.0', '^0.0.0', '^0.0.1', '^0.1', '^0.1.1', '^0.1.x', '^0.x', '^1', '^1.2', '^1.2.3', '^1.x', '^1.2.x', '^1.x.3',
  '^1.2.3-alpha', '^1.2.3-alpha.1', '^0.0.1-beta', '^0.1.0-beta', '^1.2.3beta', '^ 1.2.3', '^v1.2.3', '^=1.2.3', '^01.2.3',
  '^00.1.2', '^0.00.1', '^0.0.0-0', '~0', '~0.0', '~0.0.0', '~0.0.1', '~0.1', '~1', '~1.2', '~1.2.3', '~1.x', '~1.2.x',
  '~1.2.3-beta', '~1.2.3-beta.2', '~> 1', '~>1.2', '~> 1.2.3', '~ 1.2', '~v1.2', '~=1.2.3', '~ > 1.2', '^ > 1.2', '~>=1.2',
  '1.2.3 - 2.3.4', '1.2 - 2.3.4', '1.2.3 - 2.3', '1.2.3 - 2', '1 - 2', '1.x - 2.x', 'x - 2', '1 - x', '* - *',
  '1.2.3-alpha - 2.0.0-beta', '1.2.3-alpha - 1.2.3-rc', '1.2.3 - 2.0.0 || 5', 'v1.2.3 - v2', '= 1.2.3 - = 2.0.0',
  '1.2.3  -  2.3.4', '1.2.3 - 2.3.4 - 3', '1.2.3 -2', '1.2.3- 2', '1.2.3 - ', ' - 1.2.3', '1 - 2 3', '0 1 - 2',
  '5.0.0 - 7.2.3', '1.2.3+a - 2.0.0+b', '1.2.3 +a - 2', '1 - 2 +a', '1 - 2 +a +b', '1 - +a 2.0.0', '> +a 1.2.3', '> +a 1.2',
  '1.2.3 2.0.0', '>=1.0.0 <2.0.0', '>=1.0.0<2.0.0', '>=1 <2 || >=3', '>1.2.3 <1.2.3', '>=2 <1', '<1 >2', '1.2.3 1.2.3',
  '>=1.2.3 >=1.2.3', '* 1.2.3', '1.2.3 *', '^1 ^1.2', '~1.2 !=1.2.3', '>=1.2.3 <1.3.0-beta', '>=1.2.3-alpha <1.2.3-beta',
  '^1.2.3 || ^2.0.0-alpha', '<0.0.0-0 || 1', '1 || <0.0.0-0', '<0 || >x', '>x || <x', '>=0.0.0 || 1.0.0-beta',
  '^1.0.0-alpha || *', '1.0.0-alpha || >=0.0.0-0', 'foo', 'foo || 1', '1 || foo', 'foo bar', '1.2.3 foo', '>=1.2.3 foo <2',
  'latest', '1.2.3.4', '1.2.34.5', '^1.2.34.5', '1.x.3', 'x.1', 'x.1.2', '*.1.2', '1.*.3', '^x.1', '~1.x.3', '1.2.3*',
  '*1.2.3', '1.2*', '1.2.3>=*', '1.2.3-*', '1.2.3 - *', '**', '>=1.2.3*', '*>=0.0.0', '1.2.x-beta', '1.2.xbeta', '1.x-beta',
  '1.2-beta', '>=1.2.x-beta', '1.2.3-', '^1.2.3-', '1.2.3-.a', '>=1.2.3--', '<1.2.3-01', '01.02.03', '>=01.2', '1.2.3++a',
  '+a', '1.2.3 +a', '>1.2.3+a <2', '>', '>=', '^', '~', '~>', '=', '-', '1 -', '^^1', '~~1', '~^1', '^~1', '<>1', '><1.2.3',
  '|', '1|2', '1|||2', '1||||2', '1.2.3 ||| 2.0.0', '>=9007199254740991', '>9007199254740991', '<=9007199254740991',
  '^9007199254740991.0.0', '~0.9007199254740991', '0.0.0 - 0.0.9007199254740991', '>=9007199254740992',
  '>9007199254740993 || 1', '<99999999999999999999999 || 1',
  '^99999999999999999999999 || 1', '^0.0.1 || ~0.0.2', '>=1.0.0-alpha <=1.0.0-beta.2',
  '1.0.0--', '>1.0.0--', '<=1.0.0-90071992547409910000', '>=1.0.0-9007199254740991', '^1.0.0-20240101',
  '>=10', '20 || >=22', '^18.17.0 || ^20.3.0 || >=21.0.0', '>=1.2.3-' + 'a'.repeat(250), '>=1.2.3-' + 'a'.repeat(251),
  'foo * bar', 'foo *', '<3.42.3>- >=* <=*.2', '>= v = 1.2.3', 'v = 1.2', '1v = 2', '1.2.3v = 2', '1.2.3x', '>1.2.3x', 'a >= 1.2.3', '1.2.3.4 > 2', '~1.2.3 > 1', '1.2.3, 2.0.0',
];

if (mode === 'curated') {
  writeRound(curatedVersions, curatedRanges);
} else {
  const seed = Number(seedText);
  for (let round = 0; round < Number(roundsText); round++) {
    const { range, version } = random(seed * 1000 + round);
    writeRound(Array.from({ length: 160 }, version), Array.from({ length: 260 }, range));
  }
}
