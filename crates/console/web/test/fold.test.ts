import { describe, expect, it } from 'vitest';
import { conditionCounts, foldAlarms } from '../src/lib/fold';
import type { Alarm } from '../src/lib/types';
import { anAlarm } from './build';

const GW = 'e0/GW01';
const own = (more: Partial<Alarm> = {}): Alarm => anAlarm({ tag: GW, condition: 'gateway-lost', gateway: GW, case: 'c', ...more });
const silent = (n: number, more: Partial<Alarm> = {}): Alarm =>
  anAlarm({ tag: `e0/T-${n}`, condition: 'stale', condition_zh: '断数', told: false, gateway: GW, ...more });
const shape = (alarms: Alarm[]): [string, number][] => foldAlarms(alarms).map((line) => [line.key, line.members.length]);

describe('one dead gateway is one line', () => {
  it('folds what the gateway explains under its alarm, with a count of each kind', () => {
    const alarms = [own(), ...Array.from({ length: 120 }, (_, n) => silent(n)), silent(120, { condition: 'low-low' })];
    expect(shape(alarms)).toEqual([[`gateway-lost@${GW}`, 121]]);
    expect(conditionCounts(foldAlarms(alarms)[0]?.members ?? []).map((c) => [c.condition, c.n])).toEqual([
      ['stale', 120],
      ['low-low', 1],
    ]);
  });

  it('loses none: every alarm is a line or in one fold', () => {
    const alarms = [silent(1), own(), silent(2), own({ condition: 'wrong-clock' }), anAlarm(), silent(3, { gateway: 'e0/GW02' })];
    const lines = foldAlarms(alarms);
    const all = lines.flatMap((line) => [...(line.alarm === null ? [] : [line.alarm]), ...line.members]);
    expect(all.length).toBe(alarms.length);
    expect(new Set(all).size).toBe(alarms.length);
    expect(lines.find((line) => line.members.length > 0)?.key).toBe(`gateway-lost@${GW}`);
  });

  it('never folds an upper limit, nor what people were told of, nor what no gateway explains', () => {
    const gas = silent(1, { condition: 'high-high', level: 'red' });
    expect(shape([own(), gas, silent(2, { told: true })]).map(([, n]) => n)).toEqual([0, 0, 0]);
    expect(shape([silent(1), silent(2)]).map(([, n]) => n)).toEqual([0, 0]);
  });

  it('never says of what was suppressed by design that a gateway explains it, neither while it stands nor afterwards', () => {
    const suppressed = silent(1, { condition: 'low', marks: { suppressed: true, untold: 1 } });
    const returned = silent(2, { condition: 'low', state: 'returned-unacknowledged', marks: { untold: 1 } });
    const also = silent(3, { condition: 'low', state: 'returned-unacknowledged', marks: { untold: 2 } });
    expect(shape([own(), suppressed, returned]).map(([, n]) => n)).toEqual([0, 0, 0]);
    expect(shape([returned, also]).map(([, n]) => n)).toEqual([0, 0]);
  });

  it('keeps what has returned in one line after the gateway alarm is gone', () => {
    const back = [silent(1, { state: 'returned-unacknowledged' }), silent(2, { state: 'returned-unacknowledged' })];
    expect(shape(back)).toEqual([[`fold@${GW}`, 2]]);
    expect(shape(back.slice(0, 1))).toEqual([['stale@e0/T-1', 0]]);
  });
});
