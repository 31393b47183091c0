import { describe, expect, it } from 'vitest';
import type { Alarm, Tag } from '../src/lib/types';
import { conditionsOf, placesOf, untilMillis } from '../src/lib/windows';

const tag = (name: string, more: Partial<Tag> = {}): Tag =>
  ({
    tag: `hx/${name}`,
    equipment: 'V-101',
    equipment_name: '甲类罐区V-101',
    gateway: 'GW01',
    limits: { low_low: null, low: 10, high: 80, high_high: null },
    ...more,
  }) as Tag;

describe('what a window covers', () => {
  it('names each area and gateway once', () => {
    const tags = [tag('A'), tag('B'), tag('C', { equipment: 'V-102', equipment_name: '甲类罐区V-102', gateway: null })];
    expect(placesOf(tags, 'area')).toEqual([
      ['V-101', '甲类罐区V-101'],
      ['V-102', '甲类罐区V-102'],
    ]);
    expect(placesOf(tags, 'gateway')).toEqual([['GW01', 'GW01']]);
  });

  it('offers what stands before what is only configured, each once, and nothing of another enterprise', () => {
    const alarms = [
      { tag: 'hx/A', condition: 'high', condition_zh: '高报' },
      { tag: 'other/A', condition: 'high', condition_zh: '高报' },
    ] as Alarm[];
    expect(conditionsOf([tag('A')], alarms).map((one) => one.text)).toEqual(['● A 高报', 'A 低报']);
  });

  it('ends in whole milliseconds', () => {
    expect(untilMillis(1_732_507_200_000, 30)).toBe(1_732_509_000_000);
  });
});
