// Runs the browser checks against a real engine with its embedded pages, on the sample county.
//
//   npm run test:real [-- --shots DIR]
//
// WATCHFIRE_BIN is the program, by default the workspace's debug build. A recording with a toxic gas alarm and a tank level is
// published for as long as the checks run, so values move and cases open as they do at a plant.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const BIN = process.env.WATCHFIRE_BIN ?? here('../../../../target/debug/watchfire');
const CONFIG = here('../../../../config');
const USER = 'hongxin';
const ENTERPRISE = 'hongxin';
/** One row a second: more than the checks take. */
const ROWS = 900;
const READY_MS = 60_000;
/** The level's on-delay is 10 s. */
const CASES_MS = 60_000;

const run = promisify(execFile);
const children = [];

function start(args, name) {
  const child = spawn(BIN, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => said.push(String(text)));
  child.on('error', (fault) => said.push(String(fault)));
  const entry = { child, name, said, gone: new Promise((resolve) => child.on('close', resolve)) };
  children.push(entry);
  return entry;
}

async function end({ child, gone }) {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(late);
}

/** A port nobody has just now. */
function free() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function until(probe, words, wait, of) {
  const last = Date.now() + wait;
  for (;;) {
    const seen = await probe().catch(() => null);
    if (seen) return seen;
    const ended = of.child.exitCode !== null || of.child.signalCode !== null;
    if (ended || Date.now() > last) {
      throw new Error(`${words}: ${ended ? `${of.name} has ended` : `not within ${wait / 1000} s`}\n${of.said.join('').slice(-2_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function recording(folder) {
  const rows = ['GT-201,LIA-101'];
  for (let n = 0; n < ROWS; n += 1) rows.push(`${(60 + (n % 5) / 2).toFixed(1)},${(92 + (n % 7) / 10).toFixed(1)}`);
  const [file, map] = [join(folder, 'trouble.csv'), join(folder, 'trouble.toml')];
  await writeFile(file, `${rows.join('\n')}\n`);
  const columns = ['GT-201', 'LIA-101'].map((tag) => `[[column]]\nhead = "${tag}"\ntag = "${tag}"\n`);
  const head = [
    `enterprise = "${ENTERPRISE}"`,
    'format = "csv"',
    'header = true',
    'start = "2025-01-06T08:00:00+08:00"',
    'interval = "1s"',
  ];
  await writeFile(map, `${head.join('\n')}\n${columns.join('')}`);
  return { file, map };
}

async function main(folder) {
  const data = join(folder, 'data');
  const login = ['user', 'add', '--lang', 'en', '--data', data, '--config', CONFIG, '--role', 'enterprise'];
  const { stdout } = await run(BIN, [...login, '--person', 'hongxin-op1', '--generate', USER]);
  const password = /shown once\): (\S+)/.exec(stdout)?.[1];
  if (password === undefined) throw new Error(`no password in: ${stdout}`);

  const [http, listen] = [await free(), await free()];
  const url = `http://127.0.0.1:${http}`;
  const engine = start(
    ['run', '--config', CONFIG, '--data', data, '--http', `127.0.0.1:${http}`, '--listen', `127.0.0.1:${listen}`, '--public-url', url],
    'the engine',
  );
  await until(async () => (await fetch(`${url}/health/ready`)).ok, 'the engine is ready', READY_MS, engine);
  const page = await (await fetch(url)).text();
  if (!page.includes('/assets/')) throw new Error(`${BIN} was built without its pages: build it again without WATCHFIRE_SKIP_WEB`);

  const { file, map } = await recording(folder);
  const plant = start(['publish', file, '--map', map, '--mqtt', `mqtt://127.0.0.1:${listen}`, '--speed', 'real', '--now'], 'publish');
  const answer = await fetch(`${url}/api/v1/login`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ username: USER, password }),
  });
  const { token } = await answer.json();
  const opened = async () => {
    const { cases } = await (await fetch(`${url}/api/v1/cases`, { headers: { Authorization: `Bearer ${token}` } })).json();
    return ['red', 'orange'].every((level) => cases.some((c) => c.level === level));
  };
  await until(opened, 'a red and an orange case', CASES_MS, plant);

  const env = { ...process.env, WATCHFIRE_URL: url, WATCHFIRE_USER: USER, WATCHFIRE_PASSWORD: password };
  const checks = spawn(process.execPath, [here('browser.mjs'), ...process.argv.slice(2)], { env, stdio: 'inherit' });
  return new Promise((resolve) => checks.on('close', (code) => resolve(code ?? 1)));
}

const folder = await mkdtemp(join(tmpdir(), 'watchfire-real-'));
let code = 1;
try {
  code = await main(folder);
} catch (fault) {
  console.log(String(fault?.message ?? fault));
  console.log('0 passed, 1 failed');
} finally {
  // The one that publishes first: an engine that ends before it is no news of it.
  for (const child of children.reverse()) await end(child);
  await rm(folder, { recursive: true, force: true });
}
process.exit(code);
