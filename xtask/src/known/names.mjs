// Prints, as JSON, the names of the fields and settings that other package managers document or
// define. Names are facts; nothing else is taken. Argument: a folder with `node_modules`.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const folder = process.argv[2];
const modules = join(folder, "node_modules");
const read = (...path) => readFileSync(join(modules, ...path), "utf8");
const version = (name) => JSON.parse(read(name, "package.json")).version;
const sorted = (names) => [...new Set(names)].sort();
const camel = (name) => name.replace(/-([a-z0-9])/g, (_, letter) => letter.toUpperCase());
const need = (list, what) => {
  if (list.length === 0) throw new Error(`${what} has changed its form: no name was found`);
  return list;
};

function npmSettings() {
  const require = createRequire(join(modules, "npm/index.js"));
  return Object.keys(require("@npmcli/config/lib/definitions").definitions);
}

/** The keys of the object literal that has an entry, and the names in arrays and objects. */
function pnpmSettings() {
  const names = [];
  for (const [name, file] of [["pnpm-11", "pnpm.mjs"], ["pnpm-10", "pnpm.cjs"]]) {
    const text = read(name, "dist", file);
    const entry = text.indexOf('"auto-install-peers": Boolean');
    const literal = text.slice(text.lastIndexOf("{", entry), text.indexOf("}", entry));
    names.push(...need(keys(literal), name).map(camel));
  }
  const text = read("pnpm-11", "dist/pnpm.mjs");
  for (const list of ["TYPED_WORKSPACE_MANIFEST_KEYS", "CONFIG_ONLY_SETTING_KEYS",
    "UNTYPED_WORKSPACE_SETTING_KEYS", "MIGRATED_PNPM_FIELD_KEYS"]) {
    const found = text.match(new RegExp(`\\b${list} = [^\\[]*\\[([^\\]]*)\\]`));
    names.push(...need([...(found?.[1] ?? "").matchAll(/"([^"]+)"/g)], list).map((name) => name[1]));
  }
  const others = text.match(/SETTINGS_OF_OTHER_PNPM_VERSIONS = (\{[^}]*\})/)?.[1] ?? "";
  names.push(...need(keys(others), "SETTINGS_OF_OTHER_PNPM_VERSIONS"));
  return names;
}

function keys(literal) {
  return [...literal.matchAll(/^\s+"?([a-zA-Z-]+)"?: /gm)].map((name) => name[1]);
}

function yarnSettings() {
  const project = join(folder, "yarn-project");
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, "package.json"), "{}");
  writeFileSync(join(project, "yarn.lock"), "");
  const program = join(modules, "@yarnpkg/cli-dist/bin/yarn.js");
  const output = execFileSync(process.execPath, [program, "config", "--json"], {
    cwd: project, encoding: "utf8",
  });
  const lines = output.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line).key).filter(Boolean);
}

function bunSettings() {
  const page = read("bun-types/docs/runtime/bunfig.mdx");
  const headings = page.matchAll(/^#{3,4} (`[^`]+`(?: and `[^`]+`)*)/gm);
  return [...headings].flatMap((line) => [...line[1].matchAll(/`([a-zA-Z.-]+)`/g)].map((name) => name[1]));
}

/** The fields that npm's page describes, that Yarn reads, and that Bun's pages show. */
function packageJson() {
  const page = read("npm/docs/content/configuring-npm/package-json.md");
  const headings = [...page.matchAll(/^### (.*)$/gm)].map((line) => line[1]);
  const npm = headings.flatMap((line) =>
    /^[a-z][A-Za-z]+$/.test(line) ? [line] : line.match(/^people fields: (.*)$/)?.[1].split(", ") ?? []);
  const code = read("@yarnpkg/cli-dist/bin/yarn.js");
  const start = code.search(/load\(\w+,\{yamlCompatibilityMode/);
  const yarn = code.slice(start, start + 9000).matchAll(/typeof e\.([a-zA-Z]+)/g);
  const bun = mdx(join(modules, "bun-types/docs/pm")).flatMap((text) =>
    [...text.matchAll(/^```json[^\n]*\bpackage\.json\b[^\n]*\n({\n.*?)^```/gms)].flatMap((block) =>
      [...block[1].matchAll(/^  "([a-zA-Z]+)":/gm)].map((name) => name[1])));
  return [...need(npm, "npm's page"), ...need([...yarn], "Yarn").map((name) => name[1]),
    ...need(bun, "Bun's pages")];
}

function mdx(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith(".mdx"))
    .map((file) => readFileSync(join(folder, file), "utf8"));
}

const lists = {
  "npm-settings": [["npm"], npmSettings()],
  "pnpm-settings": [["pnpm-11", "pnpm-10"], pnpmSettings()],
  "yarn-settings": [["@yarnpkg/cli-dist"], yarnSettings()],
  "bun-settings": [["bun-types"], bunSettings()],
  "package-json": [["npm", "@yarnpkg/cli-dist", "bun-types"], packageJson()],
};
const printed = Object.entries(lists).map(([list, [from, names]]) => {
  const origin = from.map((name) => `${name} ${version(name)}`).join(", ");
  return [list, `# ${origin}\n${sorted(need(names, list)).join("\n")}\n`];
});
console.log(JSON.stringify(Object.fromEntries(printed)));
