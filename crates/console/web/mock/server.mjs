// A stand-in for the engine's HTTP API, for developing and testing the pages without one. It keeps the API's shape and the
// simplest rules (who may sign, what must be checked before closing); it is no engine, and nothing but tests uses it.

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONDITION_ZH, makeCase, makeHistory, makeMessages, makeTags, makeWindows, TIERS, USERS } from './county.mjs';

const CSP = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
const MIME = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const LEVELS = ['red', 'orange', 'yellow', 'blue'];
const NEEDS = new Set(['unacknowledged', 'returned-unacknowledged', 'latched-unacknowledged']);

/** One change that waits for whoever looks, one that was applied. */
function config(now, me) {
  const line = (condition, condition_zh, item, item_zh, old, fresh, direction, needs_ticket) => ({
    enterprise: 'e0',
    tag: 'LIA-101',
    condition,
    condition_zh,
    of: '',
    item,
    item_zh,
    old_zh: old,
    new_zh: fresh,
    old_en: old,
    new_en: fresh,
    unit: item === 'setpoint' ? '%' : '',
    direction,
    level: 'orange',
    needs_ticket,
  });
  const plan = {
    id: 'b1-1',
    status: 'waiting',
    from: 'a1',
    to: 'b1',
    made: now - 120_000,
    author: 'op-li',
    enterprises: ['e0'],
    looser: 2,
    tighter: 1,
    needs_ticket: true,
    lines: [
      line('high-high', '高高报', 'setpoint', '设定值', '90', '92', 'looser', true),
      line('high', '高报', 'on-delay', '报警延时', '0s', '30s', 'looser', false),
      line('low', '低报', 'setpoint', '设定值', '15', '20', 'tighter', false),
    ],
    lines_left_off: 0,
    effects: [
      {
        tag: 'e0/LIA-101',
        condition: 'high-high',
        what: 'would-return',
        at: null,
        text_zh: '按最新值将恢复(下一读数时)',
        text_en: 'would return by the newest value, with the next reading',
      },
    ],
    effects_left_off: 0,
    faults: [],
    at_next_start: [],
    ticket: 'B-17',
    reason: '量程改造',
    second: me.person,
  };
  const version = { rules: 'r', since: now - 86_400_000, ticket: '', reason: '', second: null, looser: 0, tighter: 0 };
  return {
    versions: [
      { ...version, version: '5c0ffee5c0ffee00', author: 'start' },
      {
        ...version,
        version: 'a1b2c3d4e5f60718',
        since: now - 3_600_000,
        author: 'op-li',
        ticket: 'B-16',
        reason: '季节调整',
        second: 'zj-wang',
        looser: 1,
        tighter: 3,
      },
    ],
    at_next_start: [],
    plans: [
      plan,
      { ...plan, id: 'd1-1', status: 'applying', made: now - 60_000, effects: [] },
      { ...plan, id: 'c1-1', status: 'planned', second: null, ticket: '', reason: '', effects: [] },
      { ...plan, id: 'e1-1', status: 'stale', made: now - 30 * 86_400_000, second: null, effects: [] },
    ],
  };
}

class Engine {
  constructor(tagCount, alarmCount) {
    const now = Date.now();
    this.seq = 1;
    /** Connected, but without a word: a half-dead network. */
    this.mute = false;
    this.answers = new Map();
    this.streams = new Set();
    this.tags = makeTags(tagCount, now);
    const values = { 0: 91.3, 4: 24.6, 37: 43.2, 2: 2.31 };
    for (const [at, value] of Object.entries(values)) this.tags[at].value = value;
    this.cases = [
      makeCase(this.tags, now, '1124-01', 'blue', 'reported', [[2, 'high', 'blue', 2.31, 2, 48]]),
      makeCase(this.tags, now, '1124-02', 'orange', 'notified', [
        [36, 'high', 'blue', 81.2, 80, 4],
        [36, 'high-high', 'orange', 91.3, 90, 3],
      ]),
      makeCase(this.tags, now, '1124-03', 'red', 'notified', [[4, 'high-high', 'red', 24.6, 20, 1]]),
      makeCase(this.tags, now, '1124-04', 'yellow', 'overdue', [[37, 'high', 'yellow', 43.2, 40, 12]]),
    ];
    const done = { tier: 0, person: 'op-li', name: '李桂芳', at: now - 46 * 60_000 };
    this.cases[0].announcements[0].signed.push(done);
    this.cases[0].episodes[0].state = 'normal';
    this.cases[0].episodes[0].outcome = { outcome: 'process-upset', zh: '工艺波动', person: 'op-li', name: '李桂芳', at: done.at };
    this.cases[0].next = null;
    ({ people: this.people, messages: this.messages } = makeMessages(this.cases));
    this.windowsSeq = 1;
    this.suppressed = [];
    this.windows = makeWindows(now);
    this.tags[1].marks = ['under-test'];
    // The engine's own, which carries alarms and never a value.
    this.tags.push({
      ...this.tags[0],
      tag: '_system/broker',
      enterprise: '_system',
      enterprise_name: '系统',
      name: '消息服务器',
      signal: 'system',
      signal_zh: '系统',
      equipment: '',
      equipment_name: '',
      gateway: null,
      range: null,
      value: null,
      quality: null,
      source_time: null,
    });
    this.sirens = [{ enterprise: 'e0', enterprise_name: '溪口化工', zone: '甲类罐区', sound: true, light: true, version: 3, level: 'red' }];
    this.extra = Array.from({ length: alarmCount }, (_, n) => {
      const tag = this.tags[(n * 7) % tagCount];
      return {
        tag: `${tag.tag}.${n}`,
        condition: 'high',
        condition_zh: '高报',
        level: LEVELS[n % 4],
        state: n % 3 === 0 ? 'unacknowledged' : 'acknowledged',
        since: now - n * 1_000,
        value: 40 + n / 10,
        setpoint: 40,
        unit: tag.unit,
        rationale: null,
        late: false,
        episode: { since: (now - n * 1_000) * 1000 },
        case: null,
        told: true,
        gateway: null,
        enterprise_name: tag.enterprise_name,
        equipment_name: tag.equipment_name,
        tag_name: tag.name,
      };
    });
  }

  alarms() {
    const of = this.cases
      .filter((c) => c.closed === null)
      .flatMap((c) =>
        c.episodes
          .filter((e) => e.state !== 'normal')
          .map((e) => {
            const a = c.announcements.find((known) => known.condition === e.alarm.condition && known.tag === e.alarm.tag);
            const by = this.suppressed.find((one) => one.tag === e.alarm.tag && one.condition === e.alarm.condition)?.by;
            return {
              marks: by === undefined ? {} : { suppressed: true },
              suppressed_by: by ?? [],
              tag: e.alarm.tag,
              condition: e.alarm.condition,
              condition_zh: e.condition_zh,
              level: e.level,
              state: e.state,
              since: e.episode.since / 1000,
              value: a.value,
              setpoint: a.setpoint,
              unit: a.unit,
              late: false,
              episode: e.episode,
              case: c.id,
              told: true,
              gateway: c.gateway ?? null,
              enterprise_name: c.enterprise_name,
              equipment_name: c.equipment_name,
              tag_name: a.tag_name,
            };
          }),
      );
    return [...of, ...this.extra];
  }

  acts(c, me) {
    if (me.tier === null || c.closed !== null) return [];
    const acts = [];
    if (me.tier === 0 && c.episodes.some((e) => NEEDS.has(e.state))) acts.push('acknowledge');
    if (!c.announcements.every((a) => a.signed.some((s) => s.tier === me.tier))) acts.push('accept');
    if (me.tier === 0) {
      if (c.announcements.every((a) => a.signed.some((s) => s.tier === 0))) acts.push('check', 'handle', 'report');
      if (c.level === 'red') acts.push('reset-siren');
    } else acts.push('remind', 'supervise', 'review', 'return');
    return [...acts, 'close'];
  }

  view(c, me, timeline = false) {
    const { timeline: steps, ...rest } = c;
    const answered = me.tier === null || c.announcements.every((a) => a.signed.some((s) => s.tier === me.tier));
    return { ...rest, answered, acts: this.acts(c, me), ...(timeline ? { timeline: steps } : {}) };
  }

  seen(me) {
    return this.cases.filter((c) => me.tier !== 0 || c.enterprise === me.body);
  }

  overview(me) {
    const open = this.seen(me).filter((c) => c.closed === null);
    return {
      now: Date.now(),
      seq: this.seq,
      demo: true,
      time_factor: 1,
      scene: '有毒气体高高报：三级同时接到，现场声光已响',
      link: [{ source: 'builtin', up: true, since: Date.now() }],
      counts: Object.fromEntries(LEVELS.map((level) => [level, open.filter((c) => c.level === level).length])),
      unanswered: open.filter((c) => !this.view(c, me).answered).length,
      standing_alarms: this.alarms().length - this.explained().length,
      explained_alarms: this.explained().length,
      suppressed: this.suppressed.length,
      suppressed_standing: this.suppressed.filter((one) => one.state !== 'normal').length,
      tags: this.tags.filter((tag) => tag.signal !== 'system').length,
      tags_bad: this.tags.filter((tag) => tag.quality === 'bad').length,
      windows: {
        seq: this.windowsSeq,
        shelved: this.windows.filter((w) => w.kind === 'shelved' && w.in_force).length,
        out_of_service: this.windows.filter((w) => w.kind === 'out-of-service' && w.in_force).length,
        under_test: this.windows.filter((w) => w.kind === 'under-test' && w.in_force).length,
        waiting: this.windows.filter((w) => !w.in_force).length,
        held: this.windows.reduce((sum, w) => sum + w.held, 0),
      },
      floods: 1,
      tiers: TIERS,
      utc_offset_ms: 28_800_000,
    };
  }

  note(c, me, text_zh, text_en, comment = null) {
    c.timeline.push({
      at: Date.now(),
      kind: 'act',
      text_zh,
      text_en,
      person: me.person,
      name: me.name,
      tier: me.tier,
      comment,
      late: false,
    });
  }

  act(body, me) {
    const known = this.answers.get(body.id);
    if (known !== undefined) return known;
    const answer = this.judge(body, me);
    this.answers.set(body.id, answer);
    return answer;
  }

  judge(body, me) {
    const now = Date.now();
    const refuse = (reason, text_zh, text_en) => ({ answer: 'refused', now, reasons: [{ reason, text_zh, text_en }] });
    if (body.act === 'silence') return { answer: 'done', now };
    const c = this.cases.find((known) => known.id === body.case || body.episodes?.some((e) => known.episodes.some((k) => same(k, e))));
    const changed = { cases: c === undefined ? [] : [c], alarms: [] };
    if (body.act === 'reset-siren') {
      for (const s of this.sirens) if (s.enterprise === body.enterprise && s.zone === body.zone) s.sound = false;
    } else if (body.act === 'acknowledge') {
      for (const alarm of [...this.extra, ...this.cases.flatMap((known) => known.episodes)]) {
        const id = alarm.alarm === undefined ? { alarm, episode: alarm.episode } : alarm;
        if (body.episodes.some((e) => same(id, e)) && NEEDS.has(alarm.state)) alarm.state = 'acknowledged';
      }
      changed.alarms = this.alarms().filter((a) => body.episodes.some((e) => same({ alarm: a, episode: a.episode }, e)));
      if (c !== undefined) this.note(c, me, '报警确认', 'Acknowledged');
    } else if (c === undefined || c.closed !== null) {
      return refuse('no-such-case', '没有这张处置单，或已办结', 'No such case, or it is closed');
    } else if (body.act === 'accept') {
      for (const a of c.announcements) {
        if (body.announcements.some((key) => same(key, a.key)) && !a.signed.some((s) => s.tier === me.tier)) {
          a.signed.push({ tier: me.tier, person: me.person, name: me.name, at: now });
        }
      }
      if (me.tier === 0) {
        c.step = 'accepted';
        c.next = null;
      }
      for (const m of this.messages)
        if (m.case === c.id && this.people.find((p) => p.person === m.person)?.tier === me.tier) m.answered = true;
      this.note(c, me, '签收', 'Accepted');
    } else if (body.act === 'check') {
      for (const e of c.episodes) {
        if (!body.episodes.some((wanted) => same(wanted, e))) continue;
        if (body.outcome === 'false' && e.alarm.tag.includes('GT') && body.field === null) {
          return refuse(
            'field-check-needed',
            '气体误报须写明谁去的、何时、便携仪读数',
            'A gas alarm called false needs who went, when and the portable reading',
          );
        }
        e.outcome = { outcome: body.outcome, zh: body.outcome, person: me.person, name: me.name, at: now };
      }
      c.step = 'checked';
      this.note(c, me, '核实', 'Checked', body.comment);
    } else if (body.act === 'close') {
      const stands = c.episodes.find((e) => e.state !== 'normal');
      if (stands !== undefined) {
        const name = `${stands.alarm.tag.split('/')[1]}${stands.condition_zh}`;
        return refuse('alarm-stands', `报警还在：${name}`, `The alarm still stands: ${stands.alarm.tag} ${stands.alarm.condition}`);
      }
      c.closed = now;
      c.step = 'closed';
      c.next = null;
      this.note(c, me, '办结', 'Closed', body.comment);
    } else {
      const step = { handle: 'handling', report: 'reported', review: 'reviewed', return: 'returned' }[body.act];
      if (step !== undefined) c.step = step;
      if (body.act === 'return') c.returned_count += 1;
      if (body.act === 'supervise') c.supervised = true;
      this.note(c, me, body.act, body.act, body.comment);
    }
    this.tell(changed);
    return { answer: 'done', now };
  }

  /** Tells every stream what changed, each within its own jurisdiction. */
  tell(changed) {
    this.seq += 1;
    for (const stream of this.streams) {
      const mine = changed.cases.filter((known) => this.seen(stream.me).includes(known));
      stream.send('change', {
        seq: this.seq,
        cases: mine.map((known) => this.view(known, stream.me)),
        alarms: changed.alarms,
        messages: this.messages.filter((m) => mine.some((known) => known.id === m.case)),
        sirens: this.sirens,
        tags: changed.tags ?? [],
        overview: this.overview(stream.me),
      });
    }
  }

  explained() {
    return this.extra.filter((a) => !a.told && a.marks?.suppressed !== true);
  }

  /** The gateway of enterprise `e` is lost: one case, and `count` silent tags that nobody is told of one by one. */
  loseGateway(e, count) {
    const now = Date.now();
    const own = { ...this.tags.find((tag) => tag.enterprise === e), tag: `${e}/GW`, name: '网关', equipment_name: '网关 GW', unit: '' };
    const c = makeCase([own], now, '1124-09', 'yellow', 'notified', [[0, 'gateway-lost', 'yellow', null, null, 0]]);
    this.cases.push(c);
    const silent = this.tags.filter((tag) => tag.enterprise === e).slice(0, count);
    this.extra.push(
      ...silent.map((tag) => ({
        tag: tag.tag,
        condition: 'stale',
        condition_zh: '断数',
        level: 'blue',
        state: 'unacknowledged',
        since: now,
        value: null,
        setpoint: null,
        unit: tag.unit,
        rationale: null,
        late: false,
        episode: { since: now * 1000 },
        case: null,
        told: false,
        gateway: own.tag,
        enterprise_name: tag.enterprise_name,
        equipment_name: tag.equipment_name,
        tag_name: tag.name,
      })),
    );
    this.tell({ cases: [c], alarms: this.alarms().filter((a) => a.case === c.id || !a.told) });
  }

  /** The compressor trips and its area stops: other limits in force, and conditions of three tags suppressed, of which one is raised by it, one
   * was told of before in a case, and one is normal. */
  stop(at, before, other) {
    const now = Date.now();
    const [raised, told, quiet] = [this.tags[at], this.tags[before], this.tags[other]];
    const by = [{ tag: 'e0/K-101T', name: 'K-101 停机' }];
    const suppressed = (tag, condition, state, more) => ({
      tag: tag.tag,
      tag_name: tag.name,
      condition,
      condition_zh: CONDITION_ZH[condition],
      level: 'yellow',
      state,
      enterprise_name: tag.enterprise_name,
      equipment_name: tag.equipment_name,
      since: now,
      untold: 0,
      by,
      ...more,
    });
    this.suppressed = [
      suppressed(raised, 'low', 'unacknowledged', { untold: 1 }),
      suppressed(told, 'high', 'unacknowledged', {}),
      suppressed(quiet, 'low', 'normal', { since: null, by: [...by, { tag: null, name: '停车' }] }),
    ];
    this.windowsSeq += 1;
    for (const tag of [raised, told, quiet]) tag.mode = { name: '停车', ordinary: false };
    raised.suppressed = ['low'];
    quiet.suppressed = ['low'];
    told.suppressed = ['high'];
    raised.limits_in_force = { ...raised.limits, high: raised.limits.high - 20 };
    const alarm = {
      tag: raised.tag,
      condition: 'low',
      condition_zh: CONDITION_ZH.low,
      level: 'yellow',
      state: 'unacknowledged',
      since: now,
      value: raised.limits.low / 2,
      setpoint: raised.limits.low,
      unit: raised.unit,
      rationale: null,
      late: false,
      episode: { since: now * 1000 },
      case: null,
      told: false,
      marks: { suppressed: true, untold: 1 },
      suppressed_by: by,
      gateway: 'e0/GW',
      enterprise_name: raised.enterprise_name,
      equipment_name: raised.equipment_name,
      tag_name: raised.name,
    };
    this.extra.push(alarm);
    this.tell({ cases: [], alarms: this.alarms().filter((a) => a.marks?.suppressed), tags: [raised, told, quiet] });
  }

  /** A new alarm on tag number `at`, with its case. */
  raise(at, condition, level, value, setpoint) {
    const number = `1124-${String(this.cases.length + 1).padStart(2, '0')}`;
    const c = makeCase(this.tags, Date.now(), number, level, 'notified', [[at, condition, level, value, setpoint, 0]]);
    this.cases.push(c);
    this.tell({ cases: [c], alarms: this.alarms().filter((a) => a.case === c.id) });
    return c.id;
  }
}

function same(a, b) {
  return a.alarm.tag === b.alarm.tag && a.alarm.condition === b.alarm.condition && a.episode.since === b.episode.since;
}

/** Starts the mock; `dist` is the folder of built pages. Resolves to its address and a way to end it as if it were killed. */
export async function startMock({
  port = 0,
  tags = 671,
  alarms = 0,
  sessions = new Map(),
  dist = fileURLToPath(new URL('../dist', import.meta.url)),
} = {}) {
  const engine = new Engine(tags, alarms);
  const server = createServer((request, response) => {
    serve(engine, sessions, dist, request, response).catch((fault) => {
      console.error(fault);
      response.writeHead(500).end();
    });
  });
  const timer = setInterval(() => {
    const now = Date.now();
    const rows = engine.tags
      .filter((tag, n) => tag.value !== null && tag.labels === null && (n + Math.floor(now / 1000)) % 3 === 0)
      .map((tag) => {
        tag.value += (Math.random() - 0.5) * (tag.value > 0 ? tag.value * 0.004 : 0);
        tag.source_time = now - 800;
        return [tag.tag, tag.value, tag.quality, tag.source_time];
      });
    if (engine.mute) return;
    for (const stream of engine.streams) stream.send('values', { now, values: rows });
  }, 1_000);
  const beat = setInterval(() => {
    if (engine.mute) return;
    for (const stream of engine.streams) stream.send('heartbeat', { now: Date.now(), seq: engine.seq });
  }, 5_000);
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    engine,
    sessions,
    kill() {
      clearInterval(timer);
      clearInterval(beat);
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(engine, sessions, dist, request, response) {
  const url = new URL(request.url, 'http://mock');
  const path = url.pathname;
  const json = (status, body, headers = {}) =>
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
  if (!path.startsWith('/api/')) {
    const file = extname(path) === '' ? '/index.html' : normalize(path);
    const bytes = await readFile(join(dist, file)).catch(() => null);
    if (bytes === null) return response.writeHead(404).end();
    return response
      .writeHead(200, { 'Content-Type': MIME[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': CSP })
      .end(bytes);
  }
  const body = request.method === 'POST' ? JSON.parse((await text(request)) || '{}') : null;
  if (path === '/api/v1/login') {
    const user = USERS[body.username];
    if (user === undefined || user.password !== body.password) return json(401, { error: 'wrong-login', text: '账号或密码不对' });
    const { password: _, ...me } = { username: body.username, ...user };
    const token = `${body.username}-${sessions.size}`;
    sessions.set(token, me);
    return json(200, { token, me }, { 'Set-Cookie': `watchfire_session=${token}; HttpOnly; SameSite=Strict; Path=/` });
  }
  const token = /watchfire_session=([^;]+)/.exec(request.headers.cookie ?? '')?.[1];
  const me = sessions.get(token);
  if (me === undefined) return json(401, { error: 'no-session', text: '请登录' });
  if (request.method === 'POST' && request.headers['x-watchfire'] !== '1') return json(403, { error: 'cross-site', text: '' });
  const head = { now: Date.now(), seq: engine.seq };
  const of = (name) => url.searchParams.get(name);
  const past = /^\/api\/v1\/tags\/([^/]+)\/([^/]+)\/history$/.exec(url.pathname);
  if (past !== null) {
    const tag = engine.tags.find((known) => known.tag === `${decodeURIComponent(past[1])}/${decodeURIComponent(past[2])}`);
    if (tag === undefined || (me.tier === 0 && tag.enterprise !== me.body)) return json(404, { error: 'not-found', text: '没有找到' });
    return json(200, { now: head.now, ...makeHistory(tag, Number(of('from')), Number(of('to')), Number(of('points') ?? 500)) });
  }
  switch (path) {
    case '/api/v1/logout':
      sessions.delete(token);
      return response.writeHead(204).end();
    case '/api/v1/me':
      return json(200, me);
    case '/api/v1/overview':
      return json(200, engine.overview(me));
    case '/api/v1/cases': {
      const closed = of('state') === 'closed';
      return json(200, {
        ...head,
        cases: engine
          .seen(me)
          .filter((c) => (c.closed !== null) === closed)
          .map((c) => engine.view(c, me))
          .sort(
            (a, b) => Number(a.answered) - Number(b.answered) || LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) || b.opened - a.opened,
          ),
      });
    }
    case '/api/v1/alarms':
      return json(200, { ...head, alarms: engine.alarms().filter((a) => me.tier !== 0 || a.tag.startsWith(`${me.body}/`)) });
    case '/api/v1/tags': {
      const mine = engine.tags.filter((tag) => me.tier !== 0 || tag.enterprise === me.body);
      const offset = Number(of('offset') ?? 0);
      return json(200, { now: head.now, total: mine.length, tags: mine.slice(offset, offset + Number(of('limit') ?? 100)) });
    }
    case '/api/v1/windows':
      return json(200, {
        now: head.now,
        windows: engine.windows,
        floods: [{ enterprise: 'e0', enterprise_name: '溪口化工', since: head.now - 240_000, count: 23 }],
        commissioning: [
          {
            enterprise: 'e1',
            enterprise_name: '云岭精细',
            integrator: '集成商 何工',
            until: head.now - 3_600_000,
            overdue: true,
            tags: 24,
          },
        ],
        suppressed: engine.suppressed.filter((one) => me.tier !== 0 || one.tag.startsWith(`${me.body}/`)),
      });
    case '/api/v1/messages':
      return json(200, { people: engine.people, messages: engine.messages });
    case '/api/v1/people': {
      const body = of('enterprise');
      const people = Object.values(USERS).filter((user) => user.body === body && user.role === 'enterprise');
      return json(200, {
        people: people.map((user) => ({ id: user.person, name: user.name, body: user.body, body_name: user.body_name })),
      });
    }
    case '/api/v1/sirens':
      return json(200, engine.sirens);
    case '/api/v1/quarantine':
      return json(200, {
        total_counted: 2,
        rows: [
          {
            source: 'builtin',
            topic: 'watchfire/v1/e0/LIA-101',
            reason: 'not-a-number',
            text_zh: '数值不是数',
            text_en: 'The value is not a number',
            at: head.now - 60_000,
            payload_hex: '7b2276616c7565223a4e614e7d',
            payload_text: '{"value":NaN}',
          },
          {
            source: 'builtin',
            topic: 'watchfire/v1/e0/NEW-9',
            reason: 'unknown-tag',
            text_zh: '未知位号',
            text_en: 'Unknown tag',
            at: head.now - 3_600_000,
            payload_hex: '3c696d67207372633d78206f6e6572726f723d616c6572742831293e',
            payload_text: '<img src=x onerror=alert(1)>',
          },
        ],
      });
    case '/api/v1/config':
      return json(200, config(head.now, me));
    case '/api/v1/acts': {
      await new Promise((resolve) => setTimeout(resolve, 150));
      const answer = engine.act(body, me);
      return json(answer.answer === 'done' ? 200 : 409, answer);
    }
    case '/api/v1/events': {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      const stream = {
        me,
        end: () => response.end(),
        send: (event, data) => response.write(`event: ${event}\nid: ${engine.seq}\ndata: ${JSON.stringify(data)}\n\n`),
      };
      stream.send('heartbeat', head);
      engine.streams.add(stream);
      request.on('close', () => engine.streams.delete(stream));
      return undefined;
    }
    default: {
      const wanted = /^\/api\/v1\/config\/versions\/([^/]+)$/.exec(path)?.[1];
      if (wanted !== undefined) {
        const { versions, plans } = config(head.now, me);
        const version = versions.find((known) => known.version === decodeURIComponent(wanted));
        if (version === undefined) return json(404, { error: 'not-found', text: '' });
        const lines = version.author === 'start' ? [] : plans[0].lines;
        return json(200, { version, before: null, event: lines.length > 0 ? 'applied' : null, lines, lines_left_off: 0 });
      }
      const id = /^\/api\/v1\/cases\/([^/]+)$/.exec(path)?.[1];
      const c = id === undefined ? undefined : engine.seen(me).find((known) => known.id === decodeURIComponent(id));
      return c === undefined ? json(404, { error: 'not-found', text: '' }) : json(200, engine.view(c, me, true));
    }
  }
}

async function text(request) {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const size = process.env.MOCK_SIZE === 'big' ? { alarms: 500 } : {};
  const mock = await startMock({ port: Number(process.env.PORT ?? 8080), ...size });
  console.log(`${mock.url}  (${Object.keys(USERS).join(', ')}; password: watch)`);
}
