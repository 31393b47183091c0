import { describe, expect, it } from 'vitest';
import type { Alarm, Tag, Window } from '../src/lib/types';
import { conditionsOf, coveringOf, marksOf, placesOf, untilMillis } from '../src/lib/windows';

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

describe('the windows over a tag', () => {
  const of = tag('GT-202', { enterprise: 'hx', name: '液氨罐区南侧氨检测器', equipment_name: '液氨罐区', in_service: true });
  const window = (scope_zh: string, more: Partial<Window> = {}): Window =>
    ({ id: scope_zh, kind: 'under-test', enterprise: 'hx', scope_zh, in_force: true, ...more }) as Window;
  const found = (...windows: Window[]) =>
    coveringOf(of, '可燃有毒气体网关', windows).map(({ window, conditions }) => [window.id, conditions]);

  it('are those that name it, its area, its gateway or an alarm of it', () => {
    const scopes = ['GT-201、GT-202', '液氨罐区(全部位号)', '网关 可燃有毒气体网关(全部位号)'];
    expect(found(...scopes.map((scope) => window(scope)))).toEqual(scopes.map((scope) => [scope, null]));
    expect(found(window('LIA-1 液位 高报、GT-202 液氨罐区南侧氨检测器 高高报'))[0]?.[1]).toEqual(['high-high']);
    expect(found(window('GT-202 液氨罐区南侧氨检测器 断数'))[0]?.[1]).toEqual([]);
  });
  it('are none that name what is only like it, or lie at another enterprise', () => {
    expect(found(window('GT-2021、AGT-202'), window('液氨罐区北(全部位号)'), window('网关 GW(全部位号)'))).toEqual([]);
    expect(found(window('GT-202', { enterprise: 'lz' }))).toEqual([]);
  });
  it('mark the tag or single limits only while they are in force', () => {
    const windows = [
      window('GT-202'),
      window('GT-202 液氨罐区南侧氨检测器 高高报', { kind: 'shelved' }),
      window('液氨罐区(全部位号)', { kind: 'out-of-service', in_force: false }),
    ];
    const { whole, limits } = marksOf(of, coveringOf(of, null, windows));
    expect(whole).toEqual(['under-test']);
    expect([...limits]).toEqual([['high-high', ['shelved']]]);
  });
});
