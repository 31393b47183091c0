// What the page knows of the engine: read once, then kept live by the event stream. Nothing here is ever guessed ahead of the
// engine; after any gap in the stream everything is read again.

import { get, SessionEnded } from './api';
import { alarmKey, byAlarmUrgency, byUrgency, byWeight, isStanding, needsAcknowledgement } from './order';
import { isLost, ServerClock } from './time';
import type { Alarm, Case, Change, Me, Message, Overview, Person, Quality, Siren, Tag, ValueRow } from './types';

/** A tag with its newest value: only the rows that show a changed value are drawn again. */
export class LiveTag {
  /** Replaced when another operating mode brings other limits into force. */
  info = $state.raw<Tag>() as Tag;
  value = $state<number | null>(null);
  quality = $state<Quality | null>(null);
  at = $state<number | null>(null);

  /** A gateway's or the engine's own tag: it carries alarms and never a value. */
  readonly silent: boolean;

  constructor(info: Tag) {
    this.info = info;
    this.silent = info.signal === 'gateway' || info.signal === 'system';
    this.value = info.value;
    this.quality = info.quality;
    this.at = info.source_time;
  }
}

/** Messages kept on the page; older ones are in the case they belong to. */
const MESSAGES_MAX = 1_000;
const CLOSED_MAX = 200;
const TAGS_PAGE = 500;
/** Open cases and alarms asked for; the engine has its own bound. */
const ROWS = 1_000;
/** Changes are drawn together at most this often, so that a flood stays readable. */
const DRAW_EVERY_MS = 100;
/** A broken stream is said at once, unless it heals within this: an engine restart takes less. */
const ERROR_GRACE_MS = 2_500;

/** Windows that begin or end together are read of once. */
const MARKS_AFTER_MS = 1_000;

/** How many windows of each kind are in force. */
function inForce(overview: Overview | null): string {
  const { shelved, out_of_service, under_test } = overview?.windows ?? { shelved: 0, out_of_service: 0, under_test: 0 };
  return `${shelved} ${out_of_service} ${under_test}`;
}

const here = (): number => performance.now();

class Live {
  me = $state.raw<Me | null>(null);
  overview = $state.raw<Overview | null>(null);
  cases = $state.raw<ReadonlyMap<string, Case>>(new Map());
  closed = $state.raw<ReadonlyMap<string, Case> | null>(null);
  alarms = $state.raw<ReadonlyMap<string, Alarm>>(new Map());
  sirens = $state.raw<ReadonlyMap<string, Siren>>(new Map());
  people = $state.raw<Person[]>([]);
  messages = $state.raw<ReadonlyMap<string, Message> | null>(null);
  tags = $state.raw<ReadonlyMap<string, LiveTag>>(new Map());
  /** The engine's time, moved on every second for whatever counts down. */
  now = $state(Date.now());
  lost = $state(false);
  lastHeard = $state<number | null>(null);
  loaded = $state(false);
  ended = $state(false);

  readonly openCases = $derived([...this.cases.values()].sort(byUrgency));
  readonly openAlarms = $derived([...this.alarms.values()].sort(byAlarmUrgency));
  readonly closedCases = $derived([...(this.closed?.values() ?? [])].sort((a, b) => (b.closed ?? 0) - (a.closed ?? 0)));
  /** The worst alarm of each tag that has one: one that stands, if any does. */
  readonly worst = $derived.by(() => {
    const worst = new Map<string, Alarm>();
    for (const alarm of this.alarms.values()) {
      const known = worst.get(alarm.tag);
      if (known === undefined || byWeight(alarm, known) < 0) worst.set(alarm.tag, alarm);
    }
    return worst;
  });

  get offset(): number {
    return this.overview?.utc_offset_ms ?? 0;
  }

  private clock = new ServerClock();
  private stream: EventSource | null = null;
  private heardAt = here();
  private brokenAt: number | null = null;
  private reopenWait = 500;
  private waiting: Change[] = [];
  /** What the stream said while something was being read: the answer may be older than that, so it is laid over it. */
  private meanwhile: Change[] = [];
  private meanwhileValues: ValueRow[] = [];
  private readers = 0;
  private marksTimer: ReturnType<typeof setTimeout> | null = null;
  private readPeopleSoon: ReturnType<typeof setTimeout> | null = null;
  private drawTimer: ReturnType<typeof setTimeout> | null = null;
  private reading = 0;
  private readAgain: ReturnType<typeof setTimeout> | null = null;
  private beat: ReturnType<typeof setInterval> | null = null;

  start(me: Me): void {
    this.me = me;
    this.ended = false;
    this.heardAt = here();
    this.beat = setInterval(() => this.tick(), 250);
    this.open();
  }

  stop(): void {
    this.stream?.close();
    this.stream = null;
    if (this.beat !== null) clearInterval(this.beat);
    if (this.readAgain !== null) clearTimeout(this.readAgain);
    this.reading += 1;
    this.me = null;
    this.overview = null;
    this.cases = new Map();
    this.closed = null;
    this.alarms = new Map();
    this.sirens = new Map();
    this.messages = null;
    this.people = [];
    this.tags = new Map();
    this.loaded = false;
    this.lost = false;
    this.waiting = [];
  }

  private endSession(): void {
    this.stop();
    this.ended = true;
  }

  private tick(): void {
    const now = this.clock.now(here());
    // Whole seconds only, so that what counts down is drawn once a second.
    if (now !== null && Math.floor(now / 1000) !== Math.floor(this.now / 1000)) this.now = now;
    const broken = this.brokenAt !== null && here() - this.brokenAt > ERROR_GRACE_MS;
    const silent = isLost(this.heardAt, here());
    this.lost = broken || silent;
    // A connection can die without a word; a stream that is only silent is opened anew.
    if (silent && this.stream !== null && this.brokenAt === null) this.reopen();
  }

  private heard(stamp: number | undefined): void {
    this.heardAt = here();
    this.brokenAt = null;
    this.reopenWait = 500;
    this.lost = false;
    if (stamp !== undefined) {
      this.clock.hear(stamp, this.heardAt);
      this.lastHeard = stamp;
    }
  }

  private open(): void {
    const stream = new EventSource('/api/v1/events');
    this.stream = stream;
    const on = <T>(name: string, take: (data: T) => void): void => {
      stream.addEventListener(name, (event) => {
        if (this.stream === stream) take(JSON.parse((event as MessageEvent<string>).data || '{}') as T);
      });
    };
    stream.onopen = () => {
      if (this.stream !== stream) return;
      this.heard(undefined);
      void this.read();
    };
    stream.onerror = () => {
      if (this.stream === stream) this.reopen();
    };
    on<Change>('change', (change) => {
      this.heard(change.overview?.now);
      this.waiting.push(change);
      if (this.readers > 0) this.meanwhile.push(change);
      this.drawSoon();
    });
    on<{ now: number; values: ValueRow[] }>('values', ({ now, values }) => {
      this.heard(now);
      if (this.readers > 0) this.meanwhileValues.push(...values);
      this.take(values);
    });
    on<{ now: number }>('heartbeat', ({ now }) => this.heard(now));
    on('resync', () => void this.read());
  }

  private reopen(): void {
    this.stream?.close();
    this.stream = null;
    this.brokenAt ??= here();
    setTimeout(() => {
      if (this.me === null || this.stream !== null) return;
      // A stream that ended with its session answers 401, which an EventSource cannot tell from a dead server.
      get<Me>('/api/v1/me').then(
        () => this.stream === null && this.me !== null && this.open(),
        (fault) => (fault instanceof SessionEnded ? this.endSession() : this.reopen()),
      );
    }, this.reopenWait);
    this.reopenWait = Math.min(this.reopenWait * 2, 4_000);
  }

  private take(values: readonly ValueRow[]): void {
    for (const [tag, value, quality, at] of values) {
      const known = this.tags.get(tag);
      // A straggler among the events of a reading is older than the answer.
      if (known === undefined || (at !== null && known.at !== null && at < known.at)) continue;
      known.value = value;
      known.quality = quality;
      known.at = at;
    }
  }

  /** Runs `body` while the stream is written down, and hands it what came meanwhile. */
  private async over<T>(read: () => Promise<T>, then: (answer: T, meanwhile: Change[], values: ValueRow[]) => void): Promise<void> {
    const [from, valuesFrom] = [this.meanwhile.length, this.meanwhileValues.length];
    this.readers += 1;
    try {
      const answer = await read();
      then(answer, this.meanwhile.slice(from), this.meanwhileValues.slice(valuesFrom));
    } finally {
      this.readers -= 1;
      if (this.readers === 0) {
        this.meanwhile = [];
        this.meanwhileValues = [];
      }
    }
  }

  /** Reads everything anew. */
  private async read(): Promise<void> {
    this.reading += 1;
    const turn = this.reading;
    if (this.readAgain !== null) clearTimeout(this.readAgain);
    try {
      await this.over(
        () =>
          Promise.all([
            get<Overview>('/api/v1/overview'),
            get<{ seq: number; cases: Case[] }>(`/api/v1/cases?state=open&limit=${ROWS}`),
            get<{ seq: number; alarms: Alarm[] }>(`/api/v1/alarms?state=all&limit=${ROWS}`),
            get<Siren[]>('/api/v1/sirens'),
          ]),
        ([overview, cases, alarms, sirens], meanwhile) => {
          if (turn !== this.reading || this.me === null) return;
          this.clock.factor = overview.time_factor;
          this.clock.hear(overview.now, here());
          this.overview = overview;
          this.cases = new Map(cases.cases.map((c) => [c.id, c]));
          this.alarms = new Map(alarms.alarms.map((a) => [alarmKey(a), a]));
          this.sirens = new Map(sirens.map((s) => [`${s.enterprise}/${s.zone}`, s]));
          const oldest = Math.min(overview.seq, cases.seq, alarms.seq);
          this.waiting = meanwhile.filter((change) => change.seq >= oldest);
          this.loaded = true;
          this.draw();
        },
      );
      if (turn !== this.reading || this.me === null) return;
      if (this.closed !== null) this.readClosed().catch(() => {});
      if (this.messages !== null) this.readMessages().catch(() => {});
      void this.readTags(turn);
    } catch (fault) {
      if (turn !== this.reading) return;
      if (fault instanceof SessionEnded) this.endSession();
      else this.readAgain = setTimeout(() => void this.read(), 2_000);
    }
  }

  async readClosed(): Promise<void> {
    await this.over(
      () => get<{ cases: Case[] }>(`/api/v1/cases?state=closed&limit=${CLOSED_MAX}`),
      ({ cases }, meanwhile) => {
        const closed = new Map(cases.map((c) => [c.id, c]));
        for (const c of meanwhile.flatMap((change) => change.cases ?? [])) if (c.closed !== null) closed.set(c.id, c);
        this.closed = closed;
      },
    );
  }

  async readMessages(): Promise<void> {
    await this.over(
      () => get<{ people: Person[]; messages: Message[] }>(`/api/v1/messages?limit=${MESSAGES_MAX}`),
      ({ people, messages }, meanwhile) => {
        const known = new Map(messages.map((m) => [m.key, m]));
        for (const m of meanwhile.flatMap((change) => change.messages ?? [])) known.set(m.key, m);
        this.people = people;
        this.messages = known;
      },
    );
  }

  private async readTags(turn: number): Promise<void> {
    try {
      await this.over(
        async () => {
          const tags = new Map<string, LiveTag>();
          for (let offset = 0; ; offset += TAGS_PAGE) {
            const page = await get<{ total: number; tags: Tag[] }>(`/api/v1/tags?limit=${TAGS_PAGE}&offset=${offset}`);
            for (const info of page.tags) tags.set(info.tag, new LiveTag(info));
            if (page.tags.length === 0 || tags.size >= page.total) return tags;
          }
        },
        (tags, meanwhile, values) => {
          if (turn !== this.reading) return;
          this.tags = tags;
          this.restate(meanwhile);
          this.take(values);
        },
      );
    } catch {
      if (turn === this.reading) this.readAgain = setTimeout(() => void this.readTags(turn), 2_000);
    }
  }

  /** A window began or ended: which tags it covers whole is said with the tags only. */
  private readMarksSoon(): void {
    this.marksTimer ??= setTimeout(() => {
      this.marksTimer = null;
      // What fails here fails with the connection, after which everything is read anew.
      if (this.me !== null) this.readMarks().catch(() => {});
    }, MARKS_AFTER_MS);
  }

  private async readMarks(): Promise<void> {
    for (let offset = 0; ; offset += TAGS_PAGE) {
      const page = await get<{ total: number; tags: Tag[] }>(`/api/v1/tags?limit=${TAGS_PAGE}&offset=${offset}`);
      for (const { tag, marks } of page.tags) {
        const known = this.tags.get(tag);
        if (known !== undefined && String(known.info.marks ?? []) !== String(marks ?? []))
          known.info = { ...known.info, marks: marks ?? [] };
      }
      if (page.tags.length === 0 || offset + page.tags.length >= page.total) return;
    }
  }

  private restate(changes: readonly Change[]): void {
    for (const info of changes.flatMap((change) => change.tags ?? [])) {
      const known = this.tags.get(info.tag);
      if (known !== undefined) known.info = info;
    }
  }

  private drawSoon(): void {
    this.drawTimer ??= setTimeout(() => this.draw(), DRAW_EVERY_MS);
  }

  private draw(): void {
    if (this.drawTimer !== null) clearTimeout(this.drawTimer);
    this.drawTimer = null;
    // Before the first reading there is nothing to change.
    if (!this.loaded || this.waiting.length === 0) return;
    const changes = this.waiting;
    this.waiting = [];
    this.restate(changes);
    const cases = new Map(this.cases);
    const closed = this.closed === null ? null : new Map(this.closed);
    const alarms = new Map(this.alarms);
    const sirens = new Map(this.sirens);
    const messages = this.messages === null ? null : new Map(this.messages);
    for (const change of changes) {
      for (const c of change.cases ?? []) {
        if (c.closed === null) cases.set(c.id, c);
        else {
          cases.delete(c.id);
          closed?.set(c.id, c);
        }
      }
      for (const a of change.alarms ?? []) {
        if (isStanding(a.state) || needsAcknowledgement(a.state)) alarms.set(alarmKey(a), a);
        else alarms.delete(alarmKey(a));
      }
      for (const s of change.sirens ?? []) sirens.set(`${s.enterprise}/${s.zone}`, s);
      for (const m of change.messages ?? []) messages?.set(m.key, m);
      if (change.overview !== undefined) {
        if (inForce(change.overview) !== inForce(this.overview)) this.readMarksSoon();
        this.overview = change.overview;
        this.clock.factor = change.overview.time_factor;
      }
    }
    if (messages !== null) {
      const known = new Set(this.people.map((p) => p.person));
      // Somebody who never got a message before: who that is, only the engine knows.
      if (changes.some((change) => change.messages?.some((m) => !known.has(m.person)))) {
        this.readPeopleSoon ??= setTimeout(() => {
          this.readPeopleSoon = null;
          if (this.me !== null) this.readMessages().catch(() => {});
        }, 500);
      }
    }
    if (messages !== null && messages.size > MESSAGES_MAX) {
      const newest = [...messages.values()].sort((a, b) => b.at - a.at).slice(0, MESSAGES_MAX);
      this.messages = new Map(newest.map((m) => [m.key, m]));
    } else this.messages = messages;
    this.cases = cases;
    this.closed = closed;
    this.alarms = alarms;
    this.sirens = sirens;
  }
}

export const live = new Live();
