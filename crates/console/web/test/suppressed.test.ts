import { describe, expect, it } from 'vitest';
import { limitsOf } from '../src/lib/limits';
import { alarmKey } from '../src/lib/order';
import { causes, isUntoldByDesign, standing } from '../src/lib/suppressed';
import { anAlarm } from './build';

describe('设计抑制', () => {
  it('is why nobody was told, now or when it was raised, and not where somebody was', () => {
    expect(isUntoldByDesign(anAlarm({ told: false, marks: { suppressed: true } }))).toBe(true);
    expect(isUntoldByDesign(anAlarm({ told: false, marks: { untold: 1 } }))).toBe(true);
    expect(isUntoldByDesign(anAlarm({ told: true, marks: { untold: 1 } }))).toBe(false);
    expect(isUntoldByDesign(anAlarm({ told: false }))).toBe(false);
  });

  it('says by which tag, and that a mode is one', () => {
    const by = [
      { tag: 'e0/K-101T', name: 'K-101 停机' },
      { tag: null, name: '停车' },
    ];
    expect(causes(by, (name) => `工况 ${name}`)).toBe('K-101T K-101 停机 · 工况 停车');
  });

  it('marks an episode of a case only while the alarm is still in it', () => {
    const alarm = anAlarm();
    const alarms = new Map([[alarmKey(alarm), alarm]]);
    const of = (since: number) => ({ alarm: { tag: alarm.tag, condition: alarm.condition }, episode: { since } });
    expect(standing(alarms, of(1_000_000))).toBe(alarm);
    expect(standing(alarms, of(2_000_000))).toBeUndefined();
  });
});

describe('limits', () => {
  const limits = { low_low: null, low: 10, high: 80, high_high: 90 };

  it('are those in force, with the configured one beside where the mode has another', () => {
    const shown = limitsOf({ limits, limits_in_force: { ...limits, high: 30 }, suppressed: ['low'] });
    expect(shown.map(({ value, base, suppressed }) => [value, base, suppressed])).toEqual([
      [null, null, false],
      [10, null, true],
      [30, 80, false],
      [90, null, false],
    ]);
  });
});
