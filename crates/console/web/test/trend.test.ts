import { describe, expect, it } from 'vitest';
import { beyond, columns, historyPath, isJudged, range, spread } from '../src/lib/trend';

const point = (from: number, value: number | null, bad = 0) => ({
  from,
  to: from + 500,
  count: 1,
  bad,
  min: value,
  max: value,
  last: value,
});

describe('the line of a trend', () => {
  const quiet = [0, 1_000, 2_000, 3_000].map((at) => point(at, 5));

  it('is whole where readings follow one another', () => {
    expect(columns({ points: quiet, gaps: [] }, 0).last).toEqual([5, 5, 5, 5]);
  });
  it('is broken over a pause, so that silence does not look like a steady value', () => {
    expect(columns({ points: [...quiet, point(60_000, 7)], gaps: [] }, 0).last).toEqual([5, 5, 5, 5, null, 7]);
  });
  it('is broken over a recorded gap', () => {
    const gaps = [{ from: 1_600, to: 1_900, lost: 3, why: 'overflow', why_zh: '写入不及' }];
    expect(columns({ points: quiet, gaps }, 0).last).toEqual([5, 5, null, 5, 5]);
  });
  it('is broken where all readings were bad', () => {
    const shown = columns({ points: [point(0, 5), point(1_000, null, 1), point(2_000, 6)], gaps: [] }, 0);
    expect(shown.last).toEqual([5, null, 6]);
    expect(shown.bad).toEqual([0, 1, 0]);
  });
  it('climbs in time and stands in civil time', () => {
    const shown = columns({ points: [point(1_000, 1), point(900, 2)], gaps: [] }, 8 * 3_600_000);
    expect(shown.at[0]).toBe(8 * 3600 + 1.25);
    expect(shown.at[1]).toBeGreaterThan(shown.at[0] ?? 0);
  });
});

describe('the range of a trend', () => {
  const level = { range: [0, 100] as [number, number], decimals: 1, labels: null, unit: '%' };
  const bare = { ...level, range: null };
  const of = (...values: number[]) => columns({ points: values.map((value, at) => point(at * 1_000, value)), gaps: [] }, 0);
  const span = ([low, high]: [number, number]) => high - low;

  it('shows limits that leave the readings half of the height and leaves out those that would flatten the line', () => {
    const [low, high] = range(of(40, 60), [80, 4_000], level);
    expect(high).toBeGreaterThan(80);
    expect(high).toBeLessThan(90);
    expect(low).toBeLessThan(40);
    expect(range(of(40, 60), [81], level)[1]).toBeLessThan(81);
    // The nearest comes first, and all of them together cost no more than that.
    const both = range(of(40, 60), [25, 72], level);
    expect([both[0] > 25, both[1] > 72]).toEqual([true, true]);
  });
  it('draws the noise of a steady value as noise', () => {
    expect(span(range(of(50, 50.1, 49.9), [], level))).toBeGreaterThan(2);
    expect(span(range(of(0.1, 0.1 + 1e-16, 0.1), [], { ...bare, decimals: 2 }))).toBeGreaterThanOrEqual(0.1);
    expect(span(range(of(2_000, 2_000.01), [], { ...bare, decimals: 3 }))).toBeGreaterThanOrEqual(20);
  });
  it('does not go past an end of the range, or below nothing, only to have its least span', () => {
    expect(range(of(0, 0.3), [], level)[0]).toBeGreaterThan(-0.2);
    expect(range(of(99.9, 100), [], level)[1]).toBeLessThan(100.2);
    expect(range(of(0, 0.1), [], bare)[0]).toBeGreaterThan(-0.1);
    expect(range(of(-5, -5), [], bare)[0]).toBeLessThan(-5);
  });
  it('has both words of what only says yes or no, and takes no measured value for that', () => {
    const judged = { range: null, decimals: 0, labels: ['正常', '报警'] as [string, string], unit: '' };
    expect(range(of(0, 0), [], judged)).toEqual([-0.1, 1.1]);
    expect(range(of(0, 1), [], { ...judged, labels: null })).toEqual([-0.1, 1.1]);
    expect(isJudged(of(0, 1), level)).toBe(false);
    expect(isJudged(of(0, 2), judged)).toBe(false);
  });
  it('has a height for a value that never changes, and for none', () => {
    expect(span(range(of(7), [], bare))).toBeGreaterThan(0);
    expect(range(of(), [80], level)[1]).toBeGreaterThan(80);
  });
  it('says on which side a limit lies that is not shown', () => {
    expect([90, 5, 50].map((limit) => beyond(limit, [40, 60]))).toEqual(['↑', '↓', null]);
  });
});

it('asks with the tag as one segment and with no more points than there are columns', () => {
  expect(historyPath('ent/P-101A/B', 5.5, 9.2, 640)).toBe('/api/v1/tags/ent/P-101A%2FB/history?from=5&to=10&points=640');
  expect(historyPath('ent/1#罐', 0, 1, 9_999)).toContain('/ent/1%23%E7%BD%90/history?from=0&to=1&points=1000');
});

describe('the names of limits in a trend', () => {
  it('stand at their lines where there is room', () => {
    expect(spread([100, 200, 50], 15, 0, 300)).toEqual([100, 200, 50]);
  });
  it('are pushed below their lines where these lie together, in the order of the lines', () => {
    expect(spread([104, 100], 15, 0, 300)).toEqual([122, 100]);
  });
  it('stay inside the plot at its ends', () => {
    expect(spread([2, 3], 15, 0, 300)).toEqual([20, 35]);
    expect(spread([299, 298], 15, 0, 300)).toEqual([300, 285]);
  });
});
