/**
 * Brings a checkout to where it can run: `node scripts/prepare.mjs start|test|build`. Plain JavaScript without packages,
 * since it is what installs them. Does only what is missing, so a second run takes a moment. All it says goes to stderr:
 * stdout is for the results of the command that follows.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAlive, withLock } from './build-lock.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const LEAST_NODE = [20, 19];
/** What becomes `dist/`; `tsconfig.build.json` says the same. */
const SOURCES = ['protocol', 'units', 'base', 'codegen', 'clients', 'simulator', 'cli', 'bench'];

/** What npm needs to compile a package that is not there ready-made for this machine. */
const BUILD_TOOLS = ['python3', 'make', 'g++'].map((name) => ({
  program: name,
  package: name,
  what: 'compiling SQLite',
}));

/** Programs wanted, by what for, and the Debian package of each. */
const COMPILER = { program: 'g++', package: 'g++', what: 'building firmware for this machine' };
const PROGRAMS = {
  start: [COMPILER],
  test: [
    COMPILER,
    { program: 'strace', package: 'strace', what: 'power cuts and failing disks in the tests' },
    { program: 'mount', package: 'mount', what: 'a small disk that is full in the tests' },
    { program: 'openssl', package: 'openssl', what: 'certificates of the test servers' },
    { program: 'ip', package: 'iproute2', what: 'network namespaces of the tests' },
    { program: 'ps', package: 'procps', what: 'looking for processes left behind' },
    { program: 'git', package: 'git', what: 'a fresh checkout in the tests' },
    { program: 'curl', package: 'curl', what: 'the command that the demonstration prints' },
    { program: 'systemd-notify', package: 'systemd', what: 'the notices of a service, and its unit, in the tests' },
    { program: 'wsdump', package: 'python3-websocket', what: 'a device of the cloud connector in Python' },
  ],
  build: [],
};

/** Prints and ends when something is wrong that a person must mend. */
function fail(message, exitCode = 1) {
  console.error(message);
  process.exit(exitCode);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])) return;
  fail(
    `Node.js ${process.versions.node} is too old: ${LEAST_NODE.join('.')} or newer is needed (Debian 13: apt-get install nodejs npm).`,
  );
}

function isWritable(path) {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function modifiedAt(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

function installPackages(goal) {
  const installed = modifiedAt(join(root, 'node_modules', '.package-lock.json'));
  if (installed >= modifiedAt(join(root, 'package-lock.json'))) return;
  console.error('Installing npm packages …');
  if (npmInstall(goal)) return;
  // Where SQLite is not there ready-made for this machine, npm compiles it.
  const isMissing = BUILD_TOOLS.some(({ program }) => !has(program));
  if (isMissing) {
    installPrograms(BUILD_TOOLS, true);
    if (npmInstall(goal)) return;
  }
  fail('npm install failed: see above. It needs the npm registry once.');
}

function npmInstall(goal) {
  const words = ['install', '--no-save', '--no-fund', '--no-audit', '--loglevel=error'];
  // Who waits for tests does not wait for the compiler's last per cent: a minute instead of three.
  const { CFLAGS = '', CXXFLAGS = '' } = process.env;
  const quick = goal === 'test' ? { CFLAGS: `${CFLAGS} -O1`, CXXFLAGS: `${CXXFLAGS} -O1` } : {};
  const env = { ...process.env, ...quick, JOBS: 'max' };
  return spawnSync('npm', words, { cwd: root, stdio: ['inherit', 2, 2], env }).status === 0;
}

function has(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
}

/** Installs what is missing through apt when root; otherwise says what to type, and ends where it cannot go on without. */
function installPrograms(programs, isNeeded) {
  const missing = programs.filter(({ program }) => !has(program));
  if (missing.length === 0) return;
  const packages = missing.map((entry) => entry.package);
  for (const { program, what } of missing) console.error(`${program} is missing (${what}).`);
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !has('apt-get')) {
    const command = `sudo apt-get update && sudo apt-get install ${packages.join(' ')}`;
    if (isNeeded) fail(`Install what is needed, then run this again:\n  ${command}`);
    console.error(`To have it:\n  ${command}`);
    return;
  }
  console.error(`Installing ${packages.join(', ')} …`);
  try {
    execFileSync('apt-get', ['update', '-qq'], { stdio: ['inherit', 2, 2] });
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
      stdio: ['inherit', 2, 2],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  } catch {
    if (isNeeded) fail(`apt-get could not install ${packages.join(' ')}: see above.`);
    console.error('apt-get failed: see above. Going on without.');
  }
}

/** The latest change of any source file, in ms. */
function sourcesModifiedAt() {
  let latest = Math.max(modifiedAt(join(root, 'tsconfig.json')), modifiedAt(join(root, 'tsconfig.build.json')));
  for (const folder of SOURCES) {
    const path = join(root, folder);
    if (!existsSync(path)) continue;
    latest = Math.max(latest, modifiedAt(path));
    for (const name of readdirSync(path, { recursive: true })) {
      if (name.endsWith('.ts')) latest = Math.max(latest, modifiedAt(join(path, name)));
    }
  }
  return latest;
}

/**
 * Compiles the sources into `dist/` when one of them changed since. Type errors, those of a user's definition too, end here.
 * The new folder takes the old one's place whole: a file whose source is gone does not stay, and what a build leaves that is
 * cut short, the next one removes. Several that need it at the same time wait for the first.
 */
export function build() {
  const dist = join(root, 'dist');
  const stamp = join(dist, 'built');
  if (modifiedAt(stamp) >= sourcesModifiedAt()) return;
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!existsSync(compiler)) {
    if (existsSync(stamp)) return;
    fail('The npm packages are not installed: run `npm install` in this folder once, or `npm start`.');
  }
  if (!isWritable(root))
    fail(
      `The TypeScript sources changed, and ${root} cannot be written here, as in a service: run \`npx baseunit --version\` in that folder once.`,
      2,
    );
  const isCompiled = withLock(join(root, 'dist.lock'), () => {
    // Another may have done it meanwhile.
    if (modifiedAt(stamp) >= sourcesModifiedAt()) return true;
    removeLeftOver();
    return compile(compiler, dist);
  });
  if (!isCompiled) fail('The TypeScript sources do not compile: see above.', 2);
}

/** Builds that were cut short by a kill. */
function removeLeftOver() {
  for (const name of readdirSync(root)) {
    const pid = /^dist\.(\d+)(\.old)?$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(root, name), { recursive: true, force: true });
  }
}

/** False: the compiler has said what is wrong. */
function compile(compiler, dist) {
  const startedAt = new Date();
  const fresh = join(root, `dist.${process.pid}`);
  const arguments_ = [compiler, '-p', 'tsconfig.build.json', '--outDir', fresh];
  const { status } = spawnSync(process.execPath, arguments_, { cwd: root, stdio: ['inherit', 2, 2] });
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    return false;
  }
  writeFileSync(join(fresh, 'built'), '');
  utimesSync(join(fresh, 'built'), startedAt, startedAt);
  takePlace(fresh, dist);
  return true;
}

/** Puts a folder in another's place. Somebody else may be doing the same at this moment with the same right. */
function takePlace(fresh, dist) {
  const old = `${fresh}.old`;
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (existsSync(dist)) renameSync(dist, old);
      renameSync(fresh, dist);
      break;
    } catch (error) {
      if (attempt === 5) throw error;
    }
    rmSync(old, { recursive: true, force: true });
  }
  rmSync(old, { recursive: true, force: true });
}

export function prepare(goal) {
  checkNode();
  installPackages(goal);
  installPrograms(PROGRAMS[goal], goal === 'test');
  build();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const goal = process.argv[2] ?? 'build';
  if (!Object.hasOwn(PROGRAMS, goal)) fail(`unknown goal ${goal}: ${Object.keys(PROGRAMS).join(', ')}`);
  prepare(goal);
}
